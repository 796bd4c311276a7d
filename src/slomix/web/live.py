"""Tells open pages that something changed: one listening connection a process, a stream a page, topics only."""

import contextlib
import queue
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import cast

import psycopg
import structlog
from flask import Blueprint, Response, current_app

from slomix.clock import nap
from slomix.database import session as db
from slomix.errors import TooSoon
from slomix.i18n import _
from slomix.web import gates, rate_limits

log = structlog.get_logger()

KEEP_ALIVE_SECONDS = 15.0
# Topics leave at most four times a second: the first at once, what comes right after it as one message.
GATHER_SECONDS = 0.25
LOOK_UP_SECONDS = 2.0
# A database that has said nothing for so long may be gone, though the connection was not cut.
SILENT_SECONDS = 10.0
ALIVE = "event: alive\ndata:\n\n"
# How long we go on listening after the last page was asked for or its stream ended.
LINGER_SECONDS = 60.0
# How long a page waits for the first listener of a process.
PATIENCE_SECONDS = 0.5
# What a stream ends at.
THE_END = ""
# How many streams one strange client and one account may hold; who is refused polls, and tries again now and then.
MOST_OF_CLIENT, MOST_OF_ACCOUNT = 30, 6
# How many a process holds, unless its server says otherwise.
MOST_STREAMS = 2000
TRY_AGAIN_AFTER = timedelta(seconds=15)

blueprint = Blueprint("live", __name__)


class TooManyStreams(TooSoon):
    """The client, the account or this process holds as many streams as it may."""

    def __init__(self) -> None:
        super().__init__(
            _("Too many pages are open from here. This one looks for news every few seconds instead."), TRY_AGAIN_AFTER
        )


