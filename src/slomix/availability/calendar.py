"""A month of days, as the board and a day's page show it."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from slomix.availability import rules, service
from slomix.availability.service import DayView


@dataclass(frozen=True)
class CalendarMonth:
    """One month of the calendar, with its neighbours where there is something to see or to say."""

    first: date
    weeks: list[list[DayView]]
    before: date
    after: date


def build_month(session: Session, first: date, *, viewer: int | None) -> CalendarMonth:
    """Read the month that begins on `first`: counts for all, their own answers for the viewer."""
    weeks = rules.month_grid(first)
    days = service.list_days(session, weeks[0][0], weeks[-1][-1], viewer=viewer)
    return CalendarMonth(
        first=first,
        weeks=[days[start : start + 7] for start in range(0, len(days), 7)],
        before=(first - timedelta(days=1)).replace(day=1),
        after=(first + timedelta(days=31)).replace(day=1),
    )
