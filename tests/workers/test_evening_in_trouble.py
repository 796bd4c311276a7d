"""The same evening with outages, cuts, deaths, stale pictures and cancels."""

from datetime import timedelta

from sqlalchemy import select, update

from slomix.availability.rules import Status
from slomix.campaigns import queries, rules
from slomix.campaigns.rules import CampaignStatus
from slomix.channels.base import ProviderDown, SendError, Unanswered
from slomix.contacts.rules import ChannelName
from slomix.database import session as db
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.jobs import service as job_service
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.reasons.codes import Explanation, Reason
from tests.configuration import ROOM
from tests.moments import at
from tests.steps import call, cancel, jobs_of, latest
from tests.workers.pump import pump
from tests.workers.stage import (
    EVERYBODY,
    FOLLOW_UP,
    REMINDER,
    START,
    go,
    in_voice,
    readable,
    rows,
    status,
    told,
)
from tests.world import World, build_world


def test_after_downtime_the_reminder_is_not_sent_with_untrue_words(called: World) -> None:
    go(called, 21, 5)
    assert set(rows(called, "T-15").values()) == {(DeliveryStatus.SKIPPED, Explanation(Reason.EXPIRED))}
    assert all(told(called, name)[0].startswith("Game night has begun") for name in EVERYBODY)


def test_back_the_next_morning_nothing_goes_out(called: World) -> None:
    called.clock.move_to(at(9) + timedelta(days=1))
    pump(called)
    assert called.discord.sent == []
    for phase in ("T-15", "T0"):
        assert set(rows(called, phase).values()) == {(DeliveryStatus.SKIPPED, Explanation(Reason.EXPIRED))}
    assert {job.status for job in jobs_of(called, latest(called)).values()} == {JobStatus.SKIPPED}


def test_one_failure_is_retried_alone(called: World) -> None:
    called.discord.answers = [SendError(Reason.DISCORD_ANSWERED, "503")]
    go(called, 20, 45)
    assert len(called.discord.sent) == 3
    called.clock.forward(timedelta(seconds=3))
    pump(called)
    assert len(called.discord.sent) == 4
    assert {state for state, _ in rows(called, "T-15").values()} == {DeliveryStatus.SENT}
    assert jobs_of(called, latest(called))[rules.REMINDER].status is JobStatus.SENT


def test_closed_dms_are_permanent_and_make_the_campaign_partial(called: World) -> None:
    called.discord.answers = [SendError(Reason.DMS_CLOSED, permanent=True)]
    go(called, 20, 45)
    assert sorted(state.value for state, _ in rows(called, "T-15").values()) == ["failed", "sent", "sent", "sent"]
    go(called, 21)
    assert Explanation(Reason.NO_WORKING_CONTACT) in {reason for _, reason in rows(called, "T0").values()}
    assert status(called) is CampaignStatus.PARTIAL
    called.clock.move_to(at(21, 0, 30))
    in_voice(called, alice=ROOM, bob=ROOM, erik=ROOM, franka=ROOM)
    pump(called)
    assert status(called) is CampaignStatus.PARTIAL, "a later phase never hides an earlier failure"


def test_a_blocked_bot_costs_nobody_an_evening_while_another_channel_works(called: World) -> None:
    called.has("alice", ChannelName.TELEGRAM, "4242")
    called.telegram.answers = [SendError(Reason.TELEGRAM_BLOCKED, permanent=True)]
    go(called, 20, 45)
    assert [told(called, name) for name in EVERYBODY] == [[REMINDER]] * 4, "she is told on Discord, and once"
    assert jobs_of(called, latest(called))[rules.REMINDER].status is JobStatus.SENT
    go(called, 21)
    assert [told(called, name) for name in EVERYBODY] == [[REMINDER, START]] * 4
    assert called.telegram.sent == [], "where the bot is blocked nothing is tried any more"
    called.clock.move_to(at(21, 0, 30))
    in_voice(called, bob=ROOM, erik=ROOM, franka=ROOM)
    pump(called)
    assert [line.startswith(FOLLOW_UP) for line in told(called, "alice")[2:]] == [True]
    assert status(called) is CampaignStatus.FOLLOWUP_SENT, "nobody was missed, so nothing is partial"


def test_who_prefers_telegram_gets_the_evening_there_in_plain_words(called: World) -> None:
    called.has("alice", ChannelName.TELEGRAM, "4242")
    go(called, 20, 45)
    go(called, 21)
    assert told(called, "alice") == []
    reminder, start = called.telegram.texts
    assert reminder.startswith("Game night starts at 21:00 (in 15 minutes).")
    assert start.startswith(START)
    for text in (reminder, start):
        assert "<" not in text
        assert "/stop/" in text
    assert {to.value for to, _, _ in called.telegram.sent} == {"4242"}


def test_a_cut_line_is_repeated_with_its_nonce_and_arrives_once(called: World) -> None:
    original = called.discord.send
    cut: list[bool] = []

    def send_then_cut(*args: object, **kwargs: object) -> object:
        receipt = original(*args, **kwargs)  # type: ignore[arg-type]
        if not cut:
            cut.append(True)
            raise Unanswered(Reason.OTHER, "the line was cut")
        return receipt

    called.discord.send = send_then_cut  # type: ignore[method-assign,assignment]
    go(called, 20, 45)
    called.clock.forward(timedelta(seconds=3))
    pump(called)
    assert len(called.discord.sent) == 4
    assert {state for state, _ in rows(called, "T-15").values()} == {DeliveryStatus.SENT}


