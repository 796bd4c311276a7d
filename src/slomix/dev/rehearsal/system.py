"""A whole Slomix for the rehearsal: real processes on free ports, gone afterwards."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from slomix.clock import nap
from slomix.database.session import ROOT, Database
from slomix.dev.rehearsal.people import BrowserUser, SimulatorControl, UnexpectedAnswer
from slomix.dev.simulator.ports import free_pair
from slomix.presence import service as presence
from slomix.supervisor.process import die_with_parent, reset_signals

# Variables that are not passed on: the rehearsal uses none of the developer's servers or credentials.
_NOT_OURS = ("DATABASE_", "REDIS_URL", "DISCORD_", "AVAILABILITY_", "PUBLIC_URL", "SLOMIX_", "PROMOTER_", "GAMING_")
START_SECONDS = 180


@dataclass(frozen=True)
class RunningSystem:
    """A running copy."""

    port: int
    folder: Path
    process: "subprocess.Popen[bytes]"

    @property
    def web_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def control(self) -> SimulatorControl:
        return SimulatorControl(f"http://127.0.0.1:{self.port + 1}")

    def person(self, entry: dict[str, str]) -> BrowserUser:
        """Return a person of the cast, logged in."""
        person = BrowserUser(self.web_url, entry["id"], entry["name"])
        person.log_in()
        return person

    def pid(self, name: str) -> int:
        """Return the current pid of the process of this name."""
        return int(json.loads((self.folder / "pids.json").read_text())[name])

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> bool:
        """Signal a process, by default with SIGKILL; return False if it is not up at this moment."""
        try:
            os.kill(self.pid(name), number)
        except (KeyError, ProcessLookupError):
            return False
        return True

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that the copy's processes got besides those that all processes get."""
        return dict(json.loads((self.folder / "environment.json").read_text()))

    def database(self) -> Database:
        """Connect to the copy's own database."""
        return Database(self.environment["DATABASE_URL"])

    def database_as_owner(self) -> Database:
        """Connect as the role that may change the schema."""
        return Database(self.environment["DATABASE_OWNER_URL"])

    def start_extra(self, name: str) -> "subprocess.Popen[bytes]":
        """Start one more process of this kind, which the copy's runner doesn't know; the caller ends it."""

        def in_child() -> None:
            die_with_parent()
            reset_signals()

        return subprocess.Popen(
            [sys.executable, f"workers/{name}.py"],
            cwd=ROOT,
            env=_environment(self.port) | self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=in_child,
        )

    def is_healthy(self) -> bool:
        """Check whether the copy reports itself healthy."""
        try:
            return httpx2.get(f"{self.web_url}/health", timeout=30, verify=False).status_code == 200
        except httpx2.HTTPError:
            return False

    def people_in_voice(self) -> set[str]:
        """Return the accounts in voice, as far as the system knows."""
        database = self.database()
        with database.transaction() as session:
            found = set(presence.latest_snapshot(session).rooms)
        database.close()
        return found

    def run_command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of the console script against this copy."""
        return subprocess.run(
            [sys.executable, "-m", "slomix", *arguments],
            cwd=ROOT,
            env=_environment(self.port),
            capture_output=True,
            text=True,
            timeout=120,
        )


@contextmanager
def running(clock: str, **environment: str) -> Iterator[RunningSystem]:
    """Run a copy that starts with its clock at `clock` and ends, with its data, at the end of the block."""
    port = free_pair()
    folder = ROOT / "var" / str(port)
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "slomix", "up", "--with-parent"],
            cwd=ROOT,
            # Each part as a process of its own, as in production, so that each can be killed.
            env=_environment(port) | {"SLOMIX_CLOCK": clock, "SLOMIX_FORMATION": "web=1", **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            if not _becomes_healthy(port, process):
                output.seek(0)
                raise UnexpectedAnswer(f"Slomix does not start:\n{output.read().decode(errors='replace')[-4000:]}")
            yield RunningSystem(port, folder, process)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            shutil.rmtree(folder, ignore_errors=True)


def _environment(port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_OURS)}
    return kept | {"PORT": str(port), "SLOMIX_ENV": "development"}


def _becomes_healthy(port: int, process: "subprocess.Popen[bytes]") -> bool:
    for _ in range(START_SECONDS * 10):
        if process.poll() is not None:
            return False
        if RunningSystem(port, ROOT / "var" / str(port), process).is_healthy():
            return True
        nap(0.1)
    return False
