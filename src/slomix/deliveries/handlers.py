"""Sends one delivery: checks and marks it, calls the provider, writes the answer; asks for answers that were lost."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from slomix import i18n
from slomix.channels.base import (
    Address,
    Message,
    MessageRefused,
    ProviderDown,
    RateLimited,
    Receipt,
    SendError,
    Unanswered,
)
from slomix.clock import wall_now
from slomix.contacts import service as contacts
from slomix.contacts.encryption import CannotDecrypt
from slomix.contacts.rules import ChannelName, ContactRoute, Reachability, refusal_reason
from slomix.deliveries import asking, budget, ledger, offers, rules
from slomix.deliveries.asking import Destination, HistoryAnswer, PreparedQuestion
from slomix.deliveries.downtime import Downtime
from slomix.deliveries.finishing import with_buttons, with_stop_link
from slomix.deliveries.marks import history_of
from slomix.deliveries.models import Delivery
from slomix.deliveries.notices import Notice, Occasion
from slomix.deliveries.rules import EXPIRED, DeliveryStatus, Skip
from slomix.deliveries.service import JOB_KIND
from slomix.health import outages
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import LAST_MARGIN, Done, Hold, JobStatus, Outcome, Postpone, Retry, Snooze
from slomix.jobs.runner import Handler, JobContext
from slomix.reasons.codes import Explanation, Reason
from slomix.runtime.context import Runtime

log = structlog.get_logger()

# For jobs nudged just before the pause; during it no delivery is nudged.
PAUSE_RECHECK = timedelta(seconds=2)
NO_ROUTE = Skip(Reason.NO_WORKING_CONTACT)
# Failures that we find ourselves: the provider was not heard.
OUR_OWN = frozenset({Reason.WORKER_DID_NOT_COME_BACK, Reason.SWITCHED_OFF, Reason.NOT_E164, Reason.DISCORD_TOO_SLOW})
DELIVERY_GONE = Done(JobStatus.SKIPPED, Explanation(Reason.NOBODY_LEFT_TO_TELL))


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
    # When another worker may take over, in wall time: from then on nothing may leave here.
    lease_until: datetime | None
    # The provider is out, or suspected to be; an answer ends that.
    ends_outage: bool = False


@dataclass(frozen=True)
class ProviderAnswer:
    """What the provider answered to a send."""

    sending: PreparedSend
    said: Receipt | SendError


class SendDelivery(Handler[PreparedSend | PreparedQuestion, ProviderAnswer | HistoryAnswer]):
    """Carry out `delivery` jobs."""

    def __init__(self, notices: Mapping[str, Notice]) -> None:
        self._notices = notices

    def begin(self, context: JobContext) -> PreparedSend | PreparedQuestion | Outcome:
        """Check the recipient again, and mark the delivery `sending` before anything leaves."""
        settings = context.runtime.settings
        seen = ledger.lock_delivery(context.session, int(context.job.subject), settings=settings, now=context.now)
        if seen is None:
            return DELIVERY_GONE
        with i18n.speaking(settings.language_for(seen.language)):
            return self._prepare(context, seen)

    def _prepare(self, context: JobContext, seen: ledger.LockedDelivery) -> PreparedSend | PreparedQuestion | Outcome:
        runtime, session, job, now = context.runtime, context.session, context.job, context.now
        delivery, reach = seen.delivery, seen.reachability
        if delivery.status.is_settled:
            return Done(JobStatus.SKIPPED, Explanation(Reason.ALREADY, delivery.status))
        if seen.is_paused and not _is_expired(delivery, now):
            return Snooze(PAUSE_RECHECK)
        wall = wall_now()
        down = Downtime.read(context, delivery) if seen.has_outage else Downtime()
        notice, to = self._notices[delivery.notice], self._choose(context, delivery, reach, down)
        attempt = ledger.AttemptKey(delivery.id, job.claims)
        is_repeat = delivery.status is DeliveryStatus.SENDING
        may_repeat = is_repeat and _may_repeat(runtime, delivery, wall)
        readable = _readable(runtime, to) if is_repeat else None
        if readable is not None and not may_repeat:
            return _pursue(context, attempt, delivery, readable, down, wall)
        occasion = Occasion(runtime, session, delivery, reach, to.channel if to else delivery.channel, now)
        message = _compose(notice, occasion, to)
        if is_repeat and (not isinstance(message, Message) or not may_repeat):
            if readable is not None:
                return _pursue(context, attempt, delivery, readable, down, wall)
            return _cut_off(session, delivery, message, now)
        if isinstance(message, Message) and to is not None and down.holds(to.channel, job):
            return Hold(to.channel, to_the_end=to.channel in down.overdue)
        message = self._last_words(occasion, message, has_held_back=seen.has_held_back)
        if not isinstance(message, Message) or to is None:
            return _hold_back(session, delivery, job, NO_ROUTE if isinstance(message, Message) else message, now)
        message = with_buttons(message, notice, occasion)
        new = None if is_repeat else ledger.NewAttempt(to.channel, message.text, budget.day_of(notice, occasion))
        ledger.begin_attempt(session, attempt, new, now=now, wall=wall)
        _offer_choices(context, delivery, to, message)
        first_tried_at = delivery.first_tried_at if is_repeat else wall
        return PreparedSend(
            attempt,
            to,
            # After it was stored: the link is a permission.
            with_stop_link(runtime, message, reach, notice),
            delivery.nonce,
            first_tried_at or wall,
            is_repeat=is_repeat,
            lease_until=job.lease_until,
            ends_outage=to.channel in down.outages,
        )

    def act(self, runtime: Runtime, prepared: PreparedSend | PreparedQuestion) -> ProviderAnswer | HistoryAnswer:
        """Call the provider, once."""
        if isinstance(prepared, PreparedQuestion):
            return asking.act(runtime, prepared)
        if prepared.lease_until is not None and wall_now() >= prepared.lease_until:
            # Another worker may have found by now that the message never left.
            return ProviderAnswer(prepared, SendError(Reason.WORKER_DID_NOT_COME_BACK))
        channel = runtime.channels[prepared.destination.channel]
        try:
            return ProviderAnswer(
                prepared, channel.send(prepared.destination.address, prepared.message, nonce=prepared.nonce)
            )
        except SendError as error:
            return ProviderAnswer(prepared, error)

    def outcome_from_result(self, result: ProviderAnswer | HistoryAnswer) -> Outcome | None:
        """End the job if the message has arrived; that needs no look at the database."""
        return Done() if isinstance(result.said, Receipt) else None

    def finish(self, context: JobContext, answer: ProviderAnswer | HistoryAnswer) -> Outcome:
        """Write the answer, and what it says about the contact."""
        runtime, session, job, now, wall = context.runtime, context.session, context.job, context.now, wall_now()
        sending, verdict = _about(answer), _judge(runtime, answer, now=now, wall=wall)
        seen, following = None, None
        if not context.is_past_deadline and (
            verdict.status is DeliveryStatus.FAILED
            or (verdict.status is DeliveryStatus.PENDING and _is_out_of_time(job, verdict.outcome, now))
        ):
            seen = ledger.lock_delivery(session, sending.attempt.delivery_id, settings=runtime.settings, now=now)
            following = self._next_route(session, seen, sending.destination.channel) if seen is not None else None
        if following is not None:  # then a temporary refusal is final here
            verdict = rules.Verdict(DeliveryStatus.FAILED, Done(JobStatus.FAILED, verdict.error), verdict.error)
        write = ledger.end_attempt if isinstance(answer, ProviderAnswer) else ledger.record_question
        write(
            session,
            sending.attempt,
            verdict,
            message_id=answer.said.message_id if isinstance(answer.said, Receipt) else None,
            contact_update=_contact_update(answer, now),
            now=now,
            wall=wall,
        )
        offers.settle(session, sending.destination.channel, sending.nonce, answer.said)
        is_out = _record_for_others(context, answer)
        if seen is not None and following is not None:
            ledger.fall_back(session, seen.delivery, following, job, now=now)
        log.info(
            "delivery.tried",
            delivery=sending.attempt.delivery_id,
            channel=sending.destination.channel,
            status=str(verdict.status),
        )
        if is_out and isinstance(verdict.outcome, Retry):
            return Hold(sending.destination.channel, verdict.error)
        return verdict.outcome

    def finish_late(self, context: JobContext, answer: ProviderAnswer | HistoryAnswer) -> None:
        """Turn `unknown` into `sent` if the late answer says that the message arrived."""
        if isinstance(answer.said, Receipt):
            ledger.record_late_arrival(
                context.session,
                _about(answer).attempt,
                _about(answer).nonce,
                answer.said.message_id,
                contact_update=_contact_update(answer, context.now),
                now=context.now,
                wall=wall_now(),
            )
            about = _about(answer)
            offers.settle(context.session, about.destination.channel, about.nonce, answer.said)

    def give_up(self, context: JobContext) -> None:
        """Settle it, as no try is left: `unknown` if it may have arrived and cannot be asked about, else `failed`."""
        session, job, now = context.session, context.job, context.now
        delivery = session.get(Delivery, int(job.subject), with_for_update=True, populate_existing=True)
        if delivery is not None and not delivery.status.is_settled:
            if _can_still_be_asked(context, delivery):
                jobs.reopen(
                    session, JOB_KIND, [job.subject], run_at=now, due_at=job.due_at, deadline_at=job.deadline_at
                )
                return
            delivery.reason = delivery.reason or job.last_error or Explanation(Reason.NO_TRY_LEFT)
            ledger.settle(context.session, delivery, rules.status_when_given_up(delivery.status), now=context.now)

    def _last_words(
        self, occasion: Occasion, message: Message | Skip | Postpone, *, has_held_back: bool
    ) -> Message | Skip | Postpone:
        """Return the words of the first try if it is repeated; else what the player's messages of the day allow."""
        if not isinstance(message, Message):
            return message
        if occasion.delivery.status is DeliveryStatus.SENDING:
            return replace(message, text=occasion.delivery.text or "")
        return budget.within(self._notices, occasion, message, has_held_back=has_held_back)

    def _next_route(self, session: Session, seen: ledger.LockedDelivery, failed: ChannelName) -> ChannelName | None:
        """Return the best working channel that was not tried for this delivery yet."""
        if seen.reachability is None or self._notices[seen.delivery.notice].keeps_channel:
            return None
        tried = ledger.used_channels(session, seen.delivery, any_subject=False) | {failed}
        return next((way.channel for way in seen.reachability.routes if way.channel not in tried), None)

    def _choose(
        self, context: JobContext, delivery: Delivery, reach: Reachability | None, down: Downtime
    ) -> Destination | None:
        """Return the first channel in the player's order that works and was not tried for this event, if any."""
        if delivery.destination is not None:
            return Destination(delivery.channel, Address(delivery.destination, is_room=True))
        if reach is None:
            return None
        for way in self._candidate_routes(context.session, delivery, reach, down):
            try:
                address = contacts.address_of_route(way, reach.discord_id or "", context.runtime.settings)
                return Destination(way.channel, Address(address, learned=way.learned), way)
            except CannotDecrypt:
                update = contacts.after_failure(way, contacts.UNREADABLE, is_permanent=True, now=context.now)
                contacts.apply_update(context.session, update)
        return None

    def _candidate_routes(
        self, session: Session, delivery: Delivery, reach: Reachability, down: Downtime
    ) -> Iterator[ContactRoute]:
        """Yield the possible routes, best first; look up which channels were tried only if the first doesn't do."""
        if self._notices[delivery.notice].keeps_channel or delivery.status is DeliveryStatus.SENDING:
            yield from (way for way in reach.all_routes if way.channel is delivery.channel)
            return
        if reach.routes and reach.routes[0].channel is delivery.channel and not down.overdue:
            yield reach.routes[0]
        taken = ledger.used_channels(session, delivery, any_subject=True)
        yield from down.in_order([way for way in reach.routes if way.channel not in taken])


