"""The messages of a day: to those who asked for them, once, while they are true."""

from datetime import time, timedelta

import pytest

from slomix.availability.rules import Status
from slomix.availability.triggers import UNDO_FOR
from slomix.contacts.rules import ChannelName, QuietHours
from slomix.reasons.codes import Explanation, Reason
from tests.moments import TODAY, at
from tests.services.days import SIX, begins, says
from tests.workers.pump import pump
from tests.workers.stage import READY, outcomes, ready, told
from tests.world import Peopled, World, build_world


def test_who_asked_for_it_hears_that_a_session_is_ready_and_nobody_else(world: World) -> None:
    world.prefers("alice", called=False, session_ready=True)
    ready(world)
    pump(world)
    assert outcomes(world) == {"alice": (READY, "sent", None)}
    [text] = world.discord.texts
    assert text.startswith("6 players are looking to play tonight. Join in: http://127.0.0.1:7000/\n")
    assert "<http://127.0.0.1:7000/stop/" in text


def test_it_is_told_once_however_often_it_is_reached(world: World) -> None:
    world.prefers("alice", session_ready=True)
    ready(world)
    pump(world)
    says(world, "bob", Status.MAYBE)
    says(world, "bob", Status.LOOKING)
    pump(world)
    assert len(told(world, "alice")) == 1


def test_who_sleeps_or_said_no_is_left_in_peace(peopled: Peopled) -> None:
    world = build_world(peopled, ready_threshold=5)
    world.prefers("alice", session_ready=True, quiet=QuietHours(time(19), time(23)))
    world.prefers("dora", session_ready=True)
    says(world, "dora", Status.NOT_PLAYING)
    for name in ("alice", "bob", "erik", "franka", "goran"):
        says(world, name, Status.LOOKING)
    world.clock.forward(UNDO_FOR)
    pump(world)
    assert outcomes(world) == {
        "alice": (f"SESSION_READY:{TODAY}:threshold=5", "skipped", Explanation(Reason.QUIET_HOURS))
    }


def test_when_it_is_not_true_any_more_nobody_is_told(world: World) -> None:
    world.prefers("alice", session_ready=True)
    world.clock.move_to(at(9))
    ready(world)
    says(world, "erik", Status.MAYBE)
    world.clock.move_to(at(10, 0, 1))
    pump(world)
    assert outcomes(world) == {}
    says(world, "erik", Status.LOOKING)
    world.clock.forward(UNDO_FOR)
    pump(world)
    assert outcomes(world) == {"alice": (READY, "sent", None)}, "nothing had happened yet"


def test_it_leaves_when_nobody_can_undo_it_any_more(world: World) -> None:
    world.prefers("alice", session_ready=True)
    ready(world)
    says(world, "erik", Status.MAYBE)
    says(world, "erik", Status.LOOKING)
    pump(world)
    assert outcomes(world) == {}, "Erik has only just come back"
    world.clock.forward(UNDO_FOR)
    pump(world)
    assert outcomes(world) == {"alice": (READY, "sent", None)}


def test_on_telegram_it_says_the_same(world: World) -> None:
    world.prefers("alice", session_ready=True)
    world.has("alice", ChannelName.TELEGRAM, "4711")
    ready(world)
    pump(world)
    [text] = world.telegram.texts
    assert "6 players are looking" in text
    assert "<http" not in text
    assert world.discord.texts == []


@pytest.mark.parametrize("is_on", [True, False])
def test_a_room_hears_of_it_where_that_is_switched_on(peopled: Peopled, is_on: bool) -> None:
    world = build_world(peopled, announce_enabled=is_on, announce_channel_id="900000000000000004")
    ready(world)
    pump(world)
    assert outcomes(world) == ({"room": (READY, "sent", None)} if is_on else {})


def test_who_waits_for_so_many_hears_at_that_number(world: World) -> None:
    world.prefers("goran", looking_threshold=2)
    world.prefers("dora", looking_threshold=5)
    for name in SIX[:3]:
        says(world, name, Status.LOOKING)
        world.clock.forward(UNDO_FOR)
        pump(world)
    assert outcomes(world) == {"goran": (f"LOOKING:{TODAY}:n=2", "sent", None)}
    assert "turned on “so many looking”" in world.discord.texts[0]


def test_who_waits_for_as_many_as_make_a_session_hears_of_that_once(world: World) -> None:
    world.prefers("alice", looking_threshold=6, session_ready=True)
    world.prefers("bob", looking_threshold=6)
    ready(world)
    pump(world)
    assert (len(told(world, "alice")), len(told(world, "bob"))) == (1, 1)


def test_the_daily_question_goes_to_who_wants_it_and_has_not_answered(world: World) -> None:
    for name in ("alice", "bob", "erik"):
        world.prefers(name, daily_reminder=True)
    world.clock.move_to(at(0, 0, 1))
    begins(world)
    says(world, "bob", Status.NOT_PLAYING)
    pump(world)
    assert world.discord.texts == [], "not before its hour"
    world.clock.move_to(at(16, 0, 1))
    pump(world)
    assert {name: status for name, (_, status, _) in outcomes(world).items()} == {"alice": "sent", "erik": "sent"}
    assert all(text.startswith("Are you in tonight?") for text in world.discord.texts)


@pytest.mark.parametrize(("late", "number"), [(timedelta(minutes=119), 1), (timedelta(hours=2), 0)])
def test_after_a_restart_it_is_caught_up_within_two_hours(world: World, late: timedelta, number: int) -> None:
    world.prefers("alice", daily_reminder=True)
    world.clock.move_to(at(0, 0, 1))
    begins(world)
    world.clock.move_to(at(16) + late)
    pump(world)
    assert len(told(world, "alice")) == number


def test_who_answers_in_the_last_moment_is_not_asked(world: World) -> None:
    world.prefers("alice", daily_reminder=True)
    world.clock.move_to(at(0, 0, 1))
    begins(world)
    world.clock.move_to(at(16, 0, 1))
    says(world, "alice", Status.MAYBE)
    pump(world)
    assert world.discord.texts == []
