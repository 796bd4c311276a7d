"""What operators do by hand to jobs: tried again, called off, and never at the cost of a promise."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from slomix.admin import job_actions
from slomix.admin.job_actions import (
    AlreadyJudged,
    JobNotFailed,
    JobNotPending,
    JobRunning,
    MayArriveTwice,
    NoSuchJob,
    PastDeadline,
)
from slomix.availability.rules import Status
from slomix.campaigns import rules
from slomix.campaigns.models import Campaign
from slomix.campaigns.retrying import CampaignCancelled, NothingToRetry
from slomix.campaigns.rules import CampaignStatus
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.errors import DomainError
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.reasons.codes import Explanation, Reason
from tests.moments import at
from tests.services.promises import due, promise
from tests.steps import call, cancel
from tests.workers.pump import pump
from tests.workers.stage import REMINDER, told
from tests.world import World

ERROR = Explanation(Reason.DISCORD_ANSWERED, "500")


def retry(world: World, job_id: int, *, twice: bool = False) -> None:
    with world.session() as session:
        settings, now = world.runtime.settings, world.clock.now()
        job_actions.retry_job(session, job_id, may_arrive_twice=twice, settings=settings, now=now, by="a test")


def call_off(world: World, job_id: int) -> int:
    with world.session() as session:
        return job_actions.cancel_job(session, job_id, now=world.clock.now(), by="a test")


def rows(world: World, notice: str = rules.REMINDER) -> list[Delivery]:
    with world.session() as session:
        query = select(Delivery).where(Delivery.notice == notice).order_by(Delivery.id)
        return list(session.scalars(query.execution_options(populate_existing=True)))


def job(world: World, kind: str, subject: str) -> Job:
    with world.session() as session:
        query = select(Job).where(Job.kind == kind, Job.subject == subject)
        return session.scalars(query.execution_options(populate_existing=True)).one()


def carrier(world: World, row: Delivery) -> Job:
    return job(world, "delivery", str(row.id))


def put(world: World, job_id: int, **values: object) -> None:
    with world.session() as session:
        session.execute(update(Job).where(Job.id == job_id).values(**values))


@pytest.fixture
def campaign(world: World) -> int:
    """Bob has called Alice and Erik, and it is a quarter to nine."""
    for name in ("alice", "erik"):
        world.says(name, Status.LOOKING)
    made = call(world)[0]
    world.clock.move_to(at(20, 45))
    return made


def fail(world: World, row: Delivery, status: str = "failed") -> Job:
    with world.session() as session:
        changes = {"status": status, "reason": ERROR, "text": "Come!", "settled_at": world.clock.now()}
        session.execute(update(Delivery).where(Delivery.id == row.id).values(**changes))
    found = carrier(world, row)
    put(world, found.id, status="failed", last_error=ERROR, attempts=5, finished_at=world.clock.now())
    return found


def test_a_failed_job_is_pending_again_with_all_its_tries_and_its_deadline(world: World) -> None:
    [one] = promise(world.runtime.database, due(deadline_at=at(21, 10)))
    put(world, one, status="failed", attempts=5, last_error=Explanation(Reason.OTHER, "it broke"))
    retry(world, one)
    found = job(world, "greet", "1")
    assert (found.status, found.attempts, found.last_error) == (JobStatus.PENDING, 0, None)
    assert (found.run_at, found.deadline_at) == (world.clock.now(), at(21, 10))


@pytest.mark.parametrize("status", ["pending", "sent", "skipped"])
def test_only_what_failed_is_tried_again(world: World, status: str) -> None:
    [one] = promise(world.runtime.database, due())
    put(world, one, status=status)
    with pytest.raises(JobNotFailed):
        retry(world, one)


def test_past_its_deadline_nothing_is_tried_again(world: World) -> None:
    [one] = promise(world.runtime.database, due(deadline_at=world.clock.now()))
    put(world, one, status="failed")
    with pytest.raises(PastDeadline):
        retry(world, one)


def test_a_failed_message_begins_anew_with_another_nonce_and_arrives_once(world: World, campaign: int) -> None:
    first, _ = rows(world)
    retry(world, fail(world, first).id)
    [again, _] = rows(world)
    assert (again.status, again.text) == (DeliveryStatus.PENDING, None)
    assert again.nonce != first.nonce
    pump(world)
    assert [text for text in told(world, "alice") if text == REMINDER] == [REMINDER]


def test_what_may_have_arrived_goes_again_only_when_somebody_says_so(world: World, campaign: int) -> None:
    first, _ = rows(world)
    one = fail(world, first, "unknown")
    with pytest.raises(MayArriveTwice):
        retry(world, one.id)
    assert rows(world)[0].status is DeliveryStatus.UNKNOWN
    retry(world, one.id, twice=True)
    assert rows(world)[0].status is DeliveryStatus.PENDING


def test_a_message_of_no_campaign_is_tried_again_too(world: World, campaign: int) -> None:
    first, _ = rows(world)
    one = fail(world, first)
    with world.session() as session:
        session.execute(update(Delivery).where(Delivery.id == first.id).values(subject="2026-11-20:threshold=6"))
    retry(world, one.id)
    assert rows(world)[0].status is DeliveryStatus.PENDING


def test_where_no_contact_works_a_try_would_fail_again(world: World, campaign: int) -> None:
    first, _ = rows(world)
    one = fail(world, first)
    with world.session() as session:
        session.execute(update(Delivery).where(Delivery.id == first.id).values(fell_back_to="telegram"))
    with pytest.raises(NothingToRetry):
        retry(world, one.id)


def test_nothing_of_a_cancelled_campaign_is_tried_again(world: World, campaign: int) -> None:
    one = fail(world, rows(world)[0])
    cancel(world, campaign)
    with pytest.raises(CampaignCancelled):
        retry(world, one.id)
    with world.session() as session:
        session.execute(update(Job).where(Job.kind == rules.START).values(status="failed"))
    with pytest.raises(CampaignCancelled):
        retry(world, job(world, rules.START, f"campaign:{campaign}").id)


def test_a_phase_that_failed_takes_its_failed_messages_along(world: World, campaign: int) -> None:
    for row in rows(world):
        fail(world, row)
    pump(world)
    phase = job(world, rules.REMINDER, f"campaign:{campaign}")
    assert phase.status is JobStatus.FAILED
    retry(world, phase.id)
    assert [row.status for row in rows(world)] == [DeliveryStatus.PENDING] * 2
    pump(world)
    assert job(world, rules.REMINDER, f"campaign:{campaign}").status is JobStatus.SENT


def test_a_voice_check_that_has_spoken_is_not_repeated(world: World, campaign: int) -> None:
    with world.session() as session:
        session.execute(update(Campaign).values(judged_at=world.clock.now()))
        session.execute(update(Job).where(Job.kind == rules.VOICE_CHECK).values(status="failed"))
    with pytest.raises(AlreadyJudged):
        retry(world, job(world, rules.VOICE_CHECK, f"campaign:{campaign}").id)


def test_a_message_that_is_called_off_is_settled_with_its_reason_and_never_leaves(world: World, campaign: int) -> None:
    first, _ = rows(world)
    assert call_off(world, carrier(world, first).id) == 0, "it is the message itself"
    row, carried = rows(world)[0], carrier(world, first)
    reason = Explanation(Reason.CANCELLED_BY_OPERATOR)
    assert (row.status, row.reason, row.settled_at) == (DeliveryStatus.SKIPPED, reason, world.clock.now())
    assert (carried.status, carried.reason) == (JobStatus.SKIPPED, reason)
    pump(world)
    assert told(world, "alice") == []
    assert told(world, "erik") == [REMINDER]


def test_one_whose_answer_was_not_seen_becomes_unknown(world: World, campaign: int) -> None:
    first, _ = rows(world)
    with world.session() as session:
        changes = {"status": "sending", "text": "Come!", "first_tried_at": world.clock.now()}
        session.execute(update(Delivery).where(Delivery.id == first.id).values(**changes))
    call_off(world, carrier(world, first).id)
    row = rows(world)[0]
    assert row.status is DeliveryStatus.UNKNOWN
    assert row.reason == Explanation(Reason.ANSWER_NOT_SEEN).followed_by(Reason.CANCELLED_BY_OPERATOR)


def test_a_phase_that_is_called_off_takes_its_messages_along_and_the_others_stay(world: World, campaign: int) -> None:
    assert call_off(world, job(world, rules.REMINDER, f"campaign:{campaign}").id) == 2
    assert [row.status for row in rows(world)] == [DeliveryStatus.SKIPPED] * 2
    assert [row.status for row in rows(world, rules.START)] == [DeliveryStatus.PENDING] * 2
    world.clock.move_to(at(21))
    pump(world)
    assert told(world, "alice") == ["Game night starts now. Come and join!"]
    with world.session() as session:
        assert session.get_one(Campaign, campaign).status is not CampaignStatus.PARTIAL, "skips are nobody's fault"


@pytest.mark.parametrize(
    ("values", "error"), [({"status": "sent"}, JobNotPending), ({"status": "failed"}, JobNotPending)]
)
def test_what_is_over_cannot_be_called_off(world: World, values: dict[str, str], error: type[DomainError]) -> None:
    [one] = promise(world.runtime.database, due())
    put(world, one, **values)
    with pytest.raises(error):
        call_off(world, one)


def test_what_a_worker_has_in_its_hands_cannot_be_called_off(world: World, campaign: int) -> None:
    one = carrier(world, rows(world)[0])
    put(world, one.id, status="running", lease_until=world.clock.now() + timedelta(seconds=30))
    with pytest.raises(JobRunning):
        call_off(world, one.id)
    assert rows(world)[0].status is DeliveryStatus.PENDING


def test_no_job_is_a_sentence(world: World) -> None:
    for deed in (retry, call_off):
        with pytest.raises(NoSuchJob):
            deed(world, 4242)
