"""Wall time is the database's: a machine whose clock is off counts as well as any other, and says by how much."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from slomix import clock
from slomix.health.rules import PartHealth, add_clock

NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)


class Machine:
    """A machine with a clock of its own, and a monotonic one."""

    def __init__(self) -> None:
        self.ahead, self.running = timedelta(0), 1000.0

    def now(self) -> datetime:
        return NOW + self.ahead + timedelta(seconds=self.running - 1000)

    def right(self) -> datetime:
        return NOW + timedelta(seconds=self.running - 1000)

    def ask(self, seconds: float = 0.0) -> datetime:
        """Ask the database, which takes so long: half on the way there."""
        self.running += seconds / 2
        answer = self.right()
        self.running += seconds / 2
        return answer


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    machine = Machine()
    monkeypatch.setattr(clock, "machine_now", machine.now)
    monkeypatch.setattr(time, "monotonic", lambda: machine.running)
    monkeypatch.setattr(clock, "_compared", None)
    monkeypatch.setattr(clock, "_outside", None)
    yield machine


@pytest.mark.parametrize(
    "ahead", [timedelta(hours=1), timedelta(hours=-1), timedelta(seconds=20), timedelta(days=-400)]
)
@pytest.mark.parametrize("trip", [0.0, 0.4, 5.0])
def test_a_machine_that_is_off_tells_the_databases_time(machine: Machine, ahead: timedelta, trip: float) -> None:
    machine.ahead = ahead
    clock.follow(lambda: machine.ask(trip))
    assert clock.wall_now() == machine.right()
    assert clock.offset() == -ahead
    machine.running += 30
    assert clock.wall_now() == machine.right()


def test_a_machine_that_is_right_is_not_moved_about_by_what_measuring_gets_wrong(machine: Machine) -> None:
    machine.ahead = timedelta(milliseconds=30)
    clock.follow(machine.ask)
    assert clock.offset() == timedelta(0)


def test_a_machine_that_is_set_right_is_believed_again(machine: Machine) -> None:
    machine.ahead = timedelta(hours=1)
    clock.follow(machine.ask)
    machine.ahead = timedelta(0)
    clock.follow(machine.ask)
    assert clock.wall_now() == machine.right()


def test_a_process_that_could_not_compare_for_a_minute_does_not_know_the_time(machine: Machine) -> None:
    assert clock.is_trusted(), "a process that never compares has no need to"
    clock.follow(machine.ask)
    machine.running += 60
    assert clock.is_trusted()
    machine.running += 1
    assert not clock.is_trusted()
    clock.follow(machine.ask)
    assert clock.is_trusted()


def test_what_a_provider_says_contradicts_the_database_for_a_while(machine: Machine) -> None:
    def contradicts() -> bool:
        return clock.contradiction(timedelta(seconds=5), within=timedelta(minutes=10)) is not None

    assert not contradicts()
    clock.hear(machine.right() + timedelta(seconds=4))
    assert not contradicts()
    clock.hear(machine.right() - timedelta(seconds=6))
    assert contradicts()
    machine.running += 601
    assert not contradicts()


@pytest.mark.parametrize(
    ("offsets", "reason"),
    [
        ([], None),
        ([4.9, -4.9], None),
        ([0.0, -20.2], "its machine's clock is 20 s ahead of the database's, and is corrected"),
        ([3600.0, 1.0], "its machine's clock is 3600 s behind the database's, and is corrected"),
    ],
)
def test_a_clock_that_is_off_is_told_and_the_part_is_well(offsets: list[float], reason: str | None) -> None:
    part = add_clock(PartHealth("worker", ok=True), offsets)
    assert (part.ok, part.reason) == (True, reason)
    assert add_clock(PartHealth("worker", ok=True, reason="first"), [9.0]).reason == (
        "first; its machine's clock is 9 s behind the database's, and is corrected"
    )
