"""Each part is alive while it says so, and every part that should be there is named."""

from datetime import timedelta

import pytest

from slomix.clock import wall_now
from slomix.database.session import Database
from slomix.health import rules, service
from slomix.health.rules import Beat, PartHealth

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
    beats = [Beat(copy, WALL - timedelta(seconds=age)) for copy, age in ages.items()]
    return rules.judge_part(rules.WORKER, beats, WALL)


def test_a_copy_that_is_silent_while_another_lives_is_missing_and_nothing_is_dead() -> None:
    part = judged(a=31, b=2, c=3600)
    assert (part.ok, part.age_seconds, part.copies, part.missing) == (True, 2.0, 3, ("a", "c"))
    assert (part.reason, part.problem) == ("2 of 3 processes silent", "2 of 3 processes silent: a, c")


def test_a_copy_that_is_silent_is_missing_at_once_and_until_somebody_dismisses_it(database: Database) -> None:
    assert judged(a=31, b=2).missing == judged(a=86_400, b=2).missing == ("a",)
    with database.transaction() as session:
        service.record_heartbeat(session, rules.WORKER, "a/1", wall=WALL - timedelta(seconds=31))
        service.record_heartbeat(session, rules.WORKER, "b/1", wall=WALL)
        assert not service.dismiss(session, rules.WORKER, "b/1", wall=WALL), "it lives"
        assert service.dismiss(session, rules.WORKER, "a/1", wall=WALL)
        [part] = service.part_healths(session, [rules.WORKER], wall=WALL)
    assert (part.copies, part.missing) == (1, ())


def test_when_all_copies_are_silent_the_part_is_dead_and_none_is_missing() -> None:
    part = judged(a=40, b=31)
    assert (part.ok, part.age_seconds, part.missing) == (False, 31.0, ())


def test_one_copy_whose_clock_is_ahead_takes_no_other_with_it() -> None:
    assert judged(a=-60, b=2).ok
    assert not judged(a=-60).ok


@pytest.mark.parametrize("part", [rules.WORKER, rules.DISCORD])
@pytest.mark.parametrize("later", [1, 31, 86_400])
def test_who_was_asked_to_end_is_never_missed_although_it_was_the_last_of_its_kind(
    database: Database, part: str, later: int
) -> None:
    """Two under new names follow: a renamed host, a new unit, a container made anew."""
    wall = WALL + timedelta(seconds=later)
    with database.transaction() as session:
        service.record_heartbeat(session, part, "vm/4254", wall=WALL)
        service.record_departure(session, part, "vm/4254", wall=WALL)
        [alone] = service.part_healths(session, [part], wall=wall)
        service.record_heartbeat(session, part, f"vm/{part}.1", wall=wall)
        service.record_heartbeat(session, part, f"vm/{part}.2", wall=wall)
        [followed] = service.part_healths(session, [part], wall=wall)
    assert alone.ok is (later < 30), "a restart of the only one is no alarm for half a minute, and then it is"
    assert (followed.copies, followed.missing) == (2, ())


def test_who_comes_back_after_it_was_asked_to_end_is_missed_again(database: Database) -> None:
    with database.transaction() as session:
        service.record_heartbeat(session, rules.WORKER, "a/1", wall=WALL - timedelta(seconds=60))
        service.record_departure(session, rules.WORKER, "a/1", wall=WALL - timedelta(seconds=60))
        service.record_heartbeat(session, rules.WORKER, "a/1", wall=WALL - timedelta(seconds=31))
        service.record_heartbeat(session, rules.WORKER, "b/2", wall=WALL)
        [part] = service.part_healths(session, [rules.WORKER], wall=WALL)
    assert part.missing == ("a/1",)


@pytest.mark.parametrize(
    ("new", "missing"),
    [
        (("new/worker.1",), ()),
        (("new/worker.2",), ("old/worker.1",)),
        (("new/4254",), ("old/worker.1",)),
    ],
    ids=str,
)
def test_who_died_unasked_is_not_missed_once_its_place_is_taken(
    database: Database, new: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    """A container that was killed and made anew has the same name on a new machine."""
    with database.transaction() as session:
        service.record_heartbeat(session, rules.WORKER, "old/worker.1", wall=WALL - timedelta(seconds=60))
        for copy in new:
            service.record_heartbeat(session, rules.WORKER, copy, wall=WALL - timedelta(seconds=50))
            service.record_heartbeat(session, rules.WORKER, copy, wall=WALL)
        [part] = service.part_healths(session, [rules.WORKER], wall=WALL)
    assert part.missing == missing


def test_a_process_of_the_same_name_on_another_machine_takes_no_place_that_it_had_beside(database: Database) -> None:
    """Two hosts with one worker each; one dies."""
    with database.transaction() as session:
        service.record_heartbeat(session, rules.WORKER, "a/worker.1", wall=WALL - timedelta(seconds=70))
        service.record_heartbeat(session, rules.WORKER, "b/worker.1", wall=WALL - timedelta(seconds=60))
        service.record_heartbeat(session, rules.WORKER, "a/worker.1", wall=WALL - timedelta(seconds=40))
        service.record_heartbeat(session, rules.WORKER, "b/worker.1", wall=WALL)
        [part] = service.part_healths(session, [rules.WORKER], wall=WALL)
    assert part.missing == ("a/worker.1",)


def test_one_newcomer_takes_one_place() -> None:
    beats = [
        Beat("a/worker.1", WALL - timedelta(seconds=90)),
        Beat("b/worker.1", WALL - timedelta(seconds=80)),
        Beat("c/worker.1", WALL, first_seen_at=WALL - timedelta(seconds=20)),
    ]
    assert rules.judge_part(rules.WORKER, beats, WALL).missing == ("a/worker.1",)


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
        service.record_heartbeat(session, rules.INBOX, "b/2", wall=WALL + timedelta(seconds=20))
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
