"""In a chat an answer is in the language of who asks; what is typed is understood in every language."""

from datetime import timedelta

import pytest

from slomix import i18n
from slomix.availability.rules import Status
from slomix.channels.telegram import TelegramPress, TelegramUpdate
from slomix.chat import commands
from slomix.chat.responder import MAX_TRIES
from slomix.chat.service import IncomingMessage
from slomix.contacts import preferences
from slomix.contacts.rules import ChannelName, MessageKind
from tests.moments import TODAY
from tests.services.chatting import ADDRESS, SIGNAL, TELEGRAM, code_for, desk_of, status
from tests.steps import comes
from tests.world import World

TOMORROW = TODAY + timedelta(days=1)
CHANNELS = pytest.mark.parametrize("channel", [TELEGRAM, SIGNAL])


def writes(world: World, text: str, channel: ChannelName = SIGNAL, address: str = "") -> str:
    """Somebody writes this; what they are answered."""
    box, to = world.telegram if channel is TELEGRAM else world.signal, address or ADDRESS[channel]
    before = len(box.sent)
    if channel is SIGNAL:
        desk_of(world).answer_message(IncomingMessage(channel, to, text))
    else:
        desk_of(world).answer_update(TelegramUpdate(before + 1, to, True, text, "Somebody"))
    return "\n".join(message.text for _, message, _ in box.sent[before:])


@pytest.fixture
def slovene(linked: World) -> World:
    linked.speaks("alice", "sl")
    return linked


@CHANNELS
def test_an_answer_is_in_the_language_of_who_asks(slovene: World, channel: ChannelName) -> None:
    assert writes(slovene, "/avail looking", channel) == "Danes: Iščem igro\n1 išče igro"
    assert writes(slovene, "/tomorrow", channel) == "Jutri: odgovora še ni\nše nič"
    assert "/avail petek mogoče – drug dan" in writes(slovene, "/help", channel)
    assert writes(slovene, "/avail foo", channel) == "Tega ne razumem: »foo«. Poskusi: /avail iščem"
    assert "ta dan je mimo" in writes(slovene, "/avail 2026-11-19 looking", channel).lower()
    slovene.speaks("alice", "en")
    assert writes(slovene, "/today", channel) == "Today: Looking\n1 looking"


@CHANNELS
def test_who_is_not_linked_is_answered_in_the_first_language(world: World, channel: ChannelName) -> None:
    assert writes(world, "/today", channel, "777").startswith("This chat is not linked")
    settings = world.runtime.settings.model_copy(update={"languages": ("sl", "en")})
    object.__setattr__(world.runtime, "settings", settings)
    assert writes(world, "/today", channel, "777").startswith("Ta klepet ni povezan")
    assert writes(world, f"/link {code_for(world, 'alice', channel)}", channel, "777").startswith("Povežem ta klepet")


def test_a_language_that_is_not_spoken_here_any_more_is_no_reason_to_be_silent(slovene: World) -> None:
    settings = slovene.runtime.settings.model_copy(update={"languages": ("en",)})
    object.__setattr__(slovene.runtime, "settings", settings)
    assert writes(slovene, "/today").startswith("Today:")


