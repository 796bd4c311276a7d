"""A promise is a row: scheduled once, released until claimed, claimed by one, fenced, taken back."""

from datetime import timedelta
from itertools import chain

import pytest
from sqlalchemy.orm import Session

from slomix.database.session import Database
from slomix.jobs import service as jobs
from slomix.jobs import waiting
from slomix.jobs.models import Job
from slomix.jobs.rules import LEASE, Done, JobStatus, Retry, Snooze, Wait
from slomix.jobs.service import JobLost
from slomix.reasons.codes import Explanation, Reason

from .promises import NOW, SECOND, WALL, claim, due, finish, look, lose, promise, release, take_back
from .racing import at_once


def test_the_same_promise_made_twice_is_one_job_as_it_was(database: Database) -> None:
    [first] = promise(database, due(max_attempts=3))
    [second] = promise(database, due(run_at=NOW + timedelta(days=1), max_attempts=9))
    job = look(database, first)
    assert (second, job.run_at, job.max_attempts) == (first, NOW, 3)


def test_the_same_promise_made_by_ten_at_once_is_one_job(committed: Database) -> None:
    made = at_once([lambda: promise(committed, due())] * 10)
    assert made == [made[0]] * 10


def test_a_promise_that_is_rolled_back_with_its_cause_was_never_made(database: Database) -> None:
    def fail(session: Session) -> None:
        jobs.schedule(session, [due()], now=NOW)
        raise RuntimeError("the cause did not happen")

    with pytest.raises(RuntimeError), database.transaction() as session:
        fail(session)
    assert release(database) == []


def test_a_job_may_be_over_before_it_began_and_is_never_released(database: Database) -> None:
    [job_id] = promise(database, due(status=JobStatus.SKIPPED, reason=Explanation(Reason.TOO_LATE)))
    assert release(database) == []
    assert claim(database, job_id) is None
    job = look(database, job_id)
    assert (job.reason, job.finished_at) == (Explanation(Reason.TOO_LATE), NOW - timedelta(hours=1))


def test_what_is_due_is_released_oldest_first_and_what_is_not_waits(database: Database) -> None:
    ids = promise(
        database,
        due("b", run_at=NOW),
        due("future", run_at=NOW + SECOND),
        due("a", run_at=NOW - timedelta(days=1)),
        due("c", run_at=NOW),
    )
    assert release(database) == [ids[2], ids[0], ids[3]]
    assert release(database, now=NOW + SECOND) == [ids[1]]


def test_no_more_than_asked_for_is_released_at_once(database: Database) -> None:
    ids = promise(database, *(due(str(number)) for number in range(5)))
    assert [release(database, limit=2) for _ in range(4)] == [ids[:2], ids[2:4], ids[4:], []]


def test_an_unclaimed_job_is_nudged_again_after_2_4_8_seconds_and_then_every_minute(database: Database) -> None:
    [job_id] = promise(database, due())
    assert release(database) == [job_id]
    after = 0
    for wait in (2, 4, 8, 16, 32, 60, 60):
        # However far the evening's clock runs meanwhile: a nudge travels in wall time.
        assert release(database, now=NOW + timedelta(days=1), wall=WALL + (after + wait - 0.001) * SECOND) == []
        after += wait
        assert release(database, wall=WALL + after * SECOND) == [job_id]


def test_two_schedulers_at_once_release_each_job_once(committed: Database) -> None:
    ids = promise(committed, *(due(str(number)) for number in range(200)))
    released = at_once([lambda: release(committed)] * 4)
    assert sorted(chain(*released)) == ids


def test_of_ten_workers_one_gets_the_job(committed: Database) -> None:
    [job_id] = promise(committed, due())
    claims = at_once([lambda: claim(committed, job_id)] * 10)
    [job] = [claimed for claimed in claims if claimed is not None]
    assert (job.status, job.attempts, job.claims, job.lease_until) == (JobStatus.RUNNING, 1, 1, WALL + LEASE)


def test_nobody_gets_a_job_before_its_moment(database: Database) -> None:
    [job_id] = promise(database, due())
    assert claim(database, job_id, now=NOW - SECOND) is None
    assert look(database, job_id).attempts == 0
    assert claim(database, job_id, now=NOW) is not None


def test_nobody_gets_a_job_that_is_not_there(database: Database) -> None:
    assert claim(database, 4711) is None


