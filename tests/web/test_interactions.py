"""Discord's buttons and commands: signed requests, answered to the asker alone."""

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask

from slomix.accounts.models import User
from slomix.accounts.rules import Membership
from slomix.availability import service as availability
from slomix.availability.rules import Status
from slomix.campaigns import queries as campaigns
from slomix.channels.base import Button
from slomix.chat.replies import Reply
from slomix.contacts import preferences
from slomix.contacts import service as contacts
from slomix.contacts.kinds import KIND_TEXTS
from slomix.contacts.preferences import Preferences
from slomix.contacts.rules import KINDS, MessageKind
from slomix.deliveries import choices
from slomix.deliveries import service as deliveries
from slomix.deliveries.choices import Choice
from slomix.deliveries.rules import Budget
from slomix.deliveries.service import NoticePlan
from slomix.dev.simulator.people import PUBLIC_KEY
from slomix.interactions import service, views
from slomix.interactions.commands import definitions
from slomix.interactions.wire import Interaction
from slomix.processes import dispatch
from slomix.runtime.context import Runtime
from tests.moments import TODAY, at
from tests.steps import call, comes
from tests.waiting import PATIENCE
from tests.web.conftest import make_app, with_settings
from tests.web.pressing import EPHEMERAL, GUILD, Discord, buttons
from tests.workers.pump import pump
from tests.world import CAST, World


@pytest.fixture
def talkative(world: World) -> World:
    return with_settings(world, discord_public_key=PUBLIC_KEY, discord_guild_id=GUILD)


@pytest.fixture
def discord(talkative: World) -> Iterator[Discord]:
    with make_app(talkative.runtime).test_client() as client:
        yield Discord(client, talkative)


def status(world: World, name: str, days: int = 0) -> Status | None:
    with world.session() as session:
        day = TODAY + timedelta(days=days)
        return availability.statuses_of_day(session, day).get(world.players[name])


# Who may speak to us


def test_a_ping_is_answered_so_that_discord_takes_our_address(discord: Discord) -> None:
    answer = discord.post({"id": "1", "application_id": "1", "type": 1, "version": 1})
    assert (answer.status_code, answer.json) == (200, {"type": 1})


def test_what_discord_did_not_sign_changes_nothing(discord: Discord, talkative: World) -> None:
    set_day = {"name": "avail", "options": [{"name": "set", "type": 1, "options": []}]}
    body = discord.interaction("alice", 2, set_day)
    forger = Ed25519PrivateKey.generate()
    assert discord.post(body, key=forger).status_code == 401
    headers = {"X-Signature-Ed25519": "00" * 64, "X-Signature-Timestamp": "1"}
    for broken in (headers, {}, headers | {"X-Signature-Timestamp": "soon"}, headers | {"X-Signature-Ed25519": "zz"}):
        assert discord._client.post("/discord/interactions", data=b"{}", headers=broken).status_code == 401
    assert status(talkative, "alice") is None


def test_a_request_is_believed_for_five_minutes_and_once(discord: Discord, talkative: World) -> None:
    options = [{"name": "day", "type": 3, "value": "today"}, {"name": "status", "type": 3, "value": "maybe"}]
    body = discord.interaction(
        "alice", 2, {"name": "avail", "options": [{"name": "set", "type": 1, "options": options}]}
    )
    assert discord.post(body, old=timedelta(minutes=6)).status_code == 401
    assert status(talkative, "alice") is None
    assert discord.post(body).status_code == 200
    talkative.says("alice", Status.LOOKING)
    assert discord.post(body).status_code == 401, "a copy"
    assert status(talkative, "alice") is Status.LOOKING


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"type": 2}', b'{"type": 99}', b"[" * 50_000, b"\xff"])
def test_signed_nonsense_is_refused_without_a_trace(discord: Discord, body: bytes) -> None:
    assert discord.post(body).status_code == 401


def test_a_body_that_is_too_large_is_refused_before_it_is_read(discord: Discord) -> None:
    assert discord.post(b" " * 70_000).status_code == 413


def test_without_a_key_there_is_no_such_address(app: Flask, world: World) -> None:
    assert Discord(app.test_client(), world).post({"type": 1}).status_code == 404


