"""Where a channel will never take a message, the next one does: once, for the same person, and never on a guess."""

from datetime import time, timedelta

import pytest
from sqlalchemy import select

from slomix.channels.base import MessageRefused, SendError, Unanswered
from slomix.contacts import service as contacts
from slomix.contacts.rules import ChannelName, PreferredChannel, QuietHours
from slomix.deliveries import service as deliveries
from slomix.deliveries import test_message
from slomix.deliveries.handlers import SendDelivery
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus, Skip
from slomix.jobs.rules import JobStatus
from slomix.jobs.runner import execute
from slomix.reasons.codes import Explanation, Reason
from tests.moments import at
from tests.world import CAST

from .sending import CHAT, KEY, NUMBER, Post

DISCORD, TELEGRAM, SIGNAL = ChannelName.DISCORD, ChannelName.TELEGRAM, ChannelName.SIGNAL
BLOCKED = SendError(Reason.TELEGRAM_BLOCKED, permanent=True)
GONE = SendError(Reason.SIGNAL_UNKNOWN_NUMBER, permanent=True)
CLOSED = SendError(Reason.DMS_CLOSED, permanent=True)
BUSY = SendError(Reason.TELEGRAM_IS_BUSY)


def test_a_refusal_for_good_sends_the_same_notice_over_the_next_channel_once(everywhere: Post) -> None:
    everywhere.telegram.answers = [BLOCKED]
    everywhere.plan("alice", deadline_at=at(21))
    [first] = everywhere.rows_of("alice")
    assert first.channel is TELEGRAM
    assert everywhere.carry(first) is JobStatus.FAILED
    old, new = everywhere.rows_of("alice")
    assert (old.status, old.reason, old.fell_back_to) == (DeliveryStatus.FAILED, BLOCKED.reason, SIGNAL)
    assert old.settled_at == at(20, 45)
    assert (new.channel, new.status, new.fell_back_to) == (SIGNAL, DeliveryStatus.PENDING, None)
    assert (new.event_key, new.notice, new.subject) == (old.event_key, old.notice, old.subject)
    assert (new.deadline_at, new.created_at) == (at(21), at(20, 45))
    assert new.nonce != old.nonce
    job = everywhere.job(new)
    assert (job.run_at, job.deadline_at, job.max_attempts) == (at(20, 45), at(21), everywhere.job(old).max_attempts)
    assert everywhere.carry(new) is JobStatus.SENT
    assert (everywhere.carry(old), everywhere.carry(new)) == (None, None)
    assert everywhere.arrived() == {SIGNAL: [NUMBER]}
    contact = everywhere.contact("alice", TELEGRAM)
    assert contact is not None
    assert (contact.unusable_since, contact.unusable_reason) == (at(20, 45), BLOCKED.reason)
    worked = everywhere.contact("alice", SIGNAL)
    assert worked is not None
    assert (worked.unusable_since, worked.last_success_at) == (None, at(20, 45))


@pytest.mark.parametrize(
    ("preferred", "order"),
    [
        (PreferredChannel.ANY, [TELEGRAM, SIGNAL, DISCORD]),
        (PreferredChannel.TELEGRAM, [TELEGRAM, SIGNAL, DISCORD]),
        (PreferredChannel.SIGNAL, [SIGNAL, TELEGRAM, DISCORD]),
        (PreferredChannel.DISCORD, [DISCORD, TELEGRAM, SIGNAL]),
    ],
)
def test_the_channels_take_their_turn_in_the_players_order(
    everywhere: Post, preferred: PreferredChannel, order: list[ChannelName]
) -> None:
    everywhere.world.prefers("alice", preferred_channel=preferred)
    everywhere.wire.answers, everywhere.telegram.answers, everywhere.signal.answers = [CLOSED], [BLOCKED], [GONE]
    reasons = {DISCORD: CLOSED.reason, TELEGRAM: BLOCKED.reason, SIGNAL: GONE.reason}
    everywhere.plan("alice")
    following = [*order[1:], None]
    assert everywhere.carry_all() == [
        (one, "failed", reasons[one], after) for one, after in zip(order, following, strict=True)
    ]
    assert everywhere.arrived() == {}
    everywhere.plan("alice", key="ANOTHER:2026-11-20")
    assert everywhere.carry_all()[-1][1:3] == ("skipped", Explanation(Reason.NO_WORKING_CONTACT)), (
        "nothing is left to write to"
    )


