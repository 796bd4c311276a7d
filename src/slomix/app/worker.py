"""Bounds what a connection may hold before it asks for anything, and how long a request may take to arrive."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import Any, ClassVar

import gevent
from gunicorn.workers.ggevent import GeventWorker
from werkzeug.exceptions import RequestTimeout

from slomix.web.proxies import client_of, parse_address

# How long a request may take to arrive: its head after the connection is made, and then the whole of its body.
HEAD_SECONDS, BODY_SECONDS = 10.0, 15.0


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
