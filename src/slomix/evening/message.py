"""Keeps the evening's one message in the announcement room: posted, edited, made anew once, and closed.

Each run takes one step, which is one request to Discord or one look into its room, and stores what came of it.
"""

import enum
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256

import structlog

from slomix.availability.choices import status_buttons
from slomix.channels.base import Address, Channel, Message, Receipt, SendError, Unanswered
from slomix.channels.discord_answers import UNKNOWN_MESSAGE
from slomix.clock import wall_now
from slomix.contacts.rules import ChannelName
from slomix.database import session as db
from slomix.deliveries import pausing
from slomix.deliveries import rules as delivery_rules
from slomix.deliveries.handlers import PAUSE_RECHECK
from slomix.deliveries.marks import history_of, with_mark
from slomix.deliveries.service import new_nonce
from slomix.evening import failures, rules, service, tonight
from slomix.evening.models import EveningMessage
from slomix.evening.service import Hours
from slomix.evening.tonight import Tonight
from slomix.jobs.rules import Done, JobStatus, Outcome, Postpone, Snooze
from slomix.jobs.runner import AnyHandler, Handler, JobContext
from slomix.reasons.codes import Explanation, Reason
from slomix.runtime.context import Runtime

log = structlog.get_logger()

AT_ONCE = timedelta(0)


class MessageAction(enum.Enum):
    """What a run asks of Discord."""

    POST = enum.auto()
    FIND = enum.auto()
    LOOK_BELOW = enum.auto()
    EDIT = enum.auto()
    REMOVE = enum.auto()


@dataclass(frozen=True)
class MessageStep:
    """One step towards the message as it should be, with all that it needs, so that it needs no database."""

    action: MessageAction
    row: EveningMessage
    message: Message
    # The number of failures in a row before this run.
    failures: int
    # When another worker may take over, in wall time: from then on nothing may leave here.
    lease_until: datetime | None
    is_closing: bool = False
    # An earlier post was sent, and its answer was not seen.
    is_repeat: bool = False


Answer = Receipt | SendError | int | None


@dataclass(frozen=True)
class MessageResult:
    """What Discord answered to a step."""

    step: MessageStep
    said: Answer


class KeepMessage(Handler[MessageStep, MessageResult]):
    """`evening_message`: one job a day, from the day's beginning until its message is closed."""

    def begin(self, context: JobContext) -> MessageStep | Outcome:
        """Compare the message with what it should be; wait for a change if there is no difference."""
        session, settings, now = context.session, context.runtime.settings, context.now
        day = date.fromisoformat(context.job.subject)
        if not settings.evening_message_enabled:
            return Done(JobStatus.SKIPPED, Explanation(Reason.SWITCHED_OFF))
        if pausing.current_pause(session) is not None:
            return Snooze(PAUSE_RECHECK)
        hours = service.hours_of(day, settings)
        if now >= hours.closes_at + rules.GIVEN_UP_AFTER:
            return Done(JobStatus.SKIPPED, Explanation(Reason.EXPIRED))
        row = service.message_of(session, day)
        if row is not None and row.held_until is not None and row.held_until > wall_now():
            return Snooze(row.held_until - wall_now())
        evening = tonight.read(session, day, settings=settings, now=now)
        if row is None or not row.may_stand:
            return _begin_post(context, row, evening, hours)
        return _begin_change(context, row, evening, hours)

    def act(self, runtime: Runtime, step: MessageStep) -> MessageResult:
        """Ask Discord, once."""
        return MessageResult(step, failures.ask_once(step.lease_until, lambda: _ask(runtime, step)))

    def finish(self, context: JobContext, result: MessageResult) -> Outcome:
        """Store what came of the step, and decide when to run again."""
        step, said = result.step, result.said
        row = context.session.get(EveningMessage, step.row.day, populate_existing=True)
        if row is None:  # forgotten meanwhile
            return Done(JobStatus.SKIPPED, Explanation(Reason.EVENING_IS_OVER))
        db.notify(context.session, db.LIVE_CHANNEL, "evening")
        log.info("evening_message.tried", day=str(row.day), step=step.action.name, error=_text_of(said))
        if isinstance(said, SendError):
            return _after_failure(context, row, step, said)
        row.problem = row.held_until = None
        match step.action:
            case MessageAction.POST | MessageAction.FIND:
                _after_search_or_post(context, row, step, said)
            case MessageAction.LOOK_BELOW:
                row.looked_at = context.now
                if isinstance(said, int) and said >= rules.SCROLLED_AWAY:
                    _make_anew(row, surplus_id=row.message_id)
            case MessageAction.EDIT:
                row.fingerprint, row.edited_at = _fingerprint(step.message), wall_now()
            case MessageAction.REMOVE:
                row.surplus_id = None
        return Snooze(AT_ONCE, failures=0)


