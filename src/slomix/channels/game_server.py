"""Asks the ET:Legacy server over UDP who is on it."""

import asyncio
import re
from typing import Protocol

TIMEOUT_SECONDS = 2.0

_REQUEST = b"\xff\xff\xff\xffgetstatus\n"
_HEADER = b"\xff\xff\xff\xffstatusResponse"
# Score, ping and name, the name with whatever stands between the first and the last quotation mark.
_PLAYER = re.compile(rb'-?\d+ -?\d+ "(.*)"\r?')


class NoTelemetry(Exception):
    """The game server did not say who is on it."""


class ServerLookup(Protocol):
    """Asks the game server itself."""

    def names(self) -> list[str]:
        """The names of those who are on it, as they wear them. Raise NoTelemetry when there is no answer."""


class GameServer:
    """One server that speaks the protocol of Quake 3. Thread-safe: every question has a socket of its own."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    def names(self) -> list[str]:
        """Ask, and once more when that came to nothing; four seconds at most."""
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
    """The names of a `statusResponse`. Raise NoTelemetry where it is none; a line that was cut off names nobody."""
    header, _, body = answer.partition(b"\n")
    info, *lines = body.split(b"\n")
    if header.rstrip() != _HEADER or not info.startswith(b"\\"):
        raise NoTelemetry("this is no status of a server")
    return [_text(found[1]) for line in lines if (found := _PLAYER.fullmatch(line))]


def _text(name: bytes) -> str:
    """ET:Legacy writes UTF-8. What is older does not, and a name that lost its accents might be somebody else's."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("latin-1")


def _ask(host: str, port: int) -> bytes:
    # It brings an HTTP client along for other games: only who asks has to load it.
    from opengsq.protocol_socket import UdpClient
    from opengsq.protocols.quake3 import Quake3

    # The bytes as they come: `get_status` drops what is not UTF-8, takes ^X for the beginning of a longer colour code,
    # and makes a name of half a line.
    question = UdpClient.communicate(Quake3(host, port, timeout=TIMEOUT_SECONDS), _REQUEST)
    loop = asyncio.new_event_loop()
    try:
        answer = loop.run_until_complete(asyncio.wait_for(question, TIMEOUT_SECONDS))
        return bytes(answer)
    finally:
        loop.run_until_complete(asyncio.sleep(0))  # in which the socket closes
        # Unlike `asyncio.run` this does not wait for a name server that hangs.
        loop.close()