class EventHub:
    """Hands topics from PostgreSQL's NOTIFY to every open stream of this process, and counts what it heard.

    The count is the `id` of every message. A page carries the one from just before it was read; when its stream begins
    with the same, nothing happened in between and the page need not look again.
    """

    def __init__(self, url: str, *, linger_seconds: float = LINGER_SECONDS, processes: int = 1) -> None:
        """Share the limits of clients and accounts with the other web processes, of which none knows the others'."""
        self._url = url
        self._processes = processes
        self.most_streams = MOST_STREAMS
        self._places: Counter[str] = Counter()
        self.linger_seconds = linger_seconds
        self._streams: set[queue.SimpleQueue[str]] = set()
        self._lock = threading.Lock()
        self._is_listening = False
        self._listen_until = 0.0
        self._hears = threading.Event()
        self._name = secrets.token_hex(4)
        self._heard = 0
        self._is_closed = False
        self._proven_at = float("-inf")

    def mark(self) -> str:
        """Return how far this process has heard, empty while it is deaf; take it before reading what it vouches for."""
        self._keep_listening()
        return self._so_far() if self._hears.wait(PATIENCE_SECONDS) else ""

    def hears(self) -> bool:
        """Return whether the database has just shown that nothing happened of which we were not told."""
        return self._hears.is_set() and time.monotonic() - self._proven_at < SILENT_SECONDS

    def open_streams(self) -> int:
        """Count the pages that listen here now."""
        with self._lock:
            return len(self._streams)

    def take_place(self, owner: str, most: int) -> Callable[[], None]:
        """Reserve a stream for a client or account that may have `most`; return how to give it back, once.

        Raise TooManyStreams when its own are used up, or those of this process.
        """
        with self._lock:
            if self._places.total() >= self.most_streams or self._places[owner] >= -(-most // self._processes):
                raise TooManyStreams
            self._places[owner] += 1
        held = [owner]
        return lambda: self._give_back(held)

    def _give_back(self, held: list[str]) -> None:
        with self._lock:
            self._places -= Counter(held)  # drops owners without any
            held.clear()

    @contextlib.contextmanager
    def stream(self) -> Iterator["queue.SimpleQueue[str]"]:
        """Return a queue of messages for one page, the first of them already in it."""
        mine: queue.SimpleQueue[str] = queue.SimpleQueue()
        with self._lock:
            self._streams.add(mine)
            mine.put(_message("hello", self._so_far() if self._hears.is_set() else ""))
            if self._is_closed:
                mine.put(THE_END)
        try:
            self._keep_listening()  # last: a listener that is up at once must find this page among those it tells
            yield mine
        finally:
            with self._lock:
                self._streams.discard(mine)
                self._listen_until = time.monotonic() + self.linger_seconds

    def close(self) -> None:
        """End every stream, now and from now on: this process stops, and its pages reconnect to another."""
        with self._lock:
            self._is_closed = True
            for stream in self._streams:
                stream.put(THE_END)

    def _so_far(self) -> str:
        return f"{self._name}-{self._heard}"

    def _keep_listening(self) -> None:
        """Start the listener with the first page, and so after the server's fork."""
        with self._lock:
            self._listen_until = time.monotonic() + self.linger_seconds
            if not self._is_listening:
                self._is_listening = True
                threading.Thread(target=self._listen, name="live", daemon=True).start()

    def _listen(self) -> None:
        """Listen while there is a page, and again after a lost connection."""
        while self._should_listen():
            try:
                with db.listen(self._url, db.LIVE_CHANNEL) as connection:
                    self._proven_at = time.monotonic()
                    self._send_to_all({"all"})  # whatever happened while we did not listen
                    self._hears.set()
                    self._relay(connection)
                return
            except psycopg.Error as error:
                log.warning("live.listener_lost", error=str(error).strip())
                self._hears.clear()
                nap(1)

    def _should_listen(self) -> bool:
        with self._lock:
            self._is_listening = bool(self._streams) or time.monotonic() < self._listen_until
            if not self._is_listening:
                self._hears.clear()
            return self._is_listening

    def _relay(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        while self._should_listen():
            topics = {note.payload for note in connection.notifies(timeout=LOOK_UP_SECONDS, stop_after=1)}
            db.listen_again(connection, db.LIVE_CHANNEL)  # it answers, so there was nothing else to hear
            self._proven_at = time.monotonic()
            if topics:
                self._send_to_all(topics | {note.payload for note in connection.notifies(timeout=0)})
                nap(GATHER_SECONDS)

    def _send_to_all(self, topics: set[str]) -> None:
        with self._lock:
            self._heard += 1
            message = _message(" ".join(sorted(topics)), self._so_far())
            for stream in self._streams:
                stream.put(message)


def _message(data: str, mark: str) -> str:
    return f"id: {mark}\ndata: {data}\n\n"


def hub() -> EventHub:
    """Return the hub of the app that answers this request."""
    return cast(EventHub, current_app.extensions["slomix_hub"])


def _messages(hub: EventHub) -> Iterator[str]:
    with hub.stream() as messages:
        yield "retry: 1000\n" + messages.get()
        while (message := _next(hub, messages)) != THE_END:
            yield message


def _next(hub: EventHub, messages: "queue.SimpleQueue[str]") -> str:
    try:
        return messages.get(timeout=KEEP_ALIVE_SECONDS)
    except queue.Empty:
        # Scripts hear an event, not a comment: they are told of the silence only while it means that nothing happened.
        return ALIVE if hub.hears() else ": deaf\n\n"


@blueprint.get("/events")
def events() -> Response:
    """Stream what changed, never who changed it; the page fetches what it may see."""
    who = gates.viewer()
    most = MOST_OF_ACCOUNT if isinstance(who, gates.Viewer) else MOST_OF_CLIENT
    give_back = hub().take_place(rate_limits.account(), most)
    answer = Response(_messages(hub()), mimetype="text/event-stream")
    answer.call_on_close(give_back)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


@blueprint.errorhandler(TooManyStreams)
def refuse(error: TooManyStreams) -> Response:
    """Answer without a page around it: no person reads it."""
    return Response(str(error), 429, {"Retry-After": f"{TRY_AGAIN_AFTER.total_seconds():.0f}"}, mimetype="text/plain")
