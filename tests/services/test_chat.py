"""What people write on Telegram and Signal is answered: to them alone, once, and only what they may ask for."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from slomix.accounts import service as accounts
from slomix.accounts.models import Player, User
from slomix.availability.rules import STATUS_NAMES, Status
from slomix.channels.telegram import TelegramUpdate
from slomix.chat import service
from slomix.chat.responder import MAX_REPLIES_PER_MINUTE, Responder
from slomix.chat.service import IncomingMessage
from slomix.contacts import links, preferences
from slomix.contacts import service as contacts
from slomix.contacts.models import Contact, LinkCode
from slomix.contacts.rules import ChannelName, MessageKind
from slomix.database import session as db
from slomix.reasons.codes import Explanation, Reason
from tests.channel_doubles import MemoryChannel
from tests.moments import TODAY, at
from tests.services.chatting import ADDRESS, SIGNAL, TELEGRAM, code_for, desk_of, status
from tests.services.racing import at_once
from tests.steps import comes
from tests.world import World, build_world

TOMORROW = TODAY + timedelta(days=1)
CHANNELS = pytest.mark.parametrize("channel", [TELEGRAM, SIGNAL])


def box(world: World, channel: ChannelName) -> MemoryChannel:
    return world.telegram if channel is TELEGRAM else world.signal


def writes(world: World, channel: ChannelName, text: str, address: str = "", *, desk: Responder | None = None) -> str:
    """Somebody writes this; what they are answered, in one line. It goes to them and to nobody else."""
    to, answered = address or ADDRESS[channel], box(world, channel)
    before = len(answered.sent)
    desk = desk or desk_of(world)
    if channel is SIGNAL:
        desk.answer_message(IncomingMessage(channel, to, text))
    else:
        with world.session() as session:
            number = service.next_update(session, channel, now=world.clock.now())
        desk.answer_update(TelegramUpdate(number, to, True, text, "Somebody"))
    new = answered.sent[before:]
    assert [one.value for one, _, _ in new] in ([], [to])
    return " ".join(" ".join(message.text for _, message, _ in new).split())


def owner(world: World, channel: ChannelName, address: str) -> int | None:
    with world.session() as session:
        return links.player_of_address(session, channel, address, settings=world.runtime.settings)


# Linking


@CHANNELS
@pytest.mark.parametrize("command", ["/link {}", "/link@SlomixBot {}", "/start {}", "/START {}"])
def test_a_code_links_the_chat_that_it_came_from(world: World, channel: ChannelName, command: str) -> None:
    asked = writes(world, channel, command.format(code_for(world, "alice", channel)))
    assert "Link this chat to the player “Alice” of Slomix?" in asked
    assert owner(world, channel, ADDRESS[channel]) is None, "not before it is confirmed"
    said = writes(world, channel, "/yes")
    assert "This chat is linked to Alice." in said
    assert "^1" not in said
    assert owner(world, channel, ADDRESS[channel]) == world.players["alice"]


@CHANNELS
def test_a_code_that_was_used_is_not_valid_for_the_next(world: World, channel: ChannelName) -> None:
    code = code_for(world, "alice", channel)
    writes(world, channel, f"/link {code}")
    writes(world, channel, "/yes")
    other = {TELEGRAM: "6666", SIGNAL: "+38640666666"}[channel]
    assert writes(world, channel, f"/link {code}", other) == (
        "This code is not valid: it may be too old, or used already. Get a new one on your preferences page."
    )
    assert owner(world, channel, other) is None


@CHANNELS
def test_a_code_that_is_missing_wrong_or_too_old_links_nothing(world: World, channel: ChannelName) -> None:
    assert "Get a code" in writes(world, channel, "/link")
    assert "Get a code" in writes(world, channel, "/link two words")
    assert writes(world, channel, "/link wrong") == (
        "This code is not valid: it may be too old, or used already. Get a new one on your preferences page."
    )
    code = code_for(world, "alice", channel)
    world.clock.forward(timedelta(minutes=30))
    assert writes(world, channel, f"/link {code}") == (
        "This code is not valid: it may be too old, or used already. Get a new one on your preferences page."
    )
    assert owner(world, channel, ADDRESS[channel]) is None


@CHANNELS
@pytest.mark.parametrize("answer", ["/no", "", "yes of course", "/help", "/link wrong"])
def test_without_a_yes_nothing_is_linked(world: World, channel: ChannelName, answer: str) -> None:
    """Who was talked into sending somebody else's code says no, or nothing."""
    code = code_for(world, "alice", channel)
    writes(world, channel, f"/link {code}")
    if answer:
        writes(world, channel, answer)
    assert owner(world, channel, ADDRESS[channel]) is None
    other = {TELEGRAM: "6666", SIGNAL: "+38640666666"}[channel]
    assert writes(world, channel, f"/link {code}", other) == (
        "This code is not valid: it may be too old, or used already. Get a new one on your preferences page."
    ), "it was spent when it was sent"
    assert writes(world, channel, "/yes", other) == (
        "There is no question open here: it may be too old, or answered. Get a new code under Preferences."
    ), "and the question is one chat's"
    if answer == "/no":
        assert writes(world, channel, "/yes") == (
            "There is no question open here: it may be too old, or answered. Get a new code under Preferences."
        )
    world.clock.forward(timedelta(minutes=30))
    assert writes(world, channel, "/yes") == (
        "There is no question open here: it may be too old, or answered. Get a new code under Preferences."
    ), "not beyond the code's time"
    assert owner(world, channel, ADDRESS[channel]) is None


