"""Finds the jobs that are late, and the one that comes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus


@dataclass(frozen=True)
class LateJobs:
    """How many jobs are late, and since when the oldest has been due."""

    number: int
    since: datetime | None


def is_late(*, now: datetime, wall: datetime, after: timedelta = timedelta(0)) -> ColumnElement[bool]:
    """Return the condition for jobs pending `after` longer than due; a job told to wait is due when its wait ends."""
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
    """Count the late jobs, of all kinds or of `kinds`."""
    which = is_late(now=now, wall=wall, after=after)
    if kinds is not None:
        which &= Job.kind.in_(kinds)
    return LateJobs(*session.execute(select(func.count(), func.min(Job.run_at)).where(which)).one())


def next_due_job(session: Session, *, now: datetime) -> Job | None:
    """Return the pending job whose moment comes next; None when none is planned."""
    coming = (Job.status == JobStatus.PENDING) & (Job.run_at > now)
    return session.scalars(select(Job).where(coming).order_by(Job.run_at, Job.id).limit(1)).one_or_none()
