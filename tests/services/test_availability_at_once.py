"""Statuses said in the same moment: who waits for the other, and whose place it is in the end."""

import threading
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from slomix.availability import service as availability
from slomix.availability.models import Entry
from slomix.availability.rules import Status
from slomix.database.session import Database
from tests.moments import TODAY, at
from tests.waiting import PATIENCE, until
from tests.world import World, build_world

from .racing import at_once

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO avail%'"


def says_at(world: World, name: str, status: Status, now: datetime) -> None:
    with world.session() as session:
        availability.record_status(session, world.players[name], TODAY, status, today=TODAY, now=now)


def entries(world: World, day: date = TODAY) -> list[tuple[Status, datetime | None]]:
    with world.session() as session:
        rows = session.execute(select(Entry.status, Entry.looking_since).where(Entry.day == day))
        return [(row.status, row.looking_since) for row in rows]


def is_waiting(world: World) -> bool:
    """Whether somebody waits for what we have not committed yet."""
    with world.session() as session:
        return bool(session.scalar(text(WAITING)))


def while_it_is_not_committed(world: World, first: Status, second: Status) -> None:
    """Alice says `first` at 18:00; before that is committed, she says `second` at 18:01 in another tab."""
    other = threading.Thread(target=says_at, args=(world, "alice", second, at(18, 1)))
    with world.session() as session:
        player = world.players["alice"]
        availability.record_status(session, player, TODAY, first, today=TODAY, now=at(18))
        other.start()
        until(lambda: is_waiting(world) or not other.is_alive(), "the other one to meet what is not committed")
        assert other.is_alive()
    other.join(PATIENCE)
    assert not other.is_alive()


def test_pressing_looking_in_two_tabs_at_once_keeps_the_place_of_the_first(committed: Database) -> None:
    world = build_world(committed)
    while_it_is_not_committed(world, Status.LOOKING, Status.LOOKING)
    assert entries(world) == [(Status.LOOKING, at(18))]


@pytest.mark.parametrize(
    ("first", "second", "place"),
    [
        (Status.LOOKING, Status.MAYBE, None),
        (Status.MAYBE, Status.LOOKING, at(18, 1)),
        (Status.AVAILABLE, Status.NOT_PLAYING, None),
    ],
)
def test_of_two_tabs_the_later_word_counts_and_makes_its_own_place(
    committed: Database, first: Status, second: Status, place: datetime | None
) -> None:
    world = build_world(committed)
    while_it_is_not_committed(world, first, second)
    assert entries(world) == [(second, place)]


def test_setting_and_clearing_at_once_conflict_with_nobody(committed: Database) -> None:
    world = build_world(committed)
    deeds = [lambda: world.says("alice", Status.LOOKING), lambda: world.says("alice", None)] * 4
    assert at_once(deeds) == [None] * 8
    assert len(entries(world)) <= 1
    world.says("alice", Status.MAYBE)
    assert entries(world) == [(Status.MAYBE, None)]


def test_who_came_in_the_same_moment_stands_in_one_order_for_everybody(world: World) -> None:
    for name in ("goran", "alice", "franka", "erik"):
        says_at(world, name, Status.LOOKING, at(18))
    ids = sorted(world.players[name] for name in ("goran", "alice", "franka", "erik"))
    with world.session() as session:
        [day] = availability.list_days_with_names(session, TODAY, TODAY)
        assert [one.player_id for one in day.people[Status.LOOKING]] == ids
        assert list(availability.statuses_of_day(session, TODAY)) == ids


def test_leaving_and_returning_again_and_again_always_leads_to_the_end(world: World) -> None:
    order = ["goran", "alice", "erik"]
    for minute, name in enumerate(order):
        says_at(world, name, Status.LOOKING, at(18, minute))
    for turn in range(1, 4):
        leaver = order.pop(0)
        says_at(world, leaver, Status.AVAILABLE, at(18 + turn))
        says_at(world, leaver, Status.LOOKING, at(18 + turn, 1))
        says_at(world, leaver, Status.LOOKING, at(18 + turn, 2))
        order.append(leaver)
        with world.session() as session:
            [day] = availability.list_days_with_names(session, TODAY, TODAY)
        people = day.people[Status.LOOKING]
        assert [one.player_id for one in people] == [world.players[name] for name in order]
        assert people[-1].since == at(18 + turn, 1), "and pressing again keeps that place"


@pytest.mark.parametrize(
    ("status", "since"), [(Status.LOOKING, None), (Status.MAYBE, at(18)), (Status.NOT_PLAYING, at(18))]
)
def test_the_database_refuses_who_looks_without_a_place_and_a_place_without_looking(
    world: World, status: Status, since: datetime | None
) -> None:
    entry = Entry(
        player_id=world.players["alice"],
        day=TODAY,
        status=status,
        looking_since=since,
        committed_since=at(18) if status.is_committed else None,
        updated_at=at(18),
    )
    with pytest.raises(IntegrityError, match="looking_since_when_looking"), world.session() as session:
        session.add(entry)


@pytest.mark.parametrize(
    ("status", "since"), [(Status.AVAILABLE, None), (Status.MAYBE, at(18)), (Status.NOT_PLAYING, at(18))]
)
def test_the_database_refuses_who_is_committed_since_never_and_since_when_without_being_it(
    world: World, status: Status, since: datetime | None
) -> None:
    entry = Entry(player_id=world.players["alice"], day=TODAY, status=status, committed_since=since, updated_at=at(18))
    with pytest.raises(IntegrityError, match="committed_since_when_committed"), world.session() as session:
        session.add(entry)


def test_the_database_refuses_a_second_word_of_one_player_on_one_day(world: World) -> None:
    world.says("alice", Status.MAYBE)
    world.says("alice", Status.MAYBE, TODAY + timedelta(days=1))
    again = Entry(player_id=world.players["alice"], day=TODAY, status=Status.MAYBE, updated_at=at(18))
    with pytest.raises(IntegrityError, match="uq_availability_entries_player_day"), world.session() as session:
        session.add(again)