def _compose(notice: Notice, occasion: Occasion, to: Destination | None) -> Message | Skip | Postpone:
    """Return the message, or why it must not or cannot go out, or when."""
    delivery, now = occasion.delivery, occasion.now
    if _is_expired(delivery, now):
        return EXPIRED
    if delivery.player_id is not None:
        reason = refusal_reason(occasion.reach, now, kind=notice.kind, heeds_quiet_hours=notice.heeds_quiet_hours)
        if reason is not None:
            return Skip(reason)
    message = notice.compose(occasion)
    return NO_ROUTE if to is None and isinstance(message, Message) else message


def _offer_choices(context: JobContext, delivery: Delivery, to: Destination, message: Message) -> None:
    """Write what numbers will mean in the reader's chat, where the message can have no buttons."""
    offers.offer(
        context.session,
        to.channel,
        to.address.value,
        message.choices,
        nonce=delivery.nonce,
        settings=context.runtime.settings,
        now=context.now,
    )


def _readable(runtime: Runtime, to: Destination | None) -> Destination | None:
    """Return where it can be asked what has arrived; nowhere about an account that is not linked any more."""
    can_ask = to is not None and to.address.value and history_of(runtime, to.channel) is not None
    return to if can_ask else None


def _pursue(
    context: JobContext,
    attempt: ledger.AttemptKey,
    delivery: Delivery,
    readable: Destination,
    down: Downtime,
    wall: datetime,
) -> PreparedQuestion | Outcome:
    """Ask what has arrived; while the provider is out, only at the deadline."""
    if down.holds(readable.channel, context.job) and not _is_expired(delivery, context.now):
        # No other channel may take what may have arrived here, so there is nothing to look at before.
        return Hold(readable.channel, to_the_end=True)
    ends_outage = readable.channel in down.outages
    return asking.begin(context.session, attempt, delivery, readable, wall, ends_outage=ends_outage)


