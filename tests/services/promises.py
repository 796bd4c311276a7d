"""Jobs as the tests of their life make and look at them, each step in a transaction of its own."""

from datetime import datetime, timedelta

from sqlalchemy import select, update

from slomix.clock import wall_now
from slomix.database.session import Database
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus, Outcome
from slomix.jobs.service import NewJob
from tests.moments import at

NOW = at(20, 45)
WALL = wall_now()
SECOND = timedelta(seconds=1)


def promise(database: Database, *new: NewJob) -> list[int]:
    """Schedule, and return the ids in the order of `new`."""
    with database.transaction() as session:
        jobs.schedule(session, new, now=NOW - timedelta(hours=1))
        known = {(job.kind, job.subject): job.id for job in session.scalars(select(Job))}
        return [known[one.kind, one.subject] for one in new]


def due(subject: str = "1", **more: object) -> NewJob:
    return NewJob("greet", subject, **({"run_at": NOW} | more))  # type: ignore[arg-type]


def look(database: Database, job_id: int) -> Job:
    with database.transaction() as session:
        return session.get_one(Job, job_id, populate_existing=True)


def release(database: Database, *, now: datetime = NOW, wall: datetime = WALL, limit: int = 500) -> list[int]:
    with database.transaction() as session:
        return [job.id for job in jobs.release_due(session, now=now, wall=wall, limit=limit)]


def claim(database: Database, job_id: int, *, now: datetime = NOW, wall: datetime = WALL) -> Job | None:
    with database.transaction() as session:
        return jobs.claim(session, job_id, now=now, wall=wall)


def finish(database: Database, job: Job, outcome: Outcome, *, wall: datetime = WALL) -> JobStatus:
    with database.transaction() as session:
        return jobs.finish(session, job, outcome, now=NOW, wall=wall)


def lose(database: Database, job_id: int, *, attempts: int = 1) -> None:
    """A worker claims and is never heard of again."""
    assert claim(database, job_id) is not None
    with database.transaction() as session:
        session.execute(update(Job).where(Job.id == job_id).values(attempts=attempts))


def take_back(database: Database, wall: datetime) -> list[int]:
    with database.transaction() as session:
        return [job.id for job in jobs.release_expired(session, now=NOW, wall=wall)]
