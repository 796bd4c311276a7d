"""One try of one job: begin, act, finish; whatever goes wrong in between is a failed attempt and nothing more."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from slomix.accounts.models import Player
from slomix.jobs import rules
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import LEASE, Done, JobStatus, Retry, Snooze
from slomix.jobs.runner import Handler, JobContext, execute
from slomix.reasons.codes import Explanation, Reason
from slomix.runtime.context import Runtime
from tests.moments import at
from tests.world import World

from .promises import due, look, promise

Part = Callable[[Session], Any]


@dataclass
class Scripted(Handler[Any, Any]):
    """A handler that does what a test tells it, and remembers which of its parts were called."""

    begins: Part = lambda _session: "prepared"
    acts: Callable[[], Any] = lambda: "said"
    finishes: Part = lambda _session: Done()
    called: list[str] = field(default_factory=list)
    given_up: list[Explanation | None] = field(default_factory=list)

    def begin(self, context: JobContext) -> Any:
        self.called.append("begin")
        return self.begins(context.session)

    def act(self, runtime: Runtime, prepared: Any) -> Any:
        self.called.append(f"act on {prepared}")
        return self.acts()

    def finish_late(self, context: JobContext, result: Any) -> None:
        self.called.append(f"late with {result}")

    def finish(self, context: JobContext, result: Any) -> Any:
        self.called.append(f"finish with {result}")
        return self.finishes(context.session)

    def give_up(self, context: JobContext) -> None:
        self.given_up.append(context.job.last_error)


@pytest.fixture
def evening(world: World) -> World:
    world.clock.move_to(at(20, 45))
    return world


def fail(*_: Any) -> Any:
    raise ValueError("a bug of ours")


def rename(session: Session) -> str:
    """Something written before it goes wrong."""
    session.execute(update(Player).values(name="renamed"))
    return "prepared"


def renamed(world: World) -> bool:
    with world.session() as session:
        return session.get_one(Player, world.players["alice"], populate_existing=True).name == "renamed"


def test_a_job_is_begun_acted_on_and_finished(evening: World) -> None:
    [job_id] = promise(evening.runtime.database, due())
    handler = Scripted(begins=rename)
    assert execute(evening.runtime, handler, job_id) is JobStatus.SENT
    assert handler.called == ["begin", "act on prepared", "finish with said"]
    assert renamed(evening)
    assert execute(evening.runtime, handler, job_id) is None, "a nudge that comes twice does nothing"
    assert len(handler.called) == 3


@pytest.mark.parametrize("more", [{"run_at": at(20, 46)}, {"status": JobStatus.SKIPPED}])
def test_a_job_that_is_not_due_or_over_is_not_begun(evening: World, more: dict[str, Any]) -> None:
    [job_id] = promise(evening.runtime.database, due(**more))
    handler = Scripted()
    assert execute(evening.runtime, handler, job_id) is None
    assert execute(evening.runtime, handler, 4711) is None
    assert handler.called == []


@pytest.mark.parametrize(
    ("outcome", "status", "attempts"),
    [
        (Done(), JobStatus.SENT, 1),
        (Done(JobStatus.SKIPPED, Explanation(Reason.WITHDRAWN)), JobStatus.SKIPPED, 1),
        (Done(JobStatus.FAILED, Explanation(Reason.NO_TRY_LEFT)), JobStatus.FAILED, 1),
        (Snooze(timedelta(seconds=1)), JobStatus.PENDING, 0),
        (Retry(Explanation(Reason.NO_MEMBERS_KNOWN)), JobStatus.PENDING, 1),
    ],
)
@pytest.mark.parametrize("part", ["begins", "finishes"])
def test_begin_and_finish_may_both_say_how_it_ends(
    evening: World, part: str, outcome: object, status: JobStatus, attempts: int
) -> None:
    [job_id] = promise(evening.runtime.database, due())
    script: dict[str, Any] = {part: lambda _session: outcome}
    handler = Scripted(**script)
    assert execute(evening.runtime, handler, job_id) is status
    job = look(evening.runtime.database, job_id)
    assert (job.status, job.attempts, job.lease_until) == (status, attempts, None)
    assert len(handler.called) == (1 if part == "begins" else 3)
    assert handler.given_up == [], "who says that it failed has settled what hangs on it"


@pytest.mark.parametrize("part", ["begins", "acts", "finishes"])
def test_an_exception_in_any_part_is_a_failed_attempt_with_its_words(evening: World, part: str) -> None:
    [job_id] = promise(evening.runtime.database, due())
    script: dict[str, Any] = {part: fail}
    assert execute(evening.runtime, Scripted(**script), job_id) is JobStatus.PENDING
    job = look(evening.runtime.database, job_id)
    assert (job.attempts, job.last_error, job.lease_until) == (
        1,
        Explanation(Reason.CRASHED, "ValueError: a bug of ours"),
        None,
    )
    assert job.run_at > at(20, 45)


@pytest.mark.parametrize(("part", "kept"), [("begins", False), ("acts", True), ("finishes", True)])
def test_what_was_written_before_an_exception_goes_with_its_own_transaction(
    evening: World, part: str, kept: bool
) -> None:
    def spoil(session: Session) -> None:
        rename(session)
        fail()

    [job_id] = promise(evening.runtime.database, due())
    parts: dict[str, Any] = {"begins": rename} | {part: fail if part == "acts" else spoil}
    execute(evening.runtime, Scripted(**parts), job_id)
    assert renamed(evening) is kept


@pytest.mark.parametrize("part", ["begins", "acts", "finishes"])
def test_after_the_last_attempt_it_is_given_up_once_with_the_last_error(evening: World, part: str) -> None:
    [job_id] = promise(evening.runtime.database, due(max_attempts=3))
    script: dict[str, Any] = {part: fail}
    handler = Scripted(**script)
    for minute, status in enumerate([JobStatus.PENDING, JobStatus.PENDING, JobStatus.FAILED], 46):
        assert handler.given_up == []
        evening.clock.move_to(at(20, minute))
        assert execute(evening.runtime, handler, job_id) is status
    assert handler.given_up == [Explanation(Reason.CRASHED, "ValueError: a bug of ours")]
    evening.clock.move_to(at(21))
    assert execute(evening.runtime, handler, job_id) is None
    assert len(handler.given_up) == 1
    assert look(evening.runtime.database, job_id).attempts == 3


def test_a_retry_that_would_come_after_the_deadline_is_given_up(evening: World) -> None:
    [job_id] = promise(evening.runtime.database, due(deadline_at=at(20, 45, 1)))
    handler = Scripted(finishes=lambda _session: Retry(Explanation(Reason.DISCORD_ANSWERED, "503")))
    assert execute(evening.runtime, handler, job_id) is JobStatus.FAILED
    assert handler.given_up == [Explanation(Reason.DISCORD_ANSWERED, "503")]


def away(*_: Any) -> Any:
    raise OperationalError("SELECT 1", {}, Exception("the server closed the connection"))


def test_while_the_database_is_away_nothing_is_an_attempt_of_the_job(evening: World) -> None:
    [job_id] = promise(evening.runtime.database, due())
    with pytest.raises(OperationalError):
        execute(evening.runtime, Scripted(begins=away), job_id)
    job = look(evening.runtime.database, job_id)
    assert (job.status, job.attempts) == (JobStatus.PENDING, 0)
    assert execute(evening.runtime, Scripted(), job_id) is JobStatus.SENT


def test_a_database_that_goes_away_at_the_end_leaves_the_job_to_its_lease(
    evening: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "LEASE", timedelta(seconds=0.2))  # it waits for the database all that time
    [job_id] = promise(evening.runtime.database, due())
    with pytest.raises(OperationalError):
        execute(evening.runtime, Scripted(finishes=away), job_id)
    job = look(evening.runtime.database, job_id)
    assert (job.status, job.attempts) == (JobStatus.RUNNING, 1)
    with evening.session() as session:
        assert job.lease_until is not None
        jobs.release_expired(session, now=evening.clock.now(), wall=job.lease_until + LEASE)
    assert execute(evening.runtime, Scripted(), job_id) is JobStatus.SENT
    assert look(evening.runtime.database, job_id).attempts == 2


def test_who_comes_back_after_the_job_went_to_another_changes_nothing(evening: World) -> None:
    [job_id] = promise(evening.runtime.database, due())

    def is_overtaken() -> str:
        """While this worker speaks to the provider, its lease runs out and another one does the job."""
        with evening.session() as session:
            jobs.release_expired(session, now=evening.clock.now(), wall=look_lease() + LEASE)
        assert execute(evening.runtime, Scripted(), job_id) is JobStatus.SENT
        return "too late"

    def look_lease() -> datetime:
        lease = look(evening.runtime.database, job_id).lease_until
        assert lease is not None
        return lease

    slow = Scripted(acts=is_overtaken, finishes=rename)
    assert execute(evening.runtime, slow, job_id) is None
    assert slow.given_up == []
    job = look(evening.runtime.database, job_id)
    assert (job.status, job.claims) == (JobStatus.SENT, 2)


def test_what_a_late_worker_would_have_written_is_rolled_back(evening: World) -> None:
    [job_id] = promise(evening.runtime.database, due())

    def rename_and_end(session: Session) -> Done:
        rename(session)
        return Done()

    def is_overtaken() -> str:
        with evening.session() as session:
            session.execute(update(Job).where(Job.id == job_id).values(claims=Job.claims + 1))
        return "too late"

    assert execute(evening.runtime, Scripted(acts=is_overtaken, finishes=rename_and_end), job_id) is None
    assert not renamed(evening)
