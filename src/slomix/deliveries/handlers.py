"""Sends one delivery: checks and marks it, calls the provider, writes the answer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from slomix.channels.base import Address, Message, RateLimited, Receipt, SendError
from slomix.clock import wall_now
from slomix.contacts import service as contacts
from slomix.contacts import unsubscribe
from slomix.contacts.encryption import CannotDecrypt
from slomix.contacts.rules import ChannelName, ContactRoute, Reachability, refusal_reason
from slomix.deliveries import ledger, rules
from slomix.deliveries.models import Delivery
from slomix.deliveries.notices import Notice, Occasion
from slomix.deliveries.rules import EXPIRED, DeliveryStatus, Skip
from slomix.jobs.models import Job
from slomix.jobs.rules import Done, JobStatus, Outcome, Snooze
from slomix.jobs.runner import Handler, JobContext
from slomix.reasons.codes import Explanation, Reason
from slomix.runtime.context import Runtime

log = structlog.get_logger()

# A message still refused this long before its deadline takes the next channel.
FALLBACK_MARGIN = timedelta(minutes=1)
# For jobs nudged just before the pause; during it no delivery is nudged.
PAUSE_RECHECK = timedelta(seconds=2)
NO_ROUTE = Skip(Reason.NO_WORKING_CONTACT)
DELIVERY_GONE = Done(JobStatus.SKIPPED, Explanation(Reason.NOBODY_LEFT_TO_TELL))


@dataclass(frozen=True)
class Destination:
    """Where a delivery goes: a player's contact, or a room."""

    channel: ChannelName
    address: Address
    route: ContactRoute | None = None


@dataclass(frozen=True)
class PreparedSend:
    """Everything the call to the provider needs, so that it needs no database."""

    attempt: ledger.AttemptKey
    destination: Destination
    message: Message
    nonce: str
    # Wall time.
    first_tried_at: datetime
    # An earlier try was sent, and its answer was not seen.
    is_repeat: bool


@dataclass(frozen=True)
class ProviderAnswer:
    """What the provider answered to a send."""

    sending: PreparedSend
    said: Receipt | SendError


