"""Tells open pages that something changed: one listening connection a process, a stream a page, topics only."""

import contextlib
import queue
import threading
from collections.abc import Iterator

import psycopg
import structlog
from flask import Blueprint, Response, current_app

from slomix import db
from slomix.clock import nap

log = structlog.get_logger()

KEEP_ALIVE_SECONDS = 15.0
# A topic leaves at most four times a second; what comes faster is one message.
GATHER_SECONDS = 0.25
LOOK_UP_SECONDS = 2.0

blueprint = Blueprint("live", __name__)


class Hub:
    """Hands topics from PostgreSQL's NOTIFY to every open stream of this process."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._streams: set[queue.SimpleQueue[str]] = set()
        self._lock = threading.Lock()
        self._is_listening = False

    @contextlib.contextmanager
    def stream(self) -> Iterator["queue.SimpleQueue[str]"]:
        """A queue of topics for one page. The listener starts with the first, so after the server's fork."""
        mine: queue.SimpleQueue[str] = queue.SimpleQueue()
        with self._lock:
            self._streams.add(mine)
            if not self._is_listening:
                self._is_listening = True
                threading.Thread(target=self._listen, name="live", daemon=True).start()
        try:
            yield mine
        finally:
            with self._lock:
                self._streams.discard(mine)

    def _listen(self) -> None:
        """While there is a stream."""
        while self._goes_on():
            try:
                with db.listen(self._url, db.LIVE) as connection:
                    self._tell_all({"all"})  # whatever happened while nobody listened
                    self._relay(connection)
            except psycopg.Error as error:
                log.warning("live.listener_lost", error=str(error).strip())
                nap(1)

    def _goes_on(self) -> bool:
        with self._lock:
            self._is_listening = bool(self._streams)
            return self._is_listening

    def _relay(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        while self._streams:
            topics = {note.payload for note in connection.notifies(timeout=LOOK_UP_SECONDS, stop_after=1)}
            if topics:
                nap(GATHER_SECONDS)
                topics |= {note.payload for note in connection.notifies(timeout=0)}
                self._tell_all(topics)

    def _tell_all(self, topics: set[str]) -> None:
        message = " ".join(sorted(topics))
        with self._lock:
            for stream in self._streams:
                stream.put(message)


def _messages(hub: Hub) -> Iterator[str]:
    with hub.stream() as topics:
        yield "retry: 1000\ndata: hello\n\n"
        while True:
            try:
                yield f"data: {topics.get(timeout=KEEP_ALIVE_SECONDS)}\n\n"
            except queue.Empty:
                yield ": still here\n\n"


@blueprint.get("/events")
def events() -> Response:
    """The stream: what changed, never who. The page fetches what it may see."""
    hub: Hub = current_app.extensions["slomix_hub"]
    answer = Response(_messages(hub), mimetype="text/event-stream")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"
    return answer
