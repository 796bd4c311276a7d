"""Finds and wakes the jobs that wait until something else is settled."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from slomix.jobs.models import Job
from slomix.jobs.rules import UNTIL_WOKEN, JobStatus

_WAITS = (Job.status == JobStatus.PENDING) & (Job.wait_until == UNTIL_WOKEN)


def find(session: Session, *, now: datetime) -> list[Job]:
    """Return the jobs that wait to be woken."""
    # Few of the pending jobs are due, so the index on `run_at` finds them sooner.
    return list(session.scalars(select(Job).where(_WAITS, Job.run_at <= now).order_by(Job.id)))


def wake(session: Session, jobs: Sequence[Job]) -> None:
    """Wake those of `jobs` that still wait."""
    if jobs:
        session.execute(update(Job).where(_WAITS, Job.id.in_([job.id for job in jobs])).values(wait_until=None))