def test_a_message_that_is_refused_for_itself_takes_the_next_channel_and_the_contact_stays_usable(
    everywhere: Post,
) -> None:
    everywhere.world.prefers("alice", preferred_channel=PreferredChannel.DISCORD)
    refused = MessageRefused(Reason.DISCORD_SAID, "Explicit content cannot be sent (20009)", code=20009)
    everywhere.wire.answers = [refused]
    everywhere.plan("alice")
    assert everywhere.carry_all() == [
        (DISCORD, "failed", refused.reason, "telegram"),
        (TELEGRAM, "sent", None, None),
    ]
    contact = everywhere.contact("alice", DISCORD)
    assert contact is not None
    assert (contact.unusable_since, contact.last_error) == (None, refused.reason)


def test_what_may_have_arrived_never_takes_another_way(everywhere: Post) -> None:
    everywhere.telegram.cuts = 1
    everywhere.plan("alice")
    [(channel, status, _, fell_back_to)] = everywhere.carry_all()
    assert (channel, status, fell_back_to) == (TELEGRAM, "unknown", None)
    assert everywhere.arrived() == {TELEGRAM: [CHAT]}
    assert everywhere.plan("alice", subject="2") == 0, "nor for a later campaign of the day"


def test_a_repeat_that_is_refused_for_good_says_nothing_about_the_first_try(everywhere: Post) -> None:
    """On Discord a repeat is safe; its refusal leaves the question open, and nothing takes another way meanwhile."""
    everywhere.world.prefers("alice", preferred_channel=PreferredChannel.DISCORD)
    everywhere.wire.cuts = 1
    everywhere.plan("alice")
    everywhere.carry(everywhere.row("alice"))
    everywhere.wire.answers = [CLOSED]
    assert everywhere.carry_all() == [(DISCORD, "sent", None, None)]
    assert (len(everywhere.wire.sent), everywhere.telegram.sent, everywhere.signal.sent) == (1, [], [])


def test_what_failed_for_now_stays_on_its_channel_until_no_try_is_left_and_then_takes_the_next(
    everywhere: Post,
) -> None:
    everywhere.telegram.answers = [BUSY] * 5
    everywhere.plan("alice")
    assert everywhere.carry_all() == [(TELEGRAM, "failed", BUSY.reason, "signal"), (SIGNAL, "sent", None, None)]
    contact = everywhere.contact("alice", TELEGRAM)
    assert contact is not None
    assert (contact.unusable_since, contact.last_error) == (None, BUSY.reason)


def test_a_person_is_counted_once_however_many_channels_were_tried(everywhere: Post) -> None:
    everywhere.telegram.answers, everywhere.signal.answers = [BLOCKED], [GONE]
    everywhere.plan("alice", "erik")
    everywhere.carry_all()
    everywhere.carry_all("erik")
    assert len(everywhere.rows()) == 4
    with everywhere.world.session() as session:
        tally = deliveries.tally_by_notice(session, "1")["greeting"]
        told = deliveries.notification_states(session, KEY, list(everywhere.world.players.values()))
    assert (dict(tally.by_status), tally.total) == ({DeliveryStatus.SENT: 2}, 2)
    assert {player: one.status for player, one in told.items()} == {
        everywhere.world.players["alice"]: DeliveryStatus.SENT,
        everywhere.world.players["erik"]: DeliveryStatus.SENT,
    }


def test_while_the_next_way_is_open_nobody_is_told_that_it_failed(everywhere: Post) -> None:
    everywhere.telegram.answers = [BLOCKED]
    everywhere.plan("alice")
    everywhere.carry(everywhere.row("alice"))
    with everywhere.world.session() as session:
        told = deliveries.notification_states(session, KEY, [everywhere.world.players["alice"]])[
            everywhere.world.players["alice"]
        ]
        tally = deliveries.tally_by_notice(session, "1")["greeting"]
    assert told.status is DeliveryStatus.PENDING
    assert (tally.open, tally.tried) == (1, 0)


@pytest.mark.parametrize("answer", [BLOCKED, Unanswered(Reason.TELEGRAM_DID_NOT_ANSWER, "ReadError")])
def test_what_is_meant_for_one_channel_takes_no_other(everywhere: Post, answer: SendError) -> None:
    """A dry run and a test message: they show how it looks there, or whether it arrives there."""
    everywhere.greeting.keeps_channel, everywhere.greeting.kind = True, None
    everywhere.telegram.answers = [answer]
    everywhere.plan("alice", channel=TELEGRAM)
    [(channel, _, reason, fell_back_to)] = everywhere.carry_all()
    assert (channel, reason, fell_back_to) == (TELEGRAM, answer.reason, None)
    assert everywhere.arrived() == {}


