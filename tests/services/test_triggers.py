"""What a day sets off: each event once, at a time at which people are awake, and while it can still be true."""

from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import delete, select

from slomix.availability import triggers
from slomix.availability.rules import Status
from slomix.database.session import Database
from slomix.jobs.models import Job
from tests.moments import TODAY, at
from tests.services.days import SIX, begins, says
from tests.services.racing import at_once
from tests.world import World, build_world


def promised(world: World, kind: str) -> list[tuple[str, datetime, datetime | None]]:
    with world.session() as session:
        found = session.scalars(select(Job).where(Job.kind == kind).order_by(Job.id))
        return [(job.subject, job.run_at, job.deadline_at) for job in found]


def test_the_sixth_who_is_looking_makes_a_session_ready_and_the_fifth_does_not(world: World) -> None:
    for name in SIX[:5]:
        says(world, name, Status.LOOKING)
    assert promised(world, triggers.SESSION_READY) == []
    says(world, SIX[5], Status.LOOKING)
    assert promised(world, triggers.SESSION_READY) == [(f"{TODAY}:threshold=6", at(20, 30, 10), at(21))]


def test_reached_lost_and_reached_again_is_one_event(world: World) -> None:
    for name in SIX:
        says(world, name, Status.LOOKING)
    says(world, "alice", Status.MAYBE)
    says(world, "alice", Status.LOOKING)
    says(world, "bob", Status.LOOKING)
    assert len(promised(world, triggers.SESSION_READY)) == 1


def test_of_the_fifth_and_the_sixth_at_once_one_counts_six(committed: Database) -> None:
    world = build_world(committed)
    for name in SIX[:4]:
        says(world, name, Status.LOOKING)
    for round_ in range(5):
        at_once([partial(says, world, name, Status.LOOKING) for name in SIX[4:]])
        assert len(promised(world, triggers.SESSION_READY)) == 1, round_
        with world.session() as session:
            session.execute(delete(Job))
        for name in SIX[4:]:
            says(world, name, Status.MAYBE)


def test_only_today_is_looked_at_and_a_day_may_begin_ready(world: World) -> None:
    tomorrow = TODAY + timedelta(days=1)
    for name in SIX:
        says(world, name, Status.LOOKING, tomorrow)
    assert promised(world, triggers.SESSION_READY) == []
    world.clock.move_to(at(0, 0, 1, day=tomorrow))
    begins(world, tomorrow)
    begins(world, tomorrow)
    assert promised(world, triggers.SESSION_READY) == [
        (f"{tomorrow}:threshold=6", at(10, day=tomorrow), at(21, day=tomorrow))
    ], "and nobody is told of it in the night"


@pytest.mark.parametrize(("moment", "number"), [(at(20, 59, 49), 1), (at(20, 59, 50), 0), (at(21), 0), (at(23), 0)])
def test_after_the_start_nobody_needs_to_hear_of_it(world: World, moment: datetime, number: int) -> None:
    world.clock.move_to(moment)
    for name in SIX:
        says(world, name, Status.LOOKING)
    assert len(promised(world, triggers.SESSION_READY)) == number


def test_every_number_that_somebody_waits_for_is_an_event_of_its_own(world: World) -> None:
    world.prefers("goran", looking_threshold=2)
    world.prefers("dora", looking_threshold=3)
    world.prefers("franka", looking_threshold=4)
    for name in SIX[:3]:
        says(world, name, Status.LOOKING)
    assert [subject for subject, _, _ in promised(world, triggers.LOOKING)] == [f"{TODAY}:n=2", f"{TODAY}:n=3"]


def test_the_daily_question_is_promised_once_a_day_for_two_hours(world: World) -> None:
    begins(world)
    begins(world)
    assert promised(world, triggers.DAILY_REMINDER) == [(str(TODAY), at(16), at(18))]
