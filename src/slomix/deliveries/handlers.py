"""Sends one delivery: look again and claim; speak to the provider; write what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import structlog
from sqlalchemy.orm import Session

from slomix import db, words
from slomix.channels.base import Address, Message, Receipt, SendError
from slomix.clock import wall_now
from slomix.contacts import service as contacts
from slomix.contacts.rules import Reach, why_not
from slomix.deliveries import rules, service
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import EXPIRED, AttemptEvent, DeliveryStatus, Skip
from slomix.jobs.models import Job
from slomix.jobs.rules import Done, JobStatus, Outcome
from slomix.runtime import Runtime

log = structlog.get_logger()

NOTHING_LEFT = Done(JobStatus.SKIPPED, words.NOBODY_LEFT_TO_TELL)


class Notice(Protocol):
    """What a capability knows of its own messages; the ledger asks at the moment of sending."""

    needs_consent: bool
    heeds_quiet_hours: bool

    def still_wanted(self, runtime: Runtime, session: Session, delivery: Delivery, now: datetime) -> Skip | None:
        """A reason why this message should not leave any more, or None."""

    def words(self, runtime: Runtime, session: Session, delivery: Delivery, now: datetime) -> Message:
        """The message, as true now."""


@dataclass(frozen=True)
class Sending:
    """Everything the call to the provider needs, so that it needs no database."""

    delivery_id: int
    to: Address
    message: Message
    nonce: str
    channel: str
    contact_id: int | None
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
        delivery = _locked(session, job)
        if delivery is None:
            return NOTHING_LEFT
        wall = wall_now()
        reach = _reach(runtime, session, delivery)
        is_repeat = delivery.status is DeliveryStatus.SENDING
        if is_repeat:
            cut_off = self._after_a_cut(runtime, session, delivery, reach, now=now, wall=wall)
            if cut_off is not None:
                return cut_off
        elif delivery.status is DeliveryStatus.PENDING:
            skip = self._why_skip(runtime, session, delivery, reach, now)
            if skip is not None:
                return _skip(session, delivery, job, skip, now)
            delivery.text = self._notices[delivery.notice].words(runtime, session, delivery, now).text
            delivery.status = DeliveryStatus.SENDING
            delivery.first_tried_at = wall
        else:
            return Done(JobStatus.SKIPPED, words.ALREADY.format(status=delivery.status))
        service.note_attempt(session, delivery, job.claims, AttemptEvent.BEGUN, now=now, wall=wall)
        return _sending(delivery, reach, is_repeat=is_repeat)

    def act(self, runtime: Runtime, prepared: Sending) -> Answer:
        """The one call to the provider."""
        channel = runtime.channels[prepared.channel]
        try:
            return Answer(prepared, channel.send(prepared.to, prepared.message, nonce=prepared.nonce))
        except SendError as error:
            return Answer(prepared, error)

    def finish(self, runtime: Runtime, session: Session, job: Job, result: Any, now: datetime) -> Outcome:
        """Write the answer down, and what it taught about the contact."""
        answer: Answer = result
        delivery = _locked(session, job)
        if delivery is None:
            return NOTHING_LEFT
        wall = wall_now()
        verdict = rules.judge(
            answer.said,
            first_tried_at=delivery.first_tried_at or wall,
            wall=wall,
            repeatable_for=runtime.channels[delivery.channel].repeatable_for,
            is_repeat=answer.sending.is_repeat,
        )
        delivery.status = verdict.status
        delivery.reason = verdict.error
        delivery.settled_at = now if verdict.status.is_settled else None
        contact_id = answer.sending.contact_id
        match answer.said:
            case Receipt(message_id, learned):
                delivery.message_id = message_id
                if contact_id is not None and learned is not None and learned != answer.sending.to.learned:
                    contacts.learn(session, contact_id, learned)
            case SendError(permanent=True, reason=reason) if contact_id is not None:
                contacts.mark_unusable(session, contact_id, reason, now=now)
        service.note_attempt(session, delivery, job.claims, AttemptEvent.ENDED, error=verdict.error, now=now, wall=wall)
        db.notify(session, db.LIVE, "deliveries")
        log.info("delivery.tried", delivery=delivery.id, notice=delivery.notice, status=str(delivery.status))
        return verdict.outcome

    def give_up(self, runtime: Runtime, session: Session, job: Job, now: datetime) -> None:
        """No try is left: a message that may have arrived is `unknown`, one that did not is `failed`."""
        delivery = _locked(session, job)
        if delivery is not None and not delivery.status.is_settled:
            delivery.status = rules.when_given_up(delivery.status)
            delivery.reason = delivery.reason or job.last_error or words.NO_TRY_LEFT
            delivery.settled_at = now
            db.notify(session, db.LIVE, "deliveries")

    def _why_skip(
        self, runtime: Runtime, session: Session, delivery: Delivery, reach: Reach | None, now: datetime
    ) -> Skip | None:
        notice = self._notices[delivery.notice]
        if delivery.deadline_at is not None and now >= delivery.deadline_at:
            return EXPIRED
        if delivery.player_id is not None:
            reason = why_not(reach, now, needs_consent=notice.needs_consent, heeds_quiet_hours=notice.heeds_quiet_hours)
            if reason is not None:
                return Skip(reason)
        return notice.still_wanted(runtime, session, delivery, now)

    def _after_a_cut(
        self,
        runtime: Runtime,
        session: Session,
        delivery: Delivery,
        reach: Reach | None,
        *,
        now: datetime,
        wall: datetime,
    ) -> Outcome | None:
        """An earlier try left and nobody saw its answer: repeat it while that is safe and wanted, else `unknown`."""
        repeatable_for = runtime.channels[delivery.channel].repeatable_for
        skip = self._why_skip(runtime, session, delivery, reach, now)
        if skip is None and rules.may_repeat(delivery.first_tried_at or wall, wall, repeatable_for):
            return None
        delivery.status = DeliveryStatus.UNKNOWN
        delivery.reason = "; ".join([delivery.reason or words.ANSWER_NOT_SEEN, *([skip.reason] if skip else [])])
        delivery.settled_at = now
        db.notify(session, db.LIVE, "deliveries")
        return Done(JobStatus.FAILED, delivery.reason)


def _locked(session: Session, job: Job) -> Delivery | None:
    """The job's delivery; None when it was deleted together with its player."""
    return session.get(Delivery, int(job.subject), with_for_update=True, populate_existing=True)


