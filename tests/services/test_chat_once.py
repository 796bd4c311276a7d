"""Each update is answered once, whatever happens meanwhile; and of several inboxes one receives (W35)."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import pytest

from slomix.availability.rules import Status
from slomix.channels.base import SendError
from slomix.channels.telegram import Telegram, TelegramUpdate
from slomix.chat import commands, service
from slomix.chat.replies import Reply
from slomix.chat.responder import MAX_TRIES
from slomix.contacts.rules import ChannelName
from slomix.database import session as db
from slomix.processes.inbox import LOCK, PAUSE_SECONDS, AdvisoryLock, TelegramReceiver
from slomix.reasons.codes import Reason
from tests.services.chatting import code_for, desk_of, status
from tests.services.racing import at_once
from tests.world import World, build_world

TELEGRAM = ChannelName.TELEGRAM


def update(number: int, text: str, *, is_private: bool = True, chat: str = "4242") -> TelegramUpdate:
    return TelegramUpdate(number, chat, is_private, text, "Somebody")


def test_nobody_is_answered_in_a_group(linked: World) -> None:
    """W34, W35: anybody in there could set the status of whose group it was."""
    linked.has("bob", TELEGRAM, "-100123")
    code = code_for(linked, "erik", TELEGRAM)
    desk = desk_of(linked)
    for number, text in enumerate(["/avail looking", f"/link {code}", "/help", "hello", "/unlink"]):
        desk.answer_update(update(number, text, is_private=False, chat="-100123"))
    assert linked.telegram.sent == []
    assert status(linked, "bob") is None
    with linked.session() as session:
        assert service.next_update(session, TELEGRAM, now=linked.clock.now()) == 5, "and they are done with"


def test_an_update_that_comes_twice_is_answered_once_also_by_the_next_process(linked: World) -> None:
    desk = desk_of(linked)
    desk.answer_update(update(100, "/avail looking"))
    linked.says("alice", Status.MAYBE)
    desk.answer_update(update(100, "/avail looking"))
    desk_of(linked).answer_update(update(100, "/avail looking"))
    desk_of(linked).answer_update(update(99, "/avail looking"))
    assert len(linked.telegram.sent) == 1
    assert status(linked, "alice") is Status.MAYBE


def breaking(times: int) -> Callable[..., Reply]:
    """Answers a letter, but not before it has failed so often."""
    real, left = commands.reply_to, [times]

    def answer(*args: object, **more: object) -> Reply:
        if left[0]:
            left[0] -= 1
            raise RuntimeError("a mistake of ours")
        return real(*args, **more)  # type: ignore[arg-type]

    return answer


@pytest.mark.parametrize("times", range(1, MAX_TRIES))
def test_what_goes_wrong_is_tried_again(linked: World, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """W35: an update was lost by one mistake."""
    monkeypatch.setattr(commands, "reply_to", breaking(times))
    desk = desk_of(linked)
    for _ in range(times):
        with pytest.raises(RuntimeError):
            desk.answer_update(update(7, "/avail looking"))
    with linked.session() as session:
        assert service.next_update(session, TELEGRAM, now=linked.clock.now()) == 0
    desk.answer_update(update(7, "/avail looking"))
    assert status(linked, "alice") is Status.LOOKING
    assert len(linked.telegram.sent) == 1


def test_what_never_works_is_passed_over_and_blocks_nobody(linked: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "reply_to", breaking(MAX_TRIES))
    desk = desk_of(linked)
    for _ in range(MAX_TRIES - 1):
        with pytest.raises(RuntimeError):
            desk.answer_update(update(7, "/avail looking"))
    desk.answer_update(update(7, "/avail looking"))
    assert linked.telegram.texts == ["That is our mistake, not yours. Nothing was changed; please try again."]
    desk.answer_update(update(8, "/avail maybe"))
    assert status(linked, "alice") is Status.MAYBE


def test_an_answer_that_does_not_arrive_is_no_reason_to_do_it_again(linked: World) -> None:
    linked.telegram.answers = [SendError(Reason.TELEGRAM_CHAT_GONE, permanent=True)]
    desk_of(linked).answer_update(update(7, "/avail looking"))
    assert status(linked, "alice") is Status.LOOKING
    with linked.session() as session:
        assert service.next_update(session, TELEGRAM, now=linked.clock.now()) == 8


# Whose turn it is


@dataclass
class Inboxes:
    """Processes that would receive, and a way to take a connection from one."""

    world: World
    stopping: threading.Event

    def one(self) -> AdvisoryLock:
        return AdvisoryLock(self.world.runtime, self.stopping)

    def cut_off(self) -> int:
        """End the connections that hold the lock, as when a process dies or its network does."""
        held = "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s"
        with psycopg.connect(db.libpq_url(self.world.runtime.database.url), autocommit=True) as connection:
            return len(connection.execute(held, (LOCK,)).fetchall())


@pytest.fixture
def inboxes(committed: db.Database) -> Iterator[Inboxes]:
    made = Inboxes(build_world(committed), threading.Event())
    yield made
    made.cut_off()


def test_of_two_inboxes_one_receives(inboxes: Inboxes) -> None:
    first, second = inboxes.one(), inboxes.one()
    for _ in range(3):
        first.acquire()
        second.acquire()
        assert (first.is_held.is_set(), second.is_held.is_set()) == (True, False)


def test_when_the_connection_of_the_first_dies_the_other_takes_over(inboxes: Inboxes) -> None:
    first, second = inboxes.one(), inboxes.one()
    first.acquire()
    second.acquire()
    assert inboxes.cut_off() == 1
    second.acquire()
    assert second.is_held.is_set()
    first.acquire()
    assert not first.is_held.is_set(), "it notices that it is not its turn any more"
    first.acquire()
    assert not first.is_held.is_set()
    assert inboxes.cut_off() == 1
    first.acquire()
    assert first.is_held.is_set(), "and comes back when it can"


def test_while_the_database_is_away_it_is_nobodys_turn(inboxes: Inboxes) -> None:
    one = inboxes.one()
    one.acquire()
    assert one.is_held.is_set()
    url, one._url = one._url, "postgresql://nobody@127.0.0.1:9/nothing"
    inboxes.cut_off()
    for _ in range(2):
        one.acquire()
        assert not one.is_held.is_set()
    one._url = url
    one.acquire()
    assert one.is_held.is_set()


def test_an_update_that_comes_twice_at_once_is_answered_once(committed: db.Database) -> None:
    """As Telegram's webhook does when our first answer took too long."""
    world = build_world(committed)
    world.has("alice", TELEGRAM, "4242")
    desk = desk_of(world)
    at_once([lambda: desk.answer_update(update(7, "/avail looking")) for _ in range(6)])
    assert len(world.telegram.sent) == 1


# How often it asks


class Pauses(threading.Event):
    """An event that nobody sets; a test sees how long it was waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout)
        return False


@pytest.mark.parametrize(("updates", "pauses"), [([], [PAUSE_SECONDS]), ([update(7, "/avail looking")], [])])
def test_a_server_that_does_not_wait_is_not_asked_without_a_pause(
    linked: World, monkeypatch: pytest.MonkeyPatch, updates: list[TelegramUpdate], pauses: list[float]
) -> None:
    """Finding 17: such a server cost half a processor."""
    monkeypatch.setattr(Telegram, "delete_webhook", lambda _self: None)
    monkeypatch.setattr(Telegram, "get_updates", lambda _self, _offset, *, wait_seconds: updates)
    stopping = Pauses()
    TelegramReceiver(linked.runtime, desk_of(linked), stopping).step()
    assert stopping.seconds == pauses
