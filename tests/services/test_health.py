"""Each part is alive while it says so, and every part that should be there is named."""

from datetime import timedelta

import pytest

from slomix.clock import wall_now
from slomix.db import Database
from slomix.health import rules, service
from slomix.health.rules import PartHealth

WALL = wall_now()


def test_a_part_that_never_said_anything_is_dead_and_named(database: Database) -> None:
    with database.transaction() as session:
        service.beat(session, "worker", wall=WALL)
        parts = service.parts(session, ["scheduler", "worker"], wall=WALL + timedelta(seconds=5))
    assert parts == [
        PartHealth("scheduler", ok=False, reason="was never seen"),
        PartHealth("worker", ok=True, age_seconds=5.0),
    ]


@pytest.mark.parametrize(("seconds", "alive"), [(0, True), (29.9, True), (30, True), (30.1, False), (86_400, False)])
def test_a_part_is_dead_when_it_was_not_seen_for_half_a_minute(database: Database, seconds: float, alive: bool) -> None:
    with database.transaction() as session:
        service.beat(session, rules.SCHEDULER, wall=WALL)
        [part] = service.parts(session, [rules.SCHEDULER], wall=WALL + timedelta(seconds=seconds))
    assert (part.ok, part.age_seconds) == (alive, seconds)
    assert (part.reason is None) is alive


def test_the_last_beat_counts_whichever_copy_it_comes_from(database: Database) -> None:
    with database.transaction() as session:
        for seconds in (0, 10, 20):
            service.beat(session, rules.WORKER, wall=WALL + timedelta(seconds=seconds))
        [part] = service.parts(session, [rules.WORKER], wall=WALL + timedelta(seconds=25))
    assert part.age_seconds == 5.0


def test_a_part_that_nobody_expects_is_not_reported(database: Database) -> None:
    with database.transaction() as session:
        service.beat(session, rules.DISCORD, wall=WALL)
        assert service.parts(session, [], wall=WALL) == []


def test_a_beat_may_come_often_enough_to_miss_some() -> None:
    assert rules.BEAT_EVERY * 3 <= rules.DEAD_AFTER


def test_of_a_beat_from_the_future_only_a_little_is_believed() -> None:
    """A process on a machine whose clock is ahead must not pass for alive long after its death."""
    near, far = (rules.judge_beat(rules.WORKER, WALL + timedelta(seconds=ahead), WALL) for ahead in (5, 60))
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
    assert rules.why_not_this_schema(revision, ("0003", "0002", "0001")) == reason
