"""Which days may be set, and how days are grouped for the page."""

import calendar
import enum
from dataclasses import dataclass
from datetime import date, timedelta

from slomix.errors import Invalid


class Status(enum.StrEnum):
    """What a player says about a day."""

    LOOKING = "LOOKING"
    AVAILABLE = "AVAILABLE"
    MAYBE = "MAYBE"
    NOT_PLAYING = "NOT_PLAYING"


HORIZON = timedelta(days=90)
MAX_SPAN = timedelta(days=180)
UPCOMING = 3


class PastDay(Invalid):
    def __init__(self) -> None:
        super().__init__("That day is over, so it can be read but no longer changed.")


class FarDay(Invalid):
    def __init__(self) -> None:
        super().__init__(f"That day is too far away. You can plan up to {HORIZON.days} days ahead.")


class NoSuchDay(Invalid):
    def __init__(self) -> None:
        super().__init__("That is not a date. A date looks like 2026-11-22.")


class NoSuchMonth(NoSuchDay):
    def __init__(self) -> None:
        Invalid.__init__(self, "There is no calendar for that. A month looks like 2026-11.")


class NoSuchStatus(Invalid):
    def __init__(self) -> None:
        super().__init__("That is not a status. Pick Looking, Available, Maybe or Not playing.")


class SpanTooLong(Invalid):
    def __init__(self) -> None:
        super().__init__(f"Ask for at most {MAX_SPAN.days} days, the first before the last.")


@dataclass(frozen=True)
class Counts:
    """How many said what about a day."""

    looking: int = 0
    available: int = 0
    maybe: int = 0
    not_playing: int = 0

    @classmethod
    def of(cls, by_status: dict[Status, int]) -> "Counts":
        return cls(**{status.value.lower(): by_status.get(status, 0) for status in Status})

    def __getitem__(self, status: Status) -> int:
        return int(getattr(self, status.value.lower()))

    @property
    def total(self) -> int:
        return self.looking + self.available + self.maybe + self.not_playing

    @property
    def coming(self) -> int:
        """Those who said anything but no."""
        return self.looking + self.available + self.maybe


def parse_day(text: str) -> date:
    """Read `YYYY-MM-DD`, and nothing else that ISO 8601 would also allow."""
    if len(text) != 10 or text[4] != "-" or text[7] != "-" or not text.isascii():
        raise NoSuchDay
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NoSuchDay from None


def parse_status(text: str) -> Status:
    try:
        return Status(text)
    except ValueError:
        raise NoSuchStatus from None


def check_may_change(day: date, today: date) -> None:
    """Raise PastDay or FarDay for a day that cannot be set or cleared."""
    if day < today:
        raise PastDay
    if day > today + HORIZON:
        raise FarDay


def may_change(day: date, today: date) -> bool:
    return today <= day <= today + HORIZON


def check_span(first: date, last: date) -> None:
    if last < first or last - first >= MAX_SPAN:
        raise SpanTooLong


def days_between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def month_grid(month: date) -> list[list[date]]:
    """The weeks of a month, Monday first, filled up with the days around it."""
    return calendar.Calendar(firstweekday=calendar.MONDAY).monthdatescalendar(month.year, month.month)


def parse_month(text: str) -> date:
    """Read `YYYY-MM` as the month's first day; the first and the last year that there is have no whole calendar."""
    try:
        month = parse_day(f"{text}-01")
    except NoSuchDay:
        raise NoSuchMonth from None
    if month.year in {date.min.year, date.max.year}:
        raise NoSuchMonth
    return month