def _begin_post(
    context: JobContext, row: EveningMessage | None, evening: Tonight, hours: Hours
) -> MessageStep | Outcome:
    """Post the message if it is time for it."""
    now, is_called = context.now, evening.start_at is not None
    if now >= min(hours.ends_at, hours.closes_at):
        return Done()
    is_wanted = is_called or (row is not None and row.surplus_id is not None)
    is_wanted |= evening.looking >= rules.POSTED_AT and now >= hours.opens_at
    if not is_wanted:
        return Postpone(_next_look(evening, hours, now, is_watched=False))
    if row is None:
        row = EveningMessage(
            day=evening.day, room=context.runtime.settings.announce_channel_id, mark=new_nonce(), is_second=False
        )
        context.session.add(row)
    # Before it leaves, so that whoever comes after us knows that it may stand there.
    row.tried_at = wall_now()
    context.session.flush()
    return _step(context, MessageAction.POST, row, evening)


def _begin_change(context: JobContext, row: EveningMessage, evening: Tonight, hours: Hours) -> MessageStep | Outcome:
    now, wall = context.now, wall_now()
    if row.message_id is None:
        return _begin_pursuit(context, row, evening)
    if row.surplus_id is not None:
        return _step(context, MessageAction.REMOVE, row, evening)
    is_closing = now >= hours.closes_at
    step = _step(context, MessageAction.EDIT, row, evening, is_closing=is_closing)
    if row.fingerprint == _fingerprint(step.message):
        following = Done() if is_closing else Postpone(_next_look(evening, hours, now, is_watched=not row.is_second))
        return _look_below(context, row, evening, hours) or following
    age = now - row.posted_at if row.posted_at is not None else AT_ONCE
    edit_at = row.edited_at + rules.edit_interval(age) if row.edited_at is not None else wall
    if edit_at > wall:
        return Snooze(edit_at - wall)
    return _look_below(context, row, evening, hours) or step


def _begin_pursuit(context: JobContext, row: EveningMessage, evening: Tonight) -> MessageStep | Outcome:
    """Repeat a post whose answer was not seen while Discord knows its nonce, or look for it in the room."""
    wall = wall_now()
    if delivery_rules.may_repeat(row.tried_at or wall, wall, _discord(context).repeatable_for):
        return replace(_step(context, MessageAction.POST, row, evening), is_repeat=True)
    if history_of(context.runtime, ChannelName.DISCORD) is None:
        row.problem = Explanation(Reason.ANSWER_NOT_SEEN)
        return Done(JobStatus.FAILED, row.problem)
    return replace(_step(context, MessageAction.FIND, row, evening), is_repeat=True)


def _look_below(context: JobContext, row: EveningMessage, evening: Tonight, hours: Hours) -> MessageStep | None:
    """Look whether the message has scrolled away, if that matters and it may still be made anew."""
    now = context.now
    is_near = rules.is_near(evening.expected_at, now)
    if row.is_second or now >= hours.ends_at or not (is_near or evening.missing == 1):
        return None
    if row.looked_at is not None and row.looked_at <= now < row.looked_at + rules.SCROLL_CHECK_INTERVAL:
        return None
    return _step(context, MessageAction.LOOK_BELOW, row, evening)


def _next_look(evening: Tonight, hours: Hours, now: datetime, *, is_watched: bool) -> datetime:
    """Return the next moment at which something may have changed by itself.

    Discord does not tell us what others write, so shortly before the start a message that may be made anew is watched.
    """
    moments = [hours.opens_at, hours.ends_at, hours.closes_at, hours.closes_at + rules.GIVEN_UP_AFTER]
    moments += [evening.expected_at - rules.NEAR, evening.expected_at]
    if is_watched and rules.is_near(evening.expected_at, now):
        moments.append(now + rules.SCROLL_CHECK_INTERVAL)
    moments += [moment for moment in (evening.unsettled_until, evening.late_until) if moment is not None]
    return min(moment for moment in moments if moment > now)


