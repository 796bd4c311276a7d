"""The stream that keeps open pages true: topics only, at most four a second, and whole again after an outage."""

import os
import re
import socket
import threading
from collections.abc import Iterator

import psycopg
import pytest

from slomix.availability.rules import Status
from slomix.database import session as db
from slomix.web import live
from tests.waiting import PATIENCE, until
from tests.web.conftest import make_app
from tests.web.steps import Stream, begins_with
from tests.world import CAST, World, build_world

LISTENERS = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN slomix_live%' AND pid <> pg_backend_pid()"


@pytest.fixture
def evening(committed: db.Database) -> World:
    return build_world(committed)


@pytest.fixture(autouse=True)
def heard_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine, a page is read once its process listens."""
    monkeypatch.setattr(live, "PATIENCE_SECONDS", PATIENCE)


class Gathering:
    """Holds every hub in the pause after its message, in which it gathers what comes next, until it may go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pauses: list[float] = []
        self.may_go_on = threading.Event()
        self._connections: list[psycopg.Connection[tuple[object, ...]]] = []
        self._listen = db.listen
        monkeypatch.setattr(live, "nap", self._pause)
        monkeypatch.setattr(db, "listen", self._note)

    def has_come(self, topic: str) -> bool:
        """Whether news of this topic wait for the hub that began to listen last."""
        with socket.socket(fileno=os.dup(self._connections[-1].fileno())) as wire:
            return topic.encode() in wire.recv(65536, socket.MSG_PEEK | socket.MSG_DONTWAIT)

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        assert self.may_go_on.wait(PATIENCE)

    def _note(self, url: str, channel: str) -> "psycopg.Connection[tuple[object, ...]]":
        self._connections.append(self._listen(url, channel))
        return self._connections[-1]


@pytest.fixture
def gathering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gathering]:
    yield (gathering := Gathering(monkeypatch))
    gathering.may_go_on.set()


@pytest.fixture
def streams(evening: World) -> Iterator[list[Stream]]:
    """Two open pages of one process, which have been told to look and know of nothing new."""
    app = make_app(evening.runtime)
    opened = [Stream(app)]
    assert opened[0].next().endswith("data: hello\n\n")
    opened[0].until("all")
    # The second page comes while somebody listens already: it is greeted, and needs no more.
    opened.append(Stream(app))
    assert opened[1].next().endswith("data: hello\n\n")
    yield opened
    with evening.session() as session:
        db.notify(session, db.LIVE_CHANNEL, "the end")  # wakes the readers
    for one in opened:
        one.close()


def listeners(evening: World) -> set[int]:
    """The server's processes for connections that listen; hubs of earlier tests among them."""
    with psycopg.connect(db.libpq_url(evening.runtime.database.url)) as connection:
        return {row[0] for row in connection.execute(LISTENERS)}


def test_the_stream_is_one(streams: list[Stream]) -> None:
    answer = streams[0].answer
    assert (answer.status_code, answer.mimetype) == (200, "text/event-stream")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Accel-Buffering"] == "no"


def test_a_silent_stream_says_that_it_is_there_only_while_the_database_is(
    streams: list[Stream], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "KEEP_ALIVE_SECONDS", 0.05)
    until(lambda: streams[0].next() == "event: alive\ndata:\n\n", "an event, which scripts can hear")
    hangs, goes_on = threading.Event(), threading.Event()

    def hang(*_: object) -> None:
        hangs.set()
        assert goes_on.wait(PATIENCE)

    monkeypatch.setattr(live, "SILENT_SECONDS", 0.5)
    monkeypatch.setattr(db, "listen_again", hang)
    try:
        assert hangs.wait(PATIENCE)
        until(lambda: streams[0].next() == ": deaf\n\n", "the stream to admit that it hears nothing")
    finally:
        goes_on.set()


