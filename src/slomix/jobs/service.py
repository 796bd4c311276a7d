"""The life of a job: scheduled, released, claimed, finished, taken back. Every step is one statement."""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, case, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from slomix.database import session as db
from slomix.jobs import rules
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.reasons.codes import Explanation, Reason
from slomix.runtime import logs


class JobLost(Exception):
    """Raised when another worker has claimed the job; this worker's result is not written."""


@dataclass(frozen=True)
class NewJob:
    """A job to schedule; `status` is `skipped` if it is over before it began.

    `due_at` is the promised moment, if that is earlier than `run_at`.
    """

    kind: str
    subject: str
    run_at: datetime
    deadline_at: datetime | None = None
    max_attempts: int = 5
    status: JobStatus = JobStatus.PENDING
    reason: Explanation | None = None
    lane: str = rules.GENERAL
    due_at: datetime | None = None
    is_urgent: bool = False


@dataclass(frozen=True)
class DueJob:
    """The part of a due job that a nudge needs."""

    id: int
    kind: str
    lane: str
    trace: str | None = None
    # It was never claimed before.
    is_new: bool = True
    is_urgent: bool = False


def schedule(session: Session, jobs: Sequence[NewJob], *, now: datetime) -> None:
    """Insert `jobs`; a job of the same kind and subject that exists already stays as it is."""
    if not jobs:
        return
    rows = [
        vars(job)
        | {
            "due_at": job.due_at or job.run_at,
            "trace": logs.current_trace(),
            "created_at": now,
            "finished_at": now if job.status.is_over else None,
        }
        for job in jobs
    ]
    session.execute(insert(Job).on_conflict_do_nothing(constraint="uq_jobs_kind_subject"), rows)
    db.notify(session, db.JOBS_CHANNEL)


def reopen(
    session: Session,
    kind: str,
    subjects: Sequence[str],
    *,
    run_at: datetime,
    due_at: datetime | None = None,
    deadline_at: datetime | None,
) -> None:
    """Make finished jobs of `kind` pending again, with all their attempts left."""
    if not subjects:
        return
    session.execute(
        update(Job)
        .where(Job.kind == kind, Job.subject.in_(subjects), Job.status.in_([s for s in JobStatus if s.is_over]))
        .values(
            status=JobStatus.PENDING,
            run_at=run_at,
            due_at=due_at or run_at,
            deadline_at=deadline_at,
            attempts=0,
            nudges=0,
            wait_until=None,
            nudge_again_at=None,
            finished_at=None,
            reason=None,
            last_error=None,
            trace=logs.current_trace(),
        )
    )
    db.notify(session, db.JOBS_CHANNEL)


def skip_pending(session: Session, kind: str, subjects: Sequence[str], *, reason: Reason, now: datetime) -> None:
    """Skip the jobs of `kind` for these subjects that have not begun."""
    session.execute(
        update(Job)
        .where(Job.kind == kind, Job.subject.in_(subjects), Job.status == JobStatus.PENDING)
        .values(status=JobStatus.SKIPPED, reason=Explanation(reason), finished_at=now)
    )


