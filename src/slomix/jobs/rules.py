"""What happens after a try: plain decisions about outcomes, retries and nudges."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta


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


BACKOFF_BASE = timedelta(seconds=2)
BACKOFF_CAP = timedelta(seconds=60)
NUDGE_CAP = timedelta(seconds=60)
LEASE = timedelta(seconds=30)


@dataclass(frozen=True)
class Done:
    """The job is over."""

    status: JobStatus = JobStatus.SENT
    reason: str | None = None


@dataclass(frozen=True)
class Snooze:
    """Nothing is wrong, look again after `delay` of wall time. No attempt is used up."""

    delay: timedelta


@dataclass(frozen=True)
class Retry:
    """The try failed. `retry_after` is what the provider asked for, in wall time."""

    error: str
    retry_after: timedelta | None = None


Outcome = Done | Snooze | Retry


@dataclass(frozen=True)
class Again:
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
) -> Again | None:
    """Decide whether a failed job is tried again, and when; None is the end.

    Backoff doubles from 2 s to 60 s; `jitter` in [0, 1) takes away up to half, so that what failed together does not
    come back together. Nothing is tried after its deadline.
    """
    if attempts >= max_attempts:
        return None
    backoff = min(BACKOFF_BASE * 2 ** min(attempts - 1, 10), BACKOFF_CAP) * (1 - jitter / 2)
    run_at = now + backoff
    if deadline_at is not None and max(run_at, now + (failure.retry_after or timedelta(0))) >= deadline_at:
        return None
    return Again(run_at, wall + failure.retry_after if failure.retry_after else None)


def nudge_delay(nudges: int) -> timedelta:
    """How long a nudged job may stay unclaimed before it is nudged again: 2, 4, 8 … 60 s."""
    return min(timedelta(seconds=2 * 2 ** min(nudges, 10)), NUDGE_CAP)