def _reach(runtime: Runtime, session: Session, delivery: Delivery) -> Reach | None:
    if delivery.player_id is None:
        return None
    return contacts.reach_of(session, [delivery.player_id], zone=runtime.settings.zone).get(delivery.player_id)


def _skip(session: Session, delivery: Delivery, job: Job, skip: Skip, now: datetime) -> Outcome:
    """Never tried: skipped with its reason. Tried in vain until its deadline: failed with the last error."""
    failed = skip is EXPIRED and job.last_error is not None and delivery.first_tried_at is not None
    delivery.status = DeliveryStatus.FAILED if failed else DeliveryStatus.SKIPPED
    delivery.reason = job.last_error if failed else skip.reason
    delivery.settled_at = now
    db.notify(session, db.LIVE, "deliveries")
    return Done(JobStatus.FAILED if failed else JobStatus.SKIPPED, delivery.reason)


def _sending(delivery: Delivery, reach: Reach | None, *, is_repeat: bool) -> Sending:
    if delivery.destination is not None:
        to = Address(delivery.destination, is_room=True)
    else:
        assert reach is not None  # a player without an address was skipped before
        to = Address(reach.address or reach.discord_id or "", learned=reach.learned)
    return Sending(
        delivery_id=delivery.id,
        to=to,
        message=Message(delivery.text or ""),
        nonce=delivery.nonce,
        channel=str(delivery.channel),
        contact_id=reach.contact_id if reach else None,
        is_repeat=is_repeat,
    )
