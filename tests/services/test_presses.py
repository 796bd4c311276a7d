"""What a message offers is answered where it stands: by a button on Telegram, by a number on Signal."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

import pytest

from slomix.accounts import service as accounts
from slomix.accounts.models import User
from slomix.availability.rules import Status
from slomix.availability.triggers import UNDO_FOR
from slomix.channels.base import Button, Message, SendError, Unanswered
from slomix.channels.signal import numbered_text
from slomix.channels.telegram import TelegramPress, TelegramUpdate
from slomix.chat import presses
from slomix.chat.service import IncomingMessage
from slomix.contacts import preferences
from slomix.contacts import service as contacts
from slomix.contacts.rules import ChannelName, MessageKind
from slomix.deliveries import choices
from slomix.deliveries.choices import Choice
from slomix.dev.simulator.people import PUBLIC_KEY
from slomix.interactions import service as interactions
from slomix.interactions.linking import CHOOSE, LINK
from slomix.interactions.promoting import PROMOTE
from slomix.reasons.codes import Reason
from tests.configuration import ROOM, make_settings
from tests.moments import TODAY, at
from tests.services.chatting import ADDRESS, SIGNAL, TELEGRAM, code_for, desk_of, status
from tests.services.days import SIX, begins, says
from tests.steps import call
from tests.workers.pump import pump
from tests.workers.stage import go, in_voice
from tests.world import CAST, Peopled, World, build_world

DISCORD = ChannelName.DISCORD
IN, LATE, OUT, MUTE = "I'm in", "15 min late", "Can't tonight", "Mute"


@dataclass
class Chat:
    """Somebody's chat with the bot, and the process that answers there."""

    world: World
    channel: ChannelName
    address: str = ""
    numbers: Iterator[int] = field(default_factory=lambda: count(100))

    def __post_init__(self) -> None:
        self.address = self.address or ADDRESS[self.channel]

    @property
    def messages(self) -> list[Message]:
        """What the bot has written there."""
        box = self.world.telegram if self.channel is TELEGRAM else self.world.signal
        return [message for to, message, _ in box.sent if to.value == self.address]

    def writes(self, text: str) -> str:
        """Write, and return what is answered; the process that answers was started just now."""
        if self.channel is SIGNAL:
            desk_of(self.world).answer_message(IncomingMessage(SIGNAL, self.address, text))
        else:
            desk_of(self.world).answer_update(TelegramUpdate(next(self.numbers), self.address, True, text, "Somebody"))
        return self.messages[-1].text

    def press(self, label: str, *, under: int = -1, value: str | None = None) -> str:
        """Choose what a message offers, as its reader does, and return what they see then."""
        offering = [message for message in self.messages if message.choices][under]
        if self.channel is SIGNAL:
            labels = [button.label for button in offering.choices]
            return self.writes(str(labels.index(label) + 1))
        before = list(self.messages)
        place = next(number for number, (_, message, _) in enumerate(self.world.telegram.sent) if message is offering)
        sends = {button.label: button.value for button in offering.buttons}
        pressed = TelegramPress(
            f"q{len(self.world.telegram.acknowledged)}",
            sends[label] if value is None else value,
            str(place),
            offering.text,
            offering.buttons,
        )
        update = TelegramUpdate(next(self.numbers), self.address, True, offering.text, "Somebody", press=pressed)
        desk_of(self.world).answer_update(update)
        assert self.world.telegram.acknowledged[-1] == pressed.id, "the app does not wait"
        changed = [message for message in self.messages if not any(message is old for old in before)]
        return changed[-1].text if changed else offering.text


def reminded(world: World, channel: ChannelName) -> Chat:
    """Alice was reminded in this chat."""
    world.has("alice", channel, ADDRESS[channel])
    world.prefers("alice", preferred_channel=channel.value)
    world.clock.move_to(at(20, 30))
    world.says("alice", Status.LOOKING)
    call(world)
    go(world, 20, 45)
    return Chat(world, channel)


BOTH = pytest.mark.parametrize("channel", [TELEGRAM, SIGNAL])


# What is offered


