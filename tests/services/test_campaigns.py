"""Creating and cancelling campaigns on a real PostgreSQL."""

import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from slomix.availability.rules import Status
from slomix.campaigns import queries, rules, service
from slomix.campaigns.models import Campaign
from slomix.campaigns.rules import Audience, CampaignsDisabled, CampaignStatus, NoRecipients, TooLate
from slomix.campaigns.service import CampaignChoices, CampaignExists, CampaignOver
from slomix.clock import moment_of
from slomix.database import session as db
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.errors import NotFound
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.reasons.codes import Explanation, Reason
from tests.configuration import make_settings
from tests.moments import LJUBLJANA, TODAY, at
from tests.steps import call, cancel, jobs_of
from tests.world import Peopled, World, build_world


def counts(world: World) -> tuple[int, int, int]:
    with world.session() as session:
        campaigns, jobs_, rows = (
            session.scalar(select(func.count()).select_from(table)) or 0 for table in (Campaign, Job, Delivery)
        )
        return campaigns, jobs_, rows


def test_a_campaign_has_one_job_of_each_type_and_a_row_for_each_recipient_and_notice(world: World) -> None:
    """W1: on a real database, which the last attempt never tried."""
    world.says("alice", Status.LOOKING)
    world.says("erik", Status.LOOKING)
    campaign_id, is_new = call(world)
    assert is_new
    own = jobs_of(world, campaign_id)
    assert {kind: job.run_at for kind, job in own.items()} == {
        rules.REMINDER: at(20, 45),
        rules.START: at(21),
        rules.VOICE_CHECK: at(21, 0, 30),
    }
    with world.session() as session:
        rows = session.execute(select(Delivery.event_key, func.count()).group_by(Delivery.event_key)).all()
        assert dict(rows) == {"PROMOTE:T-15:2026-11-20": 2, "PROMOTE:T0:2026-11-20": 2}


def test_one_a_day_over_all_and_the_refusal_names_the_other(world: World) -> None:
    world.says("alice", Status.LOOKING)
    call(world, "bob")
    before = counts(world)
    with pytest.raises(CampaignExists, match="by Bob"):
        call(world, "dora", key="k2")
    assert counts(world) == before


def test_without_the_cooldown_another_promoter_may_but_the_same_may_not(peopled: Peopled) -> None:
    world = build_world(peopled, global_cooldown=False)
    world.says("alice", Status.LOOKING)
    call(world, "bob")
    with pytest.raises(CampaignExists):
        call(world, "bob", key="k2")
    second, is_new = call(world, "dora", key="k3")
    assert is_new
    with world.session() as session:
        rows = session.scalars(select(Delivery).where(Delivery.event_key == "PROMOTE:T0:2026-11-20")).all()
        assert len(rows) == 1, "one row a player, whoever calls"
    assert set(jobs_of(world, second)) == set(rules.JOB_KINDS)


def test_the_same_submit_twice_answers_with_the_first(world: World) -> None:
    world.says("alice", Status.LOOKING)
    first, _ = call(world)
    before = counts(world)
    assert call(world) == (first, False)
    assert counts(world) == before


def test_the_same_submit_answers_with_the_first_though_nobody_is_left_to_ask_and_it_is_too_late(world: World) -> None:
    world.says("alice", Status.LOOKING)
    first, _ = call(world)
    world.says("alice", None)
    assert call(world) == (first, False)
    world.clock.move_to(at(22, 1))
    assert call(world) == (first, False)


def test_nobody_to_ask_uses_nothing_up(world: World) -> None:
    world.says("alice", Status.MAYBE)
    world.says("erik", Status.LOOKING)
    world.prefers("erik", called=False)
    with pytest.raises(NoRecipients):
        call(world)
    assert counts(world) == (0, 0, 0)


def test_too_late_and_switched_off_use_nothing_up(world: World) -> None:
    world.says("alice", Status.LOOKING)
    world.clock.move_to(at(22, 1))
    with pytest.raises(TooLate):
        call(world)
    assert counts(world) == (0, 0, 0)
    settings = make_settings(promotion_enabled=False)
    with world.session() as session, pytest.raises(CampaignsDisabled):
        service.create_campaign(
            session,
            world.players["bob"],
            CampaignChoices(Audience(), False, False, at(21)),
            day=TODAY,
            idempotency_key="k",
            settings=settings,
            now=at(20),
        )


