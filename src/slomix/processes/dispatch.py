"""Connects jobs to Dramatiq: the broker, the actor, the handlers, and one tick of the scheduler."""

from functools import partial

import dramatiq
import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from slomix.availability.handlers import HANDLERS as DAY_HANDLERS
from slomix.availability.notices import NOTICES as DAY_NOTICES
from slomix.availability.triggers import READY_EDITS
from slomix.campaigns.handlers import HANDLERS as CAMPAIGN_HANDLERS
from slomix.campaigns.notices import NOTICES as CAMPAIGN_NOTICES
from slomix.clock import is_trusted, wall_now
from slomix.contacts.rules import ChannelName
from slomix.contacts.service import INTRODUCE
from slomix.deliveries import openings, pausing, test_message
from slomix.deliveries.handlers import SendDelivery
from slomix.deliveries.notices import Notice
from slomix.deliveries.service import JOB_KIND
from slomix.evening import service as evening
from slomix.evening.event import HANDLERS as SCHEDULED_EVENT
from slomix.evening.message import HANDLERS as EVENING_MESSAGE
from slomix.health import outages
from slomix.jobs import service as jobs
from slomix.jobs.rules import GENERAL
from slomix.jobs.runner import AnyHandler, JobContext, execute, give_up, wake_ready
from slomix.jobs.service import DueJob
from slomix.planning.handlers import HANDLERS as PLANNING_HANDLERS
from slomix.planning.notices import NOTICES as PLANNING_NOTICES
from slomix.planning.threads import HANDLERS as PLANNING_THREAD
from slomix.privacy.membership import HANDLERS as MEMBERSHIP
from slomix.privacy.retention import HANDLERS as RETENTION
from slomix.processes.nudges import NudgeBroker
from slomix.runtime.context import Runtime

log = structlog.get_logger()

NOTICES: dict[str, Notice] = {
    notice.name: notice
    for notice in (
        *(*CAMPAIGN_NOTICES, *DAY_NOTICES, *PLANNING_NOTICES),
        *(test_message.MessageTestNotice(), openings.IntroductionNotice()),
    )
}
HANDLERS: dict[str, AnyHandler] = {
    **CAMPAIGN_HANDLERS,
    **MEMBERSHIP,
    **DAY_HANDLERS,
    **EVENING_MESSAGE,
    **SCHEDULED_EVENT,
    **PLANNING_HANDLERS,
    **PLANNING_THREAD,
    **RETENTION,
    JOB_KIND: SendDelivery(NOTICES),
    INTRODUCE: openings.Introduce(),
    openings.OPEN_DMS: openings.OpenDms(NOTICES),
}

# One queue for each lane, so that a slow provider doesn't block the others.
LANES = (GENERAL, *(channel.value for channel in ChannelName))
ACTOR, URGENT_ACTOR = "run_job", "run_urgent_job"


def make_worker(runtime: Runtime, lane: str, *, threads: int) -> dramatiq.Worker:
    """Make Dramatiq's worker for a lane, with the one actor; a message is only a nudge to look at a row."""
    broker = NudgeBroker(runtime.settings.redis_url.get_secret_value(), [lane])
    for name, priority in ((ACTOR, 0), (URGENT_ACTOR, -1)):
        run = partial(run_job, runtime)
        dramatiq.actor(broker=broker, actor_name=name, queue_name=lane, priority=priority)(run)
    return dramatiq.Worker(broker, worker_threads=threads)


def run_job(runtime: Runtime, job_id: int, kind: str) -> None:
    """Do a job if it is due and no other worker has it."""
    handler = HANDLERS.get(kind)
    if handler is None:
        log.error("job.unknown_kind", job=job_id, kind=kind)
        return
    if not is_trusted():  # the scheduler nudges again
        log.warning("job.clock_unknown", job=job_id)
        return
    try:
        execute(runtime, handler, job_id)
    except OperationalError as error:
        log.warning("job.database_away", job=job_id, error=str(error.orig).strip())


def send_nudges(broker: dramatiq.Broker, released: list[DueJob]) -> None:
    """Tell the workers which jobs are due; urgent ones pass all that wait in their lane."""
    urgent = [job for job in released if job.is_urgent]
    for job in reversed(urgent):
        broker.enqueue(_nudge(job, URGENT_ACTOR, first=True))
    for job in released:
        if not job.is_urgent:
            broker.enqueue(_nudge(job, ACTOR))


def _nudge(job: DueJob, actor: str, **options: bool) -> "dramatiq.Message[None]":
    lane = job.lane if job.lane in LANES else GENERAL
    return dramatiq.Message(queue_name=lane, actor_name=actor, args=(job.id, job.kind), kwargs={}, options=options)


def paused_kinds(session: Session) -> frozenset[str]:
    """Return the job kinds that must not run while sending is paused."""
    sends = frozenset({JOB_KIND, openings.OPEN_DMS, READY_EDITS}) | evening.KINDS
    return frozenset() if pausing.current_pause(session) is None else sends


def release_jobs(runtime: Runtime) -> list[DueJob]:
    """Wake jobs that are ready, take back lost ones and release due ones; the caller then sends the nudges."""
    now, wall = runtime.clock.now(), wall_now()
    with runtime.transaction() as session:
        # First, as this locks jobs and giving up locks deliveries.
        wake_ready(runtime, HANDLERS, session, now=now)
        outages.release_held(session, now=now)
        for job in jobs.release_expired(session, now=now, wall=wall):
            log.warning("job.given_up", job=job.id, kind=job.kind)
            if job.kind in HANDLERS:
                give_up(HANDLERS[job.kind], JobContext(runtime, session, job, now))
        released = jobs.release_due(session, now=now, wall=wall, paused_kinds=paused_kinds(session))
    for due in released:
        if due.is_new:
            log.info("job.released", job=due.id, kind=due.kind, trace=due.trace or f"job-{due.id}")
    return released