def _may_repeat(runtime: Runtime, delivery: Delivery, wall: datetime) -> bool:
    """Return whether an unanswered try may be repeated: while the provider remembers its nonce."""
    return rules.may_repeat(delivery.first_tried_at or wall, wall, _repeatable_for(runtime, delivery.channel))


def _cut_off(session: Session, delivery: Delivery, message: Message | Skip | Postpone, now: datetime) -> Outcome:
    """Settle as `unknown` a delivery that left without an answer and is not repeated."""
    seen = delivery.reason or Explanation(Reason.ANSWER_NOT_SEEN)
    delivery.reason = seen.followed_by(message.reason) if isinstance(message, Skip) else seen
    ledger.settle(session, delivery, DeliveryStatus.UNKNOWN, now=now)
    return Done(JobStatus.FAILED, delivery.reason)


def _about(answer: ProviderAnswer | HistoryAnswer) -> PreparedSend | PreparedQuestion:
    return answer.sending if isinstance(answer, ProviderAnswer) else answer.asked


def _judge(runtime: Runtime, answer: ProviderAnswer | HistoryAnswer, *, now: datetime, wall: datetime) -> rules.Verdict:
    if isinstance(answer, HistoryAnswer):
        asked = answer.asked
        return rules.judge_history(
            answer.said,
            unanswered=asked.unanswered,
            is_expired=asked.deadline_at is not None and now >= asked.deadline_at,
            is_over=rules.is_question_over(asked.first_tried_at, asked.deadline_at, now=now, wall=wall),
        )
    sending = answer.sending
    return rules.judge_answer(
        answer.said,
        first_tried_at=sending.first_tried_at,
        wall=wall,
        repeatable_for=_repeatable_for(runtime, sending.destination.channel),
        is_repeat=sending.is_repeat,
        can_be_asked=history_of(runtime, sending.destination.channel) is not None,
    )


