"""What happens after a try: plain decisions about outcomes, retries and nudges."""

import enum
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from slomix.reasons.codes import Explanation


class JobStatus(enum.StrEnum):
    """pending → running → pending | sent | skipped | failed; a failed job goes back to pending only by hand."""

    PENDING = "pending"
    RUNNING = "running"
    SENT = "sent"
    SKIPPED = "skipped"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        return self not in {JobStatus.PENDING, JobStatus.RUNNING}


# The lane of jobs that wait for no provider.
GENERAL = "general"

# A hiccup is over in seconds, an outage in minutes: 2, 8, 32, 128 s, so that five attempts outlast one of two minutes.
BACKOFF_BASE, BACKOFF_GROWTH = timedelta(seconds=2), 4
BACKOFF_CAP = timedelta(seconds=128)
NUDGE_CAP = timedelta(seconds=60)
# Half the rate that Discord allows at most.
NUDGE_GAP = timedelta(milliseconds=40)
SHORTEST_WAIT = timedelta(milliseconds=500)
LEASE = timedelta(seconds=30)
# `max_attempts` of a job that ends with its day, however often it fails.
UNLIMITED = 2**31 - 1
# `wait_until` of a job that returned `Wait`: no time ends the wait.
UNTIL_WOKEN = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Done:
    """The job is over."""

    status: JobStatus = JobStatus.SENT
    reason: Explanation | None = None


@dataclass(frozen=True)
class Snooze:
    """Run again after `delay` of wall time, without counting an attempt.

    `failures` sets how many failures in a row the job counts; None leaves that as it was before the claim.
    """

    delay: timedelta
    failures: int | None = None


@dataclass(frozen=True)
class Wait:
    """Run again when the scheduler finds the handler ready, without counting an attempt."""


@dataclass(frozen=True)
class Retry:
    """The try failed. `retry_after` is what the provider asked for, in wall time.

    `is_free`: we were only asked to wait, so no attempt is used up; the deadline still holds.
    """

    error: Explanation
    retry_after: timedelta | None = None
    is_free: bool = False


Outcome = Done | Snooze | Wait | Retry


@dataclass(frozen=True)
class NextTry:
    """Try once more at `run_at` (system time) and not before `wait_until` (wall time)."""

    run_at: datetime
    wait_until: datetime | None


def after_failure(
    failure: Retry,
    *,
    attempts: int,
    max_attempts: int,
    deadline_at: datetime | None,
    now: datetime,
    wall: datetime,
    jitter: float,
) -> NextTry | None:
    """Decide whether a failed job is tried again, and when; None is the end.

    Backoff grows from 2 s to 128 s; `jitter` in [0, 1) takes away up to a quarter, so that jobs that failed together
    don't come back together. A job that was asked to wait comes back a little later than asked. Nothing is tried after
    its deadline.
    """
    pause = failure.retry_after or timedelta(0)
    if failure.is_free:
        pause = max(pause, SHORTEST_WAIT) * (1 + jitter / 4)
        return None if deadline_at is not None and now + pause >= deadline_at else NextTry(now, wall + pause)
    if attempts >= max_attempts:
        return None
    backoff = min(BACKOFF_BASE * BACKOFF_GROWTH ** min(attempts - 1, 10), BACKOFF_CAP) * (1 - jitter / 4)
    run_at = now + backoff
    if deadline_at is not None and max(run_at, now + pause) >= deadline_at:
        return None
    return NextTry(run_at, wall + pause if pause else None)


def nudge_delay(nudges: int) -> timedelta:
    """Return how long a nudged job may stay unclaimed before it is nudged again: 2, 4, 8 … 60 s."""
    return min(timedelta(seconds=2 * 2 ** min(nudges, 10)), NUDGE_CAP)
