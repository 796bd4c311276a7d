"""One client that asks without end, or says nothing at all, shuts nobody else out: before gunicorn alone."""

import http.client
import resource
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from slomix.dev.rehearsal.system import RunningSystem, running
from slomix.web import live
from tests.waiting import PATIENCE, until

MANY = 2000
OTHER = "127.0.0.2"
ASK = b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n"


@pytest.fixture(scope="module")
def system() -> Iterator[RunningSystem]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2 * MANY)), hard))
    with running("2026-03-27T18:00:00+01:00") as system:
        yield system


@contextmanager
def connections(port: int, number: int, said: bytes = b"") -> Iterator[list[socket.socket]]:
    with ExitStack() as closing:
        made = []
        for _ in range(number):
            one = closing.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
            one.sendall(said)
            made.append(one)
        yield made


def status_for_another(port: int, path: str = "/") -> int:
    """What somebody else is answered, from another address."""
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE, source_address=(OTHER, 0))
    asking.request("GET", path)
    with asking.getresponse() as answer:
        answer.read()
        return answer.status


def answers(made: list[socket.socket]) -> Counter[str]:
    """How the connections were answered, and how many were closed without a word."""
    found: Counter[str] = Counter()
    for one in made:
        try:
            said = one.recv(12)
        except ConnectionResetError:
            said = b""
        found[said[9:12].decode() or "closed"] += 1
    return found


def test_streams_without_end_leave_pages_to_others(system: RunningSystem) -> None:
    with connections(system.port, MANY, ASK) as made:
        assert status_for_another(system.port) == 200
        found = answers(made)
        assert found["200"] == live.MOST_OF_CLIENT
        assert found["429"] + found["closed"] == MANY - live.MOST_OF_CLIENT
        assert status_for_another(system.port) == 200
        assert status_for_another(system.port, "/health/live") == 200


def test_connections_that_say_nothing_leave_pages_to_others_and_are_closed(system: RunningSystem) -> None:
    with connections(system.port, MANY) as made:
        assert status_for_another(system.port) == 200
        assert answers(made) == {"closed": MANY}


def test_a_body_that_drips_in_is_not_waited_for(system: RunningSystem) -> None:
    head = (
        "POST /profile/link HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    )
    with connections(system.port, 1, head.encode()) as [dripping]:
        dripping.setblocking(False)

        def answer() -> bytes:
            with suppress(BlockingIOError):
                return dripping.recv(12)
            dripping.sendall(b"x")
            return b""

        assert until(answer, "an answer") == b"HTTP/1.1 408"
