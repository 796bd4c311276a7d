"""Runs one job: claim and begin, act, finish. The only place where any exception is a failed attempt."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, TypeAlias, TypeVar

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from slomix import i18n
from slomix.clock import nap, wall_now
from slomix.jobs import service, waiting
from slomix.jobs.models import Job
from slomix.jobs.rules import Hold, JobStatus, Outcome, Postpone, Retry, Snooze, Wait
from slomix.reasons.codes import Explanation, Reason
from slomix.runtime import logs
from slomix.runtime.context import Runtime

log = structlog.get_logger()

Prepared = TypeVar("Prepared")
Result = TypeVar("Result")


@dataclass(frozen=True)
class JobContext:
    """What a handler works with inside a transaction."""

    runtime: Runtime
    session: Session
    job: Job
    now: datetime

    @property
    def is_past_deadline(self) -> bool:
        return self.job.deadline_at is not None and self.now >= self.job.deadline_at


class Handler(ABC, Generic[Prepared, Result]):
    """Do one kind of job, in three parts, so that nothing leaves the process inside a transaction."""

    @abstractmethod
    def begin(self, context: JobContext, /) -> Prepared | Outcome:
        """Load and decide, in the claim's transaction; an outcome returned here ends the run.

        Only here texts are written: in the community's language, or in that of their reader.
        """

    @abstractmethod
    def act(self, runtime: Runtime, prepared: Prepared, /) -> Result:
        """Talk to the outside world, between the transactions."""

    @abstractmethod
    def finish(self, context: JobContext, result: Result, /) -> Outcome:
        """Write the result in the last transaction, which also ends the run."""

    def outcome_from_result(self, result: Result, /) -> Outcome | None:
        """Return the outcome if the result alone determines it; None if `finish` has to look first."""

    def finish_late(self, context: JobContext, result: Result, /) -> None:
        """Use a result that came after another worker had claimed the job."""

    def give_up(self, context: JobContext, /) -> None:
        """Settle what depends on a job that has failed for good, in the same transaction."""

    def is_ready(self, context: JobContext, /) -> bool:
        """Return whether a job that returned `Wait` has nothing left to wait for; the scheduler asks."""
        raise NotImplementedError


# A table of handlers mixes their types.
AnyHandler: TypeAlias = Handler[Any, Any]


class TransactionHandler(Handler[None, None]):
    """Do a kind of job that needs nothing from outside: its whole work is one transaction."""

    def begin(self, _context: JobContext, /) -> None:
        """Prepare nothing."""

    def act(self, _runtime: Runtime, _prepared: None, /) -> None:
        """Ask nothing of the outside world."""

    def finish(self, context: JobContext, _result: None, /) -> Outcome:
        return self.work(context)

    @abstractmethod
    def work(self, context: JobContext, /) -> Outcome:
        """Do the work and return the outcome."""


def execute(runtime: Runtime, handler: Handler[Prepared, Result], job_id: int) -> JobStatus | None:
    """Try one job once and return its status, or None if another worker has it or it is not due."""
    with logs.log_context(job=job_id):
        return _run(runtime, handler, job_id)


def _run(runtime: Runtime, handler: Handler[Prepared, Result], job_id: int) -> JobStatus | None:
    try:
        begun = _begin(runtime, handler, job_id)
    except service.JobLost:
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
        except service.JobLost:
            _too_late(runtime, handler, job, result)
            return None
    except OperationalError:
        raise  # the lease runs out, and the scheduler takes the job back
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is a failed attempt
        return _failed(runtime, handler, job, error)


@dataclass(frozen=True)
class _Begun(Generic[Prepared]):
    """A job that we claimed, and what its handler prepared."""

    job: Job
    prepared: Prepared


def _begin(runtime: Runtime, handler: Handler[Prepared, Result], job_id: int) -> _Begun[Prepared] | JobStatus | None:
    """Return what to act on; the status if the run is over already; None if the job is not ours."""
    now, wall = runtime.clock.now(), wall_now()
    with runtime.transaction() as session:
        job = service.claim(session, job_id, now=now, wall=wall)
        if job is None:
            return None
        logs.add_log_context(kind=job.kind, trace=job.trace or f"job-{job.id}")
        context = JobContext(runtime, session, job, now)
        with i18n.speaking(runtime.settings.language_for()):  # until a handler knows who reads what it writes
            prepared = handler.begin(context)
        if isinstance(prepared, Outcome):
            return _end(context, handler, prepared)
        return _Begun(job, prepared)


def _finish_while_ours(runtime: Runtime, handler: Handler[Prepared, Result], job: Job, result: Result) -> JobStatus:
    """Write the result; while the database is away, try again as long as the lease lasts."""
    while True:
        try:
            return _finish(runtime, handler, job, result)
        except OperationalError:
            if job.lease_until is None or wall_now() >= job.lease_until:
                raise
            log.warning("job.database_away")
            nap(0.5)


def _finish(runtime: Runtime, handler: Handler[Prepared, Result], job: Job, result: Result) -> JobStatus:
    with runtime.transaction() as session:
        context = JobContext(runtime, session, job, runtime.clock.now())
        # Either way the job's row is locked before the rows that depend on it: by `_end`, or by `lock_claimed`.
        outcome = handler.outcome_from_result(result)
        if outcome is not None:
            status = _end(context, handler, outcome)
            handler.finish(context, result)
            return status
        service.lock_claimed(session, job)
        return _end(context, handler, handler.finish(context, result))


def _too_late(runtime: Runtime, handler: Handler[Prepared, Result], job: Job, result: Result) -> None:
    log.warning("job.lost")
    with runtime.transaction() as session:
        handler.finish_late(JobContext(runtime, session, job, runtime.clock.now()), result)


def _end(context: JobContext, handler: Handler[Prepared, Result], outcome: Outcome) -> JobStatus:
    job, now = context.job, context.runtime.clock.now()
    status = service.finish(context.session, job, outcome, now=now, wall=wall_now())
    if status is JobStatus.FAILED and isinstance(outcome, Retry):
        handler.give_up(replace(context, now=now))
    if not isinstance(outcome, Snooze | Postpone | Wait | Hold):
        log.info("job.tried", subject=job.subject, status=str(status), attempt=job.attempts)
    return status


def _begin_failed(
    runtime: Runtime, handler: Handler[Prepared, Result], job_id: int, error: Exception
) -> JobStatus | None:
    """Claim again, so that the attempt counts: the first claim was rolled back together with the work."""
    with runtime.transaction() as session:
        job = service.claim(session, job_id, now=runtime.clock.now(), wall=wall_now())
    return _failed(runtime, handler, job, error) if job is not None else None


def _failed(runtime: Runtime, handler: Handler[Prepared, Result], job: Job, error: Exception) -> JobStatus | None:
    log.error("job.error", exc_info=error)
    failure = Retry(Explanation(Reason.CRASHED, f"{type(error).__name__}: {logs.redact_rows(str(error))}"))
    try:
        with runtime.transaction() as session:
            return _end(JobContext(runtime, session, job, runtime.clock.now()), handler, failure)
    except service.JobLost:
        return None


def give_up(handler: AnyHandler, context: JobContext) -> None:
    """Settle what depends on a lost job that has failed; log an error, so that it stops no other job."""
    try:
        with context.session.begin_nested():
            handler.give_up(context)
    except OperationalError:
        raise
    except Exception as error:
        log.error("job.not_settled", job=context.job.id, kind=context.job.kind, exc_info=error)


def wake_ready(runtime: Runtime, handlers: Mapping[str, AnyHandler], session: Session, *, now: datetime) -> None:
    """Make the waiting jobs due that have nothing left to wait for.

    This depends only on committed rows, so a worker that dies loses no wake-up.
    """
    ready = [
        job
        for job in waiting.find(session, now=now)
        if job.kind in handlers and _is_ready(handlers[job.kind], JobContext(runtime, session, job, now))
    ]
    waiting.wake(session, ready)


def _is_ready(handler: AnyHandler, context: JobContext) -> bool:
    """Ask the handler; on an error return True, so that the job runs and its failure counts as an attempt."""
    try:
        with context.session.begin_nested():
            return handler.is_ready(context)
    except OperationalError:
        raise
    except Exception as error:
        log.error("job.not_looked_at", job=context.job.id, kind=context.job.kind, exc_info=error)
        return True
