"""Which days may be set, how they are written, and how a month is laid out."""

from datetime import date, timedelta

import pytest

from slomix.availability import rules
from slomix.availability.rules import DayTooFar, NoSuchDay, NoSuchStatus, PastDay, SpanTooLong, Status, StatusCounts
from slomix.errors import Invalid

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("days", "refusal"),
    [(-365, PastDay), (-1, PastDay), (0, None), (1, None), (89, None), (90, None), (91, DayTooFar), (3650, DayTooFar)],
)
def test_today_and_ninety_days_ahead_may_be_set(days: int, refusal: type[Invalid] | None) -> None:
    day = TODAY + timedelta(days=days)
    assert rules.is_day_open(day, TODAY) is (refusal is None)
    if refusal is None:
        rules.check_day_open(day, TODAY)
    else:
        with pytest.raises(refusal, match=r"^[A-Z].*\.$"):
            rules.check_day_open(day, TODAY)


def test_the_sentence_about_a_far_day_names_the_horizon() -> None:
    with pytest.raises(DayTooFar, match="up to 90 days ahead"):
        rules.check_day_open(TODAY + timedelta(days=91), TODAY)


@pytest.mark.parametrize("text", ["2026-11-25", "2028-02-29", "2026-01-01"])
def test_a_day_is_written_as_year_month_and_day(text: str) -> None:
    assert rules.parse_day(text).isoformat() == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "today",
        "20261125",
        "2026-W48-1",
        "2026-W481",
        "2026-330",
        "2026-11-31",
        "2027-02-29",
        "2026-13-01",
        "2026-1-1",
        "0000-01-01",
        "25.11.2026",
        "2026-11-25 ",
        " 2026-11-25",
        "2026-11-25T00:00",
        "2026/11/25",
        "٢٠٢٦-١١-٢٥",
        "２０２６-１１-２５",
        "2026-11-2५",
        "2026-11-+1",
        "2026-11--1",
    ],
)
def test_whatever_else_might_be_a_date_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(NoSuchDay, match="2026-11-22"):
        rules.parse_day(text)


@pytest.mark.parametrize("text", [*Status])
def test_a_status_is_one_of_four_words(text: str) -> None:
    assert rules.parse_status(text).value == text


@pytest.mark.parametrize("text", ["", "looking", "LOOKING ", "PLAYING", "NOT PLAYING", "0"])
def test_another_word_is_no_status(text: str) -> None:
    with pytest.raises(NoSuchStatus):
        rules.parse_status(text)


@pytest.mark.parametrize(("days", "fits"), [(-1, False), (0, True), (179, True), (180, False), (100_000, False)])
def test_a_span_is_at_most_180_days_the_first_before_the_last(days: int, fits: bool) -> None:
    if fits:
        rules.check_span(TODAY, TODAY + timedelta(days=days))
        assert len(rules.days_between(TODAY, TODAY + timedelta(days=days))) == days + 1
    else:
        with pytest.raises(SpanTooLong):
            rules.check_span(TODAY, TODAY + timedelta(days=days))


@pytest.mark.parametrize(
    ("month", "first", "last", "weeks"),
    [
        ("2026-11", date(2026, 10, 26), date(2026, 12, 6), 6),
        ("2027-02", date(2027, 2, 1), date(2027, 2, 28), 4),
        ("2028-02", date(2028, 1, 31), date(2028, 3, 5), 5),
        ("2026-12", date(2026, 11, 30), date(2027, 1, 3), 5),
    ],
)
def test_a_month_is_whole_weeks_monday_first(month: str, first: date, last: date, weeks: int) -> None:
    grid = rules.month_grid(rules.parse_month(month))
    assert len(grid) == weeks
    assert [day for week in grid for day in week] == rules.days_between(first, last)
    assert all(week[0].isoweekday() == 1 and len(week) == 7 for week in grid)


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-1", "11-2026", "2026-11-25", "٢٠٢٦-١١"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(NoSuchDay):
        rules.parse_month(text)


@pytest.mark.parametrize("text", ["0001-01", "9999-12"])
def test_a_month_that_has_no_neighbours_is_refused_rather_than_counted_past_the_end_of_time(text: str) -> None:
    with pytest.raises(NoSuchDay):
        rules.month_grid(rules.parse_month(text))


def test_counts_tell_who_is_coming_from_who_said_anything() -> None:
    counts = StatusCounts.from_statuses({Status.LOOKING: 3, Status.MAYBE: 2, Status.NOT_PLAYING: 4})
    assert [counts[status] for status in Status] == [3, 0, 2, 4]
    assert (counts.total, counts.coming) == (9, 5)