@CHANNELS
def test_a_code_sent_twice_from_a_chat_is_asked_about_again(world: World, channel: ChannelName) -> None:
    code = code_for(world, "alice", channel)
    assert writes(world, channel, f"/link {code}") == writes(world, channel, f"/link {code}")
    writes(world, channel, "/yes")
    assert owner(world, channel, ADDRESS[channel]) == world.players["alice"]


@CHANNELS
def test_a_yes_answers_the_last_question(world: World, channel: ChannelName) -> None:
    writes(world, channel, f"/link {code_for(world, 'alice', channel)}")
    assert "Bob" in writes(world, channel, f"/link {code_for(world, 'bob', channel)}")
    writes(world, channel, "/yes")
    assert owner(world, channel, ADDRESS[channel]) == world.players["bob"]
    with world.session() as session:
        assert session.scalars(select(LinkCode.player_id)).all() == []


@CHANNELS
def test_a_new_code_or_an_unlink_ends_the_question(world: World, channel: ChannelName) -> None:
    writes(world, channel, f"/link {code_for(world, 'alice', channel)}")
    world.clock.forward(timedelta(seconds=31))
    code_for(world, "alice", channel)
    assert writes(world, channel, "/yes") == (
        "There is no question open here: it may be too old, or answered. Get a new code under Preferences."
    )
    writes(world, channel, f"/link {code_for(world, 'bob', channel)}")
    with world.session() as session:
        contacts.delete_contacts_and_preferences(session, world.players["bob"])
    assert writes(world, channel, "/yes") == (
        "There is no question open here: it may be too old, or answered. Get a new code under Preferences."
    )


def test_a_name_in_an_answer_is_no_command_and_no_link(world: World) -> None:
    with world.session() as session:
        for name, text in {"alice": "/unlink", "bob": "evil.example/login"}.items():
            guid = session.get_one(Player, world.players[name]).guid
            accounts.import_players(session, [(guid, text, [])], now=world.clock.now())
    asked = [writes(world, TELEGRAM, f"/link {code_for(world, name, TELEGRAM)}") for name in ("alice", "bob")]
    assert all("Link this chat to the player" in text for text in asked)
    asked.append(writes(world, TELEGRAM, "/yes"))
    for text in asked:
        assert "/unlink" not in text
        assert "evil.example" not in text
        assert "example/login" not in text


@CHANNELS
def test_a_chat_belongs_to_one_player_and_the_code_is_not_used_up(linked: World, channel: ChannelName) -> None:
    """W34"""
    code = code_for(linked, "bob", channel)
    assert "belongs to another player" in writes(linked, channel, f"/link {code}")
    assert owner(linked, channel, ADDRESS[channel]) == linked.players["alice"]
    with linked.session() as session:
        assert session.scalars(select(LinkCode.player_id)).all() == [linked.players["bob"]]


@CHANNELS
def test_unlinking_forgets_this_chat_and_no_other(linked: World, channel: ChannelName) -> None:
    assert writes(linked, channel, "/unlink") == "Unlinked. Nothing is sent here any more."
    other = SIGNAL if channel is TELEGRAM else TELEGRAM
    with linked.session() as session:
        session.expire_all()
        assert set(contacts.contacts_of(session, linked.players["alice"])) == {ChannelName.DISCORD, other}
    assert "not linked" in writes(linked, channel, "/unlink")