def _can_still_be_asked(context: JobContext, delivery: Delivery) -> bool:
    """Return whether the worker died on the last try, and the provider knows what came of it."""
    if context.job.last_error != Explanation(Reason.WORKER_DID_NOT_COME_BACK):
        return False
    if delivery.status is not DeliveryStatus.SENDING or history_of(context.runtime, delivery.channel) is None:
        return False
    # Asked also after the deadline, but not for ever: the question itself may be what the workers die of.
    until = delivery.deadline_at + rules.LONGEST_QUESTION if delivery.deadline_at is not None else None
    wall = wall_now()
    return not rules.is_question_over(delivery.first_tried_at or wall, until, now=context.now, wall=wall)


def _contact_update(answer: ProviderAnswer | HistoryAnswer, now: datetime) -> contacts.ContactUpdate | None:
    """Return what the answer says about the contact, to be written if its address is still the same."""
    way, address = _about(answer).destination.route, _about(answer).destination.address
    if way is None:
        return None
    match answer.said:
        case Receipt(learned=learned):
            return contacts.after_success(way, learned=learned or address.learned, now=now)
        case MessageRefused(reason=reason) if _is_refusal(answer):
            return contacts.after_failure(way, reason, is_permanent=False, now=now)
        case SendError(permanent=is_permanent, reason=reason) if _is_refusal(answer):
            return contacts.after_failure(way, reason, is_permanent=is_permanent, now=now)
    return None