def release_due(
    session: Session, *, now: datetime, wall: datetime, paused_kinds: Collection[str] = (), limit: int = 500
) -> list[DueJob]:
    """Mark due jobs as nudged and return them, urgent ones first, then the oldest.

    Of `paused_kinds` only those past their deadline are due. A nudge may get lost, so an unclaimed job is released
    again after 2, 4, 8 … 60 s; later if many jobs are ahead of it, so that a busy worker isn't nudged again for each.
    Two schedulers at once release each job once.
    """
    due = (
        select(Job.id, Job.run_at, Job.is_urgent)
        .where(
            Job.status == JobStatus.PENDING,
            Job.run_at <= now,
            or_(Job.wait_until.is_(None), Job.wait_until <= wall),
            or_(Job.nudge_again_at.is_(None), Job.nudge_again_at <= wall),
            or_(Job.kind.not_in(paused_kinds), Job.deadline_at <= now),
        )
        .order_by(Job.is_urgent.desc(), Job.run_at, Job.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        # PostgreSQL may run a plain subquery once per row, and then the limit doesn't hold.
        .cte("due")
        .prefix_with("MATERIALIZED")
    )
    first = (due.c.is_urgent.desc(), due.c.run_at, due.c.id)
    ranked = select(due.c.id, func.row_number().over(order_by=first).label("rank")).cte("ranked")
    delay = case(
        *((Job.nudges == nudges, literal(rules.nudge_delay(nudges))) for nudges in range(5)),
        else_=literal(rules.NUDGE_CAP),
    )
    released = session.execute(
        update(Job)
        .where(Job.id == ranked.c.id)
        .values(nudges=Job.nudges + 1, nudge_again_at=literal(wall) + delay + (ranked.c.rank - 1) * rules.NUDGE_GAP)
        .returning(Job.id, Job.kind, Job.lane, Job.run_at, Job.trace, Job.claims, Job.is_urgent)
        .execution_options(synchronize_session=False)
    ).all()
    in_order = sorted(released, key=lambda row: (not row.is_urgent, row.run_at, row.id))
    return [
        DueJob(row.id, row.kind, row.lane, row.trace, is_new=row.claims == 0, is_urgent=row.is_urgent)
        for row in in_order
    ]


def find_unclaimed(session: Session, *, now: datetime, wall: datetime, limit: int = 500) -> list[DueJob]:
    """Return due jobs that no worker claimed although they were nudged more than once: their nudges did not arrive."""
    query = (
        select(Job.id, Job.kind, Job.lane)
        .where(
            Job.status == JobStatus.PENDING,
            Job.run_at <= now,
            or_(Job.wait_until.is_(None), Job.wait_until <= wall),
            Job.nudges > 1,
        )
        .order_by(Job.is_urgent.desc(), Job.run_at, Job.id)
        .limit(limit)
    )
    return [DueJob(row.id, row.kind, row.lane) for row in session.execute(query)]


def next_check(
    session: Session, *, now: datetime, paused_kinds: Collection[str] = ()
) -> tuple[datetime | None, datetime | None]:
    """Return when to release jobs again, in system time and in wall time, whichever comes first; one statement.

    A job that has come due since the last look and waits for nothing counts as now; a job of `paused_kinds` counts at
    its deadline, and a running one when its lease ends.
    """
    waits_for_nothing = Job.wait_until.is_(None) & Job.nudge_again_at.is_(None)
    is_held = Job.kind.in_(paused_kinds)
    due_at = case(
        (is_held & Job.deadline_at.is_(None), None),
        (is_held, func.greatest(Job.run_at, Job.deadline_at)),
        else_=Job.run_at,
    )
    system_moment = select(func.min(due_at)).where(Job.status == JobStatus.PENDING, (due_at > now) | waits_for_nothing)
    wall_moment = select(func.min(func.greatest(Job.wait_until, Job.nudge_again_at))).where(
        Job.status == JobStatus.PENDING, due_at <= now
    )
    lease_ends = select(func.min(Job.lease_until)).where(Job.status == JobStatus.RUNNING)
    moments = session.execute(
        select(system_moment.scalar_subquery(), func.least(wall_moment.scalar_subquery(), lease_ends.scalar_subquery()))
    ).one()
    return moments[0], moments[1]


# Built once: a worker does little but claim and finish, and building these statements takes longer than running them.
# On the table rather than the class for the same reason: a claimed job belongs to no session.
_TABLE: Any = Job.__table__
_ROW = _TABLE.columns
_CLAIM = (
    update(_TABLE)
    .where(
        _ROW.id == bindparam("job_id"),
        _ROW.status == JobStatus.PENDING,
        _ROW.run_at <= bindparam("now"),
        or_(_ROW.wait_until.is_(None), _ROW.wait_until <= bindparam("wall")),
    )
    .values(
        status=JobStatus.RUNNING,
        attempts=_ROW.attempts + 1,
        claims=_ROW.claims + 1,
        lease_until=bindparam("lease"),
        wait_until=None,
    )
    .returning(*_ROW)
)


@cache
def _finishing(names: tuple[str, ...]) -> ReturningUpdate[Any]:
    ours = (_ROW.id == bindparam("job_id")) & (_ROW.claims == bindparam("held_claims"))
    return (
        update(_TABLE)
        .where(ours, _ROW.status == JobStatus.RUNNING)
        .values({name: bindparam(f"new_{name}") for name in names})
        .returning(_ROW.status)
    )


def claim(session: Session, job_id: int, *, now: datetime, wall: datetime) -> Job | None:
    """Claim a pending job that is due; return None if another worker already has it."""
    values = {"job_id": job_id, "now": now, "wall": wall, "lease": wall + rules.LEASE}
    row = session.execute(_CLAIM, values).one_or_none()
    return None if row is None else Job(**row._mapping)


def lock_claimed(session: Session, job: Job) -> None:
    """Lock a claimed job's row; always before the rows that depend on it. Raise JobLost if it is no longer ours."""
    ours = (Job.id == job.id) & (Job.status == JobStatus.RUNNING) & (Job.claims == job.claims)
    if session.scalar(select(Job.id).where(ours).with_for_update()) is None:
        raise JobLost(f"job {job.id}")


def finish(session: Session, job: Job, outcome: rules.Outcome, *, now: datetime, wall: datetime) -> JobStatus:
    """Write the outcome of a claimed job and return its new status. Raise JobLost if it is no longer ours."""
    values: dict[str, object] = {"lease_until": None, "nudge_again_at": None, "nudges": 0}
    match outcome:
        case rules.Done(status, reason):
            values |= {"status": status, "reason": reason, "finished_at": now}
        case rules.Snooze(delay, failures):
            attempts = job.attempts - 1 if failures is None else failures
            values |= {"status": JobStatus.PENDING, "attempts": attempts, "wait_until": wall + delay}
        case rules.Postpone(until):
            until = min(until, _moved_to(session, job) or until)
            values |= {"status": JobStatus.PENDING, "attempts": job.attempts - 1, "run_at": until, "due_at": until}
        case rules.Wait():
            values |= {"status": JobStatus.PENDING, "attempts": job.attempts - 1, "wait_until": rules.UNTIL_WOKEN}
        case rules.Hold(lane, said, to_the_end):
            until = rules.HELD_TO_THE_END if to_the_end else rules.HELD
            values |= {"status": JobStatus.PENDING, "attempts": job.attempts - 1, "wait_until": until, "lane": lane}
            values |= {} if said is None else {"last_error": said.shortened()}
        case rules.Retry(error) as failure:
            values |= {"last_error": error.shortened(), "attempts": job.attempts - failure.is_free}
            values |= _after(failure, job, now=now, wall=wall)
    written: JobStatus | None = session.execute(
        _finishing(tuple(values)),
        {"job_id": job.id, "held_claims": job.claims} | {f"new_{name}": value for name, value in values.items()},
    ).scalar_one_or_none()
    if written is None:
        raise JobLost(f"job {job.id}")
    for name, value in values.items():
        setattr(job, name, value)  # `give_up` reads its last error
    if not written.is_over:
        db.notify(session, db.JOBS_CHANNEL)
    return written


def bring_forward(session: Session, kinds: Collection[str], *, run_at: datetime) -> None:
    """Run the jobs of `kinds` that are planned for later at `run_at`; those that run now will run again then.

    A job that is just being claimed is waited for: which of the two it is, only its row as it is then tells.
    """
    moves = (Job.status == JobStatus.RUNNING) | (Job.run_at > run_at)
    session.execute(
        update(Job)
        .where(Job.kind.in_(kinds), Job.status.in_((JobStatus.PENDING, JobStatus.RUNNING)))
        .values(run_at=case((moves, run_at), else_=Job.run_at))
        .execution_options(synchronize_session=False)
    )


def _moved_to(session: Session, job: Job) -> datetime | None:
    """Lock a claimed job's row, and return to when it was brought forward since it was claimed, if it was."""
    moved_to = session.scalar(select(_ROW.run_at).where(_ROW.id == job.id).with_for_update())
    return moved_to if moved_to != job.run_at else None


def _after(failure: rules.Retry, job: Job, *, now: datetime, wall: datetime) -> dict[str, object]:
    again = rules.after_failure(
        failure,
        attempts=job.attempts,
        max_attempts=job.max_attempts,
        claims=job.claims,
        deadline_at=job.deadline_at,
        now=now,
        wall=wall,
        jitter=random.random(),
    )
    if again is None:
        return {"status": JobStatus.FAILED, "finished_at": now}
    return {"status": JobStatus.PENDING, "run_at": again.run_at, "wait_until": again.wait_until}


def release_expired(session: Session, *, now: datetime, wall: datetime) -> list[Job]:
    """Make jobs whose lease ran out pending again; fail and return those that have no attempt left.

    The caller settles what depends on the failed jobs in the same transaction.
    """
    error = Explanation(Reason.WORKER_DID_NOT_COME_BACK)
    lost = (Job.status == JobStatus.RUNNING) & (Job.lease_until < wall)
    session.execute(
        update(Job)
        .where(lost, Job.attempts < Job.max_attempts)
        .values(
            status=JobStatus.PENDING, lease_until=None, nudge_again_at=None, nudges=0, wait_until=None, last_error=error
        )
        .execution_options(synchronize_session=False)
    )
    return list(
        session.scalars(
            update(Job)
            .where(lost, Job.attempts >= Job.max_attempts)
            .values(status=JobStatus.FAILED, lease_until=None, finished_at=now, last_error=error)
            .returning(Job)
        )
    )


def jobs_of_subject(session: Session, subject: str, kinds: Sequence[str]) -> list[Job]:
    """Return the jobs of these kinds for one subject, in the order of their moments."""
    query = select(Job).where(Job.subject == subject, Job.kind.in_(kinds)).order_by(Job.run_at, Job.id)
    return list(session.scalars(query))
