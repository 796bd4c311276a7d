"""A process on a machine whose clock is off does everything when the database says that it is time."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select

from slomix.channels.base import SendError
from slomix.clock import TOLERANCE, wall_now
from slomix.database.session import Database, libpq_url
from slomix.dev.embedded import Servers
from slomix.dev.simulator.people import environment
from slomix.health import outages
from slomix.health import rules as health_rules
from slomix.health import service as health
from slomix.health.models import Heartbeat
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.jobs.service import NewJob
from slomix.privacy.retention import KIND as RETENTION
from slomix.reasons.codes import Reason
from tests.simulators import Simulator
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).parents[2]
# A machine whose clock is off by so many seconds, on which a process is started as usual.
MACHINE = """
import runpy, sys, time
from datetime import timedelta
from slomix import clock
right, ticking, seconds = clock.machine_now, time.time, float(sys.argv[1])
clock.machine_now = lambda: right() + timedelta(seconds=seconds)
time.time = lambda: ticking() + seconds
runpy.run_path(sys.argv[2])
"""
# A name that finds a function of the database, before its own, which is off.
DATABASE_OFF = """
CREATE SCHEMA off;
CREATE FUNCTION off.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
  AS $$ SELECT pg_catalog.clock_timestamp() + interval '{seconds} s' $$;
GRANT USAGE ON SCHEMA off TO PUBLIC;
ALTER DATABASE slomix SET search_path = off, public, pg_catalog
"""
DATABASE_RIGHT = "ALTER DATABASE slomix RESET search_path; DROP SCHEMA IF EXISTS off CASCADE"


class Machine:
    """Processes on a machine whose clock is off."""

    def __init__(self, database: Database, servers: Servers, seconds: float, **environment: str) -> None:
        self._seconds = seconds
        self._environment = os.environ | {
            "SLOMIX_ENV": "development",
            "DATABASE_URL": database.url,
            "REDIS_URL": servers.redis_url,
            "SESSION_SECRET": "a-secret-of-the-tests-and-of-nothing-else",
            "DISCORD_BOT_TOKEN": "",
            **environment,
        }
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, *programs: str) -> None:
        for name in programs:
            command = [sys.executable, "-c", MACHINE, str(self._seconds), f"workers/{name}.py"]
            self._processes.append(subprocess.Popen(command, cwd=ROOT, env=self._environment))

    def stop(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            assert process.wait(PATIENCE) == 0


@pytest.fixture(params=[3600.0, -3600.0, 20.0, -20.0], ids=["+1 h", "-1 h", "+20 s", "-20 s"])
def machine(request: pytest.FixtureRequest, committed: Database, servers: Servers) -> Iterator[Machine]:
    machine = Machine(committed, servers, request.param)
    yield machine
    machine.stop()


def test_nothing_is_early_and_nothing_waits_for_a_clock_that_is_slow(machine: Machine, committed: Database) -> None:
    now = wall_now()
    with committed.transaction() as session:
        health.clear_heartbeats(session)
        # The retention has nothing to delete, so what is due is done at once.
        due = {"due": timedelta(0), "not yet": timedelta(seconds=6), "in half an hour": timedelta(minutes=30)}
        jobs.schedule(
            session, [NewJob("campaign_dry_run", name, run_at=now + ahead) for name, ahead in due.items()], now=now
        )
    machine.start("scheduler")

    def nudged() -> dict[str, bool]:
        with committed.transaction() as session:
            rows = session.execute(select(Job.subject, Job.nudges).where(Job.kind == "campaign_dry_run"))
            return {row.subject: row.nudges > 0 for row in rows}

    until(lambda: nudged()["due"], "what is due to be released")
    until(lambda: nudged()["not yet"], "what becomes due to be released")
    assert wall_now() >= now + timedelta(seconds=6), "not a moment early"
    assert not nudged()["in half an hour"]
    with committed.transaction() as session:
        beat = session.scalars(select(Heartbeat).where(Heartbeat.part == "scheduler")).one()
        assert beat.clock_offset is not None
        assert abs(beat.clock_offset + machine._seconds) < 2
        [scheduler] = health.part_healths(session, ["scheduler"], wall=wall_now())
        assert scheduler.ok
        assert "machine's clock is" in (scheduler.reason or "")
        assert session.scalar(select(Job.status).where(Job.subject == "in half an hour")) is JobStatus.PENDING


@pytest.mark.parametrize("programs", [("scheduler", "worker"), ("background",)], ids=["apart", "in one process"])
def test_what_is_due_is_done_and_nothing_else(machine: Machine, committed: Database, programs: Sequence[str]) -> None:
    now = wall_now()
    first, second, third = (f"2001-01-0{number}" for number in (1, 2, 3))  # a retention's subject is a day
    due = {first: timedelta(0), second: timedelta(seconds=8), third: timedelta(minutes=30)}
    with committed.transaction() as session:
        health.clear_heartbeats(session)
        # There is nothing to delete, so each is done at once.
        jobs.schedule(session, [NewJob(RETENTION, name, run_at=now + ahead) for name, ahead in due.items()], now=now)
    machine.start(*programs)

    def done() -> dict[str, datetime]:
        with committed.transaction() as session:
            rows = session.execute(select(Job.subject, Job.finished_at, Job.attempts).where(Job.subject.in_(due)))
            found = [row for row in rows if row.finished_at is not None]
        assert all(row.attempts == 1 for row in found), "once"
        return {row.subject: row.finished_at for row in found}

    until(lambda: len(done()) >= 2, "what was due, and what became due, to be done")
    finished = done()
    assert set(finished) == {first, second}
    assert now + due[second] <= finished[second] <= wall_now() + TOLERANCE, "by the database's clock"
    with committed.transaction() as session:
        for part in (health_rules.SCHEDULER, health_rules.WORKER):
            [found] = health.part_healths(session, [part], wall=wall_now())
            assert found.ok
            assert "machine's clock is" in (found.reason or "")


@pytest.mark.parametrize("seconds", [20, -20])
def test_a_database_whose_clock_is_off_is_told_apart_by_what_discord_says_and_nothing_stops(
    committed: Database, servers: Servers, simulator: Simulator, seconds: int
) -> None:
    machine = Machine(committed, servers, 0.0, **environment(simulator.port))
    with psycopg.connect(libpq_url(servers.owner_url), autocommit=True) as owner:
        owner.execute(DATABASE_OFF.format(seconds=seconds).encode())
        try:
            with committed.transaction() as session:
                health.clear_heartbeats(session)
                # So that the worker asks Discord whether it is back.
                now = wall_now() + timedelta(seconds=seconds)
                outages.record_failure(session, "discord", SendError(Reason.DISCORD_NOT_REACHED), 1, now=now, wall=now)
            machine.start("scheduler", "worker")

            def is_done() -> bool:
                with committed.transaction() as session:
                    status = session.scalar(select(Job.status).where(Job.kind == RETENTION))
                return status is JobStatus.SENT

            def trouble() -> str | None:
                with committed.transaction() as session:
                    return session.scalar(select(Heartbeat.trouble).where(Heartbeat.part == health_rules.WORKER))

            said = until(trouble, "the worker to say that the database's clock is off")
            assert said is not None
            first, second = re.findall(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}", said)
            apart = datetime.fromisoformat(first) - datetime.fromisoformat(second)
            assert abs(apart.total_seconds() - seconds) < 5, said
            until(is_done, "what is due to be done all the same")
        finally:
            machine.stop()
            owner.execute(DATABASE_RIGHT.encode())
