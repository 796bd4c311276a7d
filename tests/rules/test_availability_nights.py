"""Which days may be set in the two nights in which the clocks change, at midnight, and with a later day boundary."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from slomix.availability import rules
from slomix.availability.rules import DayTooFar, PastDay
from slomix.clock import local_day
from slomix.errors import Invalid
from tests.moments import LJUBLJANA

MIDNIGHT, FIVE = time(0), time(5)
SATURDAY_28, SPRING = date(2026, 3, 28), date(2026, 3, 29)
SATURDAY_24, AUTUMN = date(2026, 10, 24), date(2026, 10, 25)

# A moment in UTC, the hour on the wall in Ljubljana, and the community's day with either boundary.
MOMENTS = [
    # In spring 02:00 to 03:00 is missing: one second after 01:59:59 it is three o'clock.
    ("2026-03-28T22:59:59", "23:59:59", SATURDAY_28, SATURDAY_28),
    ("2026-03-28T23:00:00", "00:00:00", SPRING, SATURDAY_28),
    ("2026-03-29T00:59:59", "01:59:59", SPRING, SATURDAY_28),
    ("2026-03-29T01:00:00", "03:00:00", SPRING, SATURDAY_28),
    ("2026-03-29T01:30:00", "03:30:00", SPRING, SATURDAY_28),
    ("2026-03-29T02:59:59", "04:59:59", SPRING, SATURDAY_28),
    ("2026-03-29T03:00:00", "05:00:00", SPRING, SPRING),
    ("2026-03-29T21:59:59", "23:59:59", SPRING, SPRING),
    ("2026-03-29T22:00:00", "00:00:00", date(2026, 3, 30), SPRING),
    # In autumn 02:00 to 03:00 comes twice.
    ("2026-10-24T21:59:59", "23:59:59", SATURDAY_24, SATURDAY_24),
    ("2026-10-24T22:00:00", "00:00:00", AUTUMN, SATURDAY_24),
    ("2026-10-25T00:30:00", "02:30:00", AUTUMN, SATURDAY_24),
    ("2026-10-25T00:59:59", "02:59:59", AUTUMN, SATURDAY_24),
    ("2026-10-25T01:00:00", "02:00:00", AUTUMN, SATURDAY_24),
    ("2026-10-25T01:30:00", "02:30:00", AUTUMN, SATURDAY_24),
    ("2026-10-25T03:59:59", "04:59:59", AUTUMN, SATURDAY_24),
    ("2026-10-25T04:00:00", "05:00:00", AUTUMN, AUTUMN),
    ("2026-10-25T22:59:59", "23:59:59", AUTUMN, AUTUMN),
    ("2026-10-25T23:00:00", "00:00:00", date(2026, 10, 26), AUTUMN),
]
# The last day of the horizon, counted on a calendar of paper.
LAST = {
    SATURDAY_28: date(2026, 6, 26),
    SPRING: date(2026, 6, 27),
    date(2026, 3, 30): date(2026, 6, 28),
    SATURDAY_24: date(2027, 1, 22),
    AUTUMN: date(2027, 1, 23),
    date(2026, 10, 26): date(2027, 1, 24),
}


def may_be_set(day: date, today: date) -> type[Invalid] | None:
    """Why a day may not be set; both rules agree on whether it may."""
    try:
        rules.check_day_open(day, today)
    except Invalid as refusal:
        assert not rules.is_day_open(day, today)
        return type(refusal)
    assert rules.is_day_open(day, today)
    return None


@pytest.mark.parametrize("boundary", [MIDNIGHT, FIVE], ids=["from 00:00", "from 05:00"])
@pytest.mark.parametrize(
    ("moment", "on_the_wall", "by_midnight", "by_five"), MOMENTS, ids=[f"{one[0]}Z" for one in MOMENTS]
)
def test_in_a_night_of_a_change_today_and_ninety_days_may_be_set(
    moment: str, on_the_wall: str, by_midnight: date, by_five: date, boundary: time
) -> None:
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert f"{now.astimezone(LJUBLJANA):%H:%M:%S}" == on_the_wall
    today = local_day(now, LJUBLJANA, boundary)
    assert today == (by_midnight if boundary == MIDNIGHT else by_five)
    last, a_day = LAST[today], timedelta(days=1)
    days = [today - a_day, today, today + a_day, last, last + a_day]
    assert [may_be_set(day, today) for day in days] == [PastDay, None, None, None, DayTooFar]


def test_an_hour_on_the_wall_that_does_not_exist_still_has_a_day() -> None:
    """Nobody sees 02:30 in that night, but a time typed by somebody may say so."""
    for fold in (0, 1):
        missing = datetime(2026, 3, 29, 2, 30, tzinfo=LJUBLJANA, fold=fold)
        assert local_day(missing, LJUBLJANA) == SPRING
        assert local_day(missing, LJUBLJANA, FIVE) == SATURDAY_28


def test_both_hours_of_the_doubled_one_are_the_same_day() -> None:
    twice = [datetime(2026, 10, 25, 2, 30, tzinfo=LJUBLJANA, fold=fold) for fold in (0, 1)]
    assert twice[0].astimezone(UTC) != twice[1].astimezone(UTC)
    assert [local_day(one, LJUBLJANA) for one in twice] == [AUTUMN] * 2
    assert [local_day(one, LJUBLJANA, FIVE) for one in twice] == [SATURDAY_24] * 2


@pytest.mark.parametrize("today", [date(2026, 1, 15), date(2026, 8, 1)], ids=["over spring", "over autumn"])
def test_a_horizon_over_a_change_of_the_clocks_is_ninety_days_too(today: date) -> None:
    """Ninety days of 24 hours would end an hour off, and at midnight a day off."""
    may = [day for day in (today + timedelta(days=n) for n in range(-3, 100)) if rules.is_day_open(day, today)]
    assert (len(may), may[0]) == (91, today)
    assert may[-1] == {date(2026, 1, 15): date(2026, 4, 15), date(2026, 8, 1): date(2026, 10, 30)}[today]
