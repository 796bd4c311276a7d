"""Messages in a language that nobody speaks: whatever has other letters was not looked up, or not when it was read."""

import re
from collections.abc import Iterable
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from slomix import i18n
from slomix.availability.rules import Status
from slomix.campaigns import attendance
from slomix.campaigns.models import Campaign
from slomix.channels.base import Message
from slomix.channels.telegram import TelegramUpdate
from slomix.chat.responder import Responder
from slomix.chat.rules import Command
from slomix.contacts import service as contacts
from slomix.contacts.rules import ChannelName
from slomix.deliveries import pausing
from slomix.deliveries.finishing import with_buttons
from slomix.deliveries.models import Delivery
from slomix.deliveries.notices import EditedNotice, Occasion
from slomix.deliveries.service import new_nonce
from slomix.dev.simulator.people import PUBLIC_KEY
from slomix.evening import tonight
from slomix.interactions import service as interactions
from slomix.interactions.commands import definitions
from slomix.interactions.wire import Interaction, InteractionType
from slomix.planning.models import Room
from slomix.planning.rules import Side
from slomix.planning.threads import _thread_target
from slomix.processes.dispatch import NOTICES
from tests.configuration import ROOM, SUMMARY_ROOM
from tests.moments import TODAY, at
from tests.services.days import says
from tests.steps import call, is_late
from tests.wide import WORD, wide
from tests.workers.planned import open_room, places
from tests.workers.stage import in_voice
from tests.world import CAST, Peopled, World, build_world

__all__ = ["wide"]  # a fixture

# What is the same in every language.
KEPT = re.compile(r"https?://\S+|<t:\d+:[tR]>|<@\d+>|/[a-z]+\b|ET:Legacy")
NAMES = {"slomix", "discord", "telegram", "signal", "spare", "alice", "bob", "erik", "franka", "goran", "dora"}


def plain_words(texts: Iterable[str]) -> list[str]:
    """Those of the texts with words that were not looked up."""
    return [text for text in texts if {*map(str.lower, WORD.findall(KEPT.sub("", text)))} - NAMES]


def all_of(message: Message) -> list[str]:
    return [message.text, *(button.label for button in message.buttons)]


@pytest.fixture
def evening(peopled: Peopled) -> World:
    """Something of everything: called, late, a room with teams, and a channel that is stopped."""
    world = build_world(
        peopled,
        discord_public_key=PUBLIC_KEY,
        discord_guild_id="1",
        game_server_host="127.0.0.1",
        announce_channel_id=SUMMARY_ROOM,
        ready_threshold=8,
        promoter_discord_ids=CAST["bob"],
    )
    for name in ("alice", "bob", "erik", "franka", "goran"):
        says(world, name, Status.LOOKING)
    says(world, "dora", Status.MAYBE)
    open_room(world)
    places(world, "alice", Side.A, is_captain=True)
    call(world)
    is_late(world, "goran")
    with world.session() as session:
        pausing.pause(session, by="dora", now=world.clock.now())
    return world


@pytest.fixture
def lively(evening: World, wide: None) -> World:
    """The same, in that language."""
    del wide
    return evening


def subject(session: Session, name: str) -> str:
    """What a message of this kind is about."""
    if name == "session_ready":
        return f"{TODAY}:threshold=3"
    if name in {"looking", "daily_reminder"}:
        return f"{TODAY}:n=3" if name == "looking" else str(TODAY)
    if name == "planning_ask":
        return session.query(Room).one().subject
    return session.query(Campaign).one().subject


def said_by(world: World, name: str, channel: ChannelName) -> list[str]:
    """All that a message of this kind says to Alice, and its buttons."""
    notice = NOTICES[name]
    world.clock.move_to(at(21))
    if name == "daily_reminder":
        says(world, "alice", None)  # type: ignore[arg-type]
    with world.session() as session:
        player, settings, now = world.players["alice"], world.runtime.settings, world.clock.now()
        reach = contacts.reachability_of(session, [player], settings=settings)[player]
        row = Delivery(player_id=player, subject=subject(session, name), notice=name, nonce=new_nonce())
        occasion = Occasion(world.runtime, session, row, reach, channel, now)
        message = notice.compose(occasion)
        assert isinstance(message, Message), message
        said = all_of(with_buttons(message, notice, occasion))
        said += [fact for fact in [notice.still_true(occasion)] if fact is not None]
        if isinstance(notice, EditedNotice):
            row.subject = f"{TODAY}:threshold=8"
            said += all_of(notice.edited(occasion))
    return said


CHANNELS = pytest.mark.parametrize("channel", [ChannelName.DISCORD, ChannelName.TELEGRAM])


