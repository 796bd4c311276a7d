"""The loops of worker and scheduler. All meaning is in `dispatch` and `jobs`."""

import os
import queue
import select
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, datetime, timedelta
from functools import partial

import psycopg
import redis
import structlog
from dramatiq import Broker
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from slomix import clock
from slomix.availability import triggers
from slomix.clock import is_trusted, local_day, nap, wall_now
from slomix.config.checks import settings_or_exit
from slomix.config.settings import Settings
from slomix.contacts.rules import ChannelName
from slomix.database import session as db
from slomix.deliveries.openings import plan_openings
from slomix.evening import service as evening
from slomix.health import rules as health_rules
from slomix.health import service as health
from slomix.i18n import gettext
from slomix.jobs import service as jobs
from slomix.privacy import retention
from slomix.privacy.membership import plan_membership_check
from slomix.processes import dispatch
from slomix.processes.nudges import NudgeBroker
from slomix.processes.polling import Poller
from slomix.processes.probing import Prober
from slomix.runtime import logs
from slomix.runtime.clock_watch import watch_clock
from slomix.runtime.context import Runtime
from slomix.runtime.factory import make_runtime
from slomix.supervisor.process import on_stop_signal

log = structlog.get_logger()

MAX_SLEEP = 5.0
# What Discord said about the time is news for so long.
HEARD_WITHIN = timedelta(minutes=10)
# How soon a process notices a jump of the clock, where it can jump.
NOTICE_JUMPS_WITHIN = 0.15
# How soon a sleeping scheduler notices a stop signal.
NOTICE_STOP_WITHIN = 0.5
# How long a stopping worker waits for attempts under way; the scheduler takes longer jobs back after their lease.
FINISH_WITHIN = 12.0


Work = Callable[[Runtime, threading.Event], None]


def run_alone(part: str, work: Work, *, connections: int = 3) -> None:
    """Run a part as a process of its own, until told to stop."""
    runtime = start_process(part, connections=connections)
    work(runtime, stop_event())


def start_process(part: str, *, connections: int = 3) -> Runtime:
    """Configure logging and return the runtime of a process; exit with a message if a setting is invalid."""
    logs.configure(part)
    runtime = open_runtime(settings_or_exit(), part, connections=connections)
    if runtime.settings.validate_only:
        log.info("process.valid")
        sys.exit(0)
    watch_clock(runtime.database)
    return runtime


def open_runtime(settings: Settings, part: str, *, connections: int = 3) -> Runtime:
    """Return what a part works with.

    A worker has a connection to each provider per thread, but few to the database: its threads mostly wait for answers,
    and more database work at once only slows it down. It doesn't check whether a connection is alive, because a job
    that meets a dead one is nudged again.
    """
    is_worker = part == health_rules.WORKER
    return make_runtime(
        settings,
        connections=settings.worker_threads + 2 if is_worker else connections,
        pool_size=3 if is_worker else connections,
        is_patient=is_worker,
    )


def stop_event() -> threading.Event:
    """Return an event that is set when the process is told to end."""
    stopping = threading.Event()
    # The interrupted code may hold the event's lock; a put on this queue is safe in a signal handler.
    signals: queue.SimpleQueue[int] = queue.SimpleQueue()

    def pass_on() -> None:
        signals.get()
        stopping.set()

    threading.Thread(target=pass_on, daemon=True, name="stop").start()
    on_stop_signal(signals.put)
    return stopping


def process_name(runtime: Runtime) -> str:
    """Name this copy of a process: its machine, and a name there that survives restarts."""
    return f"{socket.gethostname()}/{runtime.settings.process_name or os.getpid()}"


def send_heartbeat(runtime: Runtime, part: str, *, trouble: str | None = None) -> None:
    """Record that this process lives; if the database is away, only log it."""
    try:
        with runtime.transaction() as session:
            health.record_heartbeat(session, part, process_name(runtime), wall=wall_now(), trouble=trouble)
    except SQLAlchemyError as error:
        log.warning("process.heartbeat_lost", error=str(error).splitlines()[0])