def test_made_late_the_reminder_is_there_and_skipped(world: World) -> None:
    world.says("alice", Status.LOOKING)
    world.clock.move_to(at(20, 50))
    own = jobs_of(world, call(world)[0])
    assert (own[rules.REMINDER].status, own[rules.REMINDER].reason) == (JobStatus.SKIPPED, Explanation(Reason.TOO_LATE))
    assert own[rules.START].status is JobStatus.PENDING


def test_an_earlier_start_moves_reminder_and_voice_check_along(world: World) -> None:
    world.says("alice", Status.LOOKING)
    world.clock.move_to(at(19))
    own = jobs_of(world, call(world, start_at=at(20, 30))[0])
    assert own[rules.REMINDER].run_at == at(20, 15)
    assert own[rules.VOICE_CHECK].run_at == at(20, 30, 30)


@pytest.mark.parametrize(("day", "offset"), [("2026-03-29", 2), ("2026-10-25", 1), ("2026-03-28", 1)])
def test_nine_oclock_is_nine_oclock_on_both_days_of_the_clock_change(day: str, offset: int) -> None:
    moment = moment_of(date.fromisoformat(day), at(21).astimezone(LJUBLJANA).time(), LJUBLJANA)
    assert moment.astimezone(LJUBLJANA).utcoffset() == timedelta(hours=offset)
    assert f"{moment.astimezone(LJUBLJANA):%H:%M}" == "21:00"


def test_two_promoters_in_the_same_second_get_one_campaign_and_one_refusal(committed: db.Database) -> None:
    world = build_world(committed)
    world.says("alice", Status.LOOKING)
    barrier = threading.Barrier(2)
    outcomes: list[object] = []

    def promote(name: str) -> None:
        barrier.wait()
        try:
            outcomes.append(call(world, name, key=name)[1])
        except CampaignExists as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=promote, args=[name]) for name in ("bob", "dora")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes))[1] == "True"
    assert any("already scheduled" in str(outcome) for outcome in outcomes)
    assert counts(world) == (1, 3 + 1 + 2, 2), "three jobs, the watch, and one for each message"


def test_ten_clicks_at_once_are_one_campaign(committed: db.Database) -> None:
    world = build_world(committed)
    world.says("alice", Status.LOOKING)
    barrier, outcomes = threading.Barrier(10), []

    def click() -> None:
        barrier.wait()
        outcomes.append(call(world, key="one-form"))

    threads = [threading.Thread(target=click) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({campaign_id for campaign_id, _ in outcomes}) == 1
    assert sum(is_new for _, is_new in outcomes) == 1


def test_cancelled_nothing_goes_out_and_the_day_is_free_again(world: World) -> None:
    world.says("alice", Status.LOOKING)
    first, _ = call(world)
    cancel(world, first)
    with world.session() as session:
        rows = session.scalars(select(Delivery)).all()
        assert {(row.status, row.reason) for row in rows} == {(DeliveryStatus.SKIPPED, Explanation(Reason.WITHDRAWN))}
        assert {job.status for job in session.scalars(select(Job))} == {JobStatus.SKIPPED}
    second, is_new = call(world, "dora", key="again")
    assert is_new
    with world.session() as session:
        rows = session.scalars(select(Delivery)).all()
        assert {(row.status, row.subject) for row in rows} == {(DeliveryStatus.PENDING, f"campaign:{second}")}
        assert len(rows) == 2, "the rows were opened again, not doubled"


def test_only_its_promoter_or_an_admin_may_cancel_and_only_what_is_open(world: World) -> None:
    world.says("alice", Status.LOOKING)
    campaign_id, _ = call(world)
    with pytest.raises(NotFound):
        cancel(world, campaign_id, "alice")
    cancel(world, campaign_id, "dora", is_admin=True)
    cancel(world, campaign_id)
    with world.session() as session:
        assert queries.get_campaign(session, campaign_id).status is CampaignStatus.CANCELLED
    second, _ = call(world, key="k2")
    with world.session() as session:
        for job in session.scalars(select(Job).where(Job.subject == f"campaign:{second}")):
            job.status = JobStatus.SENT
    with pytest.raises(CampaignOver):
        cancel(world, second)
