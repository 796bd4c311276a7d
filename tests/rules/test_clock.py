"""One day in the whole system, right on both DST days, and a clock that can be set for every process at once."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix.clock import (
    Anchor,
    AnchoredClock,
    SystemClock,
    local_day,
    moment_of,
    open_clock,
    parse_typed_time,
    set_anchor,
    wall_now,
)

LJUBLJANA = ZoneInfo("Europe/Ljubljana")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
FIVE = time(5)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "starts_at", "day"),
    [
        ("2026-11-20T22:59:59", time(0), date(2026, 11, 20)),
        ("2026-11-20T23:00:00", time(0), date(2026, 11, 21)),
        ("2026-07-20T21:59:59", time(0), date(2026, 7, 20)),
        ("2026-07-20T22:00:00", time(0), date(2026, 7, 21)),
        ("2026-11-20T23:30:00", FIVE, date(2026, 11, 20)),
        ("2026-11-21T03:59:59", FIVE, date(2026, 11, 20)),
        ("2026-11-21T04:00:00", FIVE, date(2026, 11, 21)),
        ("2026-12-31T23:30:00", FIVE, date(2026, 12, 31)),
        # The night in which the clocks go forward ends an hour sooner, the other one an hour later.
        ("2026-03-29T02:59:59", FIVE, date(2026, 3, 28)),
        ("2026-03-29T03:00:00", FIVE, SPRING),
        ("2026-10-25T03:59:59", FIVE, date(2026, 10, 24)),
        ("2026-10-25T04:00:00", FIVE, AUTUMN),
        ("2026-03-28T22:59:59", time(0), date(2026, 3, 28)),
        ("2026-10-24T22:00:00", time(0), AUTUMN),
        ("2026-10-25T22:59:59", time(0), AUTUMN),
    ],
)
def test_a_day_begins_at_its_hour_in_the_communitys_zone(now: str, starts_at: time, day: date) -> None:
    assert local_day(utc(now), LJUBLJANA, starts_at) == day


@pytest.mark.parametrize(
    ("day", "at", "starts_at", "moment"),
    [
        (date(2026, 11, 20), time(21), time(0), "2026-11-20T20:00:00"),
        (date(2026, 7, 20), time(21), time(0), "2026-07-20T19:00:00"),
        (SPRING, time(1, 59), time(0), "2026-03-29T00:59:00"),
        (SPRING, time(3), time(0), "2026-03-29T01:00:00"),
        (SPRING, time(21), time(0), "2026-03-29T19:00:00"),
        (AUTUMN, time(21), time(0), "2026-10-25T20:00:00"),
        (AUTUMN, time(1), time(0), "2026-10-24T23:00:00"),
        # An hour that does not exist becomes the one after it; of a doubled hour the first counts.
        (SPRING, time(2, 30), time(0), "2026-03-29T01:30:00"),
        (AUTUMN, time(2, 30), time(0), "2026-10-25T00:30:00"),
        # Before the boundary is the night after.
        (date(2026, 11, 20), time(1), FIVE, "2026-11-21T00:00:00"),
        (date(2026, 11, 20), FIVE, FIVE, "2026-11-20T04:00:00"),
        (date(2026, 3, 28), time(4, 59), FIVE, "2026-03-29T02:59:00"),
        (date(2026, 10, 24), time(4, 59), FIVE, "2026-10-25T03:59:00"),
    ],
)
def test_an_hour_of_a_day_is_one_moment(day: date, at: time, starts_at: time, moment: str) -> None:
    assert moment_of(day, at, LJUBLJANA, starts_at) == utc(moment)


HOURS = st.times().map(lambda one: one.replace(microsecond=0, tzinfo=None))


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), HOURS, st.sampled_from([time(0), time(2), FIVE, time(6, 30)]))
def test_every_hour_of_a_day_lies_on_that_day(day: date, at: time, starts_at: time) -> None:
    assert local_day(moment_of(day, at, LJUBLJANA, starts_at), LJUBLJANA, starts_at) == day


@pytest.mark.parametrize("starts_at", [time(0), time(2), time(2, 30), time(3), FIVE])
@pytest.mark.parametrize("night", [SPRING, AUTUMN])
def test_a_day_that_has_begun_never_ends_and_begins_again(night: date, starts_at: time) -> None:
    midnight = datetime.combine(night - timedelta(days=1), time(20), UTC)
    days = [local_day(midnight + timedelta(minutes=10 * n), LJUBLJANA, starts_at) for n in range(72)]
    assert days == sorted(days)
    assert set(days) == {night - timedelta(days=1), night}


@pytest.mark.parametrize(
    ("spec", "system", "speed"),
    [
        ("2026-03-28T20:40:00+01:00", "2026-03-28T19:40:00", 1.0),
        ("2026-03-28T20:40:00+01:00@20x", "2026-03-28T19:40:00", 20.0),
        ("2026-03-28T19:40:00Z@0x", "2026-03-28T19:40:00", 0.0),
        (" 2026-03-28T19:40Z@0.5x ", "2026-03-28T19:40:00", 0.5),
    ],
)
def test_an_anchor_is_a_time_with_a_zone_and_perhaps_a_speed(spec: str, system: str, speed: float) -> None:
    wall = utc("2026-01-01T00:00:00")
    assert Anchor.parse(spec, wall=wall) == Anchor(wall=wall, system=utc(system), speed=speed)


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "now",
        "20:45",
        "2026-03-28T20:40:00",
        "2026-03-28T20:40:00+01:00@",
        "2026-03-28T20:40:00+01:00@20",
        "2026-03-28T20:40:00+01:00@-1x",
        "2026-03-28T20:40:00+01:00@fastx",
        "2026-02-30T20:40:00+01:00",
        "@20x",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
    ],
)
def test_an_anchor_that_makes_no_sense_is_refused_with_an_example(spec: str) -> None:
    with pytest.raises(ValueError, match=r"such as 2026-03-28T20:40:00\+01:00@20x"):
        Anchor.parse(spec, wall=wall_now())


def test_time_runs_from_its_anchor_at_its_speed() -> None:
    anchor = Anchor.parse("2026-03-28T19:40:00Z@20x", wall=utc("2026-01-01T12:00:00"))
    assert anchor.at(utc("2026-01-01T12:01:00")) == utc("2026-03-28T20:00:00")


EVENING = utc("2026-11-20T19:30:00")


def put(path: Path, system: datetime, speed: float = 1.0) -> None:
    set_anchor(path, Anchor(wall=wall_now(), system=system, speed=speed))


def test_a_clock_that_was_set_is_seen_at_once_by_whoever_shares_it_forward_and_back(tmp_path: Path) -> None:
    path = tmp_path / "of one copy" / "clock.json"
    put(path, EVENING, speed=0)
    ours, theirs = AnchoredClock(path), AnchoredClock(path)
    assert ours.now() == theirs.now() == EVENING
    for moment in (EVENING + timedelta(days=3), EVENING - timedelta(days=300), EVENING):
        put(path, moment, speed=0)
        assert ours.now() == theirs.now() == moment
    assert [left.name for left in path.parent.iterdir()] == ["clock.json"]


def test_a_clock_opened_later_shows_the_same_time_and_does_not_begin_anew(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    anchored_at = wall_now() - timedelta(minutes=1)
    set_anchor(path, Anchor(wall=anchored_at, system=EVENING, speed=60))
    opened = open_clock(path)
    assert opened.can_jump
    assert EVENING + timedelta(hours=1) <= opened.now() <= EVENING + 60 * (wall_now() - anchored_at)


def test_a_clock_at_no_speed_stands_still_and_reaches_nothing_by_waiting(tmp_path: Path) -> None:
    put(tmp_path / "clock.json", EVENING, speed=0)
    clock = AnchoredClock(tmp_path / "clock.json")
    assert clock.now() == clock.now() == EVENING
    assert clock.wall_seconds_until(EVENING + timedelta(seconds=1)) is None
    assert clock.wall_seconds_until(EVENING) == 0
    assert clock.wall_seconds_until(EVENING - timedelta(days=1)) == 0


def test_a_fast_clock_is_waited_for_in_wall_seconds(tmp_path: Path) -> None:
    began = wall_now()
    put(tmp_path / "clock.json", EVENING, speed=20)
    clock = AnchoredClock(tmp_path / "clock.json")
    left = clock.wall_seconds_until(EVENING + timedelta(minutes=20))
    assert left is not None
    assert 60 - (wall_now() - began).total_seconds() <= left <= 60
    assert clock.wall_seconds_until(EVENING - timedelta(minutes=20)) == 0


def test_in_production_the_time_is_the_time() -> None:
    clock = open_clock(None)
    assert isinstance(clock, SystemClock)
    assert not clock.can_jump
    began = wall_now()
    assert began <= clock.now() <= wall_now()
    assert clock.now().tzinfo is UTC
    left = clock.wall_seconds_until(began + timedelta(seconds=60))
    assert left is not None
    assert 60 - (wall_now() - began).total_seconds() <= left <= 60
    assert clock.wall_seconds_until(wall_now() - timedelta(seconds=60)) == 0


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("21:30", time(21, 30)),
        ("9:05", time(9, 5)),
        ("09.05", time(9, 5)),
        ("2130", time(21, 30)),
        ("930", time(9, 30)),
        ("21", time(21)),
        ("7", time(7)),
        ("00:00", time(0)),
        (" 23:59 ", time(23, 59)),
    ],
)
def test_a_time_is_read_as_people_type_it(typed: str, meant: time) -> None:
    assert parse_typed_time(typed) == meant


@pytest.mark.parametrize(
    "typed", ["", "24:00", "21:60", "9 pm", "21:30:00", "21:3", "-1", "2:", "٢١:٣٠", "21:30+01", "12345", "21:30\x00"]
)
def test_what_is_no_time_of_day_is_not_read(typed: str) -> None:
    with pytest.raises(ValueError, match="not a time of day"):
        parse_typed_time(typed)