@pytest.mark.parametrize(
    ("outcome", "status", "reason"),
    [
        (Done(), JobStatus.SENT, None),
        (Done(JobStatus.SKIPPED, Explanation(Reason.WITHDRAWN)), JobStatus.SKIPPED, Explanation(Reason.WITHDRAWN)),
        (Done(JobStatus.FAILED, Explanation(Reason.DMS_CLOSED)), JobStatus.FAILED, Explanation(Reason.DMS_CLOSED)),
    ],
)
def test_a_finished_job_is_over(database: Database, outcome: Done, status: JobStatus, reason: str | None) -> None:
    [job_id] = promise(database, due())
    job = claim(database, job_id)
    assert job is not None
    assert finish(database, job, outcome) is status
    after = look(database, job_id)
    assert (after.status, after.reason, after.finished_at, after.lease_until) == (status, reason, NOW, None)
    assert release(database) == []
    assert claim(database, job_id) is None


def test_what_is_found_out_is_written_once(database: Database) -> None:
    [job_id] = promise(database, due())
    job = claim(database, job_id)
    assert job is not None
    finish(database, job, Done())
    with pytest.raises(JobLost):
        finish(database, job, Done(JobStatus.FAILED, Explanation(Reason.EXPIRED)))
    assert look(database, job_id).status is JobStatus.SENT


def test_a_worker_whose_job_was_taken_back_writes_nothing(database: Database) -> None:
    [job_id] = promise(database, due())
    slow = claim(database, job_id)
    assert slow is not None
    with database.transaction() as session:
        session.expunge_all()
        jobs.release_expired(session, now=NOW, wall=WALL + LEASE + SECOND)
    with pytest.raises(JobLost):
        finish(database, slow, Done())
    again = claim(database, job_id)
    assert again is not None
    with pytest.raises(JobLost):
        finish(database, slow, Done())
    assert look(database, job_id).status is JobStatus.RUNNING
    assert finish(database, again, Done()) is JobStatus.SENT


def test_of_a_worker_and_the_one_after_it_only_the_second_may_finish(committed: Database) -> None:
    [job_id] = promise(committed, due())
    slow = claim(committed, job_id)
    with committed.transaction() as session:
        jobs.release_expired(session, now=NOW, wall=WALL + LEASE + SECOND)
    again = claim(committed, job_id)
    assert slow is not None
    assert again is not None
    ended = at_once(
        [
            lambda: finish(committed, slow, Done(JobStatus.FAILED, Explanation(Reason.EXPIRED))),
            lambda: finish(committed, again, Done()),
        ]
    )
    assert isinstance(ended[0], JobLost)
    assert ended[1] is JobStatus.SENT


def test_a_snooze_uses_no_attempt_however_often(database: Database) -> None:
    [job_id] = promise(database, due(max_attempts=2))
    wall = WALL
    for _ in range(5):
        job = claim(database, job_id, wall=wall)
        assert job is not None
        assert finish(database, job, Snooze(SECOND), wall=wall) is JobStatus.PENDING
        assert look(database, job_id).attempts == 0
        assert release(database, wall=wall) == [], "not before its second is over"
        assert claim(database, job_id, now=NOW + timedelta(days=1), wall=wall) is None
        wall += SECOND
        assert release(database, wall=wall) == [job_id]
    assert look(database, job_id).claims == 5


def test_a_snooze_may_say_how_many_failures_the_job_counts(database: Database) -> None:
    [job_id] = promise(database, due())
    for failures in (1, 2, 0):
        job = claim(database, job_id)
        assert job is not None
        finish(database, job, Snooze(timedelta(0), failures=failures))
        assert look(database, job_id).attempts == failures


def test_a_job_that_waits_is_left_alone_until_it_is_woken_and_that_is_no_attempt(database: Database) -> None:
    waits, other = promise(database, due("waits"), due("other"))
    for job_id, outcome in ((waits, Wait()), (other, Snooze(SECOND))):
        job = claim(database, job_id)
        assert job is not None
        assert finish(database, job, outcome) is JobStatus.PENDING
    later = WALL + timedelta(days=1)
    assert release(database, wall=later) == [other], "no time ends the wait"
    assert claim(database, waits, wall=later) is None
    with database.transaction() as session:
        found = waiting.find(session, now=NOW)
        assert [job.id for job in found] == [waits]
        waiting.wake(session, found)
    assert release(database) == [waits]
    assert look(database, waits).attempts == 0


