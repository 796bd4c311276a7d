"""What happens after a try: plain decisions about outcomes, retries and nudges."""

import enum
import math
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

# A hiccup is over in seconds, other trouble in minutes: 2, 8, 32, 128 s where no deadline decides.
BACKOFF_BASE, BACKOFF_GROWTH = timedelta(seconds=2), 4
BACKOFF_CAP = timedelta(seconds=128)
# Of what counts as no attempt.
FREE_BACKOFF_CAP = timedelta(seconds=30)
# Of five tries within a quarter of an hour, the others come after 2 s, half a minute and 3½ min.
SPREAD, MOST_SPREAD = 5.0, 10
MOST_JITTER = timedelta(seconds=10)
NUDGE_CAP = timedelta(seconds=60)
# Half the rate that Discord allows at most.
NUDGE_GAP = timedelta(milliseconds=40)
SHORTEST_WAIT = timedelta(milliseconds=500)
LEASE = timedelta(seconds=30)
# `max_attempts` of a job that ends with its day, however often it fails.
UNLIMITED = 2**31 - 1
# `wait_until` of a job that returned `Wait`: no time ends the wait.
UNTIL_WOKEN = datetime(9000, 1, 1, tzinfo=UTC)
# `wait_until` of a job that returned `Hold`: one that may find another way when it is looked at again, and one that
# only its provider's return or its deadline ends.
HELD, HELD_TO_THE_END = UNTIL_WOKEN.replace(year=9001), UNTIL_WOKEN.replace(year=9002)
# The last try comes so long before the deadline, so that there is time for another channel.
LAST_MARGIN = timedelta(minutes=1)


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
class Postpone:
    """Run at `until` (system time), which is the promised moment from now on, without counting an attempt.

    A job that was brought forward while it ran runs at that moment, if it is sooner.
    """

    until: datetime


@dataclass(frozen=True)
class Wait:
    """Run again when the scheduler finds the handler ready, without counting an attempt."""


@dataclass(frozen=True)
class Hold:
    """Run again when the provider in `lane` is back, without counting an attempt; `error` is what it said last.

    `to_the_end`: nothing but its return or the deadline ends the wait.
    """

    lane: str
    error: Explanation | None = None
    to_the_end: bool = False


@dataclass(frozen=True)
class Retry:
    """The try failed. `retry_after` is what the provider asked for, in wall time.

    `is_free`: we were only asked to wait, so no attempt is used up; the deadline still holds.
    """

    error: Explanation
    retry_after: timedelta | None = None
    is_free: bool = False


Outcome = Done | Snooze | Postpone | Wait | Hold | Retry


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
    claims: int,
    deadline_at: datetime | None,
    now: datetime,
    wall: datetime,
    jitter: float,
) -> NextTry | None:
    """Decide whether a failed job is tried again, and when; None is the end.

    `jitter` in [0, 1) takes away up to a quarter, so that jobs that failed together don't come back together. A job
    that was asked to wait comes back a little later than asked. Nothing is tried after its deadline.
    """
    pause = failure.retry_after or timedelta(0)
    if failure.is_free:
        if failure.retry_after is None:
            pause = min(BACKOFF_BASE * 2 ** min(claims - 1, 10), FREE_BACKOFF_CAP)
        pause = max(pause, SHORTEST_WAIT) * (1 + jitter / 4)
        return None if deadline_at is not None and now + pause >= deadline_at else NextTry(now, wall + pause)
    if attempts >= max_attempts:
        return None
    run_at = now + _backoff(attempts, max_attempts, None if deadline_at is None else deadline_at - now, jitter)
    if deadline_at is not None and max(run_at, now + pause) >= deadline_at:
        return None
    return NextTry(run_at, wall + pause if pause else None)


def _backoff(attempts: int, max_attempts: int, left: timedelta | None, jitter: float) -> timedelta:
    """Return the pause after a failure, growing from 2 s to 128 s.

    With a deadline the tries are spread so that the last of them comes a minute before it.
    """
    backoff: timedelta = min(BACKOFF_BASE * BACKOFF_GROWTH ** min(attempts - 1, 10), BACKOFF_CAP)
    if left is not None and max_attempts <= MOST_SPREAD and (left := left - LAST_MARGIN) > timedelta(0):
        done, following = (math.pow(number / (max_attempts - 1), SPREAD) for number in (attempts - 1, attempts))
        backoff = min(max(BACKOFF_BASE, left * (following - done) / (1 - done)), left)
    return backoff - min(backoff / 4, MOST_JITTER) * jitter


def nudge_delay(nudges: int) -> timedelta:
    """Return how long a nudged job may stay unclaimed before it is nudged again: 2, 4, 8 … 60 s."""
    return min(timedelta(seconds=2 * 2 ** min(nudges, 10)), NUDGE_CAP)
