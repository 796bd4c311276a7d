"""The evening on which the tests take place, and its moments."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

LJUBLJANA = ZoneInfo("Europe/Ljubljana")
TODAY = date(2026, 11, 20)


def at(hour: int, minute: int = 0, second: int = 0, *, day: date = TODAY) -> datetime:
    """Return a moment of the evening, given on the community's clock."""
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=LJUBLJANA).astimezone(UTC)
