"""Which of the requests that wait begins next, in the web process."""

import gevent
import pytest
from gevent.event import Event

from slomix.app import worker
from slomix.app.worker import Line
from tests.waiting import PATIENCE


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(worker, "BEGIN_WITHIN_SECONDS", 30.0)
    return []


def test_who_asked_for_little_begins_before_all_that_wait_of_who_asked_for_much(begun: list[str]) -> None:
    line, may_end, is_busy = Line(), Event(), [True]

    def ask(name: str, weight: float) -> gevent.Greenlet:
        def serve() -> None:
            with line.turn(weight):
                begun.append(name)
                may_end.wait()

        return gevent.spawn(serve)

    def keep_busy() -> None:
        while is_busy[0]:
            gevent.sleep(0)

    asking = [ask("much", 400) for _ in range(worker.FEW)]
    gevent.idle()
    working = gevent.spawn(keep_busy)  # as two that are under way and compute
    asking += [ask("much", 400) for _ in range(10)]
    for _ in range(5):
        gevent.sleep(0)
    asking.append(ask("little", 1))
    for _ in range(5):
        gevent.sleep(0)
    assert begun == ["much"] * worker.FEW, "what is under way goes first"
    is_busy[0] = False
    may_end.set()
    gevent.joinall([working, *asking], timeout=PATIENCE)
    assert begun == ["much"] * worker.FEW + ["little"] + ["much"] * 10


def test_what_waits_for_something_holds_nobody_up(begun: list[str]) -> None:
    """Two that wait for Discord do not keep the others from beginning, however long it takes."""
    line, never = Line(), Event()

    def serve(name: str) -> None:
        with line.turn(1):
            begun.append(name)
            never.wait()

    asking = [gevent.spawn(serve, str(number)) for number in range(worker.FEW + 3)]
    for _ in range(10):
        gevent.idle()
    assert len(begun) == worker.FEW + 3
    gevent.killall(asking)
    assert line._under_way == 0


def test_who_stops_waiting_takes_nobodys_place() -> None:
    line, may_end = Line(), Event()

    def ask() -> None:
        with line.turn(0):
            may_end.wait()

    asking = [gevent.spawn(ask) for _ in range(worker.FEW + 3)]
    gevent.sleep(0)
    gevent.killall(asking)
    may_end.set()
    gevent.joinall([gevent.spawn(ask) for _ in range(worker.FEW + 1)], timeout=PATIENCE)
    assert line._under_way == 0
