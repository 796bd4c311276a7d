"""Keeps the scheduled event of an evening like its campaign: made, moved, begun, ended and cancelled with it.

Each run takes one step, and stores what came of it. There is no nonce for events, so the server's are listed first.
"""

import enum
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256

import structlog

from slomix.campaigns import queries as campaigns
from slomix.campaigns.models import Campaign
from slomix.channels.base import EventStatus, ScheduledEvent, SendError
from slomix.channels.discord_answers import EVENT_IS_OVER, UNKNOWN_EVENT
from slomix.clock import wall_now
from slomix.config.settings import Settings
from slomix.database import session as db
from slomix.deliveries import pausing
from slomix.deliveries.handlers import PAUSE_RECHECK
from slomix.deliveries.service import new_nonce
from slomix.evening import failures, rules, service
from slomix.evening.models import EveningEvent
from slomix.i18n import _
from slomix.jobs.rules import Done, JobStatus, Outcome, Postpone, Snooze
from slomix.jobs.runner import AnyHandler, Handler, JobContext
from slomix.presence import places
from slomix.reasons.codes import Explanation, Reason
from slomix.runtime.context import Runtime

log = structlog.get_logger()

# Discord wants an end where there is no voice room, and takes no start that is not in the future.
LASTS = timedelta(hours=3)
LEAST_NOTICE = timedelta(seconds=5)


class EventAction(enum.Enum):
    """What a run asks of Discord."""

    CREATE = enum.auto()
    CHANGE = enum.auto()
    SET_STATUS = enum.auto()


@dataclass(frozen=True)
class EventStep:
    """One step towards the event as it should be, with all that it needs."""

    action: EventAction
    row: EveningEvent
    event: ScheduledEvent | None
    status: EventStatus
    # The number of failures in a row before this run.
    failures: int
    # When another worker may take over, in wall time: from then on nothing may leave here.
    lease_until: datetime | None
    # A new one may be made, if none of ours is found.
    may_create: bool = True


# The event that stands there now, its status and, as far as it is known, a hash of what it says; None if none does.
Answer = tuple[str, EventStatus, str | None] | SendError | None


@dataclass(frozen=True)
class EventResult:
    """What Discord answered to a step."""

    step: EventStep
    said: Answer


class KeepEvent(Handler[EventStep, EventResult]):
    """`scheduled_event`: one job a day, which has nothing to do unless the evening is called together."""

    def begin(self, context: JobContext) -> EventStep | Outcome:
        """Compare the event with what it should be; wait for a change if there is no difference."""
        session, settings, now = context.session, context.runtime.settings, context.now
        day = date.fromisoformat(context.job.subject)
        if context.runtime.scheduled_events is None:
            return Done(JobStatus.SKIPPED, Explanation(Reason.SWITCHED_OFF))
        if pausing.current_pause(session) is not None:
            return Snooze(PAUSE_RECHECK)
        if now >= service.hours_of(day, settings).closes_at + rules.GIVEN_UP_AFTER:
            return Done(JobStatus.SKIPPED, Explanation(Reason.EXPIRED))
        row, campaign = service.event_of(session, day), campaigns.called_campaign(session, day)
        if row is not None and row.held_until is not None and row.held_until > wall_now():
            return Snooze(row.held_until - wall_now())
        wanted = wanted_status(campaign.start_at if campaign is not None else None, now)
        if row is not None and row.event_id is None and row.tried_at is not None:
            return _create(context, row, campaign, may_create=wanted is EventStatus.SCHEDULED)
        if row is not None and row.event_id is not None and not row.is_over:
            step = _begin_change(context, row, campaign, wanted)
            if step is not None:
                return step
        elif _may_be_made(row, campaign, now):
            return _create(context, row, campaign, may_create=True)
        return _wait(context, day, campaign, settings, now)

    def act(self, runtime: Runtime, step: EventStep) -> EventResult:
        """Ask Discord."""
        return EventResult(step, failures.ask_once(step.lease_until, lambda: _ask(runtime, step)))

    def finish(self, context: JobContext, result: EventResult) -> Outcome:
        """Store what came of the step, and decide when to run again."""
        step, said = result.step, result.said
        row = context.session.get(EveningEvent, step.row.day, populate_existing=True)
        if row is None:  # forgotten meanwhile
            return Done(JobStatus.SKIPPED, Explanation(Reason.EVENING_IS_OVER))
        db.notify(context.session, db.LIVE_CHANNEL, "evening")
        log.info("scheduled_event.tried", day=str(row.day), step=step.action.name)
        if isinstance(said, SendError):
            return _after_failure(row, step, said)
        row.problem = row.held_until = row.tried_at = None
        if said is not None:
            row.event_id, status, row.fingerprint = said
            row.status = int(status)
        return Snooze(timedelta(0), failures=0)


def wanted_status(start_at: datetime | None, now: datetime) -> EventStatus:
    """Return how far the event of a campaign should have come; None is a campaign that does not stand."""
    if start_at is None:
        return EventStatus.CANCELLED
    if now < start_at:
        return EventStatus.SCHEDULED
    return EventStatus.ACTIVE if now < start_at + LASTS else EventStatus.COMPLETED