def _is_refusal(answer: ProviderAnswer | HistoryAnswer) -> bool:
    """Return whether the answer says something about the contact; a history or our own delay doesn't."""
    if isinstance(answer, HistoryAnswer) or isinstance(answer.said, Receipt | RateLimited | ProviderDown):
        return False
    return answer.said.reason.code is not Reason.WORKER_DID_NOT_COME_BACK


def _record_for_others(context: JobContext, answer: ProviderAnswer | HistoryAnswer) -> bool:
    """Record what the answer says about the provider itself; return whether it counts as out."""
    about, now = _about(answer), context.now
    channel = about.destination.channel
    match answer.said:
        case ProviderDown() | Unanswered() as error:
            return outages.record_failure(
                context.session, channel, error, about.attempt.delivery_id, now=now, wall=wall_now()
            )
        # We ourselves hold requests back after an earlier 429.
        case RateLimited():
            return False
        case SendError(reason=reason) if reason.code in OUR_OWN:
            return False
    if about.ends_outage and outages.record_answer(context.session, channel):
        log.info("provider.back", channel=str(channel))
    return False


def _is_expired(delivery: Delivery, now: datetime) -> bool:
    return delivery.deadline_at is not None and now >= delivery.deadline_at


def _is_out_of_time(job: Job, outcome: Outcome, now: datetime) -> bool:
    """Return whether no try is left, or so little time that another channel should have its chance."""
    retry_after, is_free = (outcome.retry_after, outcome.is_free) if isinstance(outcome, Retry) else (None, False)
    pause = retry_after or timedelta(0)
    is_late = job.deadline_at is not None and now + pause >= job.deadline_at - LAST_MARGIN
    return is_late or (job.attempts >= job.max_attempts and not is_free)


def _repeatable_for(runtime: Runtime, name: ChannelName) -> timedelta:
    """Return for how long the provider recognises a repeat; zero for a channel that was switched off meanwhile."""
    channel = runtime.channels.get(name)
    return channel.repeatable_for if channel is not None else timedelta(0)


def _hold_back(session: Session, delivery: Delivery, job: Job, skip: Skip | Postpone, now: datetime) -> Outcome:
    """Postpone it, or settle it: as `skipped` with its reason, as `failed` if it was tried until its deadline."""
    if isinstance(skip, Postpone):
        return skip
    last_error = job.last_error or delivery.reason
    failed = skip is EXPIRED and last_error is not None and delivery.first_tried_at is not None
    delivery.reason = last_error if failed else Explanation(skip.reason)
    ledger.settle(session, delivery, DeliveryStatus.FAILED if failed else DeliveryStatus.SKIPPED, now=now)
    return Done(JobStatus.FAILED if failed else JobStatus.SKIPPED, delivery.reason)
