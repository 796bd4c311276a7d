"""Each part is alive while it says so, and every part that should be there is named."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from slomix.clock import wall_now
from slomix.database.session import Database
from slomix.health import rules, service
from slomix.health.models import Heartbeat
from slomix.health.rules import PartHealth

WALL = wall_now()


def test_a_part_that_never_said_anything_is_dead_and_named(database: Database) -> None:
    with database.transaction() as session:
        service.record_heartbeat(session, "worker", "a/1", wall=WALL)
        parts = service.part_healths(session, ["scheduler", "worker"], wall=WALL + timedelta(seconds=5))
    assert parts == [
        PartHealth("scheduler", ok=False, reason="was never seen"),
        PartHealth("worker", ok=True, age_seconds=5.0, copies=1),
    ]


@pytest.mark.parametrize(("seconds", "alive"), [(0, True), (29.9, True), (30, True), (30.1, False), (86_400, False)])
def test_a_part_is_dead_when_it_was_not_seen_for_half_a_minute(database: Database, seconds: float, alive: bool) -> None:
    with database.transaction() as session:
        service.record_heartbeat(session, rules.SCHEDULER, "a/1", wall=WALL)
        [part] = service.part_healths(session, [rules.SCHEDULER], wall=WALL + timedelta(seconds=seconds))
    assert (part.ok, part.age_seconds) == (alive, seconds)
    assert (part.reason is None) is alive


def test_the_last_beat_counts_whichever_copy_it_comes_from(database: Database) -> None:
    with database.transaction() as session:
        for copy, seconds in (("a/1", 0), ("a/2", 20), ("b/1", 10), ("a/1", 15)):
            service.record_heartbeat(session, rules.WORKER, copy, wall=WALL + timedelta(seconds=seconds))
        [part] = service.part_healths(session, [rules.WORKER], wall=WALL + timedelta(seconds=25))
    assert part == PartHealth(rules.WORKER, ok=True, age_seconds=5.0, copies=3)


def judged(**ages: float) -> PartHealth:
    """A worker, by how many seconds ago each of its copies beat."""
    return rules.judge_part(rules.WORKER, {copy: WALL - timedelta(seconds=age) for copy, age in ages.items()}, WALL)


def test_a_copy_that_is_silent_while_another_lives_is_missing_and_nothing_is_dead() -> None:
    part = judged(a=31, b=2, c=3600)
    assert (part.ok, part.age_seconds, part.copies, part.missing) == (True, 2.0, 3, ("a", "c"))
    assert (part.reason, part.problem) == ("2 of 3 processes silent", "2 of 3 processes silent: a, c")


def test_a_copy_that_was_silent_for_an_hour_is_forgotten() -> None:
    assert judged(a=3601, b=2) == PartHealth(rules.WORKER, ok=True, age_seconds=2.0, copies=1)


def test_when_all_copies_are_silent_the_part_is_dead_and_none_is_missing() -> None:
    part = judged(a=40, b=31)
    assert (part.ok, part.age_seconds, part.missing) == (False, 31.0, ())


def test_one_copy_whose_clock_is_ahead_takes_no_other_with_it() -> None:
    assert judged(a=-60, b=2).ok
    assert not judged(a=-60).ok


@pytest.mark.parametrize(("others_ago", "stays"), [(None, True), (31, True), (30, False)], ids=str)
def test_who_is_asked_to_end_is_not_missed_where_another_lives(
    database: Database, others_ago: float | None, stays: bool
) -> None:
    """The last one stays: a restart of the only worker is no alarm for half a minute."""
    with database.transaction() as session:
        service.record_heartbeat(session, rules.WORKER, "a/1", wall=WALL)
        service.record_heartbeat(session, rules.SCHEDULER, "a/2", wall=WALL)
        if others_ago is not None:
            service.record_heartbeat(session, rules.WORKER, "a/2", wall=WALL - timedelta(seconds=others_ago))
        service.record_departure(session, rules.WORKER, "a/1", wall=WALL)
        left = session.scalars(select(Heartbeat.copy).where(Heartbeat.part == rules.WORKER)).all()
    assert ("a/1" in left) is stays


def test_a_part_that_nobody_expects_is_not_reported(database: Database) -> None:
    with database.transaction() as session:
        service.record_heartbeat(session, rules.DISCORD, "a/1", wall=WALL)
        assert service.part_healths(session, [], wall=WALL) == []


def test_a_beat_may_come_often_enough_to_miss_some() -> None:
    assert rules.HEARTBEAT_INTERVAL * 3 <= rules.DEAD_AFTER


def test_of_a_beat_from_the_future_only_a_little_is_believed() -> None:
    """A process on a machine whose clock is ahead must not pass for alive long after its death."""
    near, far = (rules.judge_heartbeat(rules.WORKER, WALL + timedelta(seconds=ahead), WALL) for ahead in (5, 60))
    assert (near.ok, near.age_seconds) == (True, 0.0)
    assert not far.ok
    assert far.reason == "its clock is 60 s ahead of ours"


@pytest.mark.parametrize(
    ("revision", "reason"),
    [
        ("0003", None),
        ("0002", "the schema is at 0002; this version needs 0003"),
        (None, "the database has no schema yet; this version needs 0003"),
        ("0004", None),
    ],
    ids=["ours", "older", "none", "newer: during a rolling restart"],
)
def test_which_schema_a_version_can_work_on(revision: str | None, reason: str | None) -> None:
    assert rules.schema_problem(revision, ("0003", "0002", "0001")) == reason


def test_what_keeps_one_copy_from_its_work_is_the_parts_trouble_while_that_copy_lives(database: Database) -> None:
    with database.transaction() as session:
        service.record_heartbeat(session, rules.INBOX, "a/1", wall=WALL, trouble="Signal has not been heard")
        service.record_heartbeat(session, rules.INBOX, "b/1", wall=WALL + timedelta(seconds=20))
        [unwell] = service.part_healths(session, [rules.INBOX], wall=WALL + timedelta(seconds=25))
        [silent] = service.part_healths(session, [rules.INBOX], wall=WALL + timedelta(seconds=31))
    assert (unwell.ok, unwell.reason) == (False, "Signal has not been heard")
    assert (silent.ok, silent.reason) == (True, "1 of 2 processes silent")


def test_a_dead_part_is_dead_whatever_its_trouble_was(database: Database) -> None:
    with database.transaction() as session:
        service.record_heartbeat(session, rules.INBOX, "a/1", wall=WALL, trouble="Signal has not been heard")
        [part] = service.part_healths(session, [rules.INBOX], wall=WALL + timedelta(seconds=31))
    assert not part.ok
    assert part.reason is not None and part.reason.startswith("has given no sign")
