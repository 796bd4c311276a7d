"""On Discord an answer is in what its asker chose, else in their Discord's language, else in the community's."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from slomix import i18n
from slomix.availability.rules import STATUS_NAMES, Status
from slomix.dev.simulator.people import PUBLIC_KEY
from slomix.interactions import service
from slomix.interactions.commands import LOCALES, definitions, is_same
from tests.discord_description import NOT_HERE, path_of_description
from tests.moments import at
from tests.steps import call
from tests.web.conftest import make_app, with_settings
from tests.web.pressing import GUILD, Discord, buttons
from tests.workers.pump import pump
from tests.world import CAST, World

ENGLISH, SLOVENE = "**Today**: you have not said yet", "**Danes**: odgovora še ni"


@pytest.fixture
def open_discord(world: World) -> Iterator[Callable[..., Discord]]:
    """Discord, in a community that speaks these languages."""
    clients = []

    def open_it(languages: str = "en,sl") -> Discord:
        talkative = with_settings(
            world, discord_public_key=PUBLIC_KEY, discord_guild_id=GUILD, languages=tuple(languages.split(","))
        )
        client = make_app(talkative.runtime).test_client().__enter__()
        clients.append(client)
        return Discord(client, talkative)

    yield open_it
    for client in clients:
        client.__exit__(None, None, None)


def shown(discord: Discord, name: str, locale: str) -> str:
    """What `/avail show` answers to somebody whose Discord is set so."""
    option = {"name": "show", "type": 1, "options": [{"name": "day", "type": 3, "value": "today"}]}
    body = discord.interaction(name, 2, {"name": "avail", "options": [option]}) | {"locale": locale}
    answer: str = discord.post(body).json["data"]["content"]
    return answer.splitlines()[0]


@pytest.mark.parametrize(
    ("languages", "chosen", "locale", "said"),
    [
        ("en,sl", "sl", "en-US", SLOVENE),
        ("en,sl", "en", "en-US", ENGLISH),
        ("en,sl", None, "en-US", ENGLISH),
        ("sl,en", None, "en-US", SLOVENE),  # Discord has no Slovene, so that its English says nothing
        ("sl,en", None, "en-GB", SLOVENE),
        ("sl,en", "en", "en-GB", ENGLISH),
        ("en,sl", None, "sl", SLOVENE),  # if it had
        ("en,sl", "en", "sl", ENGLISH),
        ("en,sl", None, "de", ENGLISH),  # none of ours
        ("sl,en", None, "pt-BR", SLOVENE),
        ("sl,en", None, "", SLOVENE),
        ("en", "sl", "", ENGLISH),  # no longer spoken here
    ],
)
def test_whose_language_it_is(
    open_discord: Callable[..., Discord], world: World, languages: str, chosen: str | None, locale: str, said: str
) -> None:
    discord = open_discord(languages)
    if chosen is not None:
        world.speaks("alice", chosen)
    assert shown(discord, "alice", locale) == said
    assert i18n.language() == i18n.SOURCE


def test_an_account_without_a_player_is_asked_in_its_language_too(
    open_discord: Callable[..., Discord], world: World
) -> None:
    world.speaks("charlie", "sl")
    seen = open_discord().typed("charlie", "avail show")
    assert seen["data"]["content"] == "Najprej izberi svojega igralca."
    assert list(buttons(seen)) == ["Izberi mojega igralca"]


def test_a_press_on_a_slovene_message_answers_in_slovene(open_discord: Callable[..., Discord], world: World) -> None:
    discord, talkative = open_discord(), with_settings(world, discord_public_key=PUBLIC_KEY, discord_guild_id=GUILD)
    world.speaks("alice", "sl")
    talkative.clock.move_to(at(20, 30))
    talkative.says("alice", Status.LOOKING)
    call(talkative)
    talkative.clock.move_to(at(20, 45))
    pump(talkative)
    [message] = [message for to, message, _ in talkative.discord.sent if to.value == CAST["alice"]]
    sends = {button.label: button.value for button in message.buttons}
    seen = discord.pressed("alice", sends["Nocoj ne morem"], guild=None, content=message.text)
    assert (seen["type"], seen["data"]["content"]) == (7, f"{message.text}\n→ **Danes**: Ne igram")
    world.speaks("alice", "en")
    seen = discord.pressed("alice", sends["Zamudim 15 min"], guild=None, content=seen["data"]["content"])
    said = f"{message.text}\n→ **Today**: Looking, 15 min late (about <t:{int(at(21, 15).timestamp())}:t>)"
    assert seen["data"]["content"] == said, "in place of the Slovene line"
    world.speaks("alice", "sl")
    asked = discord.pressed("alice", sends["Utišaj"], guild=None, content=message.text)
    assert asked["data"]["content"].startswith("Utišam: vabila na igralne večere?")
    muted = discord.pressed("alice", buttons(asked)["Utišaj to vrsto: vabila na igralne večere"], guild=None)
    assert muted["data"]["content"].startswith("Utišano: vabila na igralne večere.")


def test_days_are_suggested_and_read_in_it(open_discord: Callable[..., Discord], world: World) -> None:
    discord = open_discord()
    world.speaks("alice", "sl")

    def suggested(typed: str) -> list[str]:
        day = {"name": "day", "type": 3, "value": typed, "focused": True}
        data = {"name": "avail", "options": [{"name": "show", "type": 1, "options": [day]}]}
        answer: dict[str, Any] = discord.post(discord.interaction("alice", 4, data)).json
        return [choice["name"] for choice in answer["data"]["choices"]]

    assert suggested("")[:3] == ["Danes", "Jutri", "ned., 22. nov."]
    assert suggested("čet") == suggested("cet") == suggested("thursday") == ["čet., 26. nov."]
    assert suggested("jut") == ["Jutri"]
    discord.typed("alice", "avail set", day="jutri", status="maybe")
    seen = discord.typed("alice", "avail show", day="jutri")
    assert seen["data"]["content"].startswith("**Jutri**: Mogoče")


@pytest.mark.parametrize("command", sorted({"tonight", "queue", "notify", "teams", "promote"} & service.COMMANDS))
def test_every_command_answers_in_it(open_discord: Callable[..., Discord], world: World, command: str) -> None:
    discord = open_discord()
    for name in ("alice", "bob", "erik"):
        world.says(name, Status.LOOKING)
    english = discord.typed("bob", command)["data"]["content"]
    world.speaks("bob", "sl")
    slovene = discord.typed("bob", command)["data"]["content"]
    said = {
        "tonight": "**Nocoj**: za igro 3 od 6, manjkajo še 3.",
        "queue": "1. Alice",
        "notify": "Vabi me na igralne večere: **vklopljeno**",
        "teams": "Za nocoj še ni ekip.",
        "promote": "Obveščeni bodo 3 igralci. Začetek je ob",
    }[command]
    assert slovene.startswith(said)
    assert (slovene == english) is (command == "queue")


# The commands themselves


def test_they_are_described_in_the_first_language_and_in_those_that_discord_has() -> None:
    english, slovene = definitions(["en", "sl"])[1], definitions(["sl", "en"])[1]
    assert english["description"] == "Who plays tonight, when it starts, and who is in voice"
    assert "description_localizations" not in english, "Discord has no Slovene"
    assert slovene["description"] == "Kdo nocoj igra, kdaj se začne in kdo je v govornem kanalu"
    assert slovene["description_localizations"] == dict.fromkeys(("en-GB", "en-US"), english["description"])
    assert slovene["name"] == "tonight"
    status = slovene_option("avail", "set", "status")
    assert status["choices"][0] == {
        "name": "Iščem igro",
        "value": "looking",
        "name_localizations": {"en-GB": "Looking", "en-US": "Looking"},
    }


def slovene_option(command: str, subcommand: str, option: str) -> dict[str, Any]:
    found: Any = definitions(["sl", "en"])
    for name in (command, subcommand, option):
        found = next(each for each in found if each["name"] == name)
        found = found["options"] if name != option else found
    return dict(found)


def test_a_difference_in_any_language_is_seen() -> None:
    ours = definitions(["sl", "en"])
    there = json.loads(json.dumps(ours))
    assert is_same(ours, there)
    there[1]["description_localizations"]["en-GB"] = "Who plays"
    assert not is_same(ours, there)
    there = json.loads(json.dumps(ours))
    there[1]["description_localizations"]["de"] = "Wer spielt"
    assert not is_same(ours, there), "of a language that was spoken here once"
    assert not is_same(definitions(["sl"]), ours)
    assert not is_same(ours, definitions(["sl"]))
    without = [{**command, "description_localizations": None} for command in definitions(["en", "sl"])]
    assert is_same(definitions(["en", "sl"]), without), "as Discord says it"


def test_our_list_of_discords_languages_is_its_own() -> None:
    described = path_of_description()
    if described is None:
        pytest.skip(NOT_HERE)
    schema = json.loads(described.read_text())["components"]["schemas"]["AvailableLocalesEnum"]
    assert LOCALES.split() == [each["const"] for each in schema["oneOf"]]


@pytest.mark.parametrize("first", sorted(i18n.known_languages()))
def test_every_description_and_name_fits_discord_in_every_language(first: str) -> None:
    def walk(each: dict[str, Any]) -> None:
        if "value" not in each:
            said = [each["description"], *each.get("description_localizations", {}).values()]
            assert each["name"].isascii()
        else:
            said = [each["name"], *each.get("name_localizations", {}).values()]
        assert all(1 <= len(text) <= 100 for text in said), said
        for inside in (*each.get("options", ()), *each.get("choices", ())):
            walk(inside)

    for command in definitions([first, *sorted(i18n.known_languages() - {first})]):
        walk(command)


@pytest.mark.parametrize("language", sorted(i18n.known_languages()))
def test_statuses_differ_in_every_language(language: str) -> None:
    with i18n.speaking(language):
        assert len({STATUS_NAMES[status] for status in Status}) == len(Status)
