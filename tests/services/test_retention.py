"""What is kept only for a while goes, and nothing else; what an evening came to stays."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update

from slomix.accounts import logins
from slomix.accounts.models import LinkEvent, LoginAttempt, LoginSession, User
from slomix.availability.models import Entry
from slomix.availability.rules import Status
from slomix.campaigns import evening_report, history, queries
from slomix.campaigns.models import Campaign, Recipient
from slomix.campaigns.rules import JOB_KINDS, CampaignState, CampaignStatus
from slomix.chat import service as chat
from slomix.chat.service import IncomingMessage
from slomix.clock import wall_now
from slomix.contacts.models import LinkCode
from slomix.contacts.rules import ChannelName
from slomix.database import session as db
from slomix.deliveries.models import Attempt, Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.evening.models import EveningEvent, EveningMessage
from slomix.health import service as health
from slomix.health.models import Heartbeat
from slomix.jobs.models import Job
from slomix.privacy import retention
from slomix.reasons.codes import Explanation, Reason
from tests.configuration import ROOM
from tests.moments import TODAY, at
from tests.services.planning import under
from tests.steps import call
from tests.workers.pump import pump
from tests.workers.stage import EVERYBODY, go, in_voice, status
from tests.world import World

KEPT_FOR = 30
YEARS = timedelta(days=999)


@pytest.fixture
def over(world: World) -> World:
    """An evening that was played to its end, in a community that keeps its messages for a month."""
    world = under(world, retention_days=KEPT_FOR)
    for name in EVERYBODY:
        world.says(name, Status.LOOKING)
    call(world)
    go(world, 20, 45)
    go(world, 21)
    in_voice(world, alice=ROOM)
    go(world, 21, 0, 30)
    assert status(world) is CampaignStatus.FOLLOWUP_SENT
    world.clock.move_to(at(21, 20, 31))
    in_voice(world, alice=ROOM)
    pump(world)
    return world


def days_later(world: World, days: int) -> date:
    """The first job of that day has run."""
    world.clock.forward(timedelta(days=days))
    day = TODAY + timedelta(days=days)
    with world.session() as session:
        retention.plan_retention(session, day, now=world.clock.now())
    pump(world)
    return day


def number(world: World, model: type[db.Base]) -> int:
    with world.session() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_what_is_young_stays(over: World) -> None:
    before = {model: number(over, model) for model in (Delivery, Attempt, Job, Campaign)}
    assert min(before.values()) > 0
    days_later(over, KEPT_FOR)
    assert {model: number(over, model) for model in before} == before | {Job: before[Job] + 1}


def test_which_letters_were_taken_is_forgotten_after_a_day(over: World) -> None:
    letters = [IncomingMessage(ChannelName.SIGNAL, "an account", "Hi", mark=str(number)) for number in range(2)]
    with over.session() as session:
        now = over.clock.now()
        for letter, hours in zip(letters, (1, -1), strict=True):
            assert chat.claim_message(session, letter, now=now - timedelta(hours=hours))
    days_later(over, 1)
    with over.session() as session:
        again = [chat.claim_message(session, letter, now=over.clock.now()) for letter in letters]
    assert again == [True, False]


def test_what_stood_on_discord_about_an_evening_goes_with_its_messages(over: World) -> None:
    with over.session() as session:
        for day in (TODAY, TODAY + timedelta(days=1)):
            session.add(EveningMessage(day=day, room=ROOM, mark="m", is_second=False))
            session.add(EveningEvent(day=day, campaign_id=1, mark="m"))
    days_later(over, KEPT_FOR + 1)
    with over.session() as session:
        for model in (EveningMessage, EveningEvent):
            assert list(session.scalars(select(model.day))) == [TODAY + timedelta(days=1)]


def test_processes_that_nobody_has_seen_for_a_week_leave_no_name(over: World) -> None:
    with over.session() as session:
        for copy, days in (("gone/7", 7.1), ("silent/8", 6.9), ("here/worker", 0)):
            health.record_heartbeat(session, "worker", copy, wall=wall_now() - timedelta(days=days))
    days_later(over, 1)
    with over.session() as session:
        assert set(session.scalars(select(Heartbeat.copy))) == {"silent/8", "here/worker"}


def test_ledger_attempts_and_jobs_go_and_the_evening_stays(over: World) -> None:
    kept: tuple[type[db.Base], ...] = (Campaign, Recipient, Entry, LinkEvent, User)
    before = {model: number(over, model) for model in kept}
    with over.session() as session:
        nights = history.past_campaigns(session, over.runtime.settings.zone)[0]
        campaign = session.scalars(select(Campaign)).one()
        turnout = queries.attendance_of(campaign, over.runtime.settings.zone)
    days_later(over, KEPT_FOR + 1)
    assert (number(over, Delivery), number(over, Attempt)) == (0, 0)
    with over.session() as session:
        assert set(session.scalars(select(Job.kind))) == {*JOB_KINDS, retention.KIND}
        kept_nights = history.past_campaigns(session, over.runtime.settings.zone)[0]
        assert kept_nights == [replace(night, phases={}) for night in nights], "with what it came to, and who came"
        assert [night.state(TODAY) for night in kept_nights] == [night.state(TODAY) for night in nights]
        campaign = session.scalars(select(Campaign)).one()
        assert queries.read_progress(session, campaign).status is CampaignStatus.FOLLOWUP_SENT
        assert queries.attendance_of(campaign, over.runtime.settings.zone) == turnout
        shown = evening_report.build_report(session, campaign)
        assert shown["campaign"]["ledger_kept"] is False
        assert all(one["kept"] for one in shown["verdict"])
    assert {model: number(over, model) for model in kept} == before


def test_a_failure_is_not_forgotten_with_its_messages(over: World) -> None:
    with over.session() as session:
        row = session.scalars(select(Delivery).where(Delivery.event_key.like("PROMOTE:T0:%"))).first()
        assert row is not None
        row.status, row.reason = DeliveryStatus.UNKNOWN, Explanation(Reason.ANSWER_NOT_SEEN)
    days_later(over, KEPT_FOR + 1)
    with over.session() as session:
        campaign = session.scalars(select(Campaign)).one()
        assert queries.read_progress(session, campaign).status is CampaignStatus.PARTIAL


def test_a_partial_evening_keeps_its_cause(over: World) -> None:
    """Players were all told; what failed was the summary."""
    with over.session() as session:
        row = session.scalars(select(Delivery).where(Delivery.event_key.like("SUMMARY:%"))).one()
        row.status, row.reason = DeliveryStatus.UNKNOWN, Explanation(Reason.ANSWER_NOT_SEEN)
    for days in (0, KEPT_FOR + 1):
        days_later(over, days)
        with over.session() as session:
            [night] = history.past_campaigns(session, over.runtime.settings.zone)[0]
            campaign = session.scalars(select(Campaign)).one()
            card = queries.read_progress(session, campaign).state(campaign, TODAY)
        assert (night.state(TODAY), card) == (CampaignState.SUMMARY_FAILED, CampaignState.SUMMARY_FAILED), days
    assert number(over, Delivery) == 0


@pytest.mark.parametrize("left", [DeliveryStatus.PENDING, DeliveryStatus.SENDING])
def test_what_is_still_on_its_way_stays_however_old(over: World, left: DeliveryStatus) -> None:
    with over.session() as session:
        row = session.scalars(select(Delivery).where(Delivery.event_key.like("SUMMARY:%"))).one()
        row.status, row.settled_at = left, None
        kept = row.id
    days_later(over, KEPT_FOR + 1)
    with over.session() as session:
        assert session.scalars(select(Delivery.id)).all() == [kept]
        assert session.scalars(select(Job.subject).where(Job.kind == "delivery")).all() == [str(kept)]


def test_it_goes_on_until_all_is_gone_a_few_at_a_time(over: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH_SIZE", 4)
    assert number(over, Delivery) > 8
    sizes: list[int] = []
    pruned: Callable[..., int] = retention._delete_deliveries

    def counted(*args: object) -> int:
        sizes.append(pruned(*args))
        return sizes[-1]

    monkeypatch.setattr(retention, "_delete_deliveries", counted)
    for _ in range(3):  # the pump thinks after three rounds that the job waits for something
        days_later(over, KEPT_FOR + 1)
    assert number(over, Delivery) == 0
    assert max(sizes) == 4


def test_what_has_expired_goes_and_who_is_logged_in_stays_so(over: World) -> None:
    now = over.clock.now()
    with over.session() as session:
        logins.open_login_session(session, session.get_one(User, over.users["alice"]), now=now - timedelta(days=400))
        logins.open_login_session(session, session.get_one(User, over.users["bob"]), now=now + timedelta(days=1))
        old, new = now - timedelta(minutes=1), now + timedelta(days=2)
        for name, until in (("old", old), ("new", new)):
            session.add(
                LoginAttempt(state_hash=name, browser_hash="b", code_verifier="v", next_path="/", expires_at=until)
            )
        for name, until in (("alice", old), ("bob", new)):
            player_id = over.players[name]
            session.add(
                LinkCode(
                    player_id=player_id,
                    channel=ChannelName.SIGNAL,
                    code_hash=name,
                    requested_at=old,
                    expires_at=until,
                )
            )
    days_later(over, 1)
    with over.session() as session:
        assert session.scalars(select(LoginSession.user_id)).all() == [over.users["bob"]]
        assert session.scalars(select(LoginAttempt.state_hash)).all() == ["new"]
        assert session.scalars(select(LinkCode.code_hash)).all() == ["bob"]


def test_a_day_begins_it_once(over: World) -> None:
    days_later(over, 1)
    with over.session() as session:
        retention.plan_retention(session, TODAY + timedelta(days=1), now=over.clock.now())
    pump(over)
    with over.session() as session:
        assert session.scalars(select(Job.subject).where(Job.kind == retention.KIND)).all() == ["2026-11-21"]


def test_what_a_campaign_is_still_judged_by_stays(over: World) -> None:
    with over.session() as session:
        session.execute(update(Job).where(Job.kind == "voice_check_2100").values(status="pending", finished_at=None))
        session.execute(update(Job).where(Job.kind == "voice_check_2100").values(run_at=over.clock.now() + YEARS))
    before = number(over, Delivery)
    days_later(over, KEPT_FOR + 1)
    with over.session() as session:
        assert session.scalars(select(Campaign.ledger_pruned_at)).one() is None
    assert number(over, Delivery) == before
