"""One status per player and day, first come first, and nothing stored that was refused."""

from datetime import date, timedelta
from functools import partial

import pytest
from sqlalchemy import func, select

from slomix.availability import service as availability
from slomix.availability.models import Entry
from slomix.availability.rules import DayTooFar, PastDay, SpanTooLong, Status, StatusCounts
from slomix.database.session import Database
from slomix.errors import Invalid
from tests.moments import TODAY, at
from tests.world import World, build_world

from .racing import at_once

TOMORROW = TODAY + timedelta(days=1)


def queue(world: World, day: date = TODAY) -> list[str]:
    """Who is looking, in the order that the page shows."""
    with world.session() as session:
        [view] = availability.list_days_with_names(session, day, day)
    return [person.name.removeprefix("^1").lower() for person in view.people.get(Status.LOOKING, [])]


def number_of_entries(world: World) -> int:
    with world.session() as session:
        return session.scalar(select(func.count()).select_from(Entry)) or 0


def test_saying_something_else_replaces_what_was_said(world: World) -> None:
    for status in (*Status, Status.MAYBE):
        world.says("alice", status)
        with world.session() as session:
            assert availability.statuses_of_day(session, TODAY) == {world.players["alice"]: status}
    assert number_of_entries(world) == 1


def test_first_come_first_and_pressing_looking_again_keeps_the_place(world: World) -> None:
    for minute, name in enumerate(("goran", "alice", "erik")):
        world.clock.move_to(at(18, minute))
        world.says(name, Status.LOOKING)
    world.clock.move_to(at(19))
    world.says("goran", Status.LOOKING)
    assert queue(world) == ["goran", "alice", "erik"]
    with world.session() as session:
        [view] = availability.list_days_with_names(session, TODAY, TODAY)
        assert [person.since for person in view.people[Status.LOOKING]] == [at(18), at(18, 1), at(18, 2)]
        assert list(availability.statuses_of_day(session, TODAY)) == [
            world.players[name] for name in ("goran", "alice", "erik")
        ]


@pytest.mark.parametrize("away", [Status.MAYBE, Status.AVAILABLE, Status.NOT_PLAYING, None])
def test_who_leaves_the_queue_and_returns_stands_at_its_end(world: World, away: Status | None) -> None:
    for minute, name in enumerate(("goran", "alice", "erik")):
        world.clock.move_to(at(18, minute))
        world.says(name, Status.LOOKING)
    world.says("goran", away)
    assert queue(world) == ["alice", "erik"]
    world.clock.move_to(at(19))
    world.says("goran", Status.LOOKING)
    assert queue(world) == ["alice", "erik", "goran"]


def test_who_said_maybe_first_and_looks_later_comes_after_who_looked_in_between(world: World) -> None:
    world.says("goran", Status.MAYBE)
    world.clock.forward(timedelta(minutes=1))
    world.says("alice", Status.LOOKING)
    world.clock.forward(timedelta(minutes=1))
    world.says("goran", Status.LOOKING)
    assert queue(world) == ["alice", "goran"]


def test_each_day_has_its_own_queue(world: World) -> None:
    world.says("alice", Status.LOOKING)
    world.says("erik", Status.LOOKING, TOMORROW)
    assert (queue(world), queue(world, TOMORROW)) == (["alice"], ["erik"])


def test_a_status_can_be_taken_back_and_that_there_was_none_is_no_error(world: World) -> None:
    world.says("alice", Status.LOOKING)
    world.says("erik", Status.LOOKING)
    player = world.players["alice"]
    with world.session() as session:
        assert availability.clear_status(session, player, TODAY, today=TODAY) is True
        assert availability.clear_status(session, player, TODAY, today=TODAY) is False
    assert queue(world) == ["erik"]


@pytest.mark.parametrize(
    ("days", "refusal"), [(-1, PastDay), (-400, PastDay), (91, DayTooFar), (400, DayTooFar)], ids=str
)
def test_a_day_past_or_far_is_refused_and_nothing_is_stored_or_lost(
    world: World, days: int, refusal: type[Invalid]
) -> None:
    world.says("alice", Status.LOOKING)
    day = TODAY + timedelta(days=days)
    with pytest.raises(refusal):
        world.says("alice", Status.LOOKING, day)
    with pytest.raises(refusal):
        world.says("alice", None, day)
    assert number_of_entries(world) == 1
    assert queue(world) == ["alice"]


