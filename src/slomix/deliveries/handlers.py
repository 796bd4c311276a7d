"""Sends one delivery: look again and claim; speak to the provider; write what came of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy.orm import Session

from slomix.channels.base import Address, Message, Receipt, SendError, SlowDown
from slomix.clock import wall_now
from slomix.contacts import service as contacts
from slomix.contacts.encryption import Unreadable
from slomix.contacts.rules import ChannelName, Kind, Reach, Way, why_not
from slomix.database import session as db
from slomix.deliveries import ledger, rules
from slomix.deliveries.formatting import Occasion
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import EXPIRED, DeliveryStatus, Skip
from slomix.jobs.models import Job
from slomix.jobs.rules import Done, JobStatus, Outcome, Snooze
from slomix.reasons.codes import Explanation, Reason
from slomix.runtime.context import Runtime

log = structlog.get_logger()

# So long before its deadline a message that is still refused takes the next channel.
LAST_CHANCE = timedelta(minutes=1)
# What was nudged just before the switch was thrown; what is due is not nudged while it is.
WHILE_PAUSED = timedelta(seconds=2)
NOWHERE = Skip(Reason.NO_WORKING_CONTACT)
NOTHING_LEFT = Done(JobStatus.SKIPPED, Explanation(Reason.NOBODY_LEFT_TO_TELL))


class Notice(Protocol):
    """What a capability knows of its own messages; the ledger asks at the moment of sending."""

    heeds_quiet_hours: bool
    # It goes over the channel it was planned for, or not at all.
    keeps_channel: bool

    @property
    def kind(self) -> Kind | None:
        """What the player has to have switched on; None for what they asked for just now, or for a warning."""

    def still_wanted(self, runtime: Runtime, session: Session, delivery: Delivery, now: datetime) -> Skip | None:
        """A reason why this message should not leave any more, or None."""

    def words(self, runtime: Runtime, session: Session, delivery: Delivery, occasion: Occasion) -> Message:
        """The message, as true now."""


@dataclass(frozen=True)
class Destination:
    """Where a delivery goes: a player's contact, or a room."""

    channel: ChannelName
    address: Address
    way: Way | None = None


@dataclass(frozen=True)
class Sending:
    """Everything the call to the provider needs, so that it needs no database."""

    one: ledger.Try
    to: Destination
    message: Message
    nonce: str
    # Wall time.
    first_tried_at: datetime
    # An earlier try left and nobody saw its answer.
    is_repeat: bool


@dataclass(frozen=True)
class Answer:
    """What the provider said to it."""

    sending: Sending
    said: Receipt | SendError


