"""Finds due jobs in PostgreSQL whose nudges did not arrive, so that no message depends on Redis."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping

import structlog
from sqlalchemy.exc import SQLAlchemyError

from slomix.clock import nap, wall_now
from slomix.jobs import service as jobs
from slomix.jobs.rules import GENERAL
from slomix.runtime.context import Runtime

log = structlog.get_logger()

LOOK_EVERY = 2.0
# While Redis is away each look finds the next jobs.
LOOK_EVERY_IN_NEED = 0.2


class Poller:
    """Runs such jobs, in each lane at most as many at once as it has threads."""

    def __init__(self, runtime: Runtime, run_job: Callable[[int, str], None], threads: Mapping[str, int]) -> None:
        self._runtime, self._run_job, self._threads = runtime, run_job, threads
        self._lock = threading.Lock()
        # The lane of each job that is running, by the job's id.
        self._running: dict[int, str] = {}

    def run(self, stopping: threading.Event) -> None:
        """Look until told to stop; a database that is away is waited for."""
        is_needed = False
        while not stopping.wait(LOOK_EVERY_IN_NEED if is_needed else LOOK_EVERY):
            try:
                found = self.step()
            except SQLAlchemyError as error:
                log.warning("poller.database_away", error=type(error).__name__)
                found = 0
            if found and not is_needed:
                log.warning("poller.nudges_missing", jobs=found)
            is_needed = found > 0

    def step(self) -> int:
        """Start what was found, as far as there is room in its lane; return how many were found."""
        with self._runtime.transaction() as session:
            found = jobs.find_unclaimed(session, now=self._runtime.clock.now(), wall=wall_now())
        for job in found:
            lane = job.lane if job.lane in self._threads else GENERAL
            with self._lock:
                has_room = Counter(self._running.values())[lane] < self._threads[lane]
                if job.id in self._running or not has_room:
                    continue
                self._running[job.id] = lane
            threading.Thread(target=self._do, args=(job.id, job.kind), daemon=True, name=f"polled-{lane}").start()
        return len(found)

    def _do(self, job_id: int, kind: str) -> None:
        try:
            self._run_job(job_id, kind)
        finally:
            with self._lock:
                del self._running[job_id]

    def stop(self, timeout: int) -> None:
        """Wait for the jobs that are running, at most `timeout` milliseconds; longer ones are lost to their lease."""
        until = time.monotonic() + timeout / 1000
        while self._running and time.monotonic() < until:
            nap(0.05)
