"""Operators, workers and promoters reach for the same job in the same moment: one of them has it, and all of it."""

import pytest
from sqlalchemy import select, update

from slomix.admin import job_actions
from slomix.availability.rules import Status
from slomix.campaigns import rules, service
from slomix.campaigns.models import Campaign
from slomix.campaigns.retrying import CampaignCancelled
from slomix.database import session as db
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.errors import DomainError
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.jobs.runner import execute
from slomix.processes import dispatch
from slomix.reasons.codes import Explanation, Reason
from tests.moments import at
from tests.services.racing import at_once
from tests.steps import call, do
from tests.world import World, build_world


@pytest.fixture
def called(committed: db.Database) -> World:
    """Bob has called Alice, and the reminder is due."""
    world = build_world(committed)
    world.says("alice", Status.LOOKING)
    call(world)
    world.clock.move_to(at(20, 45))
    return world


def reminder(world: World) -> tuple[Delivery, Job]:
    with world.session() as session:
        row = session.scalars(select(Delivery).where(Delivery.notice == rules.REMINDER)).one()
        job = session.scalars(select(Job).where(Job.kind == "delivery", Job.subject == str(row.id))).one()
        return row, job


def call_off(world: World, job_id: int) -> None:
    with world.session() as session:
        job_actions.cancel_job(session, job_id, now=world.clock.now(), by="a test")


def retry(world: World, job_id: int) -> None:
    settings, now = world.runtime.settings, world.clock.now()
    with world.session() as session:
        job_actions.retry_job(session, job_id, may_arrive_twice=False, settings=settings, now=now, by="a test")


def test_a_worker_sends_it_or_an_operator_calls_it_off_and_never_both(called: World) -> None:
    job_id = reminder(called)[1].id
    came = at_once(
        [
            lambda: execute(called.runtime, dispatch.HANDLERS["delivery"], job_id),
            lambda: call_off(called, job_id),
        ]
    )
    row, job = reminder(called)
    if isinstance(came[1], DomainError):
        assert (row.status, job.status, len(called.discord.sent)) == (DeliveryStatus.SENT, JobStatus.SENT, 1)
    else:
        assert came == [None, None], came
        assert (row.status, job.status, called.discord.sent) == (DeliveryStatus.SKIPPED, JobStatus.SKIPPED, [])


def test_two_operators_retry_one_message_and_it_begins_anew_once(called: World) -> None:
    row, job = reminder(called)
    with called.session() as session:
        session.execute(
            update(Delivery)
            .where(Delivery.id == row.id)
            .values(status="failed", reason=Explanation(Reason.OTHER, "it broke"))
        )
        session.execute(update(Job).where(Job.id == job.id).values(status="failed"))
    came = at_once([lambda: retry(called, job.id)] * 2)
    assert sorted(isinstance(one, DomainError) for one in came) == [False, True], came
    again, job = reminder(called)
    assert (again.status, job.status) == (DeliveryStatus.PENDING, JobStatus.PENDING)


def test_a_promoter_cancels_while_an_operator_calls_the_reminder_off(called: World) -> None:
    with called.session() as session:
        phase = session.scalars(select(Job).where(Job.kind == rules.REMINDER)).one()
    campaign_id, bob = int(phase.subject.removeprefix("campaign:")), called.players["bob"]

    def cancels() -> None:
        with called.session() as session:
            service.cancel_campaign(session, campaign_id, player_id=bob, is_admin=False, now=called.clock.now())

    came = at_once([cancels, lambda: call_off(called, phase.id)])
    assert came[0] is None, came
    assert came[1] is None or isinstance(came[1], DomainError), came
    with called.session() as session:
        assert set(session.scalars(select(Delivery.status))) == {DeliveryStatus.SKIPPED}
        assert set(session.scalars(select(Job.status))) == {JobStatus.SKIPPED}


def test_the_command_line_lists_retries_and_cancels(installation: World) -> None:
    assert do("jobs", "list").output == "There is no such job.\n"
    installation.says("alice", Status.LOOKING)
    call(installation)
    _, job = reminder(installation)
    listed = do("jobs", "list", "--status", "pending").output
    assert "Times are those of Europe/Ljubljana." in listed
    assert f"{job.id}  pending  2026-11-20 20:45:00  0/5  delivery" in listed
    answer = do("jobs", "retry", str(job.id))
    assert (answer.exit_code, answer.output) == (1, "Error: Only failed jobs can be retried; this one is: planned.\n")
    assert do("jobs", "cancel", str(job.id)).output == f"Job {job.id} is cancelled.\n"
    assert reminder(installation)[0].reason == Explanation(Reason.CANCELLED_BY_OPERATOR)
    with installation.session() as session:
        phase = session.scalars(select(Job.id).where(Job.kind == rules.START)).one()
    assert do("jobs", "cancel", str(phase)).output == f"Job {phase} is cancelled, and with it its messages: 1.\n"
    assert "over (skipped)" in do("jobs", "cancel", str(job.id)).output
    for nonsense in ("0", "-1", "x", "9" * 30):
        answer = do("jobs", "retry", nonsense)
        assert answer.exit_code == 2
        assert "Traceback" not in answer.output
    with installation.session() as session:
        session.execute(update(Job).where(Job.id == job.id).values(status="failed", deadline_at=None))
        session.execute(
            update(Delivery).values(status="unknown", reason=Explanation(Reason.OTHER, "no answer"), deadline_at=None)
        )
    assert "--may-arrive-twice" in do("jobs", "retry", str(job.id)).output
    assert do("jobs", "retry", str(job.id), "--may-arrive-twice").output == f"Job {job.id} is tried again.\n"


def test_what_was_cancelled_since_the_page_was_put_together_is_not_tried_again(called: World) -> None:
    row, job = reminder(called)
    with called.session() as session:
        session.execute(
            update(Delivery)
            .where(Delivery.id == row.id)
            .values(status="failed", reason=Explanation(Reason.OTHER, "it broke"))
        )
        session.execute(update(Job).where(Job.id == job.id).values(status="failed"))
    settings, now = called.runtime.settings, called.clock.now()
    with called.session() as looking:
        assert job_actions.find_target(looking, job.id).campaign is not None
        with called.session() as meanwhile:
            meanwhile.execute(update(Campaign).values(status="cancelled"))
        with pytest.raises(CampaignCancelled):
            job_actions.retry_job(looking, job.id, may_arrive_twice=False, settings=settings, now=now, by="a test")
    assert reminder(called)[1].status is JobStatus.FAILED