def test_a_mistake_of_ours_is_confessed_in_it_too(slovene: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(commands, "reply_to", breaks)
    with i18n.speaking("sl"):
        said = i18n.gettext("That is our mistake, not yours. Nothing was changed; please try again.")
    assert writes(slovene, "/today") == said
    desk = desk_of(slovene)
    update = TelegramUpdate(7, ADDRESS[TELEGRAM], True, "/today", "Alice")
    for _ in range(MAX_TRIES - 1):
        with pytest.raises(RuntimeError):
            desk.answer_update(update)
    desk.answer_update(update)
    assert slovene.telegram.texts[-1] == said


@pytest.mark.parametrize("language", ["en", "sl"])
@pytest.mark.parametrize(
    ("typed", "days", "said"),
    [
        ("/avail iščem", 0, Status.LOOKING),
        ("/avail iscem", 0, Status.LOOKING),
        ("/avail Iščem igro", 0, Status.LOOKING),
        ("/avail ISCEM danes", 0, Status.LOOKING),
        ("/avail na voljo", 0, Status.AVAILABLE),
        ("/avail jutri mogoče", 1, Status.MAYBE),
        ("/avail jutri mogoce", 1, Status.MAYBE),
        ("/avail mogoče jutri", 1, Status.MAYBE),
        ("/avail ne igram", 0, Status.NOT_PLAYING),
        ("/avail ne", 0, Status.NOT_PLAYING),
        ("/avail petek mogoče", 0, Status.MAYBE),
        ("/avail sobota ne igram", 1, Status.NOT_PLAYING),
        ("/avail sob ne-igram", 1, Status.NOT_PLAYING),
        ("/avail četrtek iščem", 6, Status.LOOKING),
        ("/avail cetrtek looking", 6, Status.LOOKING),
        ("/avail čet iščem", 6, Status.LOOKING),
        ("/jutri na voljo", 1, Status.AVAILABLE),
        ("/danes iščem", 0, Status.LOOKING),
        ("/avail tomorrow maybe", 1, Status.MAYBE),
        ("/avail friday not playing", 0, Status.NOT_PLAYING),
    ],
)
def test_slovene_words_are_understood_whatever_the_account_speaks(
    linked: World, language: str, typed: str, days: int, said: Status
) -> None:
    linked.speaks("alice", language)
    writes(linked, typed)
    assert status(linked, "alice", TODAY + timedelta(days=days)) is said


def test_a_status_is_cleared_and_late_is_said_in_slovene(linked: World) -> None:
    linked.says("alice", Status.LOOKING)
    writes(linked, "/avail počisti")
    assert status(linked, "alice") is None
    writes(linked, "/avail zamudim")
    assert comes(linked, "alice") is not None


@CHANNELS
@pytest.mark.parametrize(("answer", "is_linked"), [("/da", True), ("/ne", False), ("/yes", True), ("/no", False)])
def test_the_question_of_a_link_is_answered_in_both(
    world: World, channel: ChannelName, answer: str, is_linked: bool
) -> None:
    writes(world, f"/link {code_for(world, 'alice', channel)}", channel)
    writes(world, answer, channel)
    assert (writes(world, "/today", channel) == "Today: you have not said yet\nnothing yet") is is_linked


def test_numbers_on_signal_answer_in_both(slovene: World) -> None:
    assert writes(slovene, "/today").startswith("Danes:")
    [labels] = [[button.label for button in message.buttons] for _, message, _ in slovene.signal.sent]
    assert labels == ["Iščem igro", "Na voljo", "Mogoče", "Ne igram", "Počisti"]
    assert writes(slovene, "3") == "Danes: Mogoče\n1 mogoče"
    slovene.speaks("alice", "en")
    assert writes(slovene, "1") == "Today: Looking\n1 looking", "the number of an answer that was Slovene"


@pytest.mark.parametrize(
    ("typed", "is_on"),
    [
        ("/notify dnevni opomnik vklopi", True),
        ("/notify DNEVNI opomnik VKLOPI", True),
        ("/notify dnevni izklopi", False),
        ("/notify daily reminder vklopi", True),
        ("/notify dnevni opomnik on", True),
    ],
)
def test_notifications_are_switched_in_both(slovene: World, typed: str, is_on: bool) -> None:
    with slovene.session() as session:
        player, zone = slovene.players["alice"], slovene.runtime.settings.zone
        now = slovene.clock.now()
        preferences.switch_kinds(session, player, {MessageKind.DAILY_REMINDER: not is_on}, zone=zone, now=now)
    said = writes(slovene, typed)
    assert f"Vprašaj me enkrat na dan: {'vklopljeno' if is_on else 'izklopljeno'}" in said


def test_a_press_on_a_slovene_message_answers_in_slovene(slovene: World) -> None:
    writes(slovene, "/today", TELEGRAM)
    [(_, message, _)] = slovene.telegram.sent
    press = TelegramPress("q1", message.buttons[2].value, "0", message.text, message.buttons)
    desk_of(slovene).answer_update(TelegramUpdate(9, ADDRESS[TELEGRAM], True, message.text, "Alice", press))
    assert slovene.telegram.texts == ["Danes: Mogoče\n1 mogoče"]
    assert i18n.language() == i18n.SOURCE, "and the next is not answered in it"


@pytest.mark.parametrize("language", sorted(i18n.known_languages()))
def test_what_the_help_gives_as_an_example_is_understood(linked: World, language: str) -> None:
    linked.speaks("alice", language)
    examples = [line.split(" – ")[0] for part in writes(linked, "/help").split("\n") for line in part.split("; ")]
    [notify] = [example for example in examples if example.startswith("/notify ")]
    shown = writes(linked, notify)
    assert len(shown.splitlines()) > 2, "all kinds as they are now"
    [friday] = [example for example in examples if example.startswith("/avail ") and example.count(" ") == 2]
    writes(linked, friday)
    assert status(linked, "alice") is Status.MAYBE
