"""Copies of Slomix that tests start in every way in which they may be started, and tell to stop."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.waiting import until

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
NOT_OURS = ("PYTHONUNBUFFERED", "MAKE", "SLOMIX_", "DATABASE_", "REDIS_", "DISCORD_", "PORT", "PUBLIC_URL", "SKIP_")


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def children_of(parent: int) -> dict[int, str]:
    """The processes that this one has started, with the names of their programs."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            name, _, rest = (folder / "stat").read_text().partition(" (")[2].rpartition(") ")
            if int(rest.split()[1]) == parent:
                found[int(folder.name)] = name
    return found


# Signals 32 and 33 are the C library's own: it lets no program change whether they are blocked.
OF_THE_C_LIBRARY = 0b11 << 31


def masks(status: str) -> dict[str, int]:
    """Return what /proc says of a process's signals."""
    found = re.findall(r"^(Sig\w+):\s*([0-9a-f]+)$", status, re.MULTILINE)
    return {name: int(bits, 16) & ~OF_THE_C_LIBRARY for name, bits in found}


def has(mask: int, number: int) -> bool:
    return bool(mask >> (number - 1) & 1)


def deaf() -> None:
    """As which a program may start another: what ends it is ignored or blocked, and the end of children is ignored."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)


def on_a_terminal() -> None:
    """Born as the first program of a terminal, which its standard output is; its errors go where they went."""
    errors = os.dup(2)
    os.login_tty(os.dup(1))
    os.dup2(errors, 2)


@dataclass
class Copy:
    """A folder from which `slomix up` runs, and what a test has started there."""

    folder: Path
    port: int
    errors: Path
    command: tuple[str, ...]
    given: dict[str, str]
    started: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_OURS)}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return kept | {"PORT": str(self.port), "PYTHONPATH": str(self.folder / "src"), "PATH": path} | self.given

    def start(
        self,
        *command: str,
        born: Callable[[], None] | None = None,
        output: int | None = None,
    ) -> "subprocess.Popen[bytes]":
        """Start it in a session of its own; `born` is what its parent does with its signals or its terminal."""
        with self.errors.open("wb") as errors:
            process = subprocess.Popen(
                command or self.command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL if output is None else output,
                stderr=errors,
                start_new_session=born is not on_a_terminal,
                preexec_fn=born,
            )
        self.started.append(process)
        return process

    def in_background(self, *command: str) -> "subprocess.Popen[bytes]":
        """A script that starts it with `&`, as which it is born with SIGINT ignored; its status is that of the copy."""
        return self.start("sh", "-c", '"$@" & wait $!', "sh", *(command or self.command))

    @property
    def lock(self) -> Path:
        return self.folder / "var" / str(self.port) / "up.lock"

    @property
    def pid(self) -> int:
        """The runner's own number."""
        until(lambda: self.lock.exists() and self.lock.read_text(), "the copy to hold its folder")
        return int(self.lock.read_text())

    def pid_of(self, name: str) -> int:
        file = self.folder / f"{name}.pid"
        until(lambda: file.exists() and file.read_text().strip(), f"{name} to run")
        return int(file.read_text())

    def is_up(self) -> list[int]:
        """Wait until all runs; returns the number of every process."""
        return [self.pid, self.pid_of("web"), self.pid_of("worker")]

    def said(self, name: str) -> list[str]:
        file = self.folder / f"{name}.said"
        return file.read_text().split() if file.exists() else []

    def has_said(self, name: str, *words: str) -> bool:
        return self.said(name) == list(words)

    def signals_of(self, name: str) -> dict[str, int]:
        return masks((self.folder / f"{name}.signals").read_text())

    def let_go(self) -> None:
        """Every process has been told; now they may end."""
        for name in ("web", "worker"):
            until(partial(self.has_said, name, "told"), f"{name} to be told")
        (self.folder / "go").touch()

    def has_ended(self, pids: list[int]) -> None:
        """All of it ended in order, and gave back its folder."""
        for pid in pids:
            until(partial(is_gone, pid), f"process {pid} to end")
        assert [self.said("web"), self.said("worker")] == [["told", "bye"], ["told", "bye"]]
        assert self.lock.read_text() == ""
        assert self.errors.read_text() == ""

    def end(self) -> None:
        """What a test has left, when it failed."""
        for process in self.started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if self.lock.exists() and (pid := self.lock.read_text()) and not is_gone(int(pid)):
            os.kill(int(pid), signal.SIGKILL)