def test_another_server_is_told_that_we_are_not_here(discord: Discord, talkative: World) -> None:
    choice = choices.sign(Choice("status", TODAY.isoformat(), "looking"), talkative.runtime.settings)
    assert (
        discord.pressed("alice", choice, guild="42")["data"]["content"]
        == "Slomix answers in its own community's server only."
    )
    assert status(talkative, "alice") is None


@dataclass
class Responses:
    """Where answers go that took too long."""

    edited: queue.SimpleQueue[tuple[str, str, dict[str, Any]]] = field(default_factory=queue.SimpleQueue)

    def edit_response(self, application_id: str, token: str, message: dict[str, Any]) -> None:
        self.edited.put((application_id, token, message))


def test_what_takes_too_long_is_answered_afterwards(talkative: World, monkeypatch: pytest.MonkeyPatch) -> None:
    responses, may_go_on = Responses(), threading.Event()
    answer = service.respond

    def slow(runtime: Runtime, asked: Interaction) -> Reply:
        assert may_go_on.wait(PATIENCE)
        return answer(runtime, asked)

    monkeypatch.setattr(service, "respond", slow)
    monkeypatch.setattr(views, "ANSWER_WITHIN", 0.01)
    world = replace(talkative, runtime=replace(talkative.runtime, interaction_responses=responses))
    with make_app(world.runtime).test_client() as client:
        discord = Discord(client, world)
        body = discord.interaction("alice", 2, {"name": "queue", "options": []})
        assert discord.post(body).json == {"type": 5, "data": {"flags": EPHEMERAL}}
        may_go_on.set()
        application, token, message = responses.edited.get(timeout=PATIENCE)
    assert (application, token, message["content"]) == ("1", "secret-token", "Queue is empty.")