def test_a_change_reaches_every_page_within_a_second_and_names_nobody(
    evening: World, gathering: Gathering, streams: list[Stream]
) -> None:
    evening.says("alice", Status.LOOKING)
    messages = [one.next() for one in streams]
    until(lambda: gathering.pauses, "the pause after the message")
    assert max(gathering.pauses) < 1, "what comes right after it waits for no longer"
    assert messages[0] == messages[1]
    assert re.fullmatch(r"id: [0-9a-f]{8}-\d+\ndata: board\n\n", messages[0])
    assert not [name for name in CAST if name in "".join(messages).lower()]


def test_the_first_of_many_changes_is_told_at_once_and_the_rest_in_one_message(
    evening: World, gathering: Gathering, streams: list[Stream]
) -> None:
    evening.says("dora", Status.LOOKING)
    assert streams[0].next().endswith("data: board\n\n"), "before the pause, which is not over yet"
    for name in ("alice", "erik", "franka", "goran"):
        evening.says(name, Status.LOOKING)
    with evening.session() as session:
        db.notify(session, db.LIVE_CHANNEL, "campaign")
    until(lambda: gathering.has_come("campaign"), "the news to arrive")
    gathering.may_go_on.set()
    assert streams[0].next().endswith("data: board campaign\n\n")
    evening.says("alice", Status.MAYBE)
    assert streams[0].next().endswith("data: board\n\n")


def test_after_losing_its_listener_every_page_is_told_to_look_again(evening: World, streams: list[Stream]) -> None:
    lost = listeners(evening)
    assert lost
    with psycopg.connect(db.libpq_url(evening.runtime.database.url), autocommit=True) as admin:
        for one in lost:
            admin.execute("SELECT pg_terminate_backend(%s)", [one])
    evening.says("alice", Status.LOOKING)  # while nobody listens
    for page in streams:
        page.until("all")
    assert listeners(evening)
    assert not listeners(evening) & lost
    evening.says("erik", Status.LOOKING)
    for page in streams:
        page.until("board")


def test_a_listener_that_is_up_at_once_finds_the_page_it_was_started_for(
    evening: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = live.EventHub._keep_listening

    def start_and_be_up(hub: live.EventHub) -> None:
        start(hub)
        assert hub._hears.wait(PATIENCE)

    monkeypatch.setattr(live.EventHub, "_keep_listening", start_and_be_up)
    stream = Stream(make_app(evening.runtime))
    assert "id: \ndata: hello" in stream.next()
    stream.until("all")
    stream.close()


def test_a_process_has_one_listener_however_many_pages_are_open(evening: World, streams: list[Stream]) -> None:
    before = listeners(evening)
    more = [Stream(streams[0].app) for _ in range(3)]
    for one in more:
        assert one.next().endswith("data: hello\n\n")
    evening.says("alice", Status.LOOKING)
    for one in more:
        one.until("board")
    assert listeners(evening) <= before, "no new one; one of an earlier test may end meanwhile"


def test_a_page_and_its_stream_have_the_same_mark_unless_something_happened_in_between(evening: World) -> None:
    app = make_app(evening.runtime)
    hub: live.EventHub = app.extensions["slomix_hub"]
    hub.linger_seconds = PATIENCE  # between the page and its stream it listens, however long they take
    mark = begins_with(app.test_client().get("/").text)
    assert mark
    first = Stream(app)
    assert f"id: {mark}\ndata: hello" in first.next()
    evening.says("alice", Status.LOOKING)
    first.until("board")
    late = Stream(app)
    assert f"id: {mark}\n" not in late.next()
    assert begins_with(app.test_client().get("/").text) != mark
    for one in (first, late):
        one.close()
    hub._listen_until = 0.0


def test_a_page_vouches_for_nothing_while_its_process_hears_nothing(
    evening: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PATIENCE_SECONDS", 0.1)
    app = make_app(evening.runtime)
    app.extensions["slomix_hub"] = live.EventHub("postgresql://nobody@127.0.0.1:1/nothing", linger_seconds=0.1)
    assert begins_with(app.test_client().get("/").text) == ""
    stream = Stream(app)
    assert "id: \ndata: hello" in stream.next()
    stream.close()
