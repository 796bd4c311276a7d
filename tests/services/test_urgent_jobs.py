"""What belongs to an evening that was called together goes before everything else."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import redis
from sqlalchemy import select

from slomix.availability.rules import Status
from slomix.campaigns import rules as campaign_rules
from slomix.campaigns.handlers import HANDLERS
from slomix.clock import wall_now
from slomix.contacts.rules import ChannelName
from slomix.deliveries.models import Delivery
from slomix.dev.embedded import Servers
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import GENERAL
from slomix.jobs.service import NewJob
from slomix.processes import dispatch
from slomix.processes.nudges import NudgeBroker
from tests.configuration import make_settings
from tests.moments import at
from tests.steps import call
from tests.waiting import PATIENCE
from tests.world import World


@pytest.fixture
def broker(servers: Servers) -> Iterator[NudgeBroker]:
    broker = NudgeBroker(servers.redis_url, dispatch.LANES)
    with redis.Redis.from_url(servers.redis_url) as client:
        client.flushdb()
        yield broker
        client.flushdb()
    broker.close()


def test_everything_of_a_campaign_but_a_dry_run_is_urgent(world: World) -> None:
    for name in ("alice", "bob", "erik"):
        world.says(name, Status.LOOKING)
    call(world)
    with world.session() as session:
        found = {(job.kind, job.subject): job.is_urgent for job in session.scalars(select(Job))}
        notices = {str(row.id): row.notice for row in session.scalars(select(Delivery))}
    of_campaigns = {key for key in found if key[0] in HANDLERS or notices.get(key[1]) in campaign_rules.JOB_KINDS}
    assert len(of_campaigns) >= 4 + 2 * 2
    assert {key for key in of_campaigns if not found[key]} == set()
    assert {key for key in found if found[key]} == of_campaigns


def test_urgent_jobs_pass_all_that_wait_in_their_lane(world: World, broker: NudgeBroker) -> None:
    lane, now = ChannelName.DISCORD, world.clock.now()

    def release(*new: NewJob) -> None:
        with world.session() as session:
            jobs.schedule(session, new, now=now)
        with world.session() as session:
            dispatch.send_nudges(broker, jobs.release_due(session, now=now, wall=wall_now()))

    release(*(NewJob("delivery", f"{number}", now - timedelta(hours=1), lane=lane) for number in range(300)))
    release(
        *(NewJob("delivery", f"90{number}", now, lane=lane, is_urgent=True) for number in range(3)),
        NewJob("delivery", "800", now - timedelta(hours=2), lane=lane),
    )
    with world.session() as session:
        subjects = {job.id: job.subject for job in session.scalars(select(Job))}
    consumer = broker.consume(lane, prefetch=6, timeout=int(PATIENCE))
    first = [message for message in (next(consumer) for _ in range(6)) if message is not None]
    assert [subjects[message.args[0]] for message in first[:3]] == ["900", "901", "902"]
    assert {message.actor_name for message in first[:3]} == {dispatch.URGENT_ACTOR}
    assert {message.actor_name for message in first[3:]} == {dispatch.ACTOR}


def test_of_more_than_one_batch_the_urgent_are_released_first(world: World) -> None:
    now = at(21)
    with world.session() as session:
        late = [NewJob("dry_run", f"campaign:{number}", now - timedelta(minutes=5)) for number in range(10)]
        urgent = NewJob(campaign_rules.VOICE_CHECK, "campaign:99", now, is_urgent=True)
        jobs.schedule(session, [*late, urgent], now=now)
    with world.session() as session:
        released = jobs.release_due(session, now=now, wall=wall_now(), limit=3)
    assert released[0].kind == campaign_rules.VOICE_CHECK
    assert released[0].is_urgent
    assert released[0].lane == GENERAL


def test_a_worker_takes_an_urgent_job_before_those_it_has_fetched_already(world: World, servers: Servers) -> None:
    runtime = replace(world.runtime, settings=make_settings(redis_url=servers.redis_url))
    broker = dispatch.make_worker(runtime, GENERAL, threads=1).broker
    assert broker.get_actor(dispatch.URGENT_ACTOR).priority < broker.get_actor(dispatch.ACTOR).priority