def test_a_total_outage_at_the_start_fails_loudly(called: World) -> None:
    go(called, 20, 45)
    called.discord.answers = [SendError(Reason.DISCORD_NOT_REACHED, "ConnectError")] * 1000
    for minute in range(20):
        go(called, 21, minute)
    assert {state for state, _ in rows(called, "T0").values()} == {DeliveryStatus.FAILED}
    assert status(called) is CampaignStatus.FAILED


def test_a_stale_picture_is_not_used_discord_itself_is_asked(called: World) -> None:
    in_voice(called)
    go(called, 20, 45)
    go(called, 21)
    called.lookup.rooms = {called.discord_ids[name]: ROOM for name in ("alice", "bob", "erik")}
    called.clock.move_to(at(21, 2))
    pump(called)
    assert told(called, "franka")[-1].startswith(FOLLOW_UP)
    assert told(called, "alice")[-1] == START


def test_when_presence_stays_unknown_nobody_is_called_missing(called: World) -> None:
    called.lookup.error = ProviderDown(Reason.DISCORD_NOT_REACHED, "ConnectError")
    go(called, 21)
    for second in range(30, 60, 5):
        go(called, 21, 0, second)
    for minute in (2, 5, 19, 20, 21):
        go(called, 21, minute)
    assert not any(FOLLOW_UP in message.text for _, message, _ in called.discord.sent)
    texts = called.discord.texts
    assert sum("couldn’t see who’s in voice" in text for text in texts) == 2, "the room and the promoter are told"
    assert not any(name.title() in text for text in texts for name in EVERYBODY)
    assert status(called) is CampaignStatus.PARTIAL


def test_cancelled_between_the_notices_the_rest_stays_home(called: World) -> None:
    go(called, 20, 45)
    cancel(called, latest(called))
    sent = len(called.discord.sent)
    go(called, 21, 1)
    assert len(called.discord.sent) == sent
    assert status(called) is CampaignStatus.CANCELLED


def test_after_a_cancel_nobody_gets_the_same_notice_twice(called: World) -> None:
    go(called, 20, 45)
    cancel(called, latest(called))
    called.clock.move_to(at(20, 50))
    call(called, "bob", key="again")
    go(called, 21)
    assert all(told(called, name) == [REMINDER, START] for name in EVERYBODY)


def test_a_worker_that_dies_in_the_middle_of_sending(called: World) -> None:
    """Its lease runs out, another worker repeats the send with the same nonce, the player gets one message."""
    called.clock.move_to(at(20, 45))
    with called.session() as session:
        row = session.scalars(select(Delivery).where(Delivery.event_key.contains("T-15"))).first()
        assert row is not None
        job = session.scalars(select(Job).where(Job.kind == "delivery", Job.subject == str(row.id))).one()
        now = called.clock.now()
        claimed = job_service.claim(session, job.id, now=now, wall=now)
        assert claimed is not None
        row.status, row.text, row.first_tried_at = DeliveryStatus.SENDING, "as it was", None
        nonce = row.nonce
        session.execute(update(Job).where(Job.id == job.id).values(lease_until=at(0)))
        row_id = row.id
    pump(called)
    with called.session() as session:
        again = session.get_one(Delivery, row_id)
        assert (again.status, again.nonce) == (DeliveryStatus.SENT, nonce)
    assert [message.text for _, message, used in called.discord.sent if used == nonce] == ["as it was"]


def test_an_old_verdict_of_missing_calls_nobody_when_nobody_knows_any_more(called: World) -> None:
    go(called, 21)
    called.clock.move_to(at(21, 0, 30))
    in_voice(called, alice=ROOM)
    called.discord.answers = [SendError(Reason.DISCORD_ANSWERED, "503")] * 3
    pump(called)
    called.clock.move_to(at(21, 5))
    pump(called)
    assert not any(FOLLOW_UP in message.text for _, message, _ in called.discord.sent)
    assert {reason for _, reason in rows(called, "FOLLOWUP").values()} == {Explanation(Reason.VOICE_NO_LONGER_KNOWN)}


def test_who_comes_after_the_verdict_is_not_named_as_awaited(called: World) -> None:
    go(called, 21)
    called.clock.move_to(at(21, 0, 30))
    in_voice(called, alice=ROOM, bob=ROOM)
    called.discord.answers = [SendError(Reason.DISCORD_ANSWERED, "503"), SendError(Reason.DISCORD_ANSWERED, "503")]
    pump(called)
    called.clock.move_to(at(21, 0, 50))
    in_voice(called, alice=ROOM, bob=ROOM, erik=ROOM)
    pump(called)
    assert readable(called.discord.texts[-1]).splitlines()[:2] == [
        "Game night is on – 2 of 4 in voice at 21:00.",
        "Waiting for: Franka",
    ]


def test_when_nobody_looked_in_time_the_promoter_and_the_room_hear_it(called: World) -> None:
    go(called, 21)
    go(called, 21, 21)
    assert sum("couldn’t see who’s in voice" in text for text in called.discord.texts) == 2
    assert jobs_of(called, latest(called))[rules.VOICE_CHECK].status is JobStatus.SKIPPED


def test_a_cancel_is_the_last_word_also_against_a_job_that_saw_it_too_late(committed: db.Database) -> None:
    world = build_world(committed)
    world.says("alice", Status.LOOKING)
    campaign_id, _ = call(world)
    world.clock.move_to(at(20, 45))
    with world.session() as session:
        campaign = queries.get_campaign(session, campaign_id)
        cancel(world, campaign_id)  # in a transaction of its own, while ours holds what it read before
        queries.record_status(session, campaign, CampaignStatus.RUNNING)
    with world.session() as session:
        assert queries.get_campaign(session, campaign_id).status is CampaignStatus.CANCELLED
    assert call(world, "dora", key="again")[1], "the day is free again"
