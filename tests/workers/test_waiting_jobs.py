"""The jobs of a campaign that wait for messages: none of them looks again before there is something to see."""

from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import func, select, update

from slomix.admin import job_actions
from slomix.availability.rules import Status
from slomix.campaigns import queries, rules
from slomix.campaigns.models import Campaign
from slomix.campaigns.rules import CampaignStatus
from slomix.channels.base import SendError
from slomix.clock import wall_now
from slomix.database import session as db
from slomix.deliveries.models import Delivery
from slomix.deliveries.service import JOB_KIND
from slomix.jobs import service as job_service
from slomix.jobs.models import Job
from slomix.jobs.rules import UNTIL_WOKEN, JobStatus
from slomix.jobs.runner import execute
from slomix.processes import dispatch
from slomix.reasons.codes import Explanation, Reason
from tests.configuration import ROOM
from tests.moments import at
from tests.steps import call, cancel, latest
from tests.waiting import PATIENCE
from tests.workers.pump import pump
from tests.workers.stage import EVERYBODY, FOLLOW_UP, go, in_voice, rows, status, summary, told
from tests.world import World, build_world


def job_of(world: World, kind: str) -> Job:
    with world.session() as session:
        query = select(Job).where(Job.kind == kind, Job.subject == f"campaign:{latest(world)}")
        return session.scalars(query.execution_options(populate_existing=True)).one()


def waits(world: World, kind: str) -> bool:
    job = job_of(world, kind)
    return (job.status, job.wait_until) == (JobStatus.PENDING, UNTIL_WOKEN)


def run_due(world: World, *, only: str | None = None) -> list[str]:
    """One tick and what it releases, and the kinds of that; `only` one of them is run."""
    released = dispatch.release_jobs(world.runtime)
    for job in released:
        if only in {None, job.kind}:
            execute(world.runtime, dispatch.HANDLERS[job.kind], job.id)
    return [job.kind for job in released]


def summaries(world: World) -> int:
    with world.session() as session:
        return session.scalar(select(func.count()).where(Delivery.notice == rules.SUMMARY)) or 0


@pytest.fixture
def judged(called: World) -> World:
    """Erik and Franka are missing; their follow-ups were refused for now, and come again in two seconds."""
    go(called, 21)
    called.clock.move_to(at(21, 0, 30))
    in_voice(called, alice=ROOM, bob=ROOM)
    called.discord.answers = [SendError(Reason.DISCORD_ANSWERED, "503")] * 2
    pump(called)
    assert waits(called, rules.VOICE_SUMMARY)
    assert waits(called, rules.VOICE_CHECK)
    return called


def test_a_notice_is_looked_at_twice_however_often_its_messages_are_tried(called: World) -> None:
    called.discord.answers = [SendError(Reason.DISCORD_ANSWERED, "503")] * 4
    go(called, 21)
    assert waits(called, rules.START)
    for _ in range(5):
        pump(called)
    assert job_of(called, rules.START).claims == 1
    assert status(called) is CampaignStatus.RUNNING
    called.clock.forward(timedelta(seconds=3))
    pump(called)
    job = job_of(called, rules.START)
    assert (job.status, job.claims, job.attempts) == (JobStatus.SENT, 2, 1)


def test_the_voice_check_waits_for_the_start_and_then_for_the_summary(called: World) -> None:
    called.discord.answers = [SendError(Reason.DISCORD_ANSWERED, "503")] * 4
    go(called, 21)
    called.clock.move_to(at(21, 0, 30))
    run_due(called, only=rules.VOICE_CHECK)
    assert waits(called, rules.VOICE_CHECK)
    in_voice(called, alice=ROOM)
    go(called, 21, 0, 3)
    called.clock.move_to(at(21, 0, 33))
    in_voice(called, alice=ROOM)
    pump(called)
    assert job_of(called, rules.VOICE_CHECK).status is JobStatus.SENT
    assert job_of(called, rules.VOICE_CHECK).claims == 3
    assert job_of(called, rules.VOICE_SUMMARY).status is JobStatus.SENT


def test_the_summary_is_a_job_of_its_own_beside_the_three_and_comes_after_the_follow_ups(judged: World) -> None:
    assert summaries(judged) == 0
    assert status(judged) is CampaignStatus.SENT, "the voice check is not over"
    judged.clock.forward(timedelta(seconds=3))
    pump(judged)
    assert [told(judged, name)[-1].startswith(FOLLOW_UP) for name in ("erik", "franka")] == [True, True]
    assert summary(judged)[-1] == "follow-up 2/2"
    assert status(judged) is CampaignStatus.FOLLOWUP_SENT
    with judged.session() as session:
        own = queries.read_progress(session, queries.get_campaign(session, latest(judged))).jobs
    assert sorted(job.kind for job in own) == sorted(rules.JOB_KINDS)


def test_at_the_deadline_the_summary_comes_though_a_follow_up_is_still_open(judged: World) -> None:
    with judged.session() as session:
        still_open = [
            str(row_id) for row_id in session.scalars(select(Delivery.id).where(Delivery.settled_at.is_(None)))
        ]
        held = (Job.kind == JOB_KIND) & Job.subject.in_(still_open)
        session.execute(update(Job).where(held).values(run_at=at(22), deadline_at=None))
    judged.clock.move_to(at(21, 20, 29))
    pump(judged)
    assert summaries(judged) == 0
    go(judged, 21, 20, 30)
    assert summaries(judged) == 1
    assert job_of(judged, rules.VOICE_CHECK).status is JobStatus.SENT