class Deliver:
    """The handler of `delivery` jobs."""

    def __init__(self, notices: Mapping[str, Notice]) -> None:
        self._notices = notices

    def begin(self, runtime: Runtime, session: Session, job: Job, now: datetime) -> Sending | Outcome:
        """Look at the recipient again; mark the delivery `sending` before anything leaves."""
        seen = ledger.look(session, int(job.subject), settings=runtime.settings)
        if seen is None:
            return NOTHING_LEFT
        delivery, reach = seen.delivery, seen.reach
        if delivery.status.is_settled:
            return Done(JobStatus.SKIPPED, Explanation(Reason.ALREADY, delivery.status))
        if seen.is_paused and not _is_expired(delivery, now):
            return Snooze(WHILE_PAUSED)
        wall = wall_now()
        to = self._choose(runtime, session, delivery, reach, now)
        skip = self._why_skip(runtime, session, delivery, reach, now) or (NOWHERE if to is None else None)
        is_repeat = delivery.status is DeliveryStatus.SENDING
        if is_repeat:
            cut_off = self._after_a_cut(runtime, session, delivery, skip, now=now, wall=wall)
            if cut_off is not None:
                return cut_off
        if skip is not None or to is None:
            return _skip(session, delivery, job, skip or NOWHERE, now)
        message = self._notices[delivery.notice].words(runtime, session, delivery, Occasion(to.channel, reach, now))
        if is_repeat:  # the very words of the first try
            message = replace(message, text=delivery.text or "")
        one = ledger.Try(delivery.id, job.claims)
        ledger.begin(session, one, None if is_repeat else ledger.Fresh(to.channel, message.text), now=now, wall=wall)
        first_tried_at = delivery.first_tried_at if is_repeat else wall
        return Sending(one, to, message, delivery.nonce, first_tried_at or wall, is_repeat=is_repeat)

    def act(self, runtime: Runtime, prepared: Sending) -> Answer:
        """The one call to the provider."""
        channel = runtime.channels[prepared.to.channel]
        try:
            return Answer(prepared, channel.send(prepared.to.address, prepared.message, nonce=prepared.nonce))
        except SendError as error:
            return Answer(prepared, error)

    def foregone(self, result: Any) -> Outcome | None:
        """What has arrived needs no second look."""
        return Done() if isinstance(result.said, Receipt) else None

    def finish(self, runtime: Runtime, session: Session, job: Job, result: Any, now: datetime) -> Outcome:
        """Write the answer down, and what it taught about the contact."""
        answer: Answer = result
        sending, wall = answer.sending, wall_now()
        verdict = rules.judge(
            answer.said,
            first_tried_at=sending.first_tried_at,
            wall=wall,
            repeatable_for=_repeatable_for(runtime, sending.to.channel),
            is_repeat=sending.is_repeat,
        )
        seen, following = None, None
        if verdict.status is DeliveryStatus.FAILED or (
            verdict.status is DeliveryStatus.PENDING and _had_its_time(job, answer, now)
        ):
            seen = ledger.look(session, sending.one.delivery_id, settings=runtime.settings)
            following = self._following(session, seen, sending) if seen is not None else None
        if following is not None:  # then a refusal for now is one for good
            verdict = rules.Verdict(DeliveryStatus.FAILED, Done(JobStatus.FAILED, verdict.error), verdict.error)
        message_id = answer.said.message_id if isinstance(answer.said, Receipt) else None
        ledger.end(
            session, sending.one, verdict, message_id=message_id, lesson=_lesson(answer, now), now=now, wall=wall
        )
        if seen is not None and following is not None:
            ledger.fall_back(session, seen.delivery, following, job, now=now)
        log.info(
            "delivery.tried", delivery=sending.one.delivery_id, channel=sending.to.channel, status=str(verdict.status)
        )
        return verdict.outcome

    def late(self, runtime: Runtime, session: Session, job: Job, result: Any, now: datetime) -> None:
        """Somebody has written `unknown` meanwhile, and here is the answer."""
        answer: Answer = result
        if isinstance(answer.said, Receipt):
            ledger.arrived_late(
                session,
                answer.sending.one,
                answer.sending.nonce,
                answer.said.message_id,
                lesson=_lesson(answer, now),
                now=now,
                wall=wall_now(),
            )

    def give_up(self, runtime: Runtime, session: Session, job: Job, now: datetime) -> None:
        """No try is left: a message that may have arrived is `unknown`, one that did not is `failed`."""
        delivery = _locked(session, job)
        if delivery is not None and not delivery.status.is_settled:
            delivery.status = rules.when_given_up(delivery.status)
            delivery.reason = delivery.reason or job.last_error or Explanation(Reason.NO_TRY_LEFT)
            delivery.settled_at = now
            db.notify(session, db.LIVE, "deliveries")

    def _following(self, session: Session, seen: ledger.Seen, sending: Sending) -> ChannelName | None:
        """The best channel that works and was not tried for this; not the one that has just failed for good."""
        if seen.reach is None or self._notices[seen.delivery.notice].keeps_channel:
            return None
        tried = ledger.channels_taken(session, seen.delivery, by_anybody=False) | {sending.to.channel}
        return next((way.channel for way in seen.reach.ways if way.channel not in tried), None)

    def _choose(
        self, runtime: Runtime, session: Session, delivery: Delivery, reach: Reach | None, now: datetime
    ) -> Destination | None:
        """Where it goes now: the first channel in the player's order that works and was not tried for this event."""
        if delivery.destination is not None:
            return Destination(delivery.channel, Address(delivery.destination, is_room=True))
        if reach is None:
            return None
        for way in self._ways(session, delivery, reach):
            try:
                address = contacts.address_of(way, reach.discord_id or "", runtime.settings)
                return Destination(way.channel, Address(address, learned=way.learned), way)
            except Unreadable:
                contacts.learn(session, contacts.failed(way, contacts.UNREADABLE, is_permanent=True, now=now))
        return None

    def _ways(self, session: Session, delivery: Delivery, reach: Reach) -> Iterator[Way]:
        """What comes into question, best first. What else was tried is asked for only when the best does not do."""
        if self._notices[delivery.notice].keeps_channel or delivery.status is DeliveryStatus.SENDING:
            yield from (way for way in reach.known if way.channel is delivery.channel)
            return
        if reach.ways and reach.ways[0].channel is delivery.channel:
            yield reach.ways[0]
        taken = ledger.channels_taken(session, delivery, by_anybody=True)
        yield from (way for way in reach.ways if way.channel not in taken)

    def _why_skip(
        self, runtime: Runtime, session: Session, delivery: Delivery, reach: Reach | None, now: datetime
    ) -> Skip | None:
        notice = self._notices[delivery.notice]
        if _is_expired(delivery, now):
            return EXPIRED
        if delivery.player_id is not None:
            reason = why_not(reach, now, kind=notice.kind, heeds_quiet_hours=notice.heeds_quiet_hours)
            if reason is not None:
                return Skip(reason)
        return notice.still_wanted(runtime, session, delivery, now)

    def _after_a_cut(
        self,
        runtime: Runtime,
        session: Session,
        delivery: Delivery,
        skip: Skip | None,
        *,
        now: datetime,
        wall: datetime,
    ) -> Outcome | None:
        """An earlier try left and nobody saw its answer: repeat it while that is safe and wanted, else `unknown`."""
        if skip is None and rules.may_repeat(
            delivery.first_tried_at or wall, wall, _repeatable_for(runtime, delivery.channel)
        ):
            return None
        delivery.status = DeliveryStatus.UNKNOWN
        seen = delivery.reason or Explanation(Reason.ANSWER_NOT_SEEN)
        delivery.reason = seen.followed_by(skip.reason) if skip else seen
        delivery.settled_at = now
        db.notify(session, db.LIVE, "deliveries")
        return Done(JobStatus.FAILED, delivery.reason)