def next_status(stands: EventStatus, wanted: EventStatus) -> EventStatus | None:
    """Return the status that comes next on the way to the wanted one; None if nothing is to be changed.

    What is active is never scheduled or cancelled any more: it ends, and another event may be made.
    """
    if stands is wanted or stands.is_over:
        return None
    if stands is EventStatus.ACTIVE:
        return EventStatus.COMPLETED
    return EventStatus.ACTIVE if wanted is EventStatus.COMPLETED else wanted


def _may_be_made(row: EveningEvent | None, campaign: Campaign | None, now: datetime) -> bool:
    """Return whether an event is made now: one a campaign, and none of what has begun."""
    if campaign is None or campaign.start_at - now < LEAST_NOTICE:
        return False
    return row is None or row.campaign_id != campaign.id


def _create(
    context: JobContext, row: EveningEvent | None, campaign: Campaign | None, *, may_create: bool
) -> EventStep | Outcome:
    session, day = context.session, date.fromisoformat(context.job.subject)
    if row is None:
        row = EveningEvent(day=day, campaign_id=0, mark="")
        session.add(row)
    if row.tried_at is None:  # otherwise what may stand there is looked for
        row.mark, row.event_id, row.status, row.tried_at = new_nonce(), None, None, wall_now()
    if campaign is not None:
        row.campaign_id = campaign.id
    session.flush()
    event = _event(row, campaign, context.runtime.settings) if campaign is not None else None
    return _step(
        context, EventAction.CREATE, row, event, EventStatus.SCHEDULED, may_create=may_create and event is not None
    )


def _begin_change(
    context: JobContext, row: EveningEvent, campaign: Campaign | None, wanted: EventStatus
) -> EventStep | None:
    stands = EventStatus(row.status or EventStatus.SCHEDULED)
    if campaign is not None and stands is EventStatus.SCHEDULED:
        row.campaign_id = campaign.id
    following = next_status(stands, wanted)
    if following is not None:
        return _step(context, EventAction.SET_STATUS, row, None, following)
    event = _event(row, campaign, context.runtime.settings) if campaign is not None else None
    if event is None or stands is not EventStatus.SCHEDULED or row.fingerprint == _fingerprint(event):
        return None
    return _step(context, EventAction.CHANGE, row, event, stands)


def _step(
    context: JobContext,
    action: EventAction,
    row: EveningEvent,
    event: ScheduledEvent | None,
    status: EventStatus,
    *,
    may_create: bool = True,
) -> EventStep:
    job = context.job
    return EventStep(action, row, event, status, job.attempts - 1, job.lease_until, may_create=may_create)


def _wait(context: JobContext, day: date, campaign: Campaign | None, settings: Settings, now: datetime) -> Outcome:
    """Wait for the next moment at which the event begins or ends by itself; the evening's end is the last."""
    last = service.hours_of(day, settings).closes_at
    moments = [last] if campaign is None else [last, campaign.start_at, campaign.start_at + LASTS]
    following = [moment for moment in moments if moment > now]
    return Postpone(min(following)) if following else Done()


def _ask(runtime: Runtime, step: EventStep) -> Answer:
    events, row = runtime.scheduled_events, step.row
    if events is None:
        raise SendError(Reason.SWITCHED_OFF)
    match step.action:
        case EventAction.CREATE:
            found = events.find(row.mark)
            if found is not None:
                return *found, None
            if not step.may_create or step.event is None:
                return None
            return events.create(step.event), EventStatus.SCHEDULED, _fingerprint(step.event)
        case EventAction.CHANGE if step.event is not None:
            events.change(row.event_id or "", step.event)
            return row.event_id or "", step.status, _fingerprint(step.event)
        case _:
            events.set_status(row.event_id or "", step.status)
            return row.event_id or "", step.status, row.fingerprint


def _after_failure(row: EveningEvent, step: EventStep, error: SendError) -> Outcome:
    if step.action is not EventAction.CREATE and error.code in {UNKNOWN_EVENT, EVENT_IS_OVER}:
        # Somebody deleted or ended it: no other is made for this campaign.
        row.event_id = row.status = None
        row.problem = row.held_until = None
        return Snooze(timedelta(0), failures=0)
    return failures.hold(row, error, failures=step.failures)


def _event(row: EveningEvent, campaign: Campaign, settings: Settings) -> ScheduledEvent:
    link = f"{settings.base_url}/#{row.mark}"
    rooms = settings.gaming_voice_channels
    return ScheduledEvent(
        _("{community}: game night").format(community=settings.community_name),
        _("Say whether you play: {link}").format(link=link),
        starts_at=campaign.start_at,
        ends_at=campaign.start_at + LASTS,
        voice_channel=rooms[0] if rooms else "",
        place=places.game_server_address(settings) or settings.base_url,
    )


def _fingerprint(event: ScheduledEvent | None) -> str | None:
    return sha256(repr(event).encode()).hexdigest() if event is not None else None


HANDLERS: dict[str, AnyHandler] = {service.EVENT: KeepEvent()}