def test_a_worker_that_dies_right_after_the_last_message_leaves_nothing_asleep(called: World) -> None:
    called.clock.move_to(at(21))
    run_due(called, only=rules.START)
    with called.session() as session:
        session.execute(update(Job).values(nudge_again_at=None))
    run_due(called, only=JOB_KIND)
    assert waits(called, rules.START), "who sent the last message did no more than that"
    assert rules.START in run_due(called)
    assert job_of(called, rules.START).status is JobStatus.SENT


def test_a_worker_that_dies_over_a_woken_job_is_followed_by_another(judged: World) -> None:
    judged.clock.forward(timedelta(seconds=3))
    run_due(judged, only=JOB_KIND)
    released = dispatch.release_jobs(judged.runtime)
    [summary_job] = [job for job in released if job.kind == rules.VOICE_SUMMARY]
    with judged.session() as session:
        assert job_service.claim(session, summary_job.id, now=judged.clock.now(), wall=wall_now()) is not None
    pump(judged)
    assert summaries(judged) == 0
    with judged.session() as session:
        gone = Job.status == JobStatus.RUNNING
        session.execute(update(Job).where(gone).values(lease_until=wall_now() - timedelta(seconds=1)))
    pump(judged)
    assert summaries(judged) == 1
    assert status(judged) is CampaignStatus.FOLLOWUP_SENT


def test_a_voice_check_that_an_earlier_version_left_in_the_middle_ends_with_one_summary(judged: World) -> None:
    """It had judged, planned the follow-ups, and looked every half second whether they were settled."""
    with judged.session() as session:
        job = session.scalars(select(Job).where(Job.kind == rules.VOICE_SUMMARY)).one()
        session.delete(job)
        is_check = Job.kind == rules.VOICE_CHECK
        session.execute(update(Job).where(is_check).values(wait_until=wall_now() + timedelta(milliseconds=500)))
    pump(judged)
    assert waits(judged, rules.VOICE_CHECK)
    judged.clock.forward(timedelta(seconds=3))
    pump(judged)
    assert summaries(judged) == 1
    assert job_of(judged, rules.VOICE_CHECK).status is JobStatus.SENT


def test_cancelled_while_the_follow_ups_are_open_there_is_no_summary(judged: World) -> None:
    cancel(judged, latest(judged))
    judged.clock.forward(timedelta(seconds=3))
    pump(judged)
    assert summaries(judged) == 0
    assert job_of(judged, rules.VOICE_SUMMARY).status is JobStatus.SKIPPED


def test_an_operator_who_calls_the_voice_check_off_calls_its_summary_off(judged: World) -> None:
    check = job_of(judged, rules.VOICE_CHECK)
    with judged.session() as session:
        assert job_actions.cancel_job(session, check.id, now=judged.clock.now(), by="dora") == 2
    judged.clock.forward(timedelta(seconds=3))
    pump(judged)
    assert summaries(judged) == 0
    assert job_of(judged, rules.VOICE_SUMMARY).status is JobStatus.SKIPPED
    assert {state.value for state, _ in rows(judged, "FOLLOWUP").values()} == {"skipped"}


def test_a_summary_that_cannot_be_planned_fails_the_voice_check_too(
    judged: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("a bug of ours")

    monkeypatch.setattr("slomix.campaigns.progress.SUMMARY.plan", fail)
    for _ in range(12):
        judged.clock.forward(timedelta(minutes=2))
        pump(judged)
    assert job_of(judged, rules.VOICE_SUMMARY).status is JobStatus.FAILED
    check = job_of(judged, rules.VOICE_CHECK)
    assert (check.status, check.reason) == (JobStatus.FAILED, Explanation(Reason.CRASHED, "ValueError: a bug of ours"))
    assert status(judged) is CampaignStatus.PARTIAL


def test_a_handler_that_cannot_say_whether_it_is_ready_keeps_no_other_asleep(
    called: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    called.discord.answers = [SendError(Reason.DISCORD_ANSWERED, "503")] * 4
    go(called, 21)
    with called.session() as session:
        session.execute(update(Campaign).values(judged_at=None))
    handler = dispatch.HANDLERS[rules.START]

    def fail(_context: object) -> bool:
        raise ValueError("a bug of ours")

    monkeypatch.setattr(handler, "is_ready", fail)
    assert rules.START in run_due(called), "it is run, so that what is wrong counts as an attempt"


@pytest.mark.parametrize("is_wanted", [True, False])
def test_the_last_messages_that_are_settled_call_the_scheduler(committed: db.Database, is_wanted: bool) -> None:
    world = build_world(committed)
    for name in EVERYBODY:
        world.says(name, Status.LOOKING)
    call(world)
    world.clock.move_to(at(21))
    if not is_wanted:
        for name in EVERYBODY:
            world.prefers(name, called=False)
    run_due(world, only=rules.START)
    with world.session() as session:
        session.execute(update(Job).values(nudge_again_at=None))
    carriers = [job for job in dispatch.release_jobs(world.runtime) if job.kind == JOB_KIND]
    with psycopg.connect(db.libpq_url(committed.url), autocommit=True) as connection:
        connection.execute(f"LISTEN {db.JOBS_CHANNEL}")
        for job in carriers:
            execute(world.runtime, dispatch.HANDLERS[job.kind], job.id)
        heard = list(connection.notifies(timeout=PATIENCE, stop_after=len(carriers)))
    assert len(heard) == len(carriers)
    assert {row[0].value for row in rows(world, "T0").values()} == {"sent" if is_wanted else "skipped"}