def _lesson(answer: Answer, now: datetime) -> contacts.Lesson | None:
    """What the answer says about the contact that was written to, if it is still the same address."""
    way, address = answer.sending.to.way, answer.sending.to.address
    if way is None:
        return None
    match answer.said:
        case Receipt(learned=learned):
            return contacts.worked(way, learned=learned or address.learned, now=now)
        case SlowDown():
            return None
        case SendError(permanent=is_permanent, reason=reason):
            return contacts.failed(way, reason, is_permanent=is_permanent, now=now)


def _is_expired(delivery: Delivery, now: datetime) -> bool:
    return delivery.deadline_at is not None and now >= delivery.deadline_at


def _had_its_time(job: Job, answer: Answer, now: datetime) -> bool:
    """Whether no try is left, or so little time that another channel should have its chance."""
    pause = (answer.said.retry_after if isinstance(answer.said, SendError) else None) or timedelta(0)
    is_late = job.deadline_at is not None and now + pause >= job.deadline_at - LAST_CHANCE
    return is_late or (job.attempts >= job.max_attempts and not isinstance(answer.said, SlowDown))


def _locked(session: Session, job: Job) -> Delivery | None:
    """The job's delivery; None when it was deleted together with its player."""
    return session.get(Delivery, int(job.subject), with_for_update=True, populate_existing=True)


def _repeatable_for(runtime: Runtime, name: ChannelName) -> timedelta:
    """For how long the provider knows a repeat; of a channel that was switched off meanwhile nothing is known."""
    channel = runtime.channels.get(name)
    return channel.repeatable_for if channel is not None else timedelta(0)


def _skip(session: Session, delivery: Delivery, job: Job, skip: Skip, now: datetime) -> Outcome:
    """Never tried: skipped with its reason. Tried in vain until its deadline: failed with the last error."""
    failed = skip is EXPIRED and job.last_error is not None and delivery.first_tried_at is not None
    delivery.status = DeliveryStatus.FAILED if failed else DeliveryStatus.SKIPPED
    delivery.reason = job.last_error if failed else Explanation(skip.reason)
    delivery.settled_at = now
    db.notify(session, db.LIVE, "deliveries")
    return Done(JobStatus.FAILED if failed else JobStatus.SKIPPED, delivery.reason)
