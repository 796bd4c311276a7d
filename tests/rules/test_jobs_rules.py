"""After a failed try: again or not, when, and how often a lost nudge is repeated."""

from datetime import datetime, timedelta

import pytest

from slomix.clock import wall_now
from slomix.jobs.rules import SHORTEST_WAIT, JobStatus, NextTry, Retry, after_failure, nudge_delay
from slomix.reasons.codes import Explanation, Reason
from tests.moments import at

NOW = at(20, 45)
WALL = wall_now()
SECOND = timedelta(seconds=1)


def decide(
    *,
    attempts: int = 1,
    max_attempts: int = 5,
    claims: int = 1,
    deadline_at: datetime | None = None,
    jitter: float = 0.0,
    retry_after: timedelta | None = None,
    is_free: bool = False,
) -> NextTry | None:
    return after_failure(
        Retry(Explanation(Reason.OTHER, "it broke"), retry_after, is_free),
        attempts=attempts,
        max_attempts=max_attempts,
        claims=claims,
        deadline_at=deadline_at,
        now=NOW,
        wall=WALL,
        jitter=jitter,
    )


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 2), (2, 8), (3, 32), (4, 128), (5, 128), (40, 128), (49, 128)])
def test_backoff_grows_from_two_seconds_to_two_minutes(attempts: int, seconds: int) -> None:
    assert decide(attempts=attempts, max_attempts=50) == NextTry(NOW + seconds * SECOND, None)


def test_five_attempts_outlast_an_outage_of_two_minutes() -> None:
    passed = timedelta(0)
    for attempts in range(1, 5):
        again = decide(attempts=attempts, jitter=0.999999)
        assert again is not None
        passed += again.run_at - NOW
    assert passed > 120 * SECOND


@pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 32), (0.5, 28), (0.999999, 24.000008)])
def test_jitter_takes_away_up_to_a_quarter(jitter: float, seconds: float) -> None:
    again = decide(attempts=3, jitter=jitter)
    assert again is not None
    assert (again.run_at - NOW).total_seconds() == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("attempts", "max_attempts", "again"), [(4, 5, True), (5, 5, False), (6, 5, False), (1, 1, False), (1, 2, True)]
)
def test_the_last_attempt_is_the_end(attempts: int, max_attempts: int, again: bool) -> None:
    assert (decide(attempts=attempts, max_attempts=max_attempts) is not None) is again


@pytest.mark.parametrize(
    ("seconds", "again"),
    [(-10, False), (0, False), (1.9, False), (2, False), (2.1, True), (60, True)],
)
def test_nothing_is_tried_at_its_deadline_or_after_it(seconds: float, again: bool) -> None:
    assert (decide(deadline_at=NOW + seconds * SECOND) is not None) is again


def test_a_provider_is_left_alone_for_as_long_as_it_asked_in_wall_time() -> None:
    again = decide(retry_after=30 * SECOND)
    assert again == NextTry(NOW + 2 * SECOND, WALL + 30 * SECOND)


@pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 8), (0.5, 9), (0.999999, 9.9999980)])
def test_who_was_only_asked_to_wait_waits_a_little_longer_and_loses_no_attempt(jitter: float, seconds: float) -> None:
    again = decide(retry_after=8 * SECOND, is_free=True, attempts=50, max_attempts=5, jitter=jitter)
    assert again is not None
    assert (again.run_at, again.wait_until) == (NOW, WALL + timedelta(seconds=seconds))


def test_who_was_asked_to_wait_for_no_time_at_all_waits_all_the_same() -> None:
    again = decide(retry_after=timedelta(0), is_free=True)
    assert again == NextTry(NOW, WALL + SHORTEST_WAIT)


def test_a_wait_beyond_the_deadline_is_the_end() -> None:
    assert decide(retry_after=8 * SECOND, is_free=True, deadline_at=NOW + 8 * SECOND) is None
    assert decide(retry_after=8 * SECOND, is_free=True, deadline_at=NOW + 9 * SECOND) is not None


@pytest.mark.parametrize("minutes", [2, 5, 15, 20, 120])
@pytest.mark.parametrize("max_attempts", [2, 3, 5, 8])
def test_tries_are_spread_and_the_last_comes_a_minute_before_the_deadline(max_attempts: int, minutes: int) -> None:
    left, pauses = timedelta(minutes=minutes), []
    for attempts in range(1, max_attempts):
        again = decide(attempts=attempts, max_attempts=max_attempts, deadline_at=NOW + left)
        if again is None:  # a short deadline has no room for so many
            break
        pauses.append(again.run_at - NOW)
        left -= pauses[-1]
    assert abs(left - timedelta(minutes=1)) < timedelta(milliseconds=1)
    assert pauses == sorted(pauses)
    assert max_attempts < 5 or minutes == 120 or pauses[0] < 5 * SECOND


@pytest.mark.parametrize(("claims", "seconds"), [(1, 2), (2, 4), (3, 8), (4, 16), (5, 30), (1000, 30)])
def test_what_is_no_attempt_is_repeated_after_a_growing_pause(claims: int, seconds: int) -> None:
    again = decide(is_free=True, claims=claims, attempts=5, max_attempts=5)
    assert again == NextTry(NOW, WALL + seconds * SECOND)


@pytest.mark.parametrize(
    ("nudges", "seconds"), [(0, 2), (1, 4), (2, 8), (3, 16), (4, 32), (5, 60), (6, 60), (100, 60), (10_000, 60)]
)
def test_an_unclaimed_job_is_nudged_again_ever_more_slowly(nudges: int, seconds: int) -> None:
    assert nudge_delay(nudges) == timedelta(seconds=seconds)


def test_only_pending_and_running_jobs_are_not_over() -> None:
    assert [status for status in JobStatus if not status.is_over] == [JobStatus.PENDING, JobStatus.RUNNING]