def test_a_test_message_goes_over_its_channel_whatever_is_preferred_and_even_to_one_that_is_marked(
    everywhere: Post,
) -> None:
    world = everywhere.world
    world.prefers(
        "alice", called=False, preferred_channel=PreferredChannel.DISCORD, quiet=QuietHours(time(20), time(23))
    )
    with world.session() as session:
        signal = contacts.contacts_of(session, world.players["alice"])[SIGNAL]
        contacts.apply_update(
            session, contacts.after_failure(signal.route, GONE.reason, is_permanent=True, now=at(20, 30))
        )
        settings, now = world.runtime.settings, world.clock.now()
        test_message.plan_test_message(session, world.players["alice"], SIGNAL, settings=settings, now=now)
    handler = SendDelivery({test_message.NOTICE: test_message.MessageTestNotice()})
    assert execute(world.runtime, handler, everywhere.job(everywhere.row("alice")).id) is JobStatus.SENT
    assert everywhere.arrived() == {SIGNAL: [NUMBER]}
    contact = everywhere.contact("alice", SIGNAL)
    assert contact is not None
    assert contact.unusable_since is None, "it arrived, so it works"


def test_a_later_campaign_of_the_day_opens_the_last_row_alone(everywhere: Post) -> None:
    everywhere.telegram.answers = [BLOCKED]
    everywhere.plan("alice")
    everywhere.carry(everywhere.row("alice"))
    everywhere.greeting.unwanted = Skip(Reason.ALREADY_IN_VOICE)
    assert everywhere.carry_all()[1] == (SIGNAL, "skipped", Explanation(Reason.ALREADY_IN_VOICE), None)
    everywhere.greeting.unwanted = None
    assert everywhere.plan("alice", subject="2") == 1
    old, last = everywhere.rows_of("alice")
    assert (old.status, old.subject, old.fell_back_to) == (DeliveryStatus.FAILED, "1", SIGNAL)
    assert (last.status, last.subject) == (DeliveryStatus.PENDING, "2")
    everywhere.carry_all()
    assert everywhere.arrived() == {SIGNAL: [NUMBER]}
    with everywhere.world.session() as session:
        assert deliveries.tally_by_notice(session, "1") == {}
        assert deliveries.tally_by_notice(session, "2")["greeting"].total == 1
        assert [one.id for one in session.scalars(select(Delivery).where(Delivery.subject == "2"))] == [last.id]


def test_who_prefers_another_channel_by_the_time_of_a_later_campaign_is_told_once(everywhere: Post) -> None:
    everywhere.greeting.unwanted = Skip(Reason.ALREADY_IN_VOICE)
    everywhere.send("alice")
    everywhere.greeting.unwanted = None
    everywhere.world.prefers("alice", preferred_channel=PreferredChannel.DISCORD)
    assert everywhere.plan("alice", subject="2") == 1
    assert [row[:2] for row in everywhere.carry_all()] == [(DISCORD, "sent")]


def test_planning_takes_the_channel_that_is_preferred_and_works(everywhere: Post) -> None:
    with everywhere.world.session() as session:
        telegram = contacts.contacts_of(session, everywhere.world.players["alice"])[TELEGRAM]
        contacts.apply_update(
            session, contacts.after_failure(telegram.route, BLOCKED.reason, is_permanent=True, now=at(20, 30))
        )
    everywhere.plan("alice", "erik")
    assert (everywhere.row("alice").channel, everywhere.row("erik").channel) == (SIGNAL, DISCORD)
    everywhere.carry_all()
    everywhere.carry_all("erik")
    assert everywhere.arrived() == {SIGNAL: [NUMBER], DISCORD: [CAST["erik"]]}


def test_a_later_deadline_does_not_come_with_a_later_channel(everywhere: Post) -> None:
    everywhere.telegram.answers = [BLOCKED]
    everywhere.plan("alice", deadline_at=at(21))
    everywhere.carry(everywhere.row("alice"))
    everywhere.world.clock.move_to(at(21) + timedelta(seconds=1))
    assert everywhere.carry_all()[1] == (SIGNAL, "skipped", Explanation(Reason.EXPIRED), None)
    assert everywhere.arrived() == {}


def test_a_minute_before_the_deadline_another_channel_has_its_chance(everywhere: Post) -> None:
    everywhere.telegram.answers = [SendError(Reason.TELEGRAM_IS_BUSY, retry_after=timedelta(hours=1))]
    everywhere.plan("alice", deadline_at=at(21))
    assert [row[:2] for row in everywhere.carry_all()] == [(TELEGRAM, "failed"), (SIGNAL, "sent")], (
        "nobody waits an hour for a start"
    )
