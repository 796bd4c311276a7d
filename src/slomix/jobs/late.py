"""What should have been done by now and was not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus


@dataclass(frozen=True)
class LateJobs:
    """How many, and since when the oldest of them is due."""

    number: int
    since: datetime | None


def is_late(*, now: datetime, wall: datetime, after: timedelta = timedelta(0)) -> ColumnElement[bool]:
    """Pending jobs that have been due for so long; what was told to wait is due when it has waited."""
    has_waited = or_(Job.wait_until.is_(None), Job.wait_until <= wall - after)
    return (Job.status == JobStatus.PENDING) & (Job.run_at <= now - after) & has_waited


def late_jobs(
    session: Session,
    *,
    now: datetime,
    wall: datetime,
    after: timedelta = timedelta(0),
    kinds: Sequence[str] | None = None,
) -> LateJobs:
    """Of all kinds, or of these."""
    which = is_late(now=now, wall=wall, after=after)
    if kinds is not None:
        which &= Job.kind.in_(kinds)
    row = session.execute(select(func.count(), func.min(Job.run_at)).where(which))
    number, since = row.one()
    return LateJobs(number, since)


def next_due_job(session: Session, *, now: datetime) -> Job | None:
    """The pending job whose moment comes next; None when none is planned."""
    coming = (Job.status == JobStatus.PENDING) & (Job.run_at > now)
    return session.scalars(select(Job).where(coming).order_by(Job.run_at, Job.id).limit(1)).one_or_none()
