"""Asks the ET: Legacy server over UDP which players are on it."""

import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

TIMEOUT_SECONDS = 2.0

_REQUEST = b"\xff\xff\xff\xffgetstatus\n"
_LARGEST_ANSWER = 65_536
_HEADER = b"\xff\xff\xff\xffstatusResponse"
# Score, ping and name: everything between the first and the last quotation mark.
_PLAYER = re.compile(rb'-?\d+ -?\d+ "(.*)"\r?')


class NoTelemetry(Exception):
    """The game server did not say which players are on it."""


class GameServerLookup(Protocol):
    """Asks the game server itself."""

    def player_names(self) -> list[str]:
        """Return the players' names with their colour codes. Raise NoTelemetry when there is no answer."""


class GameServer:
    """A server that speaks the protocol of Quake 3. Thread-safe: each query has its own socket."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    def player_names(self) -> list[str]:
        """Ask at most twice, four seconds together."""
        try:
            return self._names()
        except NoTelemetry:
            return self._names()

    def _names(self) -> list[str]:
        try:
            return parse_names(_ask(self._host, self._port))
        except (OSError, UnicodeError) as error:  # no such host, refused, or too slow
            raise NoTelemetry(type(error).__name__) from error


def parse_names(answer: bytes) -> list[str]:
    """Return the names in a `statusResponse`, without cut-off lines. Raise NoTelemetry if it is no such answer."""
    header, _, body = answer.partition(b"\n")
    info, *lines = body.split(b"\n")
    if header.rstrip() != _HEADER or not info.startswith(b"\\"):
        raise NoTelemetry("this is no status of a server")
    return [_text(found[1]) for line in lines if (found := _PLAYER.fullmatch(line))]


def _text(name: bytes) -> str:
    """Decode a name as UTF-8, else as Latin-1, so that an older client's accents aren't lost."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("latin-1")


def _ask(host: str, port: int) -> bytes:
    """Send the question and return what comes back. Raise OSError, also for what takes too long."""
    until = time.monotonic() + TIMEOUT_SECONDS
    family, kind, _, _, address = _addresses(host, port)[0]
    with socket.socket(family, kind) as connection:
        connection.settimeout(max(until - time.monotonic(), 0.001))
        connection.connect(address)  # so that nothing but its answer is heard
        connection.send(_REQUEST)
        return connection.recv(_LARGEST_ANSWER)


def _addresses(host: str, port: int) -> list[Any]:
    """Look the host up, in a thread that is left alone when the name server hangs."""
    resolver = ThreadPoolExecutor(1)
    try:
        return resolver.submit(socket.getaddrinfo, host, port, type=socket.SOCK_DGRAM).result(TIMEOUT_SECONDS)
    finally:
        resolver.shutdown(wait=False)
