"""The Procfile runner: starts processes, restarts those that die, and leaves none behind.

asyncio, on one thread: the kernel ties a child's life to the *thread* that started it.
"""

import asyncio
import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from slomix.supervisor.process import ManagedProcess
from slomix.supervisor.terminal import TerminalOutput

_LINE = re.compile(r"^(?P<name>[A-Za-z0-9_-]+):\s*(?P<command>\S.*)$")
_OPERATORS = {";", "&", "&&", "|", "||"}


def parse_procfile(text: str) -> dict[str, str]:
    """Return the commands of a Procfile by name. Raise ValueError with the reason on an invalid line.

    A line is one program, because only the program itself can be watched: no `;`, no `&&`, no pipe.
    """
    commands: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        found = _LINE.match(stripped)
        if found is None or found["name"] in commands:
            raise ValueError(f"Procfile, line {number}: {stripped!r} is not `name: command` with a name of its own")
        if _OPERATORS & set(shlex.shlex(found["command"], posix=True, punctuation_chars=True)):
            raise ValueError(f"Procfile, line {number}: {stripped!r} is more than one program")
        commands[found["name"]] = found["command"]
    return commands


class Runner:
    """Keeps processes alive until told to stop. Those started first are stopped last."""

    first_delay = 0.25  # seconds before the first restart; doubles with every further death
    longest_delay = 10.0
    stable_after = 30.0  # a process that lived this long starts with a short delay again
    finished_within = 10.0  # exit 0 so early: it found nothing to do; later: it was told to stop
    same_request = 1.0  # seconds in which signals count as the same request to stop
    grace = 20.0  # from the request to stop to the kill; a worker takes up to 12 s to end its attempts

    def __init__(
        self, *, output: TerminalOutput | None = None, pids_file: Path | None = None, may_finish: bool = False
    ) -> None:
        """Prepare a runner. With `may_finish`, exit 0 never leads to a restart (validate-only)."""
        self.pids: dict[str, int] = {}
        self._output = output or TerminalOutput()
        self._pids_file = pids_file
        self._may_finish = may_finish
        self._tiers: list[list[tuple[ManagedProcess, asyncio.Task[Any]]]] = []
        self._stop_asked = asyncio.Event()
        self._told_at: float | None = None
        self._hurry = asyncio.Event()

    def start(self, processes: Sequence[ManagedProcess]) -> None:
        """Start `processes`; they are stopped before all that were started earlier."""
        loop = asyncio.get_running_loop()
        self._tiers.append([(process, loop.create_task(self._keep_alive(process))) for process in processes])

    async def run_once(self, process: ManagedProcess) -> int:
        """Run `process` to its end, without a restart, and return its exit status."""
        task = asyncio.get_running_loop().create_task(self._run(process))
        self._tiers.append([(process, task)])
        return await asyncio.shield(task)

    async def run_forever(self) -> None:
        """Return when a stop is requested, or when every process has finished on purpose."""
        everything: asyncio.Future[Any] = asyncio.gather(*(task for tier in self._tiers for _, task in tier))
        asked: asyncio.Future[Any] = asyncio.ensure_future(self._stop_asked.wait())
        await asyncio.wait({everything, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()

    async def wait_for_stop(self) -> None:
        """Wait until a stop is requested."""
        await self._stop_asked.wait()

    def handle_signal(self, number: int) -> None:
        """Make `run_forever` return; after a second Ctrl-C `stop` kills at once.

        A single request may come as several signals, which is no second Ctrl-C: make passes on a SIGTERM that its whole
        group has received already, `timeout` sends each twice, and when a terminal closes, both the shell and the
        kernel signal.
        """
        now = asyncio.get_running_loop().time()
        if self._told_at is None:
            self._told_at = now
            self._stop_asked.set()
        elif number == signal.SIGINT and now - self._told_at > self.same_request:
            self._hurry.set()

    async def stop(self) -> None:
        """End every process: politely, after `grace` seconds by force."""
        self._stop_asked.set()
        for tier in reversed([tier for tier in self._tiers if tier]):
            tasks = [task for _, task in tier]
            for process, _ in tier:
                self._signal(process.name, process.stop_signal)
            hurry = asyncio.ensure_future(self._hurry.wait())
            all_ended = asyncio.ensure_future(asyncio.wait(tasks))
            await asyncio.wait({all_ended, hurry}, timeout=self.grace, return_when=asyncio.FIRST_COMPLETED)
            hurry.cancel()
            for process, _ in tier:
                self._signal(process.name, signal.SIGKILL)
            await all_ended
        self._tiers.clear()
        self._output.close()

    async def _keep_alive(self, process: ManagedProcess) -> None:
        loop = asyncio.get_running_loop()
        delay = self.first_delay
        while not self._stop_asked.is_set():
            began = loop.time()
            code = await self._run(process)
            lived = loop.time() - began
            if self._stop_asked.is_set():
                return
            if code == 0 and (self._may_finish or lived < self.finished_within):
                self._output.print_line(process.name, "has finished")
                return
            if lived >= self.stable_after:
                delay = self.first_delay
            self._output.print_line(process.name, f"{_describe(code)}; starts again in {delay:g} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop_asked.wait(), timeout=delay)
            delay = min(delay * 2, self.longest_delay)

    async def _run(self, process: ManagedProcess) -> int:
        """Run `process` once, until it and all of its group are gone."""
        loop = asyncio.get_running_loop()
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        source = self._output.source(process.name)
        try:
            started = process.spawn(writing)
        except (OSError, subprocess.SubprocessError, RuntimeError) as error:
            self._output.print_line(process.name, f"cannot be started: {error}")
            os.close(reading)
            return 127
        finally:
            os.close(writing)
        self._record_pid(process.name, started.pid)

        def read() -> None:
            if not source.read_from(reading):
                loop.remove_reader(reading)

        loop.add_reader(reading, read)
        try:
            code = await _end_of(started)
        finally:
            # Its children must not live on beside its successor.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(started.pid, signal.SIGKILL)
            loop.remove_reader(reading)
            source.read_from(reading)
            os.close(reading)
            self._record_pid(process.name, None)
        return code

    def _signal(self, name: str, number: signal.Signals) -> None:
        if (pid := self.pids.get(name)) is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, number)

    def _record_pid(self, name: str, pid: int | None) -> None:
        if pid is None:
            self.pids.pop(name, None)
        else:
            self.pids[name] = pid
        if self._pids_file is not None:
            fresh = self._pids_file.with_suffix(".new")
            fresh.write_text(json.dumps(self.pids, indent=1))
            fresh.replace(self._pids_file)


async def _end_of(process: "subprocess.Popen[bytes]") -> int:
    """Return the exit status of a process when it has ended; the kernel tells, so nothing is asked meanwhile."""
    loop, has_ended = asyncio.get_running_loop(), asyncio.Event()
    descriptor = os.pidfd_open(process.pid)
    loop.add_reader(descriptor, has_ended.set)
    try:
        await has_ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return process.wait()


def _describe(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with status {code}"