def test_a_press_that_takes_long_leaves_the_message_that_was_pressed(
    talkative: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What follows may be an answer beside it, such as how a dry run was planned, or an apology."""
    responses, may_go_on = Responses(), threading.Event()

    def slow(_runtime: Runtime, _asked: Interaction) -> Reply:
        assert may_go_on.wait(PATIENCE)
        return Reply("Done.")

    monkeypatch.setattr(service, "respond", slow)
    monkeypatch.setattr(views, "ANSWER_WITHIN", 0.01)
    world = replace(talkative, runtime=replace(talkative.runtime, interaction_responses=responses))
    with make_app(world.runtime).test_client() as client:
        discord = Discord(client, world)
        body = discord.interaction("alice", 3, {"custom_id": "x", "component_type": 2})
        body |= {"message": {"content": "", "flags": EPHEMERAL}}
        assert discord.post(body).json == {"type": 5, "data": {"flags": EPHEMERAL}}
        may_go_on.set()
        assert responses.edited.get(timeout=PATIENCE)[2]["content"] == "Done."


# Statuses


def test_a_status_is_set_by_command_and_changed_by_the_buttons_under_the_answer(
    discord: Discord, talkative: World
) -> None:
    seen = discord.typed("alice", "avail set", day="tomorrow", status="maybe")
    assert status(talkative, "alice", 1) is Status.MAYBE
    assert "**Tomorrow**: Maybe" in seen["data"]["content"]
    assert list(buttons(seen)) == ["Looking", "Available", "Maybe", "Not playing", "Clear"]
    seen = discord.pressed("alice", buttons(seen)["Looking"])
    assert seen["type"] == 7, "the answer is changed, no second one is written"
    assert status(talkative, "alice", 1) is Status.LOOKING
    discord.pressed("alice", buttons(seen)["Clear"])
    assert status(talkative, "alice", 1) is None


def test_what_all_read_is_not_changed_into_the_answer_to_one(discord: Discord, talkative: World) -> None:
    custom_id = buttons(discord.typed("alice", "avail show", day="today"))["Looking"]
    seen = discord.pressed("bob", custom_id, content="**Tonight**: 3 of 6 looking, 3 more to go.")
    assert (seen["type"], seen["data"]["flags"]) == (4, EPHEMERAL)
    assert status(talkative, "bob") is Status.LOOKING


def test_who_presses_acts_for_themselves_alone(discord: Discord, talkative: World) -> None:
    seen = discord.typed("alice", "avail set", day="today", status="maybe")
    discord.pressed("bob", buttons(seen)["Looking"])
    assert (status(talkative, "alice"), status(talkative, "bob")) == (Status.MAYBE, Status.LOOKING)


def test_a_button_of_a_day_that_is_over_says_so(discord: Discord, talkative: World) -> None:
    seen = discord.typed("alice", "avail set", day="today", status="maybe")
    talkative.clock.forward(timedelta(days=1))
    assert (
        discord.pressed("alice", buttons(seen)["Looking"])["data"]["content"]
        == "That day is over, so it can be read but no longer changed."
    )
    assert status(talkative, "alice") is Status.MAYBE


def test_a_button_that_we_did_not_sign_is_not_ours(discord: Discord, talkative: World) -> None:
    real = choices.sign(Choice("status", TODAY.isoformat(), "looking"), talkative.runtime.settings)
    for forged in (real.replace("looking", "maybe"), real[:-1] + "_", "status.2026-11-20.looking..", "", "x"):
        assert (
            discord.pressed("alice", forged)["data"]["content"]
            == "This button is no longer known here. Type /avail instead."
        )
    assert status(talkative, "alice") is None


def test_a_week_is_shown_at_a_glance(discord: Discord, talkative: World) -> None:
    talkative.says("alice", Status.MAYBE, TODAY + timedelta(days=2))
    lines = discord.typed("alice", "avail show")["data"]["content"].splitlines()
    assert lines[1] == "**Today**: you have not said yet"
    assert lines[3] == "**Sun 22 Nov**: Maybe · 1 in"


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("someday", "That is not a date. A date looks like 2026-11-22."),
        ("2026-11-01", "That day is over, so it can be read but no longer changed."),
        ("2030-01-01", "too far"),
    ],
)
def test_a_day_that_cannot_be_is_said_and_changes_nothing(discord: Discord, day: str, said: str) -> None:
    assert said in discord.typed("alice", "avail set", day=day, status="maybe")["data"]["content"]


def test_days_are_offered_while_they_are_typed(discord: Discord) -> None:
    focused = [{"name": "day", "type": 3, "value": "tom", "focused": True}]
    data = {"name": "avail", "options": [{"name": "show", "type": 1, "options": focused}]}
    answer = discord.post(discord.interaction("alice", 4, data)).json
    assert answer == {"type": 8, "data": {"choices": [{"name": "Tomorrow", "value": "2026-11-21"}]}}


# Without a player


def test_who_has_no_player_chooses_one_and_what_they_said_is_saved(discord: Discord, talkative: World) -> None:
    seen = discord.typed("spare", "avail set", day="tomorrow", status="maybe")
    assert seen["data"]["content"] == "First choose your player, then this is saved."
    seen = discord.pressed("spare", buttons(seen)["Choose my player"])
    assert list(buttons(seen)) == ["Spare"]
    seen = discord.pressed("spare", buttons(seen)["Spare"])
    assert seen["data"]["content"] == "You are Spare now.\n**Tomorrow**: Maybe"


def test_what_waited_too_long_for_a_player_is_not_saved(discord: Discord, talkative: World) -> None:
    discord.typed("spare", "avail set", day="tomorrow", status="maybe")
    talkative.clock.forward(timedelta(minutes=16))
    assert discord.typed("spare", "link", player="Spare")["data"]["content"] == "You are Spare now."


def test_another_owners_player_is_not_given_away(discord: Discord, talkative: World) -> None:
    choice = choices.sign(Choice("link", str(talkative.players["alice"])), talkative.runtime.settings)
    said = discord.pressed("spare", choice)["data"]["content"]
    assert said == ("{player} is already linked to somebody else. If that is you, ask an admin to settle it.").format(
        player="Alice"
    )
    assert "You are Bob" in discord.typed("bob", "link", player="Spare")["data"]["content"].replace("\\", "")


def test_where_admins_confirm_links_one_is_asked(talkative: World) -> None:
    careful = with_settings(talkative, player_link_approval=True)
    with make_app(careful.runtime).test_client() as client:
        said = Discord(client, careful).typed("spare", "link", player="Spare")["data"]["content"]
    assert said == "An admin will look whether {player} is you.".format(player="Spare")


# The evening


def test_players_see_names_and_others_numbers(discord: Discord, talkative: World) -> None:
    for name in ("bob", "erik"):
        talkative.says(name, Status.LOOKING)
    assert "Looking: Bob, Erik" in discord.typed("alice", "tonight")["data"]["content"]
    assert discord.typed("alice", "queue")["data"]["content"] == "1. Bob\n2. Erik"
    for command in ("tonight", "queue"):
        said = discord.typed("spare", command)["data"]["content"]
        assert "2 of 6" in said
        assert "Bob" not in said


def test_a_promoter_calls_the_evening_together_without_the_site(talkative: World) -> None:
    trusted = with_settings(talkative, promoter_discord_ids=frozenset({CAST["alice"]}))
    trusted.clock.move_to(at(20, 30))
    trusted.says("bob", Status.LOOKING)
    with make_app(trusted.runtime).test_client() as client:
        discord = Discord(client, trusted)
        assert discord.typed("bob", "promote")["data"]["content"] == "Only promoters can call a game night together."
        seen = discord.typed("alice", "promote")
        assert seen["data"]["content"].startswith("1 player would be notified.")
        schedule = buttons(seen)["Schedule campaign"]
        assert discord.pressed("bob", schedule)["data"]["content"] == "Only promoters can call a game night together."
        seen = discord.pressed("alice", schedule)
        assert seen["data"]["content"] == "Scheduled. 1 player will be notified at 20:45."
        again = discord.pressed("alice", schedule)["data"]["content"]
        assert again == "Already done: scheduled, 1 player will be notified.", "once"
        discord.pressed("alice", buttons(seen)["Cancel campaign"])
    with trusted.session() as session:
        campaign = campaigns.campaign_of_day(session, TODAY)
        assert campaign is not None
        assert campaign.status.value == "cancelled"


def test_what_one_is_told_is_seen_and_switched(discord: Discord) -> None:
    title = KIND_TEXTS["session_ready"].title
    assert f"{title}: **off**" in discord.typed("alice", "notify")["data"]["content"]
    said = discord.typed("alice", "notify", kind="session_ready", switch="on")["data"]["content"]
    assert f"{title}: **on**" in said


# The whole


def test_every_command_that_is_registered_is_answered_and_fits_discord() -> None:
    known = set()
    for command in definitions(["en", "sl"]):
        subcommands = [option for option in command["options"] if option["type"] == 1]
        known |= {f"{command['name']} {each['name']}" for each in subcommands} or {command["name"]}
        for described in [command, *command["options"], *(o for s in subcommands for o in s["options"])]:
            assert 1 <= len(described["description"]) <= 100
    assert known == service.COMMANDS


def test_a_button_fits_every_channel(talkative: World) -> None:
    longest = Choice("promote", TODAY.isoformat(), "schedule", "1" * 20)
    signed = choices.sign(longest, talkative.runtime.settings)
    assert len(signed.encode()) <= 64
    assert choices.read(signed, talkative.runtime.settings) == longest


# Messages


def reminded(world: World, name: str) -> tuple[str, dict[str, str]]:
    """Call the evening together, and return what the reminder says and what its buttons send."""
    world.clock.move_to(at(20, 30))
    world.says(name, Status.LOOKING)
    call(world)
    world.clock.move_to(at(20, 45))
    pump(world)
    [(_, message, _)] = [sent for sent in world.discord.sent if sent[0].value == CAST[name]]
    return message.text, {button.label: button.value for button in message.buttons}


def test_a_reminder_is_answered_where_it_stands(discord: Discord, talkative: World) -> None:
    text, sends = reminded(talkative, "alice")
    sent = [label for label, value in sends.items() if value]
    assert sent == ["I'm in", "15 min late", "Can't tonight", "Mute"]
    seen = discord.pressed("alice", sends["Can't tonight"], guild=None, content=text)
    assert (seen["type"], seen["data"]["content"]) == (7, f"{text}\n→ **Today**: Not playing")
    assert "components" not in seen["data"], "the buttons stay, and with them the mark of the message"
    assert status(talkative, "alice") is Status.NOT_PLAYING
    seen = discord.pressed("alice", sends["I'm in"], guild=None, content=seen["data"]["content"])
    assert seen["data"]["content"] == f"{text}\n→ **Today**: Looking"
    assert status(talkative, "alice") is Status.LOOKING


def test_a_press_in_a_room_is_answered_to_the_presser_and_leaves_the_rooms_message(
    discord: Discord, talkative: World
) -> None:
    choice = choices.sign(Choice("status", TODAY.isoformat(), "looking", "n" * 20), talkative.runtime.settings)
    seen = discord.pressed("alice", choice, content="6 players are looking to play tonight.")
    assert (seen["type"], seen["data"]["flags"]) == (4, EPHEMERAL)
    assert seen["data"]["content"] == "**Today**: Looking\n1 looking"
    assert discord.pressed("alice", buttons(seen)["Maybe"])["type"] == 7, "what follows is the presser's own"
    assert status(talkative, "alice") is Status.MAYBE


def test_late_is_said_under_the_reminder_and_under_the_start(discord: Discord, talkative: World) -> None:
    text, sends = reminded(talkative, "alice")
    seen = discord.pressed("alice", sends["15 min late"], guild=None, content=text)
    said = f"{text}\n→ **Today**: Looking, 15 min late (about <t:{int(at(21, 15).timestamp())}:t>)"
    assert (seen["type"], seen["data"]["content"]) == (7, said)
    assert comes(talkative, "alice") == at(21, 15)
    assert discord.pressed("alice", sends["15 min late"], guild=None, content=said)["data"]["content"] == said
    talkative.clock.move_to(at(21))
    pump(talkative)
    _, start, _ = [sent for sent in talkative.discord.sent if sent[0].value == CAST["alice"]][-1]
    assert [button.label for button in start.buttons][:3] == ["Join voice", "15 min late", "Can't tonight"]
    talkative.clock.move_to(at(21, 2))
    sends = {button.label: button.value for button in start.buttons}
    discord.pressed("alice", sends["15 min late"], guild=None, content=start.text)
    assert comes(talkative, "alice") == at(21, 17)
    seen = discord.pressed("alice", sends["Can't tonight"], guild=None, content=said)
    assert seen["data"]["content"] == f"{text}\n→ **Today**: Not playing"
    assert comes(talkative, "alice") is None


def test_late_under_anothers_message_is_said_by_who_presses_it(discord: Discord, talkative: World) -> None:
    _, sends = reminded(talkative, "alice")
    discord.pressed("erik", sends["15 min late"], guild=None, content="x")
    assert (comes(talkative, "alice"), comes(talkative, "erik")) == (None, at(21, 15))
    seen = discord.pressed("nobody", sends["15 min late"], guild=None, content="x")
    assert seen["data"]["content"] == "First choose your player."


@pytest.mark.parametrize(
    ("days", "hour", "said"),
    [
        (0, 22, "It’s too late for that: nobody is waiting any more tonight."),
        (1, 20, "That day is over, so it can be read but no longer changed."),
    ],
)
def test_late_after_the_evening_is_answered_and_changes_nothing(
    discord: Discord, talkative: World, days: int, hour: int, said: str
) -> None:
    _, sends = reminded(talkative, "alice")
    talkative.says("alice", Status.MAYBE)
    talkative.clock.move_to(at(hour, day=TODAY + timedelta(days=days)))
    seen = discord.pressed("alice", sends["15 min late"], guild=None, content="x")
    assert (seen["type"], seen["data"]["content"]) == (4, said)
    assert status(talkative, "alice") is Status.MAYBE


def test_late_is_typed_too_and_others_read_it(discord: Discord, talkative: World) -> None:
    time = f"<t:{int(at(21, 15).timestamp())}:t>"
    seen = discord.typed("erik", "avail late")
    assert seen["data"]["content"].splitlines()[0] == f"**Today**: Looking, 15 min late (about {time})"
    talkative.clock.forward(timedelta(minutes=1))
    talkative.says("alice", Status.LOOKING)
    assert f"1. Erik, 15 min late (about {time})" in discord.typed("alice", "queue")["data"]["content"]
    assert "15 min late: Erik" in discord.typed("alice", "tonight")["data"]["content"].splitlines()
    assert "late" not in discord.typed("nobody", "tonight")["data"]["content"]


def test_without_a_key_messages_carry_links_and_nothing_to_press(world: World) -> None:
    _, sends = reminded(world, "alice")
    assert set(sends.values()) == {""}
    assert all(button.link for _, message, _ in world.discord.sent for button in message.buttons)


# Mute


# Of each kind what a message of it is stored as, what it is about, its short name, and what switches it on.
OF_A_KIND: dict[MessageKind, tuple[str, str, str, dict[str, Any]]] = {
    MessageKind.CAMPAIGNS: ("", "", "calls to game nights", {"called": True}),
    MessageKind.SESSION_READY: ("session_ready", f"{TODAY}:threshold=1", "session ready", {"session_ready": True}),
    MessageKind.DAILY_REMINDER: ("daily_reminder", str(TODAY), "daily reminder", {"daily_reminder": True}),
    MessageKind.LOOKING: ("looking", f"{TODAY}:n=1", "so many looking", {"looking_threshold": 7}),
}
# A mention in a room: there is no message of one's own to mute.
IN_A_ROOM = {MessageKind.MORE_NEEDED}


def wishes(world: World, name: str) -> Preferences:
    with world.session() as session:
        return preferences.preferences_of(session, world.players[name], zone=world.runtime.settings.zone)


def got(world: World, kind: MessageKind) -> tuple[str, list[Button]]:
    """Let Alice, who wants everything, get a message of a kind, and return what it says and its buttons."""
    notice, subject, _, _ = OF_A_KIND[kind]
    everything: dict[str, Any] = {
        "session_ready": True,
        "daily_reminder": True,
        "more_needed": True,
        "looking_threshold": 7,
    }
    world.prefers("alice", **everything)
    if kind is MessageKind.CAMPAIGNS:
        reminded(world, "alice")
    else:
        if kind is not MessageKind.DAILY_REMINDER:
            world.says("bob", Status.LOOKING)
        with world.session() as session:
            settings, now = world.runtime.settings, world.clock.now()
            plan = NoticePlan(notice, subject, f"{notice}:{subject}", now, None)
            deliveries.plan_for_players(session, plan, [world.players["alice"]], settings=settings, now=now)
        pump(world)
    [message] = [message for to, message, _ in world.discord.sent if to.value == CAST["alice"]]
    return message.text, list(message.buttons)


def test_every_kind_of_message_is_muted_here_or_said_not_to_be() -> None:
    assert set(OF_A_KIND) | IN_A_ROOM == set(KINDS)


@pytest.mark.parametrize("kind", OF_A_KIND)
def test_mute_asks_once_switches_off_that_kind_alone_and_is_taken_back_by_a_press(
    discord: Discord, talkative: World, kind: MessageKind
) -> None:
    text, there = got(talkative, kind)
    assert [button.label for button in there].index("Mute") == len(there) - 1, "answers first, Mute last"
    assert len(there) <= 5, "one row"
    before = wishes(talkative, "alice")
    asked = discord.pressed("alice", there[-1].value, guild=None, content=text)
    assert asked["type"] == 4, "the message stays as it is"
    name = OF_A_KIND[kind][2]
    assert list(buttons(asked)) == [f"Mute this kind: {name}"]
    assert wishes(talkative, "alice") == before, "one press has changed nothing"

    muted = discord.pressed("alice", buttons(asked)[f"Mute this kind: {name}"], guild=None)
    assert (muted["type"], list(buttons(muted))) == (7, ["Undo"])
    assert "/preferences" in muted["data"]["content"]
    assert before.allows - wishes(talkative, "alice").allows == {kind}

    undone = discord.pressed("alice", buttons(muted)["Undo"], guild=None)
    assert (undone["type"], undone["data"]["components"]) == (7, [])
    assert wishes(talkative, "alice") == before, "with the number that it had"


def test_a_muted_kind_is_not_sent_any_more(discord: Discord, talkative: World) -> None:
    text, there = got(talkative, MessageKind.SESSION_READY)
    asked = discord.pressed("alice", there[-1].value, guild=None, content=text)
    [confirm] = buttons(asked).values()
    discord.pressed("alice", confirm, guild=None)
    with talkative.session() as session:
        settings, now = talkative.runtime.settings, talkative.clock.now()
        plan = NoticePlan("session_ready", f"{TODAY}:threshold=1", "again", now, None)
        deliveries.plan_for_players(session, plan, [talkative.players["alice"]], settings=settings, now=now)
    pump(talkative)
    assert len(talkative.discord.sent) == 1


def test_mute_pressed_twice_or_late_says_that_it_is_off(discord: Discord, talkative: World) -> None:
    text, there = got(talkative, MessageKind.LOOKING)
    asked = discord.pressed("alice", there[-1].value, guild=None, content=text)
    [confirm] = buttons(asked).values()
    for _ in range(2):
        muted = discord.pressed("alice", confirm, guild=None)
    assert "off already" in muted["data"]["content"]
    again = discord.pressed("alice", there[-1].value, guild=None, content=text)
    assert "off already" in again["data"]["content"]


def test_mute_works_for_who_left_and_says_what_is_so_to_who_is_unlinked(discord: Discord, talkative: World) -> None:
    text, there = got(talkative, MessageKind.CAMPAIGNS)
    assert "not linked" in discord.pressed("charlie", there[-1].value, guild=None, content=text)["data"]["content"]
    with talkative.session() as session:
        session.query(User).filter_by(discord_id=CAST["alice"]).update({"membership": Membership.LEFT})
    [confirm] = buttons(discord.pressed("alice", there[-1].value, guild=None, content=text)).values()
    discord.pressed("alice", confirm, guild=None)
    assert MessageKind.CAMPAIGNS not in wishes(talkative, "alice").allows


def test_the_introduction_mutes_all_kinds_and_gives_all_back(discord: Discord, talkative: World) -> None:
    talkative.prefers("alice", session_ready=True, looking_threshold=9)
    before = wishes(talkative, "alice")
    with talkative.session() as session:
        contacts.plan_introduction(session, talkative.players["alice"], now=talkative.clock.now())
    pump(talkative)
    [(_, message, _)] = talkative.discord.sent
    asked = discord.pressed("alice", message.buttons[-1].value, guild=None, content=message.text)
    muted = discord.pressed("alice", buttons(asked)["Mute all messages"], guild=None)
    assert wishes(talkative, "alice").allows == frozenset()
    discord.pressed("alice", buttons(muted)["Undo"], guild=None)
    assert wishes(talkative, "alice") == before


# Of notices without a kind: why they have no button that mutes them.
WITHOUT_MUTE = {
    "summary": "a post to the room",
    "planning_ask": "a post to the room, which mentions those who switched that on",
    "test": "asked for at that moment",
    "at_risk": "a promoter's own campaign, once",
    "presence_unknown": "a promoter's own campaign, once",
    "dry_run.send_reminder_2045": "asked for at that moment",
    "dry_run.send_start_2100": "asked for at that moment",
    "dry_run.voice_check_2100": "asked for at that moment",
    "dry_run.summary": "asked for at that moment",
}


def test_each_notice_says_how_it_counts_and_what_mutes_it() -> None:
    unmuted = {name for name, notice in dispatch.NOTICES.items() if notice.mutes is None}
    assert unmuted == set(WITHOUT_MUTE)
    assert all(isinstance(getattr(notice, "budget", None), Budget) for notice in dispatch.NOTICES.values())
    free = {name for name, notice in dispatch.NOTICES.items() if notice.budget is Budget.FREE}
    assert free == set(WITHOUT_MUTE) - {"at_risk", "presence_unknown"} | {"introduction"}


@pytest.mark.parametrize("kind", OF_A_KIND)
def test_what_a_player_gets_says_why_and_how_to_stop_it(talkative: World, kind: MessageKind) -> None:
    text, _ = got(talkative, kind)
    assert "Turn off:" in text
    assert "/stop/" in text
