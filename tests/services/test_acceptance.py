"""The ten steps of signing an evening off: what they see, and that each of them can say no."""

import json
from datetime import time, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import InternalError

from slomix.availability.rules import Status
from slomix.campaigns import acceptance, evening_report, queries
from slomix.campaigns.acceptance import AcceptanceCheck
from slomix.campaigns.models import Recipient
from slomix.cli import signoff as all_ten
from slomix.clock import wall_now
from slomix.contacts.rules import QuietHours
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.health import service as health
from slomix.jobs.models import Job
from slomix.presence.rules import VoiceStatus
from slomix.reasons.codes import Explanation, Reason
from tests.configuration import ROOM
from tests.steps import call
from tests.workers.stage import go, in_voice
from tests.world import World

JOBS, TWICE, FOLLOW_UPS, SERVER = 2, 3, 4, 5


@pytest.fixture
def campaign_id(world: World) -> int:
    """Alice comes; Bob is missing; Erik plays already; Franka is missing in her quiet hours."""
    world.prefers("franka", quiet=QuietHours(time(21, 0), time(22, 0)))
    for name in ("alice", "bob", "erik", "franka"):
        world.says(name, Status.LOOKING)
    campaign_id, _ = call(world)
    world.game_server.on_it = ["erik_old"]
    go(world, 20, 45)
    world.prefers("franka")
    go(world, 21)
    world.prefers("franka", quiet=QuietHours(time(21, 0), time(22, 0)))
    world.clock.forward(timedelta(seconds=29))
    in_voice(world, alice=ROOM)
    go(world, 21, 0, 30)
    return campaign_id


def steps(world: World, campaign_id: int) -> list[AcceptanceCheck]:
    with world.session() as session:
        campaign = queries.get_campaign(session, campaign_id)
        return acceptance.run_checks(session, campaign, evening_report.build_report(session, campaign))


def test_a_good_evening_is_so_in_every_step(world: World, campaign_id: int) -> None:
    found = steps(world, campaign_id)
    assert [step.is_so for step in found] == [True] * 6, found
    assert "4 asked: followup_sent" in found[0].seen
    assert "voice_check_2100 sent" in found[JOBS].seen
    assert found[FOLLOW_UPS].seen == (
        "3 not in voice, 2 followed up, 1 left alone in quiet hours, 0 called from voice; summary sent"
    )
    assert found[SERVER].seen == "1 on it and not in voice, 1 of 2 follow-ups say so"


def test_before_the_voice_check_nobody_knows_yet(world: World) -> None:
    world.says("alice", Status.LOOKING)
    campaign_id, _ = call(world)
    found = steps(world, campaign_id)
    assert [step.is_so for step in found] == [True, True, True, True, None, None]


def of(world: World, name: str, event: str = "FOLLOWUP") -> Delivery:
    with world.session() as session:
        query = select(Delivery).where(Delivery.player_id == world.players[name])
        return session.scalars(query.where(Delivery.event_key.like(f"PROMOTE:{event}:%"))).one()


def not_so(world: World, campaign_id: int) -> list[int]:
    return [number for number, step in enumerate(steps(world, campaign_id)) if step.is_so is False]


def test_a_missing_job_is_seen(world: World, campaign_id: int) -> None:
    with world.session() as session:
        session.delete(session.scalars(select(Job).where(Job.kind == "voice_check_2100")).one())
    assert not_so(world, campaign_id) == [JOBS]


def test_a_follow_up_to_somebody_in_voice_is_seen(world: World, campaign_id: int) -> None:
    with world.session() as session:
        bob = session.get_one(Recipient, (campaign_id, world.players["bob"]))
        bob.whereabouts = VoiceStatus.HERE
    assert not_so(world, campaign_id) == [FOLLOW_UPS]


def test_a_follow_up_in_quiet_hours_is_seen(world: World, campaign_id: int) -> None:
    row = of(world, "franka")
    assert (row.status, row.reason) == (DeliveryStatus.SKIPPED, Explanation(Reason.QUIET_HOURS))
    with world.session() as session:
        row = session.get_one(Delivery, row.id)
        row.status, row.reason, row.text = DeliveryStatus.SENT, None, "We are starting"
    assert not_so(world, campaign_id) == [FOLLOW_UPS]


@pytest.mark.parametrize(
    ("name", "words"), [("bob", "We see you on the server"), ("erik", "We are starting")], ids=["untrue", "not said"]
)
def test_a_note_of_the_server_that_is_not_true_is_seen(world: World, campaign_id: int, name: str, words: str) -> None:
    with world.session() as session:
        said = session.get_one(Delivery, of(world, "erik").id).text or ""
        session.get_one(Delivery, of(world, name).id).text = said if name == "bob" else words
    assert not_so(world, campaign_id) == [SERVER]


def test_without_telemetry_there_is_no_note_and_nothing_to_object(world: World) -> None:
    for name in ("alice", "bob"):
        world.says(name, Status.LOOKING)
    campaign_id, _ = call(world)
    go(world, 21)
    in_voice(world, alice=ROOM)
    go(world, 21, 0, 30)
    step = steps(world, campaign_id)[SERVER]
    assert (step.is_so, step.seen) == (True, "who was on it was unknown, so no follow-up said so")


def test_looking_changes_nothing(world: World) -> None:
    with world.session() as session:
        all_ten.make_read_only(session)
        with pytest.raises(InternalError, match="read-only"), session.begin_nested():
            session.execute(text("DELETE FROM jobs"))


def test_all_ten_are_printed_with_what_was_seen(world: World, campaign_id: int) -> None:
    with world.session() as session:
        campaign = queries.get_campaign(session, campaign_id)
        shown = evening_report.build_report(session, campaign)
        found = all_ten.run_all_checks(session, campaign, shown, world.runtime.settings)
    assert len(found) == 10
    assert json.dumps([step.seen for step in found])
    assert "slomix " in found[0].seen
    assert found[1].seen.startswith("schema ")
    assert (found[2].is_so, found[2].seen.count("never seen")) == (False, 3), "nothing runs in this test"
    assert found[3].is_so is None


def test_one_worker_of_two_that_is_silent_is_not_every_process(world: World, campaign_id: int) -> None:
    def processes() -> AcceptanceCheck:
        with world.session() as session:
            campaign = queries.get_campaign(session, campaign_id)
            return all_ten.run_all_checks(
                session, campaign, evening_report.build_report(session, campaign), world.runtime.settings
            )[2]

    with world.session() as session:
        for part in health.expected_parts(world.runtime.settings):
            health.record_heartbeat(session, part, "here/1", wall=wall_now())
    assert processes().is_so
    with world.session() as session:
        health.record_heartbeat(session, "worker", "here/worker.2", wall=wall_now() - timedelta(minutes=1))
    assert not processes().is_so
    assert "worker 1 of 2 processes silent: here/worker.2" in processes().seen