@CHANNELS
@pytest.mark.parametrize("name", NOTICES)
def test_whatever_a_message_says_is_looked_up(lively: World, name: str, channel: ChannelName) -> None:
    """Also of a kind that does not exist yet."""
    assert plain_words(said_by(lively, name, channel)) == []


@pytest.mark.parametrize("name", NOTICES)
@pytest.mark.parametrize("language", sorted(i18n.known_languages()))
def test_a_message_and_its_buttons_fit_discord_in_every_language(evening: World, name: str, language: str) -> None:
    with i18n.speaking(language):
        text, *others = said_by(evening, name, ChannelName.DISCORD)
    assert 0 < len(text) <= 2000
    assert all(0 < len(other) <= 80 for other in others if "\n" not in other)


@pytest.mark.usefixtures("wide")
def test_whatever_a_room_reads_is_looked_up(lively: World) -> None:
    lively.clock.move_to(at(21))
    in_voice(lively, alice=ROOM)
    with lively.session() as session:
        settings, now = lively.runtime.settings, lively.clock.now()
        evening = tonight.read(session, TODAY, settings=settings, now=now)
        thread = _thread_target(session, session.query(Room).one(), was_posted=True, settings=settings)
        attendance.count(session, session.query(Campaign).one())
        said = [tonight.text(evening, now=now), tonight.text(evening, now=now + timedelta(hours=1))]
        said += [tonight.closing_text(evening), thread.name, thread.text or ""]
    assert plain_words(said) == []


TYPED = [
    *(f"/{command}" for command in Command),
    "hello",
    "/link nonsense",
    "/avail foo",
    "/avail",
    "/avail looking",
    "/avail friday",
    "/avail late",
    "/avail 2026-11-19 looking",
    "/avail 2030-01-01 looking",
    "/notify daily reminder off",
    "/notify foo",
]


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("is_linked", [True, False])
def test_whatever_is_answered_in_a_chat_is_looked_up(lively: World, is_linked: bool) -> None:
    if is_linked:
        lively.has("alice", ChannelName.TELEGRAM, "4242")
    desk = Responder(lively.runtime)
    for number, text in enumerate(TYPED):
        desk.answer_update(TelegramUpdate(number, "4242", True, text, "Alice"))
        if text == "/unlink" and is_linked:
            lively.has("alice", ChannelName.TELEGRAM, "4242")
    said = [text for _, message, _ in lively.telegram.sent for text in all_of(message)]
    assert len(lively.telegram.sent) >= len(TYPED) - 1
    # What somebody typed stays as it is.
    assert plain_words(text.replace("“foo”", "").replace("foo", "") for text in said) == []


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("who", ["alice", "bob", "charlie"])
def test_whatever_is_answered_on_discord_is_looked_up(lively: World, who: str) -> None:
    in_voice(lively, alice=ROOM)
    said: list[str] = []
    serial = iter(range(1000, 9999))

    def ask(kind: InteractionType, command: str = "", pressed: str = "", **options: str) -> None:
        asked = Interaction(
            id=str(next(serial)),
            type=kind,
            token="t",
            application_id="1",
            user_id=lively.discord_ids[who],
            username=who,
            display_name=who,
            guild_id="1",
            command=command,
            options=options,
            pressed=pressed,
        )
        reply = interactions.respond(lively.runtime, asked)
        said.extend([reply.text, reply.line])
        for button in (button for row in reply.buttons or () for button in row):
            said.append(button.label)
            if kind is InteractionType.COMMAND:
                ask(InteractionType.PRESS, pressed=button.value)

    for command in sorted(interactions.COMMANDS):
        ask(InteractionType.COMMAND, command, day="today", status="maybe", player="zzz")
    ask(InteractionType.COMMAND, "avail set", day="2030-01-01", status="maybe")
    ask(InteractionType.COMMAND, "avail set", day="2026-01-01", status="nonsense")
    ask(InteractionType.PRESS, pressed="nonsense")
    assert plain_words(said) == []


@pytest.mark.usefixtures("wide")
def test_whatever_a_command_is_described_with_is_looked_up() -> None:
    def texts(each: dict[str, object]) -> Iterable[str]:
        yield str(each["name"] if "value" in each else each["description"])
        for name in ("options", "choices"):
            for inside in each.get(name, ()):  # type: ignore[attr-defined]
                yield from texts(inside)

    assert plain_words(text for command in definitions(["en"]) for text in texts(command)) == []


def test_a_message_that_was_not_looked_up_is_found() -> None:
    assert plain_words(["Ｔｏｎｉｇｈｔ: http://127.0.0.1:7000/ /avail <t:1795204830:t> Alice"]) == []
    assert plain_words(["Ｔｏｎｉｇｈｔ: see you"]) == ["Ｔｏｎｉｇｈｔ: see you"]