def _step(
    context: JobContext, action: MessageAction, row: EveningMessage, evening: Tonight, *, is_closing: bool = False
) -> MessageStep:
    settings, now = context.runtime.settings, context.now
    message = Message(tonight.closing_text(evening) if is_closing else tonight.text(evening, now=now))
    message = with_mark(context.runtime, message, row.mark, ChannelName.DISCORD)
    if settings.discord_public_key and not is_closing:
        answers = status_buttons(row.day, settings, mark=row.mark)
        message = replace(message, buttons=(*answers, *message.buttons))
    job = context.job
    return MessageStep(action, row, message, job.attempts - 1, job.lease_until, is_closing=is_closing)


def _ask(runtime: Runtime, step: MessageStep) -> Answer:
    row, editor = step.row, runtime.room_editor
    room = Address(row.room, is_room=True)
    if step.action is MessageAction.POST:
        return runtime.channels[ChannelName.DISCORD].send(room, step.message, nonce=row.mark)
    if step.action is MessageAction.FIND:
        history = history_of(runtime, ChannelName.DISCORD)
        if history is None:
            raise SendError(Reason.ANSWER_NOT_SEEN)
        return history.find(room, row.mark, since=(row.tried_at or wall_now()) - delivery_rules.LOOK_BACK)
    if editor is None:
        raise SendError(Reason.SWITCHED_OFF)
    match step.action:
        case MessageAction.LOOK_BELOW:
            return editor.count_after(row.room, row.message_id or "", most=rules.SCROLLED_AWAY)
        case MessageAction.EDIT:
            editor.edit(row.room, row.message_id or "", step.message, replaces_buttons=True)
        case MessageAction.REMOVE:
            editor.delete(row.room, row.surplus_id or "")
    return None


def _after_search_or_post(context: JobContext, row: EveningMessage, step: MessageStep, said: Answer) -> None:
    row.tried_at = None
    if not isinstance(said, Receipt):  # it does not stand there, so it may leave anew
        row.mark = new_nonce()
        return
    row.message_id, row.posted_at, row.edited_at = said.message_id, context.now, wall_now()
    # Of a repeat the words of the first try may stand there.
    row.fingerprint = None if step.is_repeat else _fingerprint(step.message)


def _after_failure(context: JobContext, row: EveningMessage, step: MessageStep, error: SendError) -> Outcome:
    is_first_post = step.action is MessageAction.POST and not step.is_repeat
    if is_first_post and not isinstance(error, Unanswered):
        row.tried_at = None
    if step.action is MessageAction.EDIT and error.code == UNKNOWN_MESSAGE:
        return _after_deletion(row, step, error)
    if step.action is MessageAction.LOOK_BELOW:  # it only stays where it is
        row.looked_at = context.now
    if step.action is MessageAction.REMOVE and error.permanent:
        row.surplus_id = None
    if step.action is MessageAction.EDIT:
        row.edited_at = wall_now()
    return failures.hold(row, error, failures=step.failures)


def _after_deletion(row: EveningMessage, step: MessageStep, error: SendError) -> Outcome:
    """Make a message that was deleted anew, once; the second one is not wanted there."""
    if step.is_closing:
        row.message_id = None
        return Done()
    if row.is_second:
        row.problem = error.reason
        return Done(JobStatus.SKIPPED, error.reason)
    _make_anew(row, surplus_id=None)
    return Snooze(AT_ONCE, failures=0)


def _make_anew(row: EveningMessage, *, surplus_id: str | None) -> None:
    row.is_second, row.surplus_id = True, surplus_id
    row.message_id = row.fingerprint = row.posted_at = row.edited_at = None
    row.mark = new_nonce()


def _fingerprint(message: Message) -> str:
    return sha256(message.text.encode()).hexdigest()


def _discord(context: JobContext) -> Channel:
    return context.runtime.channels[ChannelName.DISCORD]


def _text_of(said: Answer) -> str | None:
    return str(said) if isinstance(said, SendError) else None


HANDLERS: dict[str, AnyHandler] = {service.MESSAGE: KeepMessage()}