class SendDelivery(Handler[PreparedSend, ProviderAnswer]):
    """Carry out `delivery` jobs."""

    def __init__(self, notices: Mapping[str, Notice]) -> None:
        self._notices = notices

    def begin(self, context: JobContext) -> PreparedSend | Outcome:
        """Check the recipient again, and mark the delivery `sending` before anything leaves."""
        runtime, session, job, now = context.runtime, context.session, context.job, context.now
        seen = ledger.lock_delivery(session, int(job.subject), settings=runtime.settings)
        if seen is None:
            return DELIVERY_GONE
        delivery, reach = seen.delivery, seen.reachability
        if delivery.status.is_settled:
            return Done(JobStatus.SKIPPED, Explanation(Reason.ALREADY, delivery.status))
        if seen.is_paused and not _is_expired(delivery, now):
            return Snooze(PAUSE_RECHECK)
        wall = wall_now()
        notice, to = self._notices[delivery.notice], self._choose(context, delivery, reach)
        occasion = Occasion(runtime, session, delivery, reach, to.channel if to else delivery.channel, now)
        message = _compose(notice, occasion, to)
        is_repeat = delivery.status is DeliveryStatus.SENDING
        if is_repeat and (isinstance(message, Skip) or not _may_repeat(runtime, delivery, wall)):
            return _cut_off(session, delivery, message, now)
        if isinstance(message, Skip) or to is None:
            return _skip(session, delivery, job, message if isinstance(message, Skip) else NO_ROUTE, now)
        if is_repeat:  # it repeats the words of the first try
            message = replace(message, text=delivery.text or "")
        attempt = ledger.AttemptKey(delivery.id, job.claims)
        ledger.begin_attempt(
            session, attempt, None if is_repeat else ledger.NewAttempt(to.channel, message.text), now=now, wall=wall
        )
        first_tried_at = delivery.first_tried_at if is_repeat else wall
        if reach is not None and notice.kind is not None:  # after it was stored: the link is a permission
            filled = unsubscribe.fill_link(message.text, reach, notice.kind, settings=runtime.settings)
            message = replace(message, text=filled)
        return PreparedSend(attempt, to, message, delivery.nonce, first_tried_at or wall, is_repeat=is_repeat)

    def act(self, runtime: Runtime, prepared: PreparedSend) -> ProviderAnswer:
        """Call the provider, once."""
        channel = runtime.channels[prepared.destination.channel]
        try:
            return ProviderAnswer(
                prepared, channel.send(prepared.destination.address, prepared.message, nonce=prepared.nonce)
            )
        except SendError as error:
            return ProviderAnswer(prepared, error)

    def outcome_from_result(self, result: ProviderAnswer) -> Outcome | None:
        """End the job if the message has arrived; that needs no look at the database."""
        return Done() if isinstance(result.said, Receipt) else None

    def finish(self, context: JobContext, answer: ProviderAnswer) -> Outcome:
        """Write the answer, and what it says about the contact."""
        runtime, session, job, now = context.runtime, context.session, context.job, context.now
        sending, wall = answer.sending, wall_now()
        verdict = rules.judge_answer(
            answer.said,
            first_tried_at=sending.first_tried_at,
            wall=wall,
            repeatable_for=_repeatable_for(runtime, sending.destination.channel),
            is_repeat=sending.is_repeat,
        )
        seen, following = None, None
        if verdict.status is DeliveryStatus.FAILED or (
            verdict.status is DeliveryStatus.PENDING and _is_out_of_time(job, answer, now)
        ):
            seen = ledger.lock_delivery(session, sending.attempt.delivery_id, settings=runtime.settings)
            following = self._next_route(session, seen, sending) if seen is not None else None
        if following is not None:  # then a temporary refusal is final here
            verdict = rules.Verdict(DeliveryStatus.FAILED, Done(JobStatus.FAILED, verdict.error), verdict.error)
        message_id = answer.said.message_id if isinstance(answer.said, Receipt) else None
        ledger.end_attempt(
            session,
            sending.attempt,
            verdict,
            message_id=message_id,
            contact_update=_contact_update(answer, now),
            now=now,
            wall=wall,
        )
        if seen is not None and following is not None:
            ledger.fall_back(session, seen.delivery, following, job, now=now)
        log.info(
            "delivery.tried",
            delivery=sending.attempt.delivery_id,
            channel=sending.destination.channel,
            status=str(verdict.status),
        )
        return verdict.outcome

    def finish_late(self, context: JobContext, answer: ProviderAnswer) -> None:
        """Turn `unknown` into `sent` if the late answer says that the message arrived."""
        if isinstance(answer.said, Receipt):
            ledger.record_late_arrival(
                context.session,
                answer.sending.attempt,
                answer.sending.nonce,
                answer.said.message_id,
                contact_update=_contact_update(answer, context.now),
                now=context.now,
                wall=wall_now(),
            )

    def give_up(self, context: JobContext) -> None:
        """Settle it, as no try is left: `unknown` if it may have arrived, else `failed`."""
        delivery = context.session.get(Delivery, int(context.job.subject), with_for_update=True, populate_existing=True)
        if delivery is not None and not delivery.status.is_settled:
            delivery.reason = delivery.reason or context.job.last_error or Explanation(Reason.NO_TRY_LEFT)
            ledger.settle(context.session, delivery, rules.status_when_given_up(delivery.status), now=context.now)

    def _next_route(self, session: Session, seen: ledger.LockedDelivery, sending: PreparedSend) -> ChannelName | None:
        """Return the best working channel that was not tried for this delivery yet."""
        if seen.reachability is None or self._notices[seen.delivery.notice].keeps_channel:
            return None
        tried = ledger.used_channels(session, seen.delivery, any_subject=False) | {sending.destination.channel}
        return next((way.channel for way in seen.reachability.routes if way.channel not in tried), None)

    def _choose(self, context: JobContext, delivery: Delivery, reach: Reachability | None) -> Destination | None:
        """Return the first channel in the player's order that works and was not tried for this event, if any."""
        if delivery.destination is not None:
            return Destination(delivery.channel, Address(delivery.destination, is_room=True))
        if reach is None:
            return None
        for way in self._candidate_routes(context.session, delivery, reach):
            try:
                address = contacts.address_of_route(way, reach.discord_id or "", context.runtime.settings)
                return Destination(way.channel, Address(address, learned=way.learned), way)
            except CannotDecrypt:
                update = contacts.after_failure(way, contacts.UNREADABLE, is_permanent=True, now=context.now)
                contacts.apply_update(context.session, update)
        return None

    def _candidate_routes(self, session: Session, delivery: Delivery, reach: Reachability) -> Iterator[ContactRoute]:
        """Yield the possible routes, best first; look up which channels were tried only if the first doesn't do."""
        if self._notices[delivery.notice].keeps_channel or delivery.status is DeliveryStatus.SENDING:
            yield from (way for way in reach.all_routes if way.channel is delivery.channel)
            return
        if reach.routes and reach.routes[0].channel is delivery.channel:
            yield reach.routes[0]
        taken = ledger.used_channels(session, delivery, any_subject=True)
        yield from (way for way in reach.routes if way.channel not in taken)


