"""Bounds what a connection may hold before it asks, how long a request may take to arrive, and when it begins."""

import heapq
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Network, IPv6Network
from typing import Any, ClassVar

import gevent
from gevent.event import Event
from gevent.lock import Semaphore
from gunicorn.workers.ggevent import GeventWorker
from werkzeug.exceptions import RequestTimeout

from slomix.web.proxies import client_of, parse_address

# How long a request may take to arrive: its head after the connection is made, and then the whole of its body.
HEAD_SECONDS, BODY_SECONDS = 10.0, 15.0
# A request begins when few are under way or all of those wait for something, at the latest after so long.
FEW, BEGIN_WITHIN_SECONDS = 2, 0.25
# What one asked for lately puts their next request behind those that come so much later, each.
BEHIND_SECONDS = 0.02
# How long who asked too often waits for the answer that says so.
REFUSAL_SECONDS = 1.0


class BoundedWorker(GeventWorker):
    """Takes so many connections of one client, and closes those that ask for nothing."""

    trusted_proxies: ClassVar[Sequence[IPv4Network | IPv6Network]] = ()
    # A browser has six, and a stream; proxies of ours are not counted.
    most_of_client: ClassVar[int] = 1500

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._held: Counter[str] = Counter()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        owner = self._owner(str(addr[0]) if isinstance(addr, tuple) else "")
        if owner and self._held[owner] >= self.most_of_client:
            client.close()
            return
        self._held[owner] += 1
        try:
            super().handle(listener, client, addr)
        finally:
            self._held -= Counter([owner])

    def timeout_ctx(self) -> gevent.Timeout:
        """Wait briefly for the first request of a connection, and long for the next: proxies keep theirs."""
        connection = gevent.getcurrent()
        has_asked, connection.has_asked = getattr(connection, "has_asked", False), True
        return gevent.Timeout(self.cfg.keepalive if has_asked else HEAD_SECONDS, False)

    def _owner(self, address: str) -> str:
        """Return which client is counted for a connection from this address; empty for none."""
        found = parse_address(address)
        is_counted = found is not None and not any(found in network for network in self.trusted_proxies)
        return client_of(address) if is_counted else ""


class Line:
    """Lets requests begin one after the other, a little later for who asked for much lately.

    What was begun goes before what was not, so that few are under way however many wait. Without it all would begin at
    once and be served in turn, each a little at a time, and take as long as all together.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Event]] = []
        self._arrivals = itertools.count()
        self._someone = Semaphore(0)
        self._under_way = 0
        gevent.spawn(self._call)

    @contextmanager
    def turn(self, weight: float) -> Iterator[None]:
        """Wait for the turn of one who asked for so much lately, and have it."""
        called = Event()
        moment = time.monotonic() + weight * BEHIND_SECONDS
        heapq.heappush(self._waiting, (moment, next(self._arrivals), called))
        self._someone.release()
        try:  # who stops waiting is still called, and has then been counted as often as not
            called.wait()
            yield
        finally:
            self._under_way -= 1

    def _call(self) -> None:
        while True:
            self._someone.acquire()
            if self._under_way >= FEW:
                with gevent.Timeout(BEGIN_WITHIN_SECONDS, False):
                    gevent.idle()
            self._under_way += 1
            heapq.heappop(self._waiting)[2].set()


def hold_refusal() -> None:
    """Keep a client waiting that asks too often: one that asks again at once then asks less."""
    gevent.sleep(REFUSAL_SECONDS)


class BodyDeadline:
    """Gives a request's body `BODY_SECONDS` in all, however steadily its bytes drip in."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["wsgi.input"] = _HurriedBody(environ["wsgi.input"], time.monotonic() + BODY_SECONDS)
        return self._app(environ, start_response)


class _HurriedBody:
    """Raises RequestTimeout from a read that does not end in time."""

    def __init__(self, body: Any, ends_at: float) -> None:
        self._body, self._ends_at = body, ends_at

    def read(self, *size: int) -> Any:
        return self._hurry(self._body.read, *size)

    def readline(self, *size: int) -> Any:
        return self._hurry(self._body.readline, *size)

    def readlines(self, *hint: int) -> Any:
        return self._hurry(self._body.readlines, *hint)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _hurry(self, read: Callable[..., Any], *arguments: int) -> Any:
        with gevent.Timeout(max(0.001, self._ends_at - time.monotonic()), RequestTimeout()):
            return read(*arguments)
