"""Asks the ET:Legacy server over UDP which players are on it."""

import asyncio
import re
from typing import Protocol

TIMEOUT_SECONDS = 2.0

_REQUEST = b"\xff\xff\xff\xffgetstatus\n"
_HEADER = b"\xff\xff\xff\xffstatusResponse"
# Score, ping and name: everything between the first and the last quotation mark.
_PLAYER = re.compile(rb'-?\d+ -?\d+ "(.*)"\r?')


class NoTelemetry(Exception):
    """The game server did not say which players are on it."""


class ServerLookup(Protocol):
    """Asks the game server itself."""

    def names(self) -> list[str]:
        """Return the players' names with their colour codes. Raise NoTelemetry when there is no answer."""


class GameServer:
    """A server that speaks the protocol of Quake 3. Thread-safe: each query has its own socket."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    def names(self) -> list[str]:
        """Ask at most twice, four seconds together."""
        try:
            return self._names()
        except NoTelemetry:
            return self._names()

    def _names(self) -> list[str]:
        try:
            return names_in(_ask(self._host, self._port))
        except (OSError, UnicodeError) as error:  # no such host, refused, or too slow
            raise NoTelemetry(type(error).__name__) from error


def names_in(answer: bytes) -> list[str]:
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
    # Imported here because it loads an HTTP client for other games.
    from opengsq.protocol_socket import UdpClient
    from opengsq.protocols.quake3 import Quake3

    # Raw bytes, because `get_status` drops what is not UTF-8, misreads ^X as a longer colour code, and takes half a
    # line for a name.
    question = UdpClient.communicate(Quake3(host, port, timeout=TIMEOUT_SECONDS), _REQUEST)
    loop = asyncio.new_event_loop()
    try:
        answer = loop.run_until_complete(asyncio.wait_for(question, TIMEOUT_SECONDS))
        return bytes(answer)
    finally:
        loop.run_until_complete(asyncio.sleep(0))  # in which the socket closes
        # Unlike `asyncio.run` this does not wait for a name server that hangs.
        loop.close()
