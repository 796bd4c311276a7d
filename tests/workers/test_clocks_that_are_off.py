"""A process on a machine whose clock is off does everything when the database says that it is time."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from slomix.clock import wall_now
from slomix.database.session import Database
from slomix.dev.embedded import Servers
from slomix.health import service as health
from slomix.health.models import Heartbeat
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.jobs.service import NewJob
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).parents[2]
# A machine whose clock is off by so many seconds, on which a process is started as usual.
MACHINE = """
import sys
from datetime import timedelta
from slomix import clock
right, seconds = clock.machine_now, float(sys.argv[1])
clock.machine_now = lambda: right() + timedelta(seconds=seconds)
from slomix.processes.common import {run}
{run}()
"""


class Machine:
    """Processes on a machine whose clock is off."""

    def __init__(self, database: Database, servers: Servers, seconds: float) -> None:
        self._seconds = seconds
        self._environment = os.environ | {
            "SLOMIX_ENV": "development",
            "DATABASE_URL": database.url,
            "REDIS_URL": servers.redis_url,
            "SESSION_SECRET": "a-secret-of-the-tests-and-of-nothing-else",
            "DISCORD_BOT_TOKEN": "",
        }
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, run: str) -> None:
        command = [sys.executable, "-c", MACHINE.format(run=run), str(self._seconds)]
        self._processes.append(subprocess.Popen(command, cwd=ROOT, env=self._environment))

    def stop(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            assert process.wait(PATIENCE) == 0


@pytest.fixture(params=[3600.0, -3600.0], ids=["+1 h", "-1 h"])
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
    machine.start("run_scheduler")

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
