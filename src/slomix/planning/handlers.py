"""Picks for a captain when their time in a draft is up."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from slomix.clock import local_day
from slomix.jobs.models import Job
from slomix.jobs.rules import Done, JobStatus, Outcome
from slomix.jobs.runner import Handler, Step
from slomix.planning import queries, teams
from slomix.planning.models import Room
from slomix.reasons.codes import Explanation, Reason
from slomix.runtime.context import Runtime


class TurnIsOver(Step):
    """The job behind each turn with a clock; it skips itself if the captain picked in time."""

    def finish(self, runtime: Runtime, session: Session, job: Job, result: Any, now: datetime) -> Outcome:
        version = int(job.subject.rpartition(":")[2])
        query = select(Room).where(Room.id == queries.id_of(job.subject), Room.version == version).with_for_update()
        room = session.scalars(query).one_or_none()
        if room is None or room.turn_until is None:
            return Done(JobStatus.SKIPPED, Explanation(Reason.PICKED_IN_TIME))
        if room.day != local_day(now, runtime.settings.zone, runtime.settings.day_starts_at):
            teams.stop_clock(session, room)
            return Done(JobStatus.SKIPPED, Explanation(Reason.TOO_LATE))
        if not teams.pick_for(session, queries.view(session, room), now=now):
            return Done(JobStatus.SKIPPED, Explanation(Reason.NOBODY_PICKED))
        return Done()


HANDLERS: dict[str, Handler] = {teams.TURN: TurnIsOver()}