def announce_stop(runtime: Runtime, part: str) -> None:
    """Record that this process was asked to end, so that it isn't reported missing."""
    with suppress(SQLAlchemyError), runtime.transaction() as session:
        health.record_departure(session, part, process_name(runtime), wall=wall_now())


def run_worker() -> None:
    """Run the process behind `workers/worker.py`."""
    run_alone(health_rules.WORKER, do_jobs)


def do_jobs(runtime: Runtime, stopping: threading.Event) -> None:
    """Run Dramatiq's workers, one per lane, until told to stop; while Redis is away, jobs are found by looking."""
    threads = _threads(runtime.settings.worker_threads)
    workers = [dispatch.make_worker(runtime, lane, threads=number) for lane, number in threads.items()]
    for worker in workers:
        worker.start()
    prober = Prober(runtime, stopping)
    threading.Thread(target=prober.run, daemon=True, name="prober").start()
    poller = Poller(runtime, partial(dispatch.run_job, runtime), threads)
    threading.Thread(target=poller.run, args=(stopping,), daemon=True, name="poller").start()
    while not stopping.is_set():
        send_heartbeat(runtime, health_rules.WORKER, trouble=_clock_trouble())
        stopping.wait(health_rules.HEARTBEAT_INTERVAL.total_seconds())
    announce_stop(runtime, health_rules.WORKER)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda busy: busy.stop(timeout=int(FINISH_WITHIN * 1000)), (*workers, poller)))
    for worker in workers:
        worker.broker.close()


def _clock_trouble() -> str | None:
    """Return a sentence if Discord says that the database's clock, by which all processes go, is off."""
    heard = clock.contradiction(health_rules.CLOCK_OFF_BY, within=HEARD_WITHIN)
    if heard is None:
        return None
    ours, theirs = (f"{moment:%Y-%m-%d %H:%M:%S} UTC" for moment in (heard.ours, heard.theirs))
    return gettext(
        "the database's clock says {ours}, Discord's says {theirs}: messages leave at the wrong time"
    ).format(ours=ours, theirs=theirs)


