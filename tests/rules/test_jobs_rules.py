"""After a failed try: again or not, when, and how often a lost nudge is repeated."""

from datetime import datetime, timedelta

import pytest

from slomix.clock import wall_now
from slomix.jobs.rules import Again, JobStatus, Retry, after_failure, nudge_delay
from tests.conftest import at

NOW = at(20, 45)
WALL = wall_now()
SECOND = timedelta(seconds=1)


def decide(
    *,
    attempts: int = 1,
    max_attempts: int = 5,
    deadline_at: datetime | None = None,
    jitter: float = 0.0,
    retry_after: timedelta | None = None,
) -> Again | None:
    return after_failure(
        Retry("it broke", retry_after),
        attempts=attempts,
        max_attempts=max_attempts,
        deadline_at=deadline_at,
        now=NOW,
        wall=WALL,
        jitter=jitter,
    )


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 2), (2, 4), (3, 8), (4, 16), (5, 32), (6, 60), (7, 60), (40, 60), (49, 60)]
)
def test_backoff_doubles_from_two_seconds_to_a_minute(attempts: int, seconds: int) -> None:
    assert decide(attempts=attempts, max_attempts=50) == Again(NOW + seconds * SECOND, None)


@pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 8), (0.5, 6), (0.999999, 4.000004)])
def test_jitter_takes_away_up_to_half(jitter: float, seconds: float) -> None:
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
    assert again == Again(NOW + 2 * SECOND, WALL + 30 * SECOND)


@pytest.mark.parametrize(
    ("nudges", "seconds"), [(0, 2), (1, 4), (2, 8), (3, 16), (4, 32), (5, 60), (6, 60), (100, 60), (10_000, 60)]
)
def test_an_unclaimed_job_is_nudged_again_ever_more_slowly(nudges: int, seconds: int) -> None:
    assert nudge_delay(nudges) == timedelta(seconds=seconds)


def test_only_pending_and_running_jobs_are_not_over() -> None:
    assert [status for status in JobStatus if not status.is_over] == [JobStatus.PENDING, JobStatus.RUNNING]
