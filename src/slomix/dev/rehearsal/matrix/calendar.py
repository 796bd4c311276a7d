"""The days on which evenings are played: each day once, in order, some on days when the clocks change."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from slomix.clock import moment_of, parse_time

ZONE = ZoneInfo("Europe/Ljubljana")
FIRST = date(2026, 4, 8)
EVENING = "21:00"
# Across the change: between reminder and start an hour is skipped, or the start's hour comes twice.
SPRING_NIGHT, AUTUMN_NIGHT = "03:05", "02:59"


@dataclass(frozen=True)
class MatrixEvening:
    """A community day and the time of its game night."""

    day: str
    start: str
    start_at: datetime

    @property
    def opens_at(self) -> datetime:
        return self.start_at - timedelta(minutes=20)

    @classmethod
    def on(cls, day: date, start: str) -> "MatrixEvening":
        return cls(day.isoformat(), start, moment_of(day, parse_time(start), ZONE))


class EveningCalendar:
    """Gives each evening its own day, never going back."""

    def __init__(self, first: date = FIRST) -> None:
        self._next = first
        self._changes = _changes(first)
        self._is_night = True

    def next_evening(self) -> MatrixEvening:
        """Return the next day's evening."""
        day = self._next
        self._next += timedelta(days=1)
        return MatrixEvening.on(day, EVENING)

    def next_clock_change(self) -> MatrixEvening:
        """Return the next day on which the clocks change, taking nights and evenings in turn."""
        day = next(change for change in self._changes if change >= self._next)
        self._next = day + timedelta(days=1)
        is_spring = day.month < 7
        start = (SPRING_NIGHT if is_spring else AUTUMN_NIGHT) if self._is_night else EVENING
        if not is_spring:
            self._is_night = not self._is_night
        return MatrixEvening.on(day, start)


def _changes(first: date) -> Iterator[date]:
    """Yield the days that don't have twenty-four hours."""
    day = first
    while True:
        if _hours(day) != 24:
            yield day
        day += timedelta(days=1)


def _hours(day: date) -> float:
    ends = (datetime.combine(midnight, time(0), ZONE).astimezone(UTC) for midnight in (day, day + timedelta(days=1)))
    begin, end = ends
    return (end - begin).total_seconds() / 3600
