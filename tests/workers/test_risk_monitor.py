"""The watch over a campaign: it warns its promoter once, of what lasts, and ends by itself."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from slomix.availability.rules import Status
from slomix.campaigns import rules
from slomix.campaigns.models import Campaign
from slomix.clock import wall_now
from slomix.contacts.models import Contact
from slomix.contacts.rules import QuietHours
from slomix.deliveries import pausing
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.health import service as health
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.jobs.runner import execute
from slomix.processes import dispatch
from slomix.reasons.codes import Explanation, Reason
from tests.moments import at
from tests.steps import call, cancel, jobs_of
from tests.workers.pump import pump
from tests.workers.stage import go, in_voice, status, told
from tests.world import World

WARNING = "Tonight may go wrong"


@pytest.fixture
def called(world: World) -> Iterator[World]:
    """Bob has called Alice and Erik; nothing has ever been heard of the processes."""
    for name in ("alice", "erik"):
        world.says(name, Status.LOOKING)
    call(world)
    yield world


def watch(world: World) -> Job:
    with world.session() as session:
        query = select(Job).where(Job.kind == rules.RISK_MONITOR).execution_options(populate_existing=True)
        return session.scalars(query).one()


def is_well(world: World) -> None:
    """Every process has just said that it lives, and who is in voice is known."""
    with world.session() as session:
        for part in ("scheduler", "worker", "discord"):
            health.record_heartbeat(session, part, "here/1", wall=wall_now())
    in_voice(world)


def half_a_minute_passes(world: World) -> None:
    """On the wall, since the danger was seen first."""
    with world.session() as session:
        earlier = Campaign.endangered_since - timedelta(seconds=31)
        session.execute(update(Campaign).values(endangered_since=earlier))


def warnings(world: World) -> list[Delivery]:
    with world.session() as session:
        query = select(Delivery).where(Delivery.notice == rules.AT_RISK).execution_options(populate_existing=True)
        return list(session.scalars(query))


def texts(world: World) -> list[str]:
    return [message.text for _, message, _ in world.discord.sent if message.text.startswith(WARNING)]


def test_it_is_promised_with_the_campaign_and_counted_among_none_of_its_three_jobs(called: World) -> None:
    one = watch(called)
    assert (one.run_at, one.deadline_at, one.status) == (at(20, 35), at(21, 15), JobStatus.PENDING)
    assert set(jobs_of(called, int(one.subject.removeprefix("campaign:")))) == set(rules.JOB_KINDS)


def test_a_dry_run_has_none(world: World) -> None:
    call(world, dry_run=True)
    with world.session() as session:
        assert session.scalars(select(Job).where(Job.kind == rules.RISK_MONITOR)).all() == []


def test_what_lasts_is_told_to_the_promoter_once(called: World) -> None:
    go(called, 20, 36, watching=True)
    assert warnings(called) == [], "what passes by itself needs nobody"
    half_a_minute_passes(called)
    pump(called, watching=True)
    [row] = warnings(called)
    assert (row.player_id, row.event_key) == (called.players["bob"], f"AT_RISK:{row.subject.removeprefix('campaign:')}")
    assert (row.status, row.deadline_at) == (DeliveryStatus.SENT, at(21, 15))
    [text] = texts(called)
    assert "the scheduler is silent" in text
    assert "/campaigns/" in text
    assert watch(called).status is JobStatus.SENT
    go(called, 20, 46, watching=True)
    assert len(texts(called)) == 1


def test_what_passed_before_the_next_look_is_forgotten(called: World) -> None:
    go(called, 20, 36, watching=True)
    half_a_minute_passes(called)
    is_well(called)
    pump(called, watching=True)
    with called.session() as session:
        assert session.scalars(select(Campaign.endangered_since)).one() is None
    assert warnings(called) == []


def test_when_all_is_well_nothing_is_said_and_it_ends_with_the_voice_check(called: World) -> None:
    for moment in ((20, 36), (20, 45), (21, 0), (21, 0, 30)):
        called.clock.move_to(at(*moment))
        is_well(called)
        pump(called, watching=True)
    assert warnings(called) == []
    assert (watch(called).status, watch(called).reason) == (JobStatus.SKIPPED, Explanation(Reason.EVENING_IS_OVER))


def test_it_ends_with_a_cancel_and_by_itself(called: World) -> None:
    go(called, 20, 36, watching=True)
    called.clock.move_to(at(21, 15))
    pump(called, watching=True)
    assert watch(called).status in {JobStatus.SENT, JobStatus.SKIPPED}
    assert warnings(called) == []


def test_a_cancelled_campaign_is_watched_no_more(called: World) -> None:
    go(called, 20, 36, watching=True)
    cancel(called, int(watch(called).subject.removeprefix("campaign:")))
    assert (watch(called).status, watch(called).reason) == (JobStatus.SKIPPED, Explanation(Reason.WITHDRAWN))


def test_a_pause_alone_is_no_warning_and_afterwards_there_is_none_either(called: World) -> None:
    called.clock.move_to(at(20, 36))
    is_well(called)
    with called.session() as session:
        pausing.pause(session, by="dora", now=called.clock.now())
    pump(called, watching=True)
    half_a_minute_passes(called)
    pump(called, watching=True)
    assert warnings(called) == []
    with called.session() as session:
        pausing.resume(session, by="command line", now=called.clock.now())
    is_well(called)
    pump(called, watching=True)
    assert warnings(called) == []


def test_in_quiet_hours_the_promoter_is_left_alone(called: World) -> None:
    called.prefers("bob", quiet=QuietHours(at(20, 0).time(), at(23).time()))
    go(called, 20, 36, watching=True)
    half_a_minute_passes(called)
    pump(called, watching=True)
    [row] = warnings(called)
    assert row.status is DeliveryStatus.SKIPPED
    assert told(called, "bob") == []


def test_a_danger_that_is_over_when_the_message_would_leave_is_not_told(called: World) -> None:
    a_warning_that_comes_too_late(called)
    assert [(row.status, row.reason) for row in warnings(called)] == [
        (DeliveryStatus.SKIPPED, Explanation(Reason.DANGER_IS_OVER))
    ]
    assert told(called, "bob") == []


def test_a_warning_that_told_nobody_is_followed_by_one_that_does(called: World) -> None:
    a_warning_that_comes_too_late(called)
    with called.session() as session:
        health.clear_heartbeats(session)
    pump(called, watching=True)
    half_a_minute_passes(called)
    pump(called, watching=True)
    assert [row.status for row in warnings(called)] == [DeliveryStatus.SKIPPED, DeliveryStatus.SENT]
    pump(called, watching=True)
    half_a_minute_passes(called)
    pump(called, watching=True)
    assert len(warnings(called)) == 2, "and that was the last"


def a_warning_that_comes_too_late(world: World) -> None:
    """It was planned, and all was well again before it left."""
    go(world, 20, 36, watching=True)
    half_a_minute_passes(world)
    with world.session() as session:
        session.execute(update(Job).values(wait_until=None, nudge_again_at=None))
    [watch] = [job for job in dispatch.release_jobs(world.runtime) if job.kind == "campaign_watch"]
    execute(world.runtime, dispatch.HANDLERS[watch.kind], watch.id)
    assert [row.status for row in warnings(world)] == [DeliveryStatus.PENDING]
    is_well(world)
    pump(world, watching=True)


def test_many_contacts_that_broke_since_are_a_risk_and_one_is_none(called: World) -> None:
    called.clock.move_to(at(20, 36))
    is_well(called)
    for name, is_risk in (("alice", False), ("erik", True)):
        with called.session() as session:
            theirs = Contact.player_id == called.players[name]
            session.execute(update(Contact).where(theirs).values(unusable_since=called.clock.now()))
        pump(called, watching=True)
        with called.session() as session:
            assert (session.scalars(select(Campaign.endangered_since)).one() is not None) is is_risk, name


def test_a_warning_that_does_not_arrive_is_not_the_campaigns_failure(called: World) -> None:
    for moment in ((20, 36), (20, 45), (21, 0), (21, 0, 30)):
        called.clock.move_to(at(*moment))
        is_well(called)
        pump(called, watching=True)
    before = status(called)
    with called.session() as session:
        session.add(
            Delivery(
                player_id=called.players["bob"],
                event_key="AT_RISK:1",
                channel="discord",
                notice=rules.AT_RISK,
                subject=watch(called).subject,
                status=DeliveryStatus.FAILED,
                reason=Explanation(Reason.DISCORD_ANSWERED, "500"),
                nonce="n",
                created_at=at(20, 40),
            )
        )
    assert status(called) is before
