"""PostgreSQL and Valkey from wheels, for machines without DATABASE_URL or REDIS_URL."""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from slomix.dev.embedded import postgres, valkey
from slomix.dev.embedded.places import EmbeddedError
from slomix.supervisor.process import ManagedProcess

Server = postgres.PostgresServer | valkey.ValkeyServer

__all__ = ["EmbeddedError", "Servers", "as_process", "running"]


@dataclass(frozen=True)
class Servers:
    """The URLs of the two servers; the database also has one for its owner."""

    database_url: str
    owner_url: str
    redis_url: str


def as_process(server: Server) -> ManagedProcess:
    """Return the server as a process for a runner."""
    return ManagedProcess(
        name=server.name,
        command=server.command,
        env=server.env,
        stop_signal=server.stop_signal,
        death_signal=server.stop_signal,
        drop_privileges=server.drop_privileges,
        before_start=server.remove_leftovers,
    )


@contextlib.contextmanager
def running(home: Path, *, durable: bool = True, seconds: float = 30) -> Iterator[Servers]:
    """Run both servers, with their data in `home`, for the length of the block. For tests and short commands.

    Enter it on a thread that outlives the block: the servers end with the thread that started them.
    """
    database, broker = postgres.prepare_postgres(home, durable=durable), valkey.prepare_valkey(home)
    started: list[tuple[Server, subprocess.Popen[bytes]]] = []
    home.mkdir(parents=True, exist_ok=True)
    try:
        for server in (database, broker):
            with (home / f"{server.name}.log").open("wb") as log:
                started.append((server, as_process(server).spawn(log.fileno())))
        until = time.monotonic() + seconds
        for server, process in started:
            while not server.is_up():
                if process.poll() is not None or time.monotonic() > until:
                    said = (home / f"{server.name}.log").read_text(errors="replace")
                    raise EmbeddedError(f"{server.name} does not start: {said.strip() or 'it says nothing'}")
                time.sleep(0.05)
        postgres.make_role(database.owner_url)
        yield Servers(database_url=database.url, owner_url=database.owner_url, redis_url=broker.url)
    finally:
        for server, process in reversed(started):
            process.send_signal(server.stop_signal)
        for _, process in started:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for server in (database, broker):
            server.clean_up()
