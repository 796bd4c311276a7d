"""Tells those who asked for it: a session is ready, so many are looking, you have not answered yet."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from slomix.availability import notices, service, triggers
from slomix.config.settings import Settings
from slomix.contacts.models import Preferences
from slomix.deliveries import service as deliveries
from slomix.deliveries.service import Plan
from slomix.jobs.models import Job
from slomix.jobs.rules import Done, JobStatus, Outcome
from slomix.jobs.runner import Handler, Step
from slomix.reasons.codes import Explanation, Reason
from slomix.runtime.context import Runtime


class Tell(Step):
    """Plans one message for everybody who switched this kind on; each is looked at again when it leaves."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def finish(self, runtime: Runtime, session: Session, job: Job, result: Any, now: datetime) -> Outcome:
        if job.deadline_at is not None and now >= job.deadline_at:
            return Done(JobStatus.SKIPPED, Explanation(Reason.EXPIRED))
        about = notices.About.read(job.subject)
        plan = Plan(self._kind, job.subject, about.event_key(self._kind), now, job.deadline_at, job.max_attempts)
        who = _who(self._kind, about.number, runtime.settings)
        wanted = list(session.scalars(select(Preferences.player_id).where(who)))
        said = service.statuses(session, about.day, wanted)
        untold = [one for one in wanted if notices.why_unwanted(self._kind, said.get(one)) is None]
        number = deliveries.plan_for_players(session, plan, untold, settings=runtime.settings, now=now)
        room = runtime.settings.announce_channel_id
        if self._kind == triggers.SESSION_READY and runtime.settings.announce_enabled and room:
            number += deliveries.plan_for_room(session, plan, room, now=now)
        return Done() if number else Done(JobStatus.SKIPPED, Explanation(Reason.NOBODY_LEFT_TO_TELL))


def _who(kind: str, number: int, settings: Settings) -> Any:
    """Those who switched it on. Who waits for as many as make a session hears of that once, not twice."""
    match kind:
        case triggers.SESSION_READY:
            return Preferences.session_ready
        case triggers.DAILY_REMINDER:
            return Preferences.daily_reminder
        case _:
            waits = Preferences.looking_threshold == number
            return waits & ~Preferences.session_ready if number == settings.ready_threshold else waits


HANDLERS: dict[str, Handler] = {
    kind: Tell(kind) for kind in (triggers.SESSION_READY, triggers.LOOKING, triggers.DAILY_REMINDER)
}