def offered(peopled: Peopled, channel: ChannelName) -> list[tuple[str, list[Choice]]]:
    """What each message of a whole day offers to somebody on this channel: its first words, and what can be chosen."""
    world = build_world(peopled, discord_public_key=PUBLIC_KEY)
    settings = world.runtime.settings
    if channel is not DISCORD:
        world.has("alice", channel, ADDRESS[channel])
    world.prefers(
        "alice",
        preferred_channel=channel.value,
        session_ready=True,
        daily_reminder=True,
        looking_threshold=2,
    )
    begins(world)
    go(world, 16)
    for name in SIX:
        says(world, name, Status.LOOKING)
    world.clock.forward(UNDO_FOR)
    pump(world)
    call(world)
    go(world, 20, 45)
    go(world, 21)
    in_voice(world, bob=ROOM)
    go(world, 21, 0, 31)
    box = {DISCORD: world.discord, TELEGRAM: world.telegram, SIGNAL: world.signal}[channel]
    to = {DISCORD: CAST["alice"], **ADDRESS}[channel]
    return [
        (
            message.text.split("<")[0][:18],
            [choices.read(button.value, settings) for button in message.choices],
        )
        for address, message, _ in box.sent
        if address.value == to
    ]


def test_every_message_offers_the_same_on_every_channel(town: Peopled) -> None:
    """A kind of message, or a button, that only Discord had would be seen here."""
    found: dict[ChannelName, list[tuple[str, list[tuple[str, str, str]]]]] = {}
    for channel in (DISCORD, TELEGRAM, SIGNAL):
        with town.for_a_test():
            found[channel] = [
                (text, [(one.kind, one.subject, one.answer) for one in offers])
                for text, offers in offered(town, channel)
            ]
    assert len(found[DISCORD]) >= 5
    assert all(offers for _, offers in found[DISCORD])
    assert found[TELEGRAM] == found[SIGNAL] == found[DISCORD]


def test_what_discord_alone_answers_is_what_discord_alone_offers() -> None:
    """A new kind of button is answered in every chat, or stands here with its reason."""
    only_there = {CHOOSE, LINK, PROMOTE}  # a player is chosen in our server, and promoters call from there
    assert set(interactions._PRESSES) == only_there
    assert not only_there & set(presses.PRESSES)


def test_on_signal_each_choice_has_its_number_and_links_have_none() -> None:
    settings = make_settings()
    link_button = Button("Join voice", link="https://discord.example/1")
    button = Button("Can't tonight", choices.sign(Choice("status", TODAY.isoformat(), "maybe"), settings))
    assert numbered_text(Message("Come!", buttons=(link_button, button, button))) == (
        "Come!\n\n1: Can't tonight · 2: Can't tonight"
    )
    assert numbered_text(Message("Come!", buttons=(link_button,))) == "Come!"


# What pressing does


@BOTH
def test_a_reminder_is_answered_where_it_stands_and_changed(world: World, channel: ChannelName) -> None:
    chat = reminded(world, channel)
    reminder = chat.messages[-1].text
    for label, now, said in ((OUT, Status.NOT_PLAYING, "Not playing"), (IN, Status.LOOKING, "Looking")) * 2:
        text = chat.press(label)
        assert text == (f"{reminder}\n" if channel is TELEGRAM else "") + f"→ Today: {said}"
        assert status(world, "alice") is now
    if channel is TELEGRAM:
        [edited] = chat.messages
        assert [button.label for button in edited.choices] == [IN, LATE, OUT, MUTE], "it can be changed"


@BOTH
def test_the_same_twice_says_the_same(world: World, channel: ChannelName) -> None:
    chat = reminded(world, channel)
    assert chat.press(OUT) == chat.press(OUT)
    assert status(world, "alice") is Status.NOT_PLAYING


@BOTH
def test_a_day_is_answered_under_its_answer(world: World, channel: ChannelName) -> None:
    world.has("alice", channel, ADDRESS[channel])
    chat, monday = Chat(world, channel), TODAY + timedelta(days=3)
    assert chat.writes("/avail monday") == "Mon 23 Nov: you have not said yet\nnothing yet"
    assert chat.press("Maybe") == "Mon 23 Nov: Maybe\n1 maybe"
    assert status(world, "alice", monday) is Status.MAYBE
    assert chat.press("Clear") == "Mon 23 Nov: you have not said yet\nnothing yet"
    assert status(world, "alice", monday) is None
    assert len(chat.messages) == (1 if channel is TELEGRAM else 3)


@BOTH
def test_after_the_evening_it_is_too_late(world: World, channel: ChannelName) -> None:
    chat = reminded(world, channel)
    world.clock.move_to(at(0, 1, day=TODAY + timedelta(days=1)))
    assert chat.press(OUT) == "That day is over, so it can be read but no longer changed."
    assert status(world, "alice") is Status.LOOKING


@BOTH
def test_after_unlinking_and_after_leaving_the_server_a_press_does_nothing(world: World, channel: ChannelName) -> None:
    chat = reminded(world, channel)
    with world.session() as session:
        accounts.record_membership(session, session.get_one(User, world.users["alice"]), False, now=world.clock.now())
    assert "not linked to a player" in chat.press(OUT)
    with world.session() as session:
        contacts.remove_contact(session, world.players["alice"], channel)
    assert "not linked to a player" in chat.press(OUT)
    assert status(world, "alice") is Status.LOOKING


