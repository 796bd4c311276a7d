"""Which days may be set, and how days are grouped for the page."""

import calendar
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar

from slomix import i18n
from slomix.errors import Invalid
from slomix.i18n import N_, Texts, ngettext


class Status(enum.StrEnum):
    """A player's answer for a day."""

    LOOKING = "LOOKING"
    AVAILABLE = "AVAILABLE"
    MAYBE = "MAYBE"
    NOT_PLAYING = "NOT_PLAYING"

    @property
    def key(self) -> str:
        """Return the status as code and styles write it."""
        return self.value.lower()

    @property
    def is_committed(self) -> bool:
        """Check whether a player who says this can be counted on."""
        return self in {Status.LOOKING, Status.AVAILABLE}

    @property
    def may_come(self) -> bool:
        """Check whether a player who says this has not said no."""
        return self is not Status.NOT_PLAYING


# The four statuses, by the names they have in the database.
STATUS_NAMES = Texts(
    {
        "LOOKING": N_("Looking"),
        "AVAILABLE": N_("Available"),
        "MAYBE": N_("Maybe"),
        "NOT_PLAYING": N_("Not playing"),
    }
)
# What each says to the player who gave it: in a sentence, and as a mark beside the day.
STATUS_SENTENCES = Texts(
    {
        "LOOKING": N_("You’re looking to play."),
        "AVAILABLE": N_("You’re available."),
        "MAYBE": N_("You said maybe."),
        "NOT_PLAYING": N_("You’re not playing."),
    }
)
MY_STATUS = Texts(
    {
        "LOOKING": N_("You: looking"),
        "AVAILABLE": N_("You: available"),
        "MAYBE": N_("You: maybe"),
        "NOT_PLAYING": N_("You: not playing"),
    }
)

HORIZON = timedelta(days=90)
MAX_SPAN = timedelta(days=180)
UPCOMING = 3


class PastDay(Invalid):
    sentence = N_("That day is over, so it can be read but no longer changed.")


class DayTooFar(Invalid):
    sentence = N_("That day is too far away. You can plan up to {days} days ahead.")
    values: ClassVar[Mapping[str, object]] = {"days": HORIZON.days}


class NoSuchDay(Invalid):
    sentence = N_("That is not a date. A date looks like 2026-11-22.")


class NoSuchMonth(NoSuchDay):
    sentence = N_("There is no calendar for that. A month looks like 2026-11.")


class NoSuchStatus(Invalid):
    sentence = N_("That is not a status. Pick Looking, Available, Maybe or Not playing.")


class SpanTooLong(Invalid):
    sentence = N_("Ask for at most {days} days, the first before the last.")
    values: ClassVar[Mapping[str, object]] = {"days": MAX_SPAN.days}


@dataclass(frozen=True)
class StatusCounts:
    """How many players gave each answer for a day."""

    looking: int = 0
    available: int = 0
    maybe: int = 0
    not_playing: int = 0

    @classmethod
    def from_statuses(cls, by_status: dict[Status, int]) -> "StatusCounts":
        return cls(**{status.key: by_status.get(status, 0) for status in Status})

    def __getitem__(self, status: Status) -> int:
        return int(getattr(self, status.key))

    @property
    def total(self) -> int:
        return self.looking + self.available + self.maybe + self.not_playing

    @property
    def coming(self) -> int:
        """Count everyone who did not say no."""
        return self.looking + self.available + self.maybe


def said_by(status: Status, number: int) -> str:
    """Say how many players gave an answer."""
    match status:
        case Status.LOOKING:
            return ngettext("{number} looking", "{number} looking", number)
        case Status.AVAILABLE:
            return ngettext("{number} available", "{number} available", number)
        case Status.MAYBE:
            return ngettext("{number} maybe", "{number} maybe", number)
        case Status.NOT_PLAYING:
            return ngettext("{number} not playing", "{number} not playing", number)


def who_comes(counts: StatusCounts) -> str:
    """Say how many did not say no, and what they said."""
    said = i18n.listed(said_by(status, counts[status]) for status in Status if status.may_come and counts[status])
    return ngettext("{number} coming: {said}", "{number} coming: {said}", counts.coming).format(said=said)


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


def check_day_open(day: date, today: date) -> None:
    """Raise PastDay or DayTooFar for a day that cannot be set or cleared."""
    if day < today:
        raise PastDay
    if day > today + HORIZON:
        raise DayTooFar


def still_late(late_until: datetime | None, now: datetime) -> datetime | None:
    """Return until when a player is late, or None once they are not."""
    return late_until if late_until is not None and now < late_until else None


def is_day_open(day: date, today: date) -> bool:
    return today <= day <= today + HORIZON


def check_span(first: date, last: date) -> None:
    if last < first or last - first >= MAX_SPAN:
        raise SpanTooLong


MAX_HEAT = 4


def heat(counts: StatusCounts, threshold: int) -> int:
    """Rate a day from 0, when no player could come, to MAX_HEAT, when enough could."""
    if counts.coming >= threshold:
        return MAX_HEAT
    return -(-counts.coming * (MAX_HEAT - 1) // threshold)


def days_between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def month_grid(month: date) -> list[list[date]]:
    """Return the weeks of a month, Monday first, filled up with the days around it."""
    return calendar.Calendar(firstweekday=calendar.MONDAY).monthdatescalendar(month.year, month.month)


def can_show_month(day: date) -> bool:
    """Check whether a calendar can show the month around a day: not in Python's first and last year."""
    return date.min.year < day.year < date.max.year


def adjacent_days(day: date) -> tuple[date | None, date | None]:
    """Return the day before and the day after, None past the ends of the calendar."""
    before = day - timedelta(days=1) if day > date.min else None
    return before, day + timedelta(days=1) if day < date.max else None


def month_of(text: str, day: date) -> date:
    """Return the first day of the month asked for, or of the day's own for an empty text. Raise NoSuchMonth."""
    return parse_month(text) if text else day.replace(day=1)


def parse_month(text: str) -> date:
    """Read `YYYY-MM` as the month's first day."""
    try:
        month = parse_day(f"{text}-01")
    except NoSuchDay:
        raise NoSuchMonth from None
    if not can_show_month(month):
        raise NoSuchMonth
    return month