def test_the_last_day_of_the_horizon_can_be_set_and_cleared(world: World) -> None:
    last = TODAY + timedelta(days=90)
    world.says("alice", Status.LOOKING, last)
    assert queue(world, last) == ["alice"]
    world.says("alice", None, last)
    assert number_of_entries(world) == 0


def test_a_day_shows_its_counts_to_all_names_to_some_and_ones_own_status_to_oneself(world: World) -> None:
    for name, status in (
        ("alice", Status.LOOKING),
        ("erik", Status.LOOKING),
        ("franka", Status.AVAILABLE),
        ("goran", Status.NOT_PLAYING),
    ):
        world.says(name, status)
    with world.session() as session:
        whole = availability.list_days_with_names(session, TODAY, TOMORROW)
        counted = availability.list_days(session, TODAY, TOMORROW, viewer=world.players["franka"])
        anonymous = availability.list_days(session, TODAY, TOMORROW, viewer=None)
    shown = [day.for_viewer(world.players["franka"]) for day in whole]
    counts = StatusCounts(looking=2, available=1, maybe=0, not_playing=1)
    assert [(day.day, day.counts) for day in shown] == [(TODAY, counts), (TOMORROW, StatusCounts())]
    assert [(day.day, day.counts) for day in anonymous] == [(TODAY, counts), (TOMORROW, StatusCounts())]
    assert [day.my_status for day in shown] == [Status.AVAILABLE, None]
    assert {status: [person.name for person in people] for status, people in shown[0].people.items()} == {
        Status.LOOKING: ["^1Alice", "^1Erik"],
        Status.AVAILABLE: ["^1Franka"],
        Status.NOT_PLAYING: ["^1Goran"],
    }
    assert anonymous == [day.for_viewer(None) for day in whole]
    assert all(day.people == {} and day.my_status is None for day in anonymous)
    assert [(day.my_status, day.people) for day in counted] == [(Status.AVAILABLE, {}), (None, {})]


def test_half_a_year_can_be_read_and_no_more(world: World) -> None:
    with world.session() as session:
        assert len(availability.list_days(session, TODAY, TODAY + timedelta(days=179), viewer=None)) == 180
        with pytest.raises(SpanTooLong):
            availability.list_days(session, TODAY, TODAY + timedelta(days=180), viewer=None)


def test_past_days_are_kept_when_somebody_goes(world: World) -> None:
    for day in (TODAY, TOMORROW):
        world.says("alice", Status.LOOKING, day)
    world.says("erik", Status.LOOKING)
    with world.session() as session:
        availability.clear_upcoming(session, world.players["alice"], TOMORROW)
    assert (queue(world), queue(world, TOMORROW)) == (["alice", "erik"], [])


def test_only_those_asked_about_are_told(world: World) -> None:
    world.says("alice", Status.LOOKING)
    world.says("erik", Status.MAYBE)
    with world.session() as session:
        found = availability.statuses_of_day(session, TODAY, [world.players["erik"], world.players["franka"]])
    assert found == {world.players["erik"]: Status.MAYBE}


def test_two_tabs_at_once_never_conflict_and_leave_one_answer(committed: Database) -> None:
    world = build_world(committed)
    wanted = [Status.LOOKING, Status.AVAILABLE, Status.MAYBE, Status.NOT_PLAYING] * 2
    assert at_once([partial(world.says, "alice", status) for status in wanted]) == [None] * 8
    assert number_of_entries(world) == 1


def test_two_players_at_once_are_both_counted(committed: Database) -> None:
    world = build_world(committed)
    names = ["alice", "bob", "erik", "franka", "goran", "dora"]
    assert at_once([partial(world.says, name, Status.LOOKING) for name in names]) == [None] * 6
    assert sorted(queue(world)) == sorted(names)