@BOTH
def test_a_chat_that_was_given_to_another_player_answers_for_that_one(world: World, channel: ChannelName) -> None:
    """Who presses is known from the chat, never from the button."""
    chat = reminded(world, channel)
    with world.session() as session:
        contacts.remove_contact(session, world.players["alice"], channel)
    world.has("erik", channel, ADDRESS[channel])
    chat.press(OUT)
    assert (status(world, "alice"), status(world, "erik")) == (Status.LOOKING, Status.NOT_PLAYING)


def test_a_strangers_press_does_nothing(world: World) -> None:
    alices = reminded(world, TELEGRAM)
    [message] = alices.messages
    pressed = TelegramPress("q", message.choices[2].value, "0", message.text, message.buttons)
    desk_of(world).answer_update(TelegramUpdate(7, "666", True, message.text, "Mallory", press=pressed))
    [answer] = Chat(world, TELEGRAM, "666").messages
    assert "not linked to a player" in answer.text
    assert status(world, "alice") is Status.LOOKING
    in_group = TelegramUpdate(8, ADDRESS[TELEGRAM], False, message.text, "Mallory", press=pressed)
    desk_of(world).answer_update(in_group)
    assert status(world, "alice") is Status.LOOKING


def test_a_press_that_is_delivered_twice_counts_once(world: World) -> None:
    chat = reminded(world, TELEGRAM)
    [message] = chat.messages
    pressed = TelegramPress("q", message.choices[2].value, "0", message.text, message.buttons)
    update = TelegramUpdate(7, chat.address, True, message.text, "Somebody", press=pressed)
    desk_of(world).answer_update(update)
    world.says("alice", Status.MAYBE)
    desk_of(world).answer_update(update)
    assert status(world, "alice") is Status.MAYBE


FOREIGN = choices.sign(
    Choice("status", TODAY.isoformat(), "looking"), make_settings(session_secret="another-installation-" * 2)
)


@pytest.mark.parametrize(
    "value", ["", "x", "looking", f"status.{TODAY}.looking", FOREIGN, "ünsigned", "\ud800", "a.b.c.d.e.f"]
)
def test_a_button_that_we_did_not_sign_says_so(world: World, value: str) -> None:
    chat = reminded(world, TELEGRAM)
    assert chat.press(OUT, value=value) == "This button is no longer known here. Type /avail instead."
    assert status(world, "alice") is Status.LOOKING


def test_a_kind_of_button_that_is_no_more_says_so(world: World) -> None:
    """From a version that had it, or had it elsewhere."""
    chat = reminded(world, TELEGRAM)
    for kind in ("abolished", PROMOTE):
        signed = choices.sign(Choice(kind), world.runtime.settings)
        assert chat.press(OUT, value=signed) == "This button is no longer known here. Type /avail instead."