def test_waking_changes_nothing_of_a_job_that_does_not_wait_any_more(database: Database) -> None:
    [job_id] = promise(database, due())
    job = claim(database, job_id)
    assert job is not None
    finish(database, job, Snooze(SECOND))
    with database.transaction() as session:
        waiting.wake(session, [session.get_one(Job, job_id)])
    assert look(database, job_id).wait_until == WALL + SECOND


def test_a_failed_try_comes_back_after_its_backoff_and_keeps_its_error(database: Database) -> None:
    [job_id] = promise(database, due())
    job = claim(database, job_id)
    assert job is not None
    assert finish(database, job, Retry(Explanation(Reason.DISCORD_ANSWERED, "503"))) is JobStatus.PENDING
    assert (job.status, job.last_error) == (JobStatus.PENDING, Explanation(Reason.DISCORD_ANSWERED, "503"))
    after = look(database, job_id)
    assert SECOND <= after.run_at - NOW <= 2 * SECOND
    assert (after.attempts, after.last_error, after.wait_until) == (
        1,
        Explanation(Reason.DISCORD_ANSWERED, "503"),
        None,
    )
    assert release(database) == []
    assert release(database, now=NOW + 2 * SECOND) == [job_id]


def test_a_provider_that_asked_for_patience_gets_it_in_wall_time(database: Database) -> None:
    [job_id] = promise(database, due())
    job = claim(database, job_id)
    assert job is not None
    finish(database, job, Retry(Explanation(Reason.DISCORD_IS_BUSY), retry_after=30 * SECOND))
    tomorrow = NOW + timedelta(days=1)
    assert release(database, now=tomorrow, wall=WALL + 29 * SECOND) == []
    assert claim(database, job_id, now=tomorrow, wall=WALL + 29 * SECOND) is None
    assert release(database, now=tomorrow, wall=WALL + 30 * SECOND) == [job_id]
    assert claim(database, job_id, now=tomorrow, wall=WALL + 30 * SECOND) is not None


def test_after_its_last_attempt_a_job_has_failed_with_its_last_error(database: Database) -> None:
    [job_id] = promise(database, due(max_attempts=2))
    for attempt, status in enumerate([JobStatus.PENDING, JobStatus.FAILED], 1):
        job = claim(database, job_id, now=NOW + timedelta(minutes=attempt))
        assert job is not None
        assert finish(database, job, Retry(Explanation(Reason.CRASHED, f"error {attempt}" + "!" * 2000))) is status
    after = look(database, job_id)
    assert (after.attempts, after.finished_at) == (2, NOW)
    assert after.last_error is not None
    assert str(after.last_error).startswith("error 2!")
    assert len(str(after.last_error)) == 1000


def test_a_job_is_taken_back_when_its_lease_has_run_out_and_not_before(database: Database) -> None:
    [job_id] = promise(database, due())
    lose(database, job_id)
    assert take_back(database, WALL + LEASE) == []
    assert look(database, job_id).status is JobStatus.RUNNING
    assert take_back(database, WALL + LEASE + SECOND) == []
    after = look(database, job_id)
    assert (after.status, after.attempts, after.last_error) == (
        JobStatus.PENDING,
        1,
        Explanation(Reason.WORKER_DID_NOT_COME_BACK),
    )
    assert release(database, wall=WALL + LEASE + SECOND) == [job_id], "at once, whatever its nudges were"


def test_a_job_lost_in_its_last_attempt_has_failed_and_is_returned_once(database: Database) -> None:
    last, other = promise(database, due("last"), due("other"))
    lose(database, last, attempts=5)
    lose(database, other, attempts=4)
    assert take_back(database, WALL + LEASE + SECOND) == [last]
    assert take_back(database, WALL + LEASE + SECOND) == []
    failed = look(database, last)
    assert (failed.status, failed.finished_at, failed.lease_until) == (JobStatus.FAILED, NOW, None)
    assert look(database, other).status is JobStatus.PENDING


def test_two_schedulers_at_once_give_a_lost_job_up_once(committed: Database) -> None:
    ids = promise(committed, *(due(str(number)) for number in range(20)))
    for job_id in ids:
        lose(committed, job_id, attempts=5)
    given_up = at_once([lambda: take_back(committed, WALL + LEASE + SECOND)] * 4)
    assert sorted(chain(*given_up)) == ids
