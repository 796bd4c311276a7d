"""Shares one process among those who ask: a browser or client has two requests served at a time, and so many in all.

Who asked for least lately comes first. It stands in front of the application, because a client that floods it is to
cost as little as possible.
"""

import json
import math
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

import structlog
from flask import Flask, Request

from slomix.web.json import PROBLEM
from slomix.web.proxies import client_of
from slomix.web.refusals import REFUSALS, TITLES

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger()


class Pace(NamedTuple):
    """So many requests in so many seconds."""

    requests: int
    seconds: float


# What one may ask of one process: fifty requests a second, ten seconds long.
PACE = Pace(500, 10)
# How often it is logged that a client is refused here.
LOG_EVERY_SECONDS = 10.0
AT_ONCE, MOST_WAITING, PATIENCE_SECONDS = 2, 100, 10.0
# These are not counted. Files are cheap, cached for good, and many at once where a whole room opens its first page;
# monitors ask what never hangs; providers ask for everybody from few addresses, and prove with each call who they are.
UNCOUNTED = ("/static/", "/health", "/metrics", "/inbox/telegram", "/discord/interactions")


class Tally:
    """Counts what each asked for lately; a request weighs less the longer ago it was."""

    # Beyond so many the forgotten ones are left out.
    MOST = 10_000

    def __init__(self) -> None:
        self._weights: dict[str, tuple[float, float]] = {}

    def weigh(self, owner: str) -> float:
        """Return what this one asked for lately, in requests."""
        weight, then = self._weights.get(owner, (0.0, 0.0))
        return weight * math.exp((then - monotonic()) / PACE.seconds) if weight else 0.0

    def add(self, owner: str, weight: float) -> None:
        """Count one more request of an owner who weighed so much."""
        if owner not in self._weights and len(self._weights) >= self.MOST:
            self._weights = {known: self._weights[known] for known in self._weights if self.weigh(known) > 1}
        self._weights[owner] = weight + 1, monotonic()


class FairShare:
    """Serves a few requests of each browser at a time, so that one who asks for much waits behind itself.

    It costs nothing: the pages of one process are made one after the other anyway. `turn` and `hold_refusal` are what
    the server makes of it: who asked for little begins before who asked for much, and who is refused waits a
    little, so that asking again at once costs them more than us.
    """

    turn: Callable[[float], AbstractContextManager[None]] = staticmethod(lambda _weight: nullcontext())
    hold_refusal: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self, app: Flask, served: "WSGIApplication") -> None:
        self._app, self._served = app, served
        self._lock = threading.Lock()
        self._asking: Counter[str] = Counter()
        self._free: dict[str, threading.Semaphore] = {}
        self.reset()

    def reset(self) -> None:
        """Forget how much was asked."""
        self._tally = Tally()
        self._logged_at = -math.inf

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith(UNCOUNTED):
            return self._served(environ, start_response)
        owner = self._owner(environ)
        weight = self._tally.weigh(owner)
        if weight + 1 > PACE.requests:
            return self._refuse(environ, start_response, 1 + PACE.seconds * math.log((weight + 1) / PACE.requests))
        self._tally.add(owner, weight)
        if not self._take_turn(owner):
            return self._refuse(environ, start_response, PATIENCE_SECONDS)
        try:
            with self.turn(weight):
                return self._served(environ, start_response)
        finally:
            self._free[owner].release()
            self._leave(owner)

    def _owner(self, environ: "WSGIEnvironment") -> str:
        """Return the browser that shows a login, signed by us, else the client.

        Whether it is still logged in would cost a query; logins are limited.
        """
        if "HTTP_COOKIE" not in environ:
            return client_of(environ.get("REMOTE_ADDR", ""))
        cookie: Mapping[str, object] = self._app.session_interface.open_session(self._app, Request(environ)) or {}
        return str(cookie.get("_user_id") or client_of(environ.get("REMOTE_ADDR", "")))

    def _take_turn(self, owner: str) -> bool:
        """Wait for a turn; return False when too many wait already, or it takes too long."""
        with self._lock:
            if self._asking[owner] >= AT_ONCE + MOST_WAITING:
                return False
            self._asking[owner] += 1
            free = self._free.setdefault(owner, threading.Semaphore(AT_ONCE))
        if free.acquire(timeout=PATIENCE_SECONDS):
            return True
        self._leave(owner)
        return False

    def _leave(self, owner: str) -> None:
        with self._lock:
            self._asking[owner] -= 1
            if not self._asking[owner]:
                del self._asking[owner], self._free[owner]

    def _refuse(self, environ: "WSGIEnvironment", start_response: "StartResponse", seconds: float) -> Iterable[bytes]:
        if monotonic() - self._logged_at >= LOG_EVERY_SECONDS:
            self._logged_at = monotonic()
            log.warning("web.flood", method=environ.get("REQUEST_METHOD"))
        self.hold_refusal()
        kind, body = "text/plain; charset=utf-8", REFUSALS[429]
        if environ.get("PATH_INFO", "").startswith("/api/"):
            kind = PROBLEM
            body = json.dumps({"title": TITLES[429], "status": 429, "detail": body})
        headers = [
            ("Content-Type", kind),
            ("Retry-After", str(max(1, math.ceil(seconds)))),
            ("Cache-Control", "no-store"),
        ]
        start_response("429 TOO MANY REQUESTS", headers)
        return [body.encode()]
