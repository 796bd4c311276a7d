"""Holds jobs while the provider in their lane is out, and releases them."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from slomix.jobs.models import Job
from slomix.jobs.rules import HELD, HELD_TO_THE_END, LAST_MARGIN, JobStatus

_IS_HELD = (Job.status == JobStatus.PENDING) & Job.wait_until.in_((HELD, HELD_TO_THE_END))


def release(session: Session, *, out: Collection[str], overdue: Collection[str], now: datetime) -> None:
    """Release held jobs: those whose lane is not `out`, and at their deadline all.

    Those that may find another way are also released when their lane is `overdue`, and shortly before their deadline.
    """
    may_move = (Job.wait_until == HELD) & or_(Job.lane.in_(overdue), Job.deadline_at <= now + LAST_MARGIN)
    is_over = or_(Job.lane.not_in(out), Job.deadline_at <= now, may_move)
    # Almost all pending jobs are planned for later, so the index on `run_at` helps.
    session.execute(
        update(Job)
        .where(_IS_HELD, Job.run_at <= now, is_over)
        .values(wait_until=None)
        .execution_options(synchronize_session=False)
    )


def release_one(session: Session, lane: str) -> int | None:
    """Release the held job of this lane that was tried longest ago, and return its id; None if none is held."""
    first = (
        select(Job.id)
        .where(_IS_HELD, Job.lane == lane)
        .order_by(Job.claims, Job.run_at, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    job_id = session.scalar(first)
    if job_id is not None:
        session.execute(update(Job).where(Job.id == job_id).values(wait_until=None))
    return job_id
