"""Trying once more by hand: while it makes sense, only what did not arrive, never twice by two people."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from slomix.availability.rules import Status
from slomix.campaigns import queries, retrying, rules
from slomix.campaigns.models import Campaign
from slomix.campaigns.retrying import CampaignCancelled, NothingToRetry
from slomix.campaigns.rules import CampaignStatus
from slomix.channels.base import SendError, Unanswered
from slomix.contacts import service as contacts
from slomix.contacts.rules import ChannelName
from slomix.database.session import Database
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.errors import NotFound
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.reasons.codes import Reason
from tests.moments import at
from tests.services.racing import at_once
from tests.steps import call, cancel, jobs_of
from tests.workers.pump import pump
from tests.world import World, build_world

BUSY = SendError(Reason.DISCORD_ANSWERED, "500")
CLOSED = SendError(Reason.DMS_CLOSED, permanent=True)


def called(world: World, *names: str) -> int:
    for name in names:
        world.says(name, Status.LOOKING)
    return call(world)[0]


def remind_in_vain(world: World, answers: list[SendError | None], *names: str) -> int:
    """Bob has called these, and Discord answers the reminder like this, in their order, to the last try."""
    campaign_id = called(world, *names)
    world.clock.move_to(at(20, 45))
    with world.session() as session:  # one try each
        session.execute(update(Job).values(max_attempts=1))
    world.discord.answers = list(answers)
    pump(world)
    return campaign_id


def retry(
    world: World, campaign_id: int, name: str = "bob", *, is_admin: bool = False, unknown: bool = False, only: int = 0
) -> int:
    with world.session() as session:
        return retrying.retry_campaign(
            session,
            campaign_id,
            player_id=world.players[name],
            is_admin=is_admin,
            unknown=unknown,
            only=only or None,
            settings=world.runtime.settings,
            now=world.clock.now(),
        )[1]


def reminders(world: World) -> dict[str, Delivery]:
    by_player = {player_id: name for name, player_id in world.players.items()}
    with world.session() as session:
        query = select(Delivery).where(Delivery.notice == rules.REMINDER).order_by(Delivery.id)
        rows = session.scalars(query.execution_options(populate_existing=True))
        return {by_player[row.player_id or 0]: row for row in rows}


def status(world: World, campaign_id: int) -> CampaignStatus:
    with world.session() as session:
        return queries.read_progress(session, session.get_one(Campaign, campaign_id)).status


def test_what_failed_goes_out_again_with_another_nonce_and_what_arrived_does_not(world: World) -> None:
    campaign_id = remind_in_vain(world, [BUSY], "alice", "erik")
    before = reminders(world)
    [failed] = [name for name, row in before.items() if row.status is DeliveryStatus.FAILED]
    [sent] = set(before) - {failed}
    assert status(world, campaign_id) is CampaignStatus.RUNNING
    assert retry(world, campaign_id) == 1
    row = reminders(world)[failed]
    assert (row.status, row.reason, row.text, row.first_tried_at, row.settled_at) == ("pending", None, None, None, None)
    assert row.nonce != before[failed].nonce
    assert reminders(world)[sent].nonce == before[sent].nonce
    pump(world)
    assert {row.status for row in reminders(world).values()} == {DeliveryStatus.SENT}
    assert len(world.discord.sent) == 2, "one each, after all"


def test_the_job_that_told_nobody_is_opened_again_and_the_campaign_heals(world: World) -> None:
    campaign_id = called(world, "alice")
    world.clock.move_to(at(21))
    with world.session() as session:
        session.execute(update(Job).values(max_attempts=1))
    world.discord.answers = [BUSY]
    pump(world)
    assert jobs_of(world, campaign_id)[rules.START].status is JobStatus.FAILED
    assert status(world, campaign_id) is CampaignStatus.FAILED
    assert retry(world, campaign_id) == 1
    assert jobs_of(world, campaign_id)[rules.START].status is JobStatus.PENDING
    with world.session() as session:
        stored = session.get_one(Campaign, campaign_id, populate_existing=True).status
    assert stored is status(world, campaign_id) is CampaignStatus.RUNNING
    pump(world)
    assert jobs_of(world, campaign_id)[rules.START].status is JobStatus.SENT
    assert status(world, campaign_id) is CampaignStatus.SENT


def test_only_one_is_tried_when_only_one_is_chosen(world: World) -> None:
    campaign_id = remind_in_vain(world, [BUSY, BUSY], "alice", "erik")
    rows = reminders(world)
    assert retry(world, campaign_id, only=rows["erik"].id) == 1
    assert {name: row.status.value for name, row in reminders(world).items()} == {"alice": "failed", "erik": "pending"}
    with pytest.raises(NothingToRetry):
        retry(world, campaign_id, only=999_999)


def test_after_its_deadline_nothing_is_tried_again(world: World) -> None:
    campaign_id = remind_in_vain(world, [BUSY], "alice")
    world.clock.move_to(at(21) - timedelta(seconds=1))
    with world.session() as session:
        found = retrying.retry_choices(
            session, queries.get_campaign(session, campaign_id), settings=world.runtime.settings, now=world.clock.now()
        )
    assert len(found.failed) == 1
    world.clock.move_to(at(21))  # the reminder's deadline is the start
    with pytest.raises(NothingToRetry):
        retry(world, campaign_id)
    assert reminders(world)["alice"].status is DeliveryStatus.FAILED


def test_what_may_have_arrived_is_tried_again_only_when_that_is_chosen(world: World) -> None:
    world.has("alice", ChannelName.TELEGRAM, "4711")
    campaign_id = called(world, "alice")
    world.clock.move_to(at(20, 45))
    world.telegram.answers = [Unanswered(Reason.TELEGRAM_DID_NOT_ANSWER, "ReadError")]
    pump(world)
    before = reminders(world)["alice"]
    assert before.status is DeliveryStatus.UNKNOWN
    with pytest.raises(NothingToRetry):
        retry(world, campaign_id)
    with pytest.raises(NothingToRetry):
        retry(world, campaign_id, only=before.id)
    assert retry(world, campaign_id, unknown=True) == 1
    after = reminders(world)["alice"]
    assert (after.status, after.nonce != before.nonce) == (DeliveryStatus.PENDING, True)
    pump(world)
    assert reminders(world)["alice"].status is DeliveryStatus.SENT


def test_what_failed_is_not_tried_again_when_the_unknown_is_chosen(world: World) -> None:
    campaign_id = remind_in_vain(world, [BUSY], "alice")
    with pytest.raises(NothingToRetry):
        retry(world, campaign_id, unknown=True)


def test_closed_dms_would_fail_again_until_there_is_a_contact_that_works(world: World) -> None:
    campaign_id = remind_in_vain(world, [CLOSED], "alice")
    assert reminders(world)["alice"].status is DeliveryStatus.FAILED
    with pytest.raises(NothingToRetry):
        retry(world, campaign_id)
    world.has("alice", ChannelName.SIGNAL, "+38640123456")
    assert retry(world, campaign_id) == 1
    pump(world)
    row = reminders(world)["alice"]
    assert (row.status, row.channel) == (DeliveryStatus.SENT, ChannelName.SIGNAL)


def test_what_took_another_way_is_history(world: World) -> None:
    world.has("alice", ChannelName.TELEGRAM, "4711")
    campaign_id = called(world, "alice")
    world.clock.move_to(at(20, 45))
    world.telegram.answers = [SendError(Reason.TELEGRAM_BLOCKED, permanent=True)]
    pump(world)
    with world.session() as session:
        rows = session.scalars(select(Delivery).where(Delivery.notice == rules.REMINDER).order_by(Delivery.id)).all()
        assert [(row.status.value, row.fell_back_to) for row in rows] == [("failed", "discord"), ("sent", None)]
    with pytest.raises(NothingToRetry):
        retry(world, campaign_id)


def test_a_channel_that_was_tried_in_vain_is_no_way(world: World) -> None:
    """Telegram refused for good and Discord is closed; that Telegram works again helps the next campaign, not this."""
    world.has("alice", ChannelName.TELEGRAM, "4711")
    campaign_id = called(world, "alice")
    world.clock.move_to(at(20, 45))
    world.telegram.answers, world.discord.answers = [SendError(Reason.TELEGRAM_BLOCKED, permanent=True)], [CLOSED]
    pump(world)
    with world.session() as session:
        telegram = contacts.contacts_of(session, world.players["alice"])[ChannelName.TELEGRAM]
        telegram.unusable_since, telegram.unusable_reason = None, None
    with pytest.raises(NothingToRetry):
        retry(world, campaign_id)


def test_a_worker_that_is_at_it_is_left_alone(world: World) -> None:
    campaign_id = remind_in_vain(world, [BUSY], "alice")
    row = reminders(world)["alice"]
    with world.session() as session:
        job = (Job.kind == "delivery") & (Job.subject == str(row.id))
        session.execute(update(Job).where(job).values(status="running", lease_until=at(20, 46)))
    with pytest.raises(NothingToRetry):
        retry(world, campaign_id)
    assert reminders(world)["alice"].nonce == row.nonce


@pytest.mark.parametrize(
    ("who", "is_admin", "may"), [("bob", False, True), ("dora", True, True), ("dora", False, False)]
)
def test_only_its_promoter_or_an_admin(world: World, who: str, is_admin: bool, may: bool) -> None:
    campaign_id = remind_in_vain(world, [BUSY], "alice")
    if may:
        assert retry(world, campaign_id, who, is_admin=is_admin) == 1
    else:
        with pytest.raises(NotFound):
            retry(world, campaign_id, who)
        assert reminders(world)["alice"].status is DeliveryStatus.FAILED


def test_nothing_of_a_cancelled_campaign_goes_out_again(world: World) -> None:
    campaign_id = remind_in_vain(world, [BUSY], "alice")
    cancel(world, campaign_id)
    with pytest.raises(CampaignCancelled):
        retry(world, campaign_id)
    assert reminders(world)["alice"].status is DeliveryStatus.FAILED


def test_two_at_once_are_one_retry(committed: Database) -> None:
    world = build_world(committed)
    campaign_id = remind_in_vain(world, [BUSY, BUSY], "alice", "erik")
    found = at_once([lambda: retry(world, campaign_id), lambda: retry(world, campaign_id, "dora", is_admin=True)])
    assert sorted(map(str, found))[0] == "2"
    assert [type(one) for one in found if one != 2] == [NothingToRetry]
    pump(world)
    assert len(world.discord.sent) == 2