def _compose(notice: Notice, occasion: Occasion, to: Destination | None) -> Message | Skip:
    """Return the message, or why it must not or cannot go out."""
    delivery, now = occasion.delivery, occasion.now
    if _is_expired(delivery, now):
        return EXPIRED
    if delivery.player_id is not None:
        reason = refusal_reason(occasion.reach, now, kind=notice.kind, heeds_quiet_hours=notice.heeds_quiet_hours)
        if reason is not None:
            return Skip(reason)
    message = notice.compose(occasion)
    return NO_ROUTE if to is None and isinstance(message, Message) else message


def _may_repeat(runtime: Runtime, delivery: Delivery, wall: datetime) -> bool:
    """Return whether an unanswered try may be repeated: while the provider remembers its nonce."""
    return rules.may_repeat(delivery.first_tried_at or wall, wall, _repeatable_for(runtime, delivery.channel))


def _cut_off(session: Session, delivery: Delivery, message: Message | Skip, now: datetime) -> Outcome:
    """Settle as `unknown` a delivery that left without an answer and is not repeated."""
    seen = delivery.reason or Explanation(Reason.ANSWER_NOT_SEEN)
    delivery.reason = seen.followed_by(message.reason) if isinstance(message, Skip) else seen
    ledger.settle(session, delivery, DeliveryStatus.UNKNOWN, now=now)
    return Done(JobStatus.FAILED, delivery.reason)


def _contact_update(answer: ProviderAnswer, now: datetime) -> contacts.ContactUpdate | None:
    """Return what the answer says about the contact, to be written if its address is still the same."""
    way, address = answer.sending.destination.route, answer.sending.destination.address
    if way is None:
        return None
    match answer.said:
        case Receipt(learned=learned):
            return contacts.after_success(way, learned=learned or address.learned, now=now)
        case RateLimited():
            return None
        case SendError(permanent=is_permanent, reason=reason):
            return contacts.after_failure(way, reason, is_permanent=is_permanent, now=now)


def _is_expired(delivery: Delivery, now: datetime) -> bool:
    return delivery.deadline_at is not None and now >= delivery.deadline_at


def _is_out_of_time(job: Job, answer: ProviderAnswer, now: datetime) -> bool:
    """Return whether no try is left, or so little time that another channel should have its chance."""
    pause = (answer.said.retry_after if isinstance(answer.said, SendError) else None) or timedelta(0)
    is_late = job.deadline_at is not None and now + pause >= job.deadline_at - FALLBACK_MARGIN
    return is_late or (job.attempts >= job.max_attempts and not isinstance(answer.said, RateLimited))


def _repeatable_for(runtime: Runtime, name: ChannelName) -> timedelta:
    """Return for how long the provider recognises a repeat; zero for a channel that was switched off meanwhile."""
    channel = runtime.channels.get(name)
    return channel.repeatable_for if channel is not None else timedelta(0)


def _skip(session: Session, delivery: Delivery, job: Job, skip: Skip, now: datetime) -> Outcome:
    """Settle as `skipped` with its reason, or as `failed` with the last error if it was tried until its deadline."""
    failed = skip is EXPIRED and job.last_error is not None and delivery.first_tried_at is not None
    delivery.reason = job.last_error if failed else Explanation(skip.reason)
    ledger.settle(session, delivery, DeliveryStatus.FAILED if failed else DeliveryStatus.SKIPPED, now=now)
    return Done(JobStatus.FAILED if failed else JobStatus.SKIPPED, delivery.reason)
