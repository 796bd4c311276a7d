"""The folder of a running copy: what it keeps there, how commands find it, and what its processes get."""

import contextlib
import fcntl
import json
import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from slomix.config import types
from slomix.config.environment import Environment
from slomix.config.settings import SettingsError, secret_variables

_CREDENTIALS = ("DISCORD_BOT_TOKEN", "DISCORD_CLIENT_SECRET")
OWNER = "DATABASE_OWNER_URL"
OWNERS = (OWNER, f"{OWNER}_FILE")


def project_root() -> Path:
    """Return the folder with the Procfile: our checkout, else the current folder."""
    for folder in (Path(__file__).resolve().parents[3], Path.cwd()):
        if (folder / "Procfile").is_file():
            return folder
    raise SettingsError("There is no Procfile here: run slomix in the folder of the project.")


@dataclass(frozen=True)
class Given:
    """The settings given by the operator, which decide what development fills in."""

    environment: Environment

    @classmethod
    def read(cls, root: Path) -> "Given":
        return cls(Environment.read(root / ".env", secrets=secret_variables()))

    def text(self, name: str) -> str:
        return self.environment.text(name)

    def has(self, name: str) -> bool:
        """Check whether a variable is set here or in a file, even if that file cannot be read."""
        return self.environment.is_set(name)

    def is_on(self, name: str) -> bool:
        """Read a switch. Raise ValueError."""
        return types.is_on(self.text(name))

    @property
    def has_credentials(self) -> bool:
        """Check whether real credentials are set, so that nothing may be simulated."""
        return any(self.has(name) for name in _CREDENTIALS)


@dataclass(frozen=True)
class Folder:
    """`var/<PORT>/`: everything that one running copy stores."""

    path: Path

    @property
    def clock(self) -> Path:
        return self.path / "clock.json"

    @property
    def pids(self) -> Path:
        return self.path / "pids.json"

    @property
    def logs(self) -> Path:
        return self.path / "log"

    @property
    def environment(self) -> Path:
        """Return the file with the variables that the copy's processes got, for commands on the same servers."""
        return self.path / "environment.json"

    @contextlib.contextmanager
    def held(self) -> Iterator[bool]:
        """Lock the folder for one run; yield whether the run before was cut off.

        The kernel releases the lock with the process, however it ends.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"{self.path} cannot be made ({error.strerror}): the account that runs Slomix writes its logs there"
            ) from None
        with (self.path / "up.lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.seek(0)
                raise SettingsError(
                    f"Slomix already runs from this folder on port {self.path.name} (process {lock.read().strip()})."
                ) from None
            lock.seek(0)
            was_cut_off = bool(lock.read().strip())
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            try:
                yield was_cut_off
            finally:
                self.environment.unlink(missing_ok=True)
                lock.truncate(0)

    def publish(self, environment: Mapping[str, str]) -> None:
        """Let other commands of this folder find the running copy."""
        fresh = self.environment.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(dict(environment), indent=1))
        fresh.replace(self.environment)


def join_running_copy(root: Path) -> frozenset[str]:
    """Take over the environment of the copy that runs on our PORT, if any, and return the names set.

    Variables that are set stay. The owner's URL comes from the same place as the database's, so that the two never name
    different databases.
    """
    given = Given.read(root)
    found = Folder(root / "var" / (given.text("PORT") or "7000")).environment
    lacking: dict[str, str] = {}
    if found.is_file():
        there = json.loads(found.read_text())
        lacking = {name: there[name] for name in there if not given.has("DATABASE_URL" if name == OWNER else name)}
        put(lacking)
    return frozenset(lacking)


def put(environment: Mapping[str, str]) -> None:
    """Set these variables for this process and its children, in place of earlier values."""
    for name in environment:
        os.environ.pop(f"{name}_FILE", None)
    os.environ.update(environment)


def forget_owner() -> None:
    """Remove the schema owner's credentials from the environment of the processes to start."""
    for name in OWNERS:
        os.environ.pop(name, None)


def refuse_taken_ports(ports: list[int], *, patience: float) -> None:
    """Raise SettingsError for a port that is still taken after `patience` seconds."""
    until = time.monotonic() + patience
    for port in ports:
        while not _is_free(port):
            if time.monotonic() > until:
                beside = "" if port == ports[0] else f" (Slomix needs {ports[0]} and {port})"
                raise SettingsError(
                    f"Port {port} is taken by another program{beside}. Choose another: make run PORT={ports[0] + 10}"
                )
            time.sleep(0.2)


def _is_free(port: int) -> bool:
    """Check that a port is free on TCP and, for the simulated game server, on UDP."""
    with socket.socket() as pages, socket.socket(type=socket.SOCK_DGRAM) as game:
        # A connection that lingers after its server has ended is no reason to refuse.
        pages.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            pages.bind(("127.0.0.1", port))
            game.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def basic_environment(port: int) -> dict[str, str]:
    """Return the variables of every process: its port, and our own Python's programs first."""
    programs = Path(sys.executable).parent
    return {
        "PORT": str(port),
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONUNBUFFERED": "1",
    }
