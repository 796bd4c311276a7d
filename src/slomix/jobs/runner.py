"""Runs one job: claim and begin, act, finish. The only place where any exception is a failed attempt."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from slomix import logs
from slomix.clock import nap, wall_now
from slomix.jobs import service
from slomix.jobs.models import Job
from slomix.jobs.rules import Done, JobStatus, Outcome, Retry, Snooze
from slomix.reasons.codes import Explanation, Reason
from slomix.runtime.context import Runtime

log = structlog.get_logger()


class Handler(Protocol):
    """How a kind of job is done, in three parts, so that nothing leaves the process inside a transaction."""

    def begin(self, runtime: Runtime, session: Session, job: Job, now: datetime) -> Any:
        """In the claim's transaction: load and decide. An outcome returned here ends the try."""

    def act(self, runtime: Runtime, prepared: Any) -> Any:
        """Between the transactions: speak to the outside world."""

    def foregone(self, result: Any) -> Outcome | None:
        """How the job goes on, where the result alone decides it; None where `finish` has to look first."""

    def finish(self, runtime: Runtime, session: Session, job: Job, result: Any, now: datetime) -> Outcome:
        """In the last transaction: write what came of it; commits together with the job's own end."""

    def late(self, runtime: Runtime, session: Session, job: Job, result: Any, now: datetime) -> None:
        """The job was given to another worker before this one's result could be written: what is it still good for?"""

    def give_up(self, runtime: Runtime, session: Session, job: Job, now: datetime) -> None:
        """The job has failed for good: settle what hangs on it, in the same transaction."""


class Step:
    """A job that needs nothing from outside: its whole work is one transaction."""

    def begin(self, runtime: Runtime, session: Session, job: Job, now: datetime) -> Any:
        return None

    def act(self, runtime: Runtime, prepared: Any) -> Any:
        return None

    def foregone(self, result: Any) -> Outcome | None:
        return None

    def finish(self, runtime: Runtime, session: Session, job: Job, result: Any, now: datetime) -> Outcome:
        raise NotImplementedError

    def late(self, runtime: Runtime, session: Session, job: Job, result: Any, now: datetime) -> None:
        return None

    def give_up(self, runtime: Runtime, session: Session, job: Job, now: datetime) -> None:
        return None


def run(runtime: Runtime, handler: Handler, job_id: int) -> JobStatus | None:
    """Try one job once and return its status, or None if another worker has it or it is not due."""
    with logs.about(job=job_id):
        return _run(runtime, handler, job_id)


def _run(runtime: Runtime, handler: Handler, job_id: int) -> JobStatus | None:
    try:
        begun = _begin(runtime, handler, job_id)
    except service.Lost:
        return None
    except OperationalError:
        raise  # the database is away: nothing was claimed, the nudge comes again
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is a failed attempt
        return _begin_failed(runtime, handler, job_id, error)
    if not isinstance(begun, _Begun):
        return begun
    job = begun.job
    try:
        result = handler.act(runtime, begun.prepared)
        try:
            return _finish_while_ours(runtime, handler, job, result)
        except service.Lost:
            _too_late(runtime, handler, job, result)
            return None
    except OperationalError:
        raise  # the lease will run out and somebody takes the job back
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is a failed attempt
        return _failed(runtime, handler, job, error)


@dataclass(frozen=True)
class _Begun:
    """A job that is ours, and what its handler prepared."""

    job: Job
    prepared: Any


def _begin(runtime: Runtime, handler: Handler, job_id: int) -> _Begun | JobStatus | None:
    """What there is to act on; the status when the try is over already; None when the job is not ours."""
    now, wall = runtime.clock.now(), wall_now()
    with runtime.transaction() as session:
        job = service.claim(session, job_id, now=now, wall=wall)
        if job is None:
            return None
        logs.add(kind=job.kind, trace=job.trace or f"job-{job.id}")
        prepared = handler.begin(runtime, session, job, now)
        if isinstance(prepared, Done | Snooze | Retry):
            return _end(runtime, handler, session, job, prepared)
        return _Begun(job, prepared)


def _finish_while_ours(runtime: Runtime, handler: Handler, job: Job, result: Any) -> JobStatus:
    """What the outside world answered is worth more than one try at writing it down: the lease allows some."""
    while True:
        try:
            return _finish(runtime, handler, job, result)
        except OperationalError:
            if job.lease_until is None or wall_now() >= job.lease_until:
                raise
            log.warning("job.database_away")
            nap(0.5)


def _finish(runtime: Runtime, handler: Handler, job: Job, result: Any) -> JobStatus:
    now = runtime.clock.now()
    with runtime.transaction() as session:
        # The job's row is locked before what hangs on it, either way: by its end, or while its end is found out.
        foregone = handler.foregone(result)
        if foregone is not None:
            status = _end(runtime, handler, session, job, foregone)
            handler.finish(runtime, session, job, result, now)
            return status
        service.hold(session, job)
        outcome = handler.finish(runtime, session, job, result, now)
        return _end(runtime, handler, session, job, outcome)


def _too_late(runtime: Runtime, handler: Handler, job: Job, result: Any) -> None:
    log.warning("job.lost")
    with runtime.transaction() as session:
        handler.late(runtime, session, job, result, runtime.clock.now())


def _end(runtime: Runtime, handler: Handler, session: Session, job: Job, outcome: Outcome) -> JobStatus:
    now = runtime.clock.now()
    status = service.finish(session, job, outcome, now=now, wall=wall_now())
    if status is JobStatus.FAILED and isinstance(outcome, Retry):
        handler.give_up(runtime, session, job, now)
    if not isinstance(outcome, Snooze):
        log.info("job.tried", subject=job.subject, status=str(status), attempt=job.attempts)
    return status


def _begin_failed(runtime: Runtime, handler: Handler, job_id: int, error: Exception) -> JobStatus | None:
    """The claim was rolled back together with the work: claim again, so that the attempt counts."""
    with runtime.transaction() as session:
        job = service.claim(session, job_id, now=runtime.clock.now(), wall=wall_now())
    return _failed(runtime, handler, job, error) if job is not None else None


def _failed(runtime: Runtime, handler: Handler, job: Job, error: Exception) -> JobStatus | None:
    log.error("job.error", exc_info=error)
    crash = Explanation(Reason.CRASHED, f"{type(error).__name__}: {logs.without_rows(str(error))}")
    try:
        with runtime.transaction() as session:
            return _end(runtime, handler, session, job, Retry(crash))
    except service.Lost:
        return None


def give_up(runtime: Runtime, handler: Handler, session: Session, job: Job, now: datetime) -> None:
    """Settle what hangs on a lost job that has failed; a handler that cannot is said aloud, and stops nobody else."""
    try:
        with session.begin_nested():
            handler.give_up(runtime, session, job, now)
    except OperationalError:
        raise
    except Exception as error:
        log.error("job.not_settled", job=job.id, kind=job.kind, exc_info=error)
