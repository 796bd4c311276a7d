"""When to look again, and jobs that are opened or skipped by whoever promised them."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from slomix.database.session import Database
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import LEASE, Done, JobStatus, Retry, Snooze
from slomix.reasons.codes import Explanation, Reason

from .promises import NOW, SECOND, WALL, claim, due, finish, look, promise, release

LATER = NOW + timedelta(hours=1)


def next_look(database: Database, *, now: datetime = NOW) -> tuple[datetime | None, datetime | None]:
    with database.transaction() as session:
        return jobs.next_check(session, now=now)


def test_with_nothing_to_do_there_is_no_next_look(database: Database) -> None:
    promise(database, due(status=JobStatus.SKIPPED, reason=Explanation(Reason.TOO_LATE)))
    assert next_look(database) == (None, None)


def test_the_next_look_is_at_the_next_moment(database: Database) -> None:
    promise(database, due("b", run_at=LATER), due("a", run_at=NOW + SECOND), due("c", run_at=LATER))
    assert next_look(database) == (NOW + SECOND, None)


def test_a_nudged_job_is_looked_at_when_it_would_be_nudged_again(database: Database) -> None:
    promise(database, due("nudged"), due("later", run_at=LATER))
    release(database)
    assert next_look(database) == (LATER, WALL + 2 * SECOND)


def test_a_job_that_waits_for_its_provider_is_looked_at_when_the_wait_is_over(database: Database) -> None:
    [job_id] = promise(database, due())
    job = claim(database, job_id)
    assert job is not None
    finish(database, job, Snooze(30 * SECOND))
    assert next_look(database) == (None, WALL + 30 * SECOND)


def test_a_failed_try_is_looked_at_after_its_backoff_and_its_patience(database: Database) -> None:
    [job_id] = promise(database, due())
    job = claim(database, job_id)
    assert job is not None
    finish(database, job, Retry(Explanation(Reason.DISCORD_IS_BUSY), retry_after=30 * SECOND))
    run_at = look(database, job_id).run_at
    assert next_look(database)[0] == run_at
    assert next_look(database, now=run_at)[1] == WALL + 30 * SECOND


def test_what_came_due_since_the_last_look_is_looked_at_now(database: Database) -> None:
    promise(database, due("just now", run_at=NOW - SECOND), due("later", run_at=LATER))
    moment, _ = next_look(database)
    assert moment is not None
    assert moment <= NOW


def test_a_job_that_somebody_works_on_is_looked_at_when_its_lease_ends(database: Database) -> None:
    [job_id] = promise(database, due())
    claim(database, job_id)
    assert next_look(database) == (None, WALL + LEASE)


def reopen(database: Database, *subjects: str) -> None:
    with database.transaction() as session:
        jobs.reopen(session, "greet", subjects, run_at=LATER, deadline_at=LATER + SECOND)


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.SKIPPED, JobStatus.SENT])
def test_a_finished_job_that_is_opened_again_has_all_its_attempts_before_it(
    database: Database, status: JobStatus
) -> None:
    [job_id] = promise(database, due(max_attempts=1))
    worker = claim(database, job_id)
    assert worker is not None
    finish(database, worker, Done(status, Explanation(Reason.EXPIRED)))
    reopen(database, "1")
    job = look(database, job_id)
    assert (job.status, job.run_at, job.deadline_at) == (JobStatus.PENDING, LATER, LATER + SECOND)
    assert (job.attempts, job.reason, job.finished_at) == (0, None, None)
    assert job.claims == 1, "which still fences the worker of before"
    assert release(database, now=LATER) == [job_id]


def test_a_job_that_is_not_over_is_not_opened_again(database: Database) -> None:
    running, pending = promise(database, due("running"), due("pending"))
    claim(database, running)
    reopen(database, "running", "pending")
    assert (look(database, running).status, look(database, running).run_at) == (JobStatus.RUNNING, NOW)
    assert look(database, pending).run_at == NOW


def test_only_what_has_not_begun_is_skipped(database: Database) -> None:
    running, pending, other = promise(database, due("running"), due("pending"), due("other"))
    claim(database, running)
    with database.transaction() as session:
        jobs.skip_pending(session, "greet", ["running", "pending"], reason=Reason.WITHDRAWN, now=LATER)
    assert look(database, running).status is JobStatus.RUNNING
    assert look(database, other).status is JobStatus.PENDING
    skipped = look(database, pending)
    assert (skipped.status, skipped.reason, skipped.finished_at) == (
        JobStatus.SKIPPED,
        Explanation(Reason.WITHDRAWN),
        LATER,
    )
    assert claim(database, pending, now=LATER) is None


@pytest.mark.parametrize(
    "values",
    [{"status": JobStatus.RUNNING}, {"lease_until": WALL}, {"status": "done"}],
    ids=["running without a lease", "a lease without a worker", "an unknown status"],
)
def test_the_database_keeps_a_job_in_order(database: Database, values: dict[str, object]) -> None:
    [job_id] = promise(database, due())
    with pytest.raises((IntegrityError, LookupError)), database.transaction() as session:
        session.execute(update(Job).where(Job.id == job_id).values(**values))