# Asking and answering


@CHANNELS
@pytest.mark.parametrize(
    ("text", "day", "wanted"),
    [
        ("/avail looking", TODAY, Status.LOOKING),
        ("/avail tomorrow not playing", TOMORROW, Status.NOT_PLAYING),
        ("/avail@SlomixBot 2026-11-25 maybe", TODAY + timedelta(days=5), Status.MAYBE),
        ("/today available", TODAY, Status.AVAILABLE),
        ("/tomorrow maybe", TOMORROW, Status.MAYBE),
        ("/avail monday maybe", TODAY + timedelta(days=3), Status.MAYBE),
        ("/avail not playing Mon", TODAY + timedelta(days=3), Status.NOT_PLAYING),
    ],
)
def test_a_linked_chat_answers_for_its_player(
    linked: World, channel: ChannelName, text: str, day: object, wanted: Status
) -> None:
    assert STATUS_NAMES[wanted] in writes(linked, channel, text)
    assert status(linked, "alice", day) is wanted
    assert status(linked, "bob", day) is None


@CHANNELS
def test_late_is_said_in_the_hours_of_who_reads_it(linked: World, channel: ChannelName) -> None:
    with linked.session() as session:
        mine, zone, now = linked.players["alice"], linked.runtime.settings.zone, linked.clock.now()
        preferences.change_preferences(session, mine, {"timezone": "Europe/London"}, zone=zone, now=now)
    assert "15 min late (about 20:15)" in writes(linked, channel, "/avail late")


@pytest.mark.parametrize("channel", [TELEGRAM, SIGNAL])
@pytest.mark.parametrize("text", ["/avail late", "/avail today late", "/today late"])
def test_late_is_said_in_every_chat_in_the_communitys_hours(linked: World, channel: ChannelName, text: str) -> None:
    linked.says("alice", Status.MAYBE)
    for written in (text, "/today"):
        said = writes(linked, channel, written)
        assert "Today: Looking, 15 min late (about 21:15)" in said
        assert "<t:" not in said
    assert comes(linked, "alice") == at(21, 15)
    assert writes(linked, channel, "/tomorrow late") == "You can be late for tonight only."


