"""Tells those who asked for it: a session is ready, so many are looking, you have not answered yet."""

from datetime import timedelta

from sqlalchemy import ColumnElement, select

from slomix.availability import notices, service, triggers
from slomix.config.settings import Settings
from slomix.contacts.models import StoredPreferences
from slomix.deliveries import service as deliveries
from slomix.deliveries.editing import EditMessages
from slomix.deliveries.service import NoticePlan
from slomix.jobs import service as jobs
from slomix.jobs.rules import SHORTEST_WAIT, UNLIMITED, Done, JobStatus, Outcome, Snooze
from slomix.jobs.runner import AnyHandler, JobContext, TransactionHandler
from slomix.jobs.service import NewJob
from slomix.reasons.codes import Explanation, Reason


class PlanMessages(TransactionHandler):
    """Plans one message for each player who switched this kind on; each is checked again when it leaves."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def work(self, context: JobContext) -> Outcome:
        session, job, now, settings = context.session, context.job, context.now, context.runtime.settings
        if context.is_past_deadline:
            return Done(JobStatus.SKIPPED, Explanation(Reason.EXPIRED))
        about = notices.DayEvent.parse(job.subject)
        if about.number:
            settled_at = triggers.settled_at(session, about.day, about.number)
            if settled_at is None:
                return Done(JobStatus.SKIPPED, Explanation(Reason.NOT_SO_MANY_ANY_MORE))
            if now < settled_at:  # a player has come instead of one who undid it, and may undo it too
                seconds = context.runtime.clock.wall_seconds_until(settled_at)
                return Snooze(SHORTEST_WAIT if seconds is None else timedelta(seconds=seconds))
        plan = NoticePlan(self._kind, job.subject, about.event_key(self._kind), now, job.deadline_at, job.max_attempts)
        who = _recipients_query(self._kind, about.number, settings)
        wanted = list(session.scalars(select(StoredPreferences.player_id).where(who)))
        said = service.statuses_of_day(session, about.day, wanted)
        untold = [player for player in wanted if notices.unwanted_reason(self._kind, said.get(player)) is None]
        number = deliveries.plan_for_players(session, plan, untold, settings=settings, now=now)
        room = settings.announce_channel_id
        is_announced = settings.announce_enabled and not settings.evening_message_enabled  # which says it itself
        if self._kind == triggers.SESSION_READY and is_announced and room:
            number += deliveries.plan_for_room(session, plan, room, now=now)
        if number and self._kind == triggers.SESSION_READY:
            edits = NewJob(triggers.READY_EDITS, job.subject, now, job.deadline_at, UNLIMITED)
            jobs.schedule(session, [edits], now=now)
        return Done() if number else Done(JobStatus.SKIPPED, Explanation(Reason.NOBODY_LEFT_TO_TELL))


def _recipients_query(kind: str, number: int, settings: Settings) -> ColumnElement[bool]:
    """Select players who switched it on; waiting for as many as make a session, they hear of that once, not twice."""
    match kind:
        case triggers.SESSION_READY:
            return StoredPreferences.session_ready.is_(True)
        case triggers.DAILY_REMINDER:
            return StoredPreferences.daily_reminder.is_(True)
        case _:
            waits = StoredPreferences.looking_threshold == number
            return waits & ~StoredPreferences.session_ready if number == settings.ready_threshold else waits


HANDLERS: dict[str, AnyHandler] = {
    **{kind: PlanMessages(kind) for kind in (triggers.SESSION_READY, triggers.LOOKING, triggers.DAILY_REMINDER)},
    triggers.READY_EDITS: EditMessages(notices.READY),
}
