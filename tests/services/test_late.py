"""A player says that they come late: for tonight, once, and only until they say something else or arrive."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from slomix.availability import triggers
from slomix.availability.models import Entry
from slomix.availability.rules import DayTooFar, PastDay, Status
from slomix.campaigns import attendance
from slomix.campaigns.rules import LateIsForTonight, TooLateToBeLate
from slomix.errors import DomainError
from slomix.jobs.models import Job
from tests.configuration import AFK, ROOM
from tests.moments import TODAY, at
from tests.steps import call, cancel, comes, is_late
from tests.world import Peopled, World, build_world


def entry(world: World, name: str) -> tuple[object, ...] | None:
    with world.session() as session:
        columns = (Entry.status, Entry.looking_since, Entry.committed_since, Entry.updated_at, Entry.late_until)
        theirs = (Entry.player_id == world.players[name]) & (Entry.day == TODAY)
        row = session.execute(select(*columns).where(theirs)).one_or_none()
        return None if row is None else tuple(row)


def seen(world: World, **rooms: str) -> None:
    with world.session() as session:
        states = {world.discord_ids[name]: room for name, room in rooms.items()}
        attendance.record_arrivals(session, states, settings=world.runtime.settings, now=world.clock.now())


@pytest.mark.parametrize("said", [None, Status.AVAILABLE, Status.MAYBE, Status.NOT_PLAYING])
def test_whoever_is_late_is_looking(world: World, said: Status | None) -> None:
    if said is not None:
        world.says("alice", said)
    world.clock.move_to(at(20, 50))
    is_late(world, "alice")
    since = at(20, 30) if said is Status.AVAILABLE else at(20, 50)
    assert entry(world, "alice") == (Status.LOOKING, at(20, 50), since, at(20, 50), at(21, 15))


def test_the_place_in_the_queue_stays(world: World) -> None:
    world.says("alice", Status.LOOKING)
    for hour, minute in ((20, 50), (21, 5)):
        world.clock.move_to(at(hour, minute))
        is_late(world, "alice")
    assert entry(world, "alice") == (Status.LOOKING, at(20, 30), at(20, 30), at(20, 30), at(21, 20))


@pytest.mark.parametrize("said", [None, *Status])
def test_whatever_is_said_afterwards_ends_it(world: World, said: Status | None) -> None:
    world.says("alice", Status.LOOKING)
    is_late(world, "alice")
    assert comes(world, "alice") == at(21, 15)
    world.clock.move_to(at(20, 40))
    world.says("alice", said)
    assert comes(world, "alice") is None
    found = entry(world, "alice")
    if said is Status.LOOKING:
        assert found == (Status.LOOKING, at(20, 30), at(20, 30), at(20, 30), None), "nor is the place lost"
    else:
        assert (None if found is None else found[0]) == said


def test_it_ends_by_itself(world: World) -> None:
    is_late(world, "alice")
    world.clock.move_to(at(21, 14, 59))
    assert comes(world, "alice") == at(21, 15)
    world.clock.move_to(at(21, 15))
    assert comes(world, "alice") is None


@pytest.mark.parametrize(
    ("day", "hour", "refusal"),
    [
        (TODAY - timedelta(days=1), 20, PastDay),
        (TODAY + timedelta(days=1), 20, LateIsForTonight),
        (TODAY + timedelta(days=91), 20, DayTooFar),
        (TODAY, 22, TooLateToBeLate),
    ],
)
def test_it_is_for_tonight_and_while_somebody_waits(
    world: World, day: date, hour: int, refusal: type[DomainError]
) -> None:
    world.says("alice", Status.MAYBE)
    before = entry(world, "alice")
    world.clock.move_to(at(hour))
    with pytest.raises(refusal):
        is_late(world, "alice", day)
    assert entry(world, "alice") == before


def test_who_is_the_sixth_makes_a_session_late_or_not(world: World) -> None:
    """It goes through the same write as every other status, with all that follows."""
    for name in ("bob", "erik", "franka", "goran", "dora"):
        world.says(name, Status.LOOKING)
    is_late(world, "alice")
    with world.session() as session:
        assert triggers.SESSION_READY in session.scalars(select(Job.kind)).all()


# What start means


@pytest.mark.parametrize("begin", [(18, 30), (21, 0), (22, 15)])
def test_the_start_is_the_campaigns(world: World, begin: tuple[int, int]) -> None:
    world.clock.move_to(at(18))
    world.says("erik", Status.LOOKING)
    call(world, start_at=at(*begin))
    is_late(world, "alice")
    assert comes(world, "alice") == at(*begin) + timedelta(minutes=15)


def test_without_a_campaign_and_after_a_cancelled_one_it_is_the_configured_hour(peopled: Peopled) -> None:
    world = build_world(peopled, start_time="20:30", reminder_time="20:15")
    world.clock.move_to(at(19))
    world.says("erik", Status.LOOKING)
    is_late(world, "alice")
    assert comes(world, "alice") == at(20, 45)
    cancel(world, call(world, start_at=at(22))[0])
    world.says("alice", None)
    is_late(world, "alice")
    assert comes(world, "alice") == at(20, 45)


def test_a_campaign_made_long_after_the_start_waits_until_its_own_deadline(world: World) -> None:
    world.says("erik", Status.LOOKING)
    world.clock.move_to(at(21, 40))
    call(world)
    is_late(world, "alice")
    assert comes(world, "alice") == at(21, 55)
    world.clock.move_to(at(21, 50))
    is_late(world, "alice")
    assert comes(world, "alice") == at(22, 0, 30)


def test_whoever_was_late_before_the_campaign_is_late_for_its_start(world: World) -> None:
    world.says("erik", Status.LOOKING)
    is_late(world, "alice")
    call(world, start_at=at(22))
    assert comes(world, "alice") == at(22, 15)


def test_who_was_late_for_a_later_start_is_not_late_beyond_the_deadline(world: World) -> None:
    world.says("erik", Status.LOOKING)
    is_late(world, "alice")
    world.clock.move_to(at(20, 40))
    call(world, start_at=at(20, 30))
    assert comes(world, "alice") == at(21, 0, 30)


# Arriving


@pytest.mark.parametrize("called", [False, True])
def test_arriving_ends_it_once_the_evening_has_started(world: World, called: bool) -> None:
    for name in ("alice", "erik"):
        is_late(world, name)
    if called:
        call(world)
    world.clock.move_to(at(20, 59))
    seen(world, alice=ROOM)
    assert comes(world, "alice") is not None, "they may leave again before it starts"
    world.clock.move_to(at(21))
    seen(world, alice=ROOM, erik=AFK)
    assert (comes(world, "alice"), comes(world, "erik")) == (None, at(21, 15))
    assert entry(world, "alice") == (Status.LOOKING, at(20, 30), at(20, 30), at(20, 30), None)