@pytest.mark.parametrize("text", ["", "gone"])
def test_where_the_message_cannot_be_edited_the_answer_is_a_new_one(
    world: World, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    chat = reminded(world, TELEGRAM)
    [message] = chat.messages

    def refuse(*_: object) -> None:
        raise SendError(Reason.TELEGRAM_SAID, "Bad Request: message to edit not found (400)", code=400)

    monkeypatch.setattr(world.telegram, "edit", refuse)
    pressed = TelegramPress("q", message.choices[2].value, "0", text, message.buttons)
    desk_of(world).answer_update(TelegramUpdate(7, chat.address, True, text, "Somebody", press=pressed))
    assert chat.messages[-1].text.endswith("→ Today: Not playing")
    assert status(world, "alice") is Status.NOT_PLAYING


def test_a_press_that_can_no_longer_be_acknowledged_is_done_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = reminded(world, TELEGRAM)
    [message] = chat.messages

    def too_old(_id: str) -> None:
        raise SendError(Reason.TELEGRAM_SAID, "Bad Request: query is too old (400)", code=400)

    monkeypatch.setattr(world.telegram, "answer_press", too_old)
    pressed = TelegramPress("q", message.choices[2].value, "0", message.text, message.buttons)
    desk_of(world).answer_update(TelegramUpdate(7, chat.address, True, message.text, "Somebody", press=pressed))
    assert status(world, "alice") is Status.NOT_PLAYING


# Linking


@BOTH
@pytest.mark.parametrize("label", ["Yes", "No"])
def test_the_question_of_a_link_is_answered_by_one_press(world: World, channel: ChannelName, label: str) -> None:
    chat = Chat(world, channel)
    assert "“Alice”" in chat.writes(f"/link {code_for(world, 'alice', channel)}")
    said = chat.press(label)
    assert said.startswith(
        "This chat is linked to Alice."
        if label == "Yes"
        else "Nothing was linked. Whoever gave you that code cannot use it any more."
    )
    with world.session() as session:
        assert (channel in contacts.contacts_of(session, world.players["alice"])) is (label == "Yes")
    if channel is SIGNAL:
        assert chat.press(label) == (
            "There is no question open here: it may be too old, or answered. Get a new code under Preferences."
        ), "once"


def test_an_old_yes_answers_no_later_question(world: World) -> None:
    chat = Chat(world, TELEGRAM)
    chat.writes(f"/link {code_for(world, 'alice', TELEGRAM)}")
    chat.writes(f"/link {code_for(world, 'bob', TELEGRAM)}")
    assert chat.press("Yes", under=0) == (
        "There is no question open here: it may be too old, or answered. Get a new code under Preferences."
    )
    assert chat.press("Yes", under=1).startswith("This chat is linked to Bob.")


# Numbers


def test_a_number_answers_the_last_message_with_choices(world: World) -> None:
    chat = reminded(world, SIGNAL)
    chat.writes("/avail tomorrow")
    assert chat.writes("2") == "Tomorrow: Available\n1 available"
    chat.writes("/help")
    assert chat.writes(" 3. ").startswith("Tomorrow: Maybe"), "what offers nothing ends no question"
    assert status(world, "alice") is Status.LOOKING
    assert chat.writes("9") == "There is no 9 to choose: send a number from 1 to 5."
    assert chat.writes("0") == f"There is no {0} to choose: send a number from 1 to {5}."


def test_a_number_without_a_question_is_a_cry_for_help(world: World) -> None:
    world.has("alice", SIGNAL, ADDRESS[SIGNAL])
    assert "/link CODE" in Chat(world, SIGNAL).writes("1")
    world.has("alice", TELEGRAM, ADDRESS[TELEGRAM])
    telegram = Chat(world, TELEGRAM)
    telegram.writes("/today")
    assert "/link CODE" in telegram.writes("1"), "where there are buttons"


def test_a_number_answers_in_its_own_chat_alone(world: World) -> None:
    reminded(world, SIGNAL)
    world.has("erik", SIGNAL, "+38640666666")
    assert "/link CODE" in Chat(world, SIGNAL, "+38640666666").writes("1")


def test_a_message_that_was_refused_offers_nothing(world: World) -> None:
    world.has("alice", SIGNAL, ADDRESS[SIGNAL])
    chat = Chat(world, SIGNAL)
    chat.writes("/avail tomorrow")
    world.signal.answers = [SendError(Reason.SIGNAL_SAID, "no")]
    chat.writes("/avail today")
    assert chat.writes("1").startswith("Tomorrow: Looking"), "of what stands there"


def test_what_may_not_have_arrived_is_asked_again(world: World) -> None:
    """Otherwise a number could mean something else than its writer reads."""
    world.has("alice", SIGNAL, ADDRESS[SIGNAL])
    world.prefers("alice", preferred_channel="signal")
    chat = Chat(world, SIGNAL)
    chat.writes("/avail tomorrow")
    world.clock.move_to(at(20, 30))
    world.says("alice", Status.LOOKING)
    call(world)
    world.signal.answers = [Unanswered(Reason.SIGNAL_DID_NOT_ANSWER, "cut off")]
    go(world, 20, 45)
    assert chat.writes("3") == "My last question may not have reached you. Please choose once more:"
    assert [button.label for button in chat.messages[-1].choices] == [IN, LATE, OUT, MUTE]
    assert (status(world, "alice"), status(world, "alice", TODAY + timedelta(days=1))) == (Status.LOOKING, None)
    assert chat.writes("3") == "→ Today: Not playing"
    assert status(world, "alice") is Status.NOT_PLAYING


@pytest.mark.parametrize("channel", [TELEGRAM, SIGNAL])
def test_mute_is_there_too(world: World, channel: ChannelName) -> None:
    chat = reminded(world, channel)
    first, confirm, undo = (MUTE, "Mute this kind: calls to game nights", "Undo")
    assert "Mute calls to game nights?" in chat.press(first)
    assert "Muted: calls to game nights" in chat.press(confirm)
    assert MessageKind.CAMPAIGNS not in _allowed(world)
    assert chat.press(undo) == "On again: calls to game nights."
    assert MessageKind.CAMPAIGNS in _allowed(world)


def _allowed(world: World) -> frozenset[MessageKind]:
    with world.session() as session:
        wishes = preferences.preferences_of(session, world.players["alice"], zone=world.runtime.settings.zone)
        return wishes.allows