def test_an_answer_can_be_cleared_and_looked_at(linked: World) -> None:
    linked.says("alice", Status.LOOKING)
    linked.says("bob", Status.LOOKING)
    week = writes(linked, TELEGRAM, "/avail")
    assert week.startswith("Your week: Today: Looking · 2 in Tomorrow: you have not said yet Sun 22 Nov:")
    said = writes(linked, TELEGRAM, "/today")
    assert said == "Today: Looking 2 looking"
    assert writes(linked, TELEGRAM, "/avail sunday") == "Sun 22 Nov: you have not said yet nothing yet"
    assert writes(linked, TELEGRAM, "/avail clear") == "Today: you have not said yet 1 looking"
    assert status(linked, "alice") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "/avail sometimes",
            "I didn’t get “sometimes”. Try: /avail looking",
        ),
        ("/avail 2026-11-19 looking", "That day is over, so it can be read but no longer changed."),
        ("/avail 2027-11-19 looking", "too far away"),
        ("hello", "/link CODE"),
        ("/start", "/link CODE"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(linked: World, text: str, said: str) -> None:
    assert said in writes(linked, TELEGRAM, text)
    assert status(linked, "alice") is None


@CHANNELS
@pytest.mark.parametrize("text", ["/avail looking", "/avail", "/today", "/today looking", "/tomorrow", "/unlink"])
def test_a_chat_that_is_not_linked_learns_and_does_nothing(world: World, channel: ChannelName, text: str) -> None:
    world.has("alice", channel, ADDRESS[channel])
    world.says("bob", Status.LOOKING)
    stranger = {TELEGRAM: "666", SIGNAL: "+38640666666"}[channel]
    said = writes(world, channel, text, stranger)
    assert "not linked to a player" in said
    assert "Looking" not in said
    assert status(world, "alice") is None


@pytest.mark.parametrize("text", ["/avail looking", "/today", "/tomorrow maybe"])
def test_who_left_our_server_answers_no_more_and_may_still_unlink(linked: World, text: str) -> None:
    with linked.session() as session:
        user = session.get_one(User, linked.users["alice"])
        accounts.record_membership(session, user, False, now=linked.clock.now())
    assert "not linked to a player" in writes(linked, TELEGRAM, text)
    assert status(linked, "alice") is None
    assert writes(linked, TELEGRAM, "/unlink") == "Unlinked. Nothing is sent here any more."


# Too often


@CHANNELS
def test_the_twenty_first_message_in_a_minute_is_not_answered(
    linked: World, channel: ChannelName, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [1000.0]
    monkeypatch.setattr("slomix.chat.responder.time.monotonic", lambda: seconds[0])
    desk = desk_of(linked)
    for _ in range(MAX_REPLIES_PER_MINUTE):
        assert writes(linked, channel, "/help", desk=desk)
    assert writes(linked, channel, "/avail looking", desk=desk) == ""
    assert status(linked, "alice") is None, "nor is it done"
    other = {TELEGRAM: "777", SIGNAL: "+38640777777"}[channel]
    assert writes(linked, channel, "/help", other, desk=desk), "somebody else is"
    seconds[0] += 60
    assert writes(linked, channel, "/avail looking", desk=desk)
    assert status(linked, "alice") is Status.LOOKING


def test_of_eight_who_send_one_code_at_once_one_is_linked(committed: db.Database) -> None:
    world = build_world(committed)
    code = code_for(world, "alice", SIGNAL)
    desk = desk_of(world)
    addresses = [f"+386407000{number:02}" for number in range(8)]
    at_once([partial(desk.answer_message, IncomingMessage(SIGNAL, to, f"/link {code}")) for to in addresses])
    at_once([partial(desk.answer_message, IncomingMessage(SIGNAL, to, "/yes")) for to in addresses])
    assert len([one for one in addresses if owner(world, SIGNAL, one) is not None]) == 1
    assert sum("is linked to Alice" in text for text in world.signal.texts) == 1


@pytest.mark.parametrize("text", ["/start", "/today", "/avail nonsense", "hello"])
@pytest.mark.parametrize("channel", [TELEGRAM, SIGNAL])
def test_who_writes_from_an_address_that_was_given_up_is_reached_there_again(
    linked: World, channel: ChannelName, text: str
) -> None:
    def contact_of(used: ChannelName) -> Contact:
        with linked.session() as session:
            session.expire_all()
            return contacts.contacts_of(session, linked.players["alice"])[used]

    for used in (TELEGRAM, SIGNAL):
        gone = Explanation(Reason.TELEGRAM_BLOCKED)
        with linked.session() as session:
            route = contact_of(used).route
            contacts.apply_update(session, contacts.after_failure(route, gone, is_permanent=True, now=at(20)))
    desk_of(linked).answer_message(IncomingMessage(channel, ADDRESS[channel], text))
    other = SIGNAL if channel is TELEGRAM else TELEGRAM
    assert contact_of(channel).unusable_since is None
    assert contact_of(channel).unusable_reason is None
    assert contact_of(other).unusable_since is not None, "only this address has shown that it works"


@CHANNELS
def test_notify_shows_what_is_on_and_switches_a_kind_by_the_name_that_messages_call_it(
    linked: World, channel: ChannelName
) -> None:
    linked.prefers("alice", daily_reminder=True, session_ready=False)
    shown = writes(linked, channel, "/notify")
    assert "Ask me once a day: on" in shown and "Tell me when a session is ready: off" in shown
    assert "Ask me once a day: off" in writes(linked, channel, "/notify daily reminder off")
    assert "Tell me when a session is ready: on" in writes(linked, channel, "/notify Session on")
    with linked.session() as session:
        zone = linked.runtime.settings.zone
        ticked = preferences.preferences_of(session, linked.players["alice"], zone=zone).ticked
    assert MessageKind.SESSION_READY in ticked and MessageKind.DAILY_REMINDER not in ticked


@CHANNELS
@pytest.mark.parametrize("asked", ["daily", "on", "dance on", "daily reminder perhaps", "e on"])
def test_what_notify_does_not_understand_changes_nothing_and_says_which_kinds_there_are(
    linked: World, channel: ChannelName, asked: str
) -> None:
    before = writes(linked, channel, "/notify")
    assert "calls to game nights, session ready, daily reminder" in writes(linked, channel, f"/notify {asked}")
    assert writes(linked, channel, "/notify") == before


@CHANNELS
def test_who_is_not_linked_is_told_how_instead_of_what_is_on(world: World, channel: ChannelName) -> None:
    assert "not linked" in writes(world, channel, "/notify", "666")