def _threads(most: int) -> dict[str, int]:
    """Return the threads per lane: most for Discord, which most players use and which takes 50 requests a second."""
    few = max(1, most // 4)
    return {lane: most if lane == ChannelName.DISCORD else few for lane in dispatch.LANES}


class Waker:
    """Sleeps until the next due row, a NOTIFY or a jump of the clock, whichever comes first."""

    def __init__(self, runtime: Runtime, stopping: threading.Event) -> None:
        self._runtime = runtime
        self._stopping = stopping
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None
        # Whether an evening may have changed since this was last looked at.
        self._has_changed = False

    def listen(self) -> None:
        """Listen before the rows are read, so that no notification is missed."""
        if self._connection is None or self._connection.closed:
            self._connection = db.listen(self._runtime.database.url, db.JOBS_CHANNEL)
            if evening.is_on(self._runtime.settings):
                db.listen_again(self._connection, db.LIVE_CHANNEL)
                self._has_changed = True  # of what happened before it is known nothing

    def take_change(self) -> bool:
        """Return whether an evening may have changed since the last call."""
        has_changed, self._has_changed = self._has_changed, False
        return has_changed

    def sleep(self, system_moment: datetime | None, wall_moment: datetime | None) -> None:
        """Wait until one of the moments or a notification; check often enough to see a jump of the clock."""
        started = self._runtime.clock.now()
        wall_end = wall_now() + timedelta(seconds=MAX_SLEEP)
        while not self._stopping.is_set():
            left = (wall_end - wall_now()).total_seconds()
            if wall_moment is not None:
                left = min(left, (wall_moment - wall_now()).total_seconds())
            if system_moment is not None:
                until = self._runtime.clock.wall_seconds_until(system_moment)
                left = left if until is None else min(left, until)
            if left <= 0 or self._runtime.clock.now() < started:
                return
            most = NOTICE_JUMPS_WITHIN if self._runtime.clock.can_jump else NOTICE_STOP_WITHIN
            if self._was_notified(min(left, most)):
                return

    def _was_notified(self, seconds: float) -> bool:
        if self._connection is None:
            nap(min(seconds, 1))
            return False
        # psycopg's own wait looks ten times a second whether it was interrupted.
        heard, _, _ = select.select([self._connection], [], [], seconds)
        news = list(self._connection.notifies(timeout=0)) if heard else []
        topics = {topic for notify in news if notify.channel == db.LIVE_CHANNEL for topic in notify.payload.split()}
        self._has_changed |= not topics <= evening.UNRELATED
        return self._has_changed or any(notify.channel == db.JOBS_CHANNEL for notify in news)


class Scheduler:
    """Works in steps: listen, send a heartbeat, release due jobs, nudge workers; sleep if none is due."""

    def __init__(self, runtime: Runtime, broker: Broker, stopping: threading.Event) -> None:
        self._runtime, self._broker = runtime, broker
        self._waker = Waker(runtime, stopping)
        self._last_beat: datetime | None = None
        self._day: date | None = None

    def step(self) -> None:
        self._waker.listen()
        if not is_trusted():
            nap(MAX_SLEEP)
            return
        if self._last_beat is None or wall_now() - self._last_beat >= health_rules.HEARTBEAT_INTERVAL:
            send_heartbeat(self._runtime, health_rules.SCHEDULER)
            self._last_beat = wall_now()
        self._begin_a_new_day()
        if self._waker.take_change():
            with self._runtime.transaction() as session:
                evening.wake(session, now=self._runtime.clock.now())
        # While nothing is under way a look is two statements; what is due, runs or waits takes eight.
        with self._runtime.transaction() as session:
            paused = dispatch.paused_kinds(session)
            due, wall = jobs.next_check(session, now=self._runtime.clock.now(), paused_kinds=paused)
        is_quiet = wall is None and (due is None or due > self._runtime.clock.now())
        released = [] if is_quiet else dispatch.release_jobs(self._runtime)
        dispatch.send_nudges(self._broker, released)
        if not released:
            self._waker.sleep(due, wall)

    def _begin_a_new_day(self) -> None:
        """On a new day, refresh open pages, which still call yesterday today, and plan the daily jobs."""
        settings = self._runtime.settings
        today = local_day(self._runtime.clock.now(), settings.zone, settings.day_starts_at)
        if today != self._day:
            with self._runtime.transaction() as session:
                db.notify(session, db.LIVE_CHANNEL, "day")
                plan_openings(session, today, now=self._runtime.clock.now())
                plan_membership_check(session, today, now=self._runtime.clock.now())
                retention.plan_retention(session, today, now=self._runtime.clock.now())
                triggers.begin_day(session, today, settings=settings, now=self._runtime.clock.now())
                evening.plan_evening(session, today, settings=settings, now=self._runtime.clock.now())
            self._day = today


def run_scheduler() -> None:
    """Run the process behind `workers/scheduler.py`."""
    run_alone(health_rules.SCHEDULER, release_what_is_due)


def release_what_is_due(runtime: Runtime, stopping: threading.Event) -> None:
    """Run the scheduler until told to stop; it waits while PostgreSQL or Redis is away."""
    broker = NudgeBroker(runtime.settings.redis_url.get_secret_value(), dispatch.LANES)
    scheduler = Scheduler(runtime, broker, stopping)
    while not stopping.is_set():
        try:
            scheduler.step()
        except (OperationalError, psycopg.OperationalError) as error:
            log.warning("scheduler.database_away", error=str(error).splitlines()[0])
            nap(0.5)
        except (redis.RedisError, ConnectionError) as error:
            log.warning("scheduler.redis_away", error=str(error))
            nap(0.5)
    announce_stop(runtime, health_rules.SCHEDULER)
    broker.close()
