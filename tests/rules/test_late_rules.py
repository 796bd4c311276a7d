"""Late: 15 minutes after the start or after saying so, never beyond the follow-up's deadline."""

from datetime import datetime

import pytest

from slomix.availability.rules import still_late
from slomix.campaigns.rules import EveningHours, TooLateToBeLate, late_until
from tests.moments import at

HOURS = EveningHours(at(21), at(21, 20, 30))


@pytest.mark.parametrize(
    ("said_at", "comes_at"),
    [
        (at(9), at(21, 15)),
        (at(20, 59, 59), at(21, 15)),
        (at(21), at(21, 15)),
        (at(21, 0, 1), at(21, 15, 1)),
        (at(21, 5, 30), at(21, 20, 30)),
        (at(21, 5, 31), at(21, 20, 30)),
        (at(21, 20, 29), at(21, 20, 30)),
    ],
)
def test_who_is_late_comes_15_minutes_after_the_start_or_after_saying_so(said_at: datetime, comes_at: datetime) -> None:
    assert late_until(HOURS, said_at) == comes_at


@pytest.mark.parametrize("said_at", [at(21, 20, 30), at(23)])
def test_after_the_deadline_nobody_can_come_later(said_at: datetime) -> None:
    with pytest.raises(TooLateToBeLate):
        late_until(HOURS, said_at)


@pytest.mark.parametrize(
    ("now", "is_offered"),
    [(at(17, 59, 59), False), (at(18), True), (at(21, 20, 29), True), (at(21, 20, 30), False)],
)
def test_it_is_offered_from_three_hours_before_the_start_to_the_deadline(now: datetime, is_offered: bool) -> None:
    assert HOURS.offers_late(now) is is_offered


@pytest.mark.parametrize(
    ("until", "now", "still"),
    [(None, at(21), None), (at(21, 15), at(21, 14, 59), at(21, 15)), (at(21, 15), at(21, 15), None)],
)
def test_being_late_ends_by_itself(until: datetime | None, now: datetime, still: datetime | None) -> None:
    assert still_late(until, now) == still
