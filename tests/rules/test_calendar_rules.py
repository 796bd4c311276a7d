"""How hot a day looks in the calendar, and what lies beside the first and the last day there is."""

from datetime import date

import pytest

from slomix.availability import rules
from slomix.availability.rules import MAX_HEAT, NoSuchDay, NoSuchMonth, StatusCounts

# How many could come, from nobody to one more than enough.
HEATS = {
    1: [0, 4, 4],
    4: [0, 1, 2, 3, 4, 4],
    6: [0, 1, 1, 2, 2, 3, 4, 4],
    10: [0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4],
}


@pytest.mark.parametrize(("threshold", "heats"), HEATS.items())
def test_a_day_gets_hotter_in_thirds_and_is_hottest_only_when_enough_could_come(
    threshold: int, heats: list[int]
) -> None:
    assert [rules.heat(StatusCounts(looking=coming), threshold) for coming in range(threshold + 2)] == heats
    assert heats[threshold] == MAX_HEAT
    assert MAX_HEAT not in heats[:threshold]


def test_whoever_could_come_makes_a_day_hotter_and_whoever_does_not_play_leaves_it_cold() -> None:
    assert rules.heat(StatusCounts(looking=1, available=2, maybe=1), 4) == MAX_HEAT
    assert rules.heat(StatusCounts(not_playing=9), 4) == 0
    assert rules.heat(StatusCounts(maybe=3, not_playing=9), 4) == 3


@pytest.mark.parametrize(
    ("day", "before", "after"),
    [
        (date.min, None, date(1, 1, 2)),
        (date(1, 1, 2), date.min, date(1, 1, 3)),
        (date(2026, 3, 29), date(2026, 3, 28), date(2026, 3, 30)),
        (date(2026, 12, 31), date(2026, 12, 30), date(2027, 1, 1)),
        (date(2028, 2, 28), date(2028, 2, 27), date(2028, 2, 29)),
        (date(9999, 12, 30), date(9999, 12, 29), date.max),
        (date.max, date(9999, 12, 30), None),
    ],
    ids=str,
)
def test_a_day_has_neighbours_where_there_are_any(day: date, before: date | None, after: date | None) -> None:
    assert rules.adjacent_days(day) == (before, after)


@pytest.mark.parametrize(
    ("day", "has_one"),
    [
        (date.min, False),
        (date(1, 12, 31), False),
        (date(2, 1, 1), True),
        (date(2026, 11, 20), True),
        (date(9998, 12, 31), True),
        (date(9999, 1, 1), False),
        (date.max, False),
    ],
    ids=str,
)
def test_a_month_can_be_shown_where_the_months_around_it_exist(day: date, has_one: bool) -> None:
    assert rules.can_show_month(day) is has_one


@pytest.mark.parametrize("text", ["0002-01", "1970-01", "2026-11", "9998-12"])
def test_a_month_is_written_as_year_and_month_and_is_laid_out_up_to_the_ends_of_time(text: str) -> None:
    first = rules.parse_month(text)
    assert first.isoformat() == f"{text}-01"
    assert any(first in week for week in rules.month_grid(first))


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026-13", "2026-00", "2026-1", "202611", "2026-W48", "2026-11-25", "2026-11 ", "0001-12", "9999-01"],
)
def test_what_is_no_month_is_refused_with_an_example_of_one(text: str) -> None:
    with pytest.raises(NoSuchMonth, match=r"A month looks like 2026-11\.") as refused:
        rules.parse_month(text)
    assert isinstance(refused.value, NoSuchDay)
