"""The days on which evenings are played: each once, one after the other, and those on which the clocks change."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from slomix.clock import moment_of, parse_time

ZONE = ZoneInfo("Europe/Ljubljana")
FIRST = date(2026, 4, 8)
EVENING = "21:00"
# Over the very change: from the reminder to the start an hour is skipped, or the start's hour comes once more.
SPRING_NIGHT, AUTUMN_NIGHT = "03:05", "02:59"


@dataclass(frozen=True)
class Night:
    """A day of the community and the time at which it plays."""

    day: str
    start: str
    start_at: datetime

    @property
    def opens_at(self) -> datetime:
        return self.start_at - timedelta(minutes=20)

    @classmethod
    def on(cls, day: date, start: str) -> "Night":
        return cls(day.isoformat(), start, moment_of(day, parse_time(start), ZONE))


class Calendar:
    """Gives every evening a day of its own, never going back."""

    def __init__(self, first: date = FIRST) -> None:
        self._next = first
        self._changes = _changes(first)
        self._is_night = True

    def evening(self) -> Night:
        """The next day's."""
        day = self._next
        self._next += timedelta(days=1)
        return Night.on(day, EVENING)

    def over_the_change(self) -> Night:
        """The next day on which the clocks change: in turn a night of each kind and an evening of each kind."""
        day = next(one for one in self._changes if one >= self._next)
        self._next = day + timedelta(days=1)
        is_spring = day.month < 7
        start = (SPRING_NIGHT if is_spring else AUTUMN_NIGHT) if self._is_night else EVENING
        if not is_spring:
            self._is_night = not self._is_night
        return Night.on(day, start)


def _changes(first: date) -> Iterator[date]:
    """The days that are not twenty-four hours long."""
    day = first
    while True:
        if _hours(day) != 24:
            yield day
        day += timedelta(days=1)


def _hours(day: date) -> float:
    ends = (datetime.combine(one, time(0), ZONE).astimezone(UTC) for one in (day, day + timedelta(days=1)))
    begin, end = ends
    return (end - begin).total_seconds() / 3600
