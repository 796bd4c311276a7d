"""Picks for a captain when their time in a draft is up."""

from sqlalchemy import select

from slomix.clock import local_day
from slomix.jobs.rules import Done, JobStatus, Outcome
from slomix.jobs.runner import AnyHandler, JobContext, TransactionHandler
from slomix.planning import queries, teams
from slomix.planning.models import Room
from slomix.reasons.codes import Explanation, Reason


class EndTurn(TransactionHandler):
    """The job behind each turn with a clock; it skips itself if the captain picked in time."""

    def work(self, context: JobContext) -> Outcome:
        session, job, settings = context.session, context.job, context.runtime.settings
        version = int(job.subject.rpartition(":")[2])
        query = (
            select(Room).where(Room.id == queries.room_id_of(job.subject), Room.version == version).with_for_update()
        )
        room = session.scalars(query).one_or_none()
        if room is None or room.turn_until is None:
            return Done(JobStatus.SKIPPED, Explanation(Reason.PICKED_IN_TIME))
        if room.day != local_day(context.now, settings.zone, settings.day_starts_at):
            teams.stop_clock(session, room)
            return Done(JobStatus.SKIPPED, Explanation(Reason.TOO_LATE))
        if not teams.pick_for(session, queries.view_room(session, room), now=context.now):
            return Done(JobStatus.SKIPPED, Explanation(Reason.NOBODY_PICKED))
        return Done()


HANDLERS: dict[str, AnyHandler] = {teams.TURN: EndTurn()}
