"""At most five messages a person and day that nobody asked for at that moment; what is still true is said later."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from slomix.availability import triggers
from slomix.availability.rules import Status
from slomix.availability.triggers import UNDO_FOR
from slomix.campaigns.notices import warnings
from slomix.channels.base import Message, MessageRefused
from slomix.contacts.rules import MESSAGES_A_DAY, ChannelName, MessageKind
from slomix.database import session as db
from slomix.deliveries import service
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.deliveries.service import NoticePlan
from slomix.jobs.runner import execute
from slomix.processes import dispatch
from slomix.reasons.codes import Explanation, Reason
from tests.moments import TODAY, at
from tests.services.days import SIX, begins, says
from tests.services.racing import at_once
from tests.steps import call
from tests.workers.pump import pump
from tests.workers.stage import READY, go, got, outcomes, ready, told
from tests.world import Peopled, World, build_world

ENOUGH = Explanation(Reason.ENOUGH_FOR_TODAY)


def plans(world: World, notice: str, subject: str, key: str) -> None:
    """Plan a message for Alice."""
    with world.session() as session:
        settings, now = world.runtime.settings, world.clock.now()
        plan = NoticePlan(notice, subject, key, now, None, channel=ChannelName.DISCORD)
        service.plan_for_players(session, plan, [world.players["alice"]], settings=settings, now=now)


def became(world: World, name: str, key: str) -> tuple[str, Explanation | None]:
    with world.session() as session:
        row = session.query(Delivery).filter_by(player_id=world.players[name], event_key=key).one()
        return row.status.value, row.reason


@pytest.mark.parametrize(("number", "outcome"), [(4, ("sent", None)), (5, ("skipped", ENOUGH))])
def test_the_sixth_of_a_day_is_held_back_and_the_ledger_says_why(
    world: World, number: int, outcome: tuple[str, Explanation | None]
) -> None:
    world.prefers("alice", session_ready=True)
    got(world, "alice", number)
    ready(world)
    pump(world)
    assert became(world, "alice", READY) == outcome
    assert str(ENOUGH) == "enough for today"


@pytest.mark.parametrize("kind", [triggers.SESSION_READY, triggers.LOOKING, triggers.DAILY_REMINDER])
def test_all_three_that_a_day_sets_off_are_held_back(world: World, kind: str) -> None:
    wishes: dict[str, Any] = {"session_ready": {"session_ready": True}, "looking": {"looking_threshold": 5}}
    world.prefers("alice", **wishes.get(kind, {"daily_reminder": True}))
    got(world, "alice", MESSAGES_A_DAY)
    world.clock.move_to(at(0, 0, 1))
    begins(world)
    world.clock.move_to(at(16, 0, 1))
    if kind != triggers.DAILY_REMINDER:
        for name in SIX:
            says(world, name, Status.LOOKING)
        world.clock.forward(UNDO_FOR)
    pump(world)
    assert told(world, "alice") == []
    assert ENOUGH in {reason for _, _, reason in outcomes(world).values()}


@pytest.mark.parametrize("status", [DeliveryStatus.SKIPPED, DeliveryStatus.FAILED, DeliveryStatus.PENDING])
def test_what_did_not_leave_counts_for_nothing(world: World, status: DeliveryStatus) -> None:
    world.prefers("alice", session_ready=True)
    got(world, "alice", 4)
    got(world, "alice", 3, status=status)
    ready(world)
    pump(world)
    assert became(world, "alice", READY) == ("sent", None)


@pytest.mark.parametrize("status", [DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN])
def test_what_may_have_arrived_counts(world: World, status: DeliveryStatus) -> None:
    world.prefers("alice", session_ready=True)
    got(world, "alice", 4)
    got(world, "alice", 1, status=status)
    ready(world)
    pump(world)
    assert became(world, "alice", READY) == ("skipped", ENOUGH)


def test_each_person_and_each_day_has_a_budget_of_its_own(world: World) -> None:
    world.prefers("alice", session_ready=True)
    got(world, "bob", MESSAGES_A_DAY)
    got(world, "alice", MESSAGES_A_DAY, day=TODAY - timedelta(days=1))
    ready(world)
    pump(world)
    assert became(world, "alice", READY) == ("sent", None)


def test_the_day_is_the_communitys_and_not_the_calendars(peopled: Peopled) -> None:
    world = build_world(peopled, day_starts_at="05:00", start_time="01:30")
    world.prefers("alice", session_ready=True)
    got(world, "alice", MESSAGES_A_DAY)
    world.clock.move_to(at(0, 30, day=TODAY + timedelta(days=1)))
    ready(world)
    pump(world)
    assert became(world, "alice", READY) == ("skipped", ENOUGH), "half past midnight is still the evening before"


def test_a_campaigns_messages_count_and_always_leave(world: World) -> None:
    world.prefers("alice", session_ready=True)
    got(world, "alice", MESSAGES_A_DAY - 1)
    for name in ("alice", "bob"):
        says(world, name, Status.LOOKING)
    call(world)
    go(world, 20, 45)
    go(world, 21)
    assert len(told(world, "alice")) == 2, "the fifth and the sixth"
    world.clock.move_to(at(20, 50))  # what comes now would be the seventh
    for name in SIX:
        says(world, name, Status.LOOKING)
    world.clock.forward(UNDO_FOR)
    pump(world)
    assert became(world, "alice", READY) == ("skipped", ENOUGH)


def test_a_test_message_neither_counts_nor_is_held_back(world: World) -> None:
    got(world, "alice", MESSAGES_A_DAY)
    plans(world, "test", "test:1", "TEST:1")
    pump(world)
    assert became(world, "alice", "TEST:1") == ("sent", None)


# What was held back


@pytest.fixture
def held(world: World) -> World:
    """Alice has had enough; she was not told that a session is ready. Bob has called them together."""
    world.prefers("alice", session_ready=True)
    got(world, "alice", MESSAGES_A_DAY)
    ready(world)
    pump(world)
    assert became(world, "alice", READY) == ("skipped", ENOUGH)
    call(world)
    return world


def alices(world: World) -> list[str]:
    return [message.text for to, message, _ in world.discord.sent if to.value == world.discord_ids["alice"]]


def test_the_next_message_says_in_one_line_what_is_still_true_and_the_one_after_it_does_not(held: World) -> None:
    go(held, 20, 45)
    go(held, 21)
    first, second = alices(held)
    assert first.splitlines()[-1] == "Also true today: 6 players are looking to play tonight."
    assert "Also" not in second


def test_it_says_what_is_true_when_it_leaves(peopled: Peopled) -> None:
    world = build_world(peopled, ready_threshold=5)
    world.prefers("alice", session_ready=True)
    got(world, "alice", MESSAGES_A_DAY)
    for name in SIX[:5]:
        says(world, name, Status.LOOKING)
    world.clock.forward(UNDO_FOR)
    pump(world)
    says(world, SIX[5], Status.LOOKING)
    call(world)
    go(world, 20, 45)
    assert alices(world)[0].endswith("6 players are looking to play tonight.")


def test_what_is_no_longer_true_is_not_said(held: World) -> None:
    held.says("erik", Status.MAYBE)
    go(held, 20, 45)
    assert "Also" not in alices(held)[0]
    held.says("erik", Status.LOOKING)
    go(held, 20, 59)
    assert len(alices(held)) == 1, "nothing is sent for it alone"


def test_what_its_reader_has_switched_off_since_is_not_said(held: World) -> None:
    held.prefers("alice")
    go(held, 20, 45)
    assert "Also" not in alices(held)[0]


def test_it_is_said_again_if_the_message_that_said_it_did_not_arrive(held: World) -> None:
    held.discord.answers = [MessageRefused(Reason.DISCORD_SAID, "no")] * 6
    go(held, 20, 45)
    assert (alices(held), held.discord.answers) == ([], [])
    with held.session() as session:
        session.query(Delivery).filter_by(event_key=READY).update({"deadline_at": at(22)})
    go(held, 21)
    assert alices(held)[0].endswith("6 players are looking to play tonight.")


def test_several_are_one_line_and_the_same_is_said_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.prefers("alice", session_ready=True, looking_threshold=5, daily_reminder=True)
    got(world, "alice", MESSAGES_A_DAY)
    world.clock.move_to(at(0, 0, 1))
    begins(world)
    world.clock.move_to(at(16, 0, 1))
    for name in ("bob", "erik", "franka", "goran", "dora"):
        says(world, name, Status.LOOKING)
    world.clock.forward(UNDO_FOR)
    pump(world)
    monkeypatch.setattr(warnings.AtRisk, "compose", lambda *_: Message("Careful."))
    plans(world, "at_risk", "campaign:1", "AT_RISK:1")
    pump(world)
    assert alices(world) == [
        "Careful.\nAlso true today: "
        "You have not said yet whether you are in tonight. 5 players are looking to play tonight."
    ]


# Two workers at once


def test_of_two_workers_only_one_sends_the_fifth(committed: db.Database) -> None:
    world = build_world(committed)
    world.prefers("alice", looking_threshold=3, daily_reminder=True)
    got(world, "alice", MESSAGES_A_DAY - 1)
    for name in SIX[1:]:
        world.says(name, Status.LOOKING)
    for round_ in range(6):
        plans(world, triggers.DAILY_REMINDER, str(TODAY), f"ROUND:{round_}:daily")
        plans(world, triggers.LOOKING, f"{TODAY}:n=3", f"ROUND:{round_}:looking")
        due = dispatch.release_jobs(world.runtime)
        assert len(due) == 2
        at_once([partial(execute, world.runtime, dispatch.HANDLERS[job.kind], job.id) for job in due])
        with world.session() as session:
            rows = session.query(Delivery).filter(Delivery.event_key.startswith(f"ROUND:{round_}"))
            assert sorted(row.status.value for row in rows) == ["sent", "skipped"], round_
            rows.update({"budget_day": None})


def test_the_kinds_that_are_held_back_are_those_of_a_day() -> None:
    limited = {name for name, notice in dispatch.NOTICES.items() if notice.budget.value == "limited"}
    assert limited == {triggers.SESSION_READY, triggers.LOOKING, triggers.DAILY_REMINDER}
    assert {dispatch.NOTICES[name].kind for name in limited} == {
        MessageKind.SESSION_READY,
        MessageKind.LOOKING,
        MessageKind.DAILY_REMINDER,
    }
