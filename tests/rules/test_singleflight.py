"""One reading for many who ask at the same moment: shared, and never older than the question."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import pytest

from slomix.web.singleflight import Singleflight
from tests.services.racing import at_once
from tests.waiting import PATIENCE


@dataclass(frozen=True)
class Key:
    """A key that tells when somebody has asked with it: the set it is put into asks for its hash."""

    name: str
    was_asked: threading.Event = field(default_factory=threading.Event, compare=False)

    def __hash__(self) -> int:
        self.was_asked.set()
        return hash(self.name)


class Readings:
    """Reads the number of the reading; the first one waits until it may go on, some break."""

    def __init__(self, *broken: int, error: type[BaseException] = ConnectionError) -> None:
        self.broken, self.error = broken, error
        self.keys: list[set[str]] = []
        self.has_begun, self.may_end = threading.Event(), threading.Event()

    def __call__(self, keys: set[Key]) -> dict[Key, int]:
        self.keys.append({key.name for key in keys})
        number = len(self.keys)
        if number == 1:
            self.has_begun.set()
            assert self.may_end.wait(PATIENCE)
        if number in self.broken:
            raise self.error(f"reading {number}")
        return dict.fromkeys(keys, number)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool


Answer = Future[int | None]


def crowd(
    threads: ThreadPoolExecutor, readings: Readings, *names: str, shared: Singleflight[Key, int] | None = None
) -> tuple[Answer, list[Answer]]:
    """Somebody whose reading is under way, and those who asked while it was."""
    shared = shared or Singleflight(readings)
    first = threads.submit(shared.get, Key("first"))
    assert readings.has_begun.wait(PATIENCE)
    keys = [Key(name) for name in names]
    later = [threads.submit(shared.get, key) for key in keys]
    for key in keys:
        assert key.was_asked.wait(PATIENCE)
    readings.may_end.set()
    return first, later


def outcomes(answers: list[Answer]) -> list[object]:
    return [one.exception(PATIENCE) or one.result() for one in answers]


def test_who_asks_while_a_reading_is_under_way_gets_the_next_one_together(threads: ThreadPoolExecutor) -> None:
    readings = Readings()
    first, later = crowd(threads, readings, *["board"] * 10)
    assert first.result(PATIENCE) == 1
    assert outcomes(later) == [2] * 10
    assert readings.keys == [{"first"}, {"board"}]


def test_who_asks_for_different_things_is_answered_from_one_reading(threads: ThreadPoolExecutor) -> None:
    readings = Readings()
    _, later = crowd(threads, readings, "a", "b", "c", "b")
    assert outcomes(later) == [2] * 4
    assert readings.keys == [{"first"}, {"a", "b", "c"}]


def test_a_reading_that_fails_has_failed_for_all_who_shared_it_and_for_nobody_else(threads: ThreadPoolExecutor) -> None:
    readings = Readings(2)
    shared: Singleflight[Key, int] = Singleflight(readings)
    first, later = crowd(threads, readings, "a", "b", "c", shared=shared)
    assert first.result(PATIENCE) == 1
    assert [str(one) for one in outcomes(later)] == ["reading 2"] * 3
    assert readings.keys[1:] == [{"a", "b", "c"}], "they do not wait for it one after the other"
    assert shared.get(Key("a")) == 3


def test_those_who_wait_are_not_failed_by_the_reading_before_theirs(threads: ThreadPoolExecutor) -> None:
    readings = Readings(1)
    first, later = crowd(threads, readings, "a", "b")
    assert str(first.exception(PATIENCE)) == "reading 1"
    assert outcomes(later) == [2, 2]


def test_a_reading_that_is_broken_off_is_begun_again_by_the_next_who_waits(threads: ThreadPoolExecutor) -> None:
    """As when a server takes the thread away from under one request: the others did nothing wrong."""
    readings = Readings(2, error=SystemExit)
    first, later = crowd(threads, readings, "a", "b", "c")
    assert first.result(PATIENCE) == 1
    found = outcomes(later)
    assert [type(one) for one in found if not isinstance(one, int)] == [SystemExit]
    assert [one for one in found if isinstance(one, int)] == [3, 3]


def test_the_one_whose_reading_failed_may_ask_again() -> None:
    readings = Readings(1)
    readings.may_end.set()
    shared: Singleflight[Key, int] = Singleflight(readings)
    with pytest.raises(ConnectionError, match="reading 1"):
        shared.get(Key("a"))
    assert shared.get(Key("a")) == 2


def test_what_the_reading_does_not_know_is_nothing() -> None:
    shared: Singleflight[str, int] = Singleflight(lambda keys: {"known": 1} if "known" in keys else {})
    assert shared.get("unknown") is None
    assert shared.get("known") == 1


def test_one_after_the_other_each_gets_a_reading_of_their_own() -> None:
    readings = Readings()
    readings.may_end.set()
    shared: Singleflight[Key, int] = Singleflight(readings)
    assert [shared.get(Key("a")), shared.get(Key("a")), shared.get(Key("b"))] == [1, 2, 3]
    assert readings.keys == [{"a"}, {"a"}, {"b"}], "and nobody's key is read for ever"


def test_of_a_crowd_that_asks_at_the_same_moment_two_read() -> None:
    keys = [Key(f"{number % 3}") for number in range(24)]
    read: list[set[str]] = []

    def reading(asked: set[Key]) -> dict[Key, int]:
        read.append({key.name for key in asked})
        assert all(key.was_asked.wait(PATIENCE) for key in keys)
        return dict.fromkeys(asked, len(read))

    shared = Singleflight(reading)
    found = at_once([partial(shared.get, key) for key in keys])
    assert set(found) <= {1, 2}, "the first, and one for all who came while it was under way"
    assert len(read) <= 2


class Briefly:
    """Reads the number of the reading, and lets others run meanwhile; never two at once."""

    def __init__(self) -> None:
        self.begun = 0

    def __call__(self, keys: set[str]) -> dict[str, int]:
        self.begun += 1
        number = self.begun
        time.sleep(0.001)
        assert self.begun == number, "two readings at once"
        return dict.fromkeys(keys, number)


def test_in_a_crowd_that_asks_again_and_again_nobody_gets_what_was_read_before_they_asked() -> None:
    readings = Briefly()
    shared = Singleflight(readings)

    def asker(name: str) -> list[tuple[int, int | None]]:
        return [(readings.begun, shared.get(name)) for _ in range(25)]

    found = at_once([partial(asker, f"{name % 3}") for name in range(12)])
    assert all(isinstance(one, list) for one in found), found
    assert [(before, answer) for one in found for before, answer in one if answer is None or answer <= before] == []
