"""The table says per cell what was counted, and a bad round says how to play it again."""

from datetime import date

from slomix.dev.rehearsal.matrix.calendar import EveningCalendar, MatrixEvening
from slomix.dev.rehearsal.matrix.evening import PlayedEvening
from slomix.dev.rehearsal.matrix.results import EveningCount
from slomix.dev.rehearsal.matrix.scenarios import BY_NAME, FEW, MANY, SCENARIOS
from slomix.dev.rehearsal.matrix.table import ScenarioResult, as_markdown, as_text, describe_evening
from tests.moments import at

CELL = BY_NAME["kill worker"]
ROW = {
    "event_key": "PROMOTE:T0:2026-04-08",
    "to": "ann",
    "channel": "discord",
    "status": "unknown",
    "reason": "no answer",
    "attempts": [{"claim": 1, "event": "begun", "status": "sending", "error": None}],
}


def played(count: EveningCount, number: int = 0) -> PlayedEvening:
    night = MatrixEvening.on(date(2026, 4, 8), "21:00")
    return PlayedEvening("kill worker", number, night, "start", 0.5, "12", count, ledger=[ROW], took=10)


GOOD = ScenarioResult(CELL, [played(EveningCount(lateness=1.25, unknown=1)), played(EveningCount(lateness=0.5))])
BAD = ScenarioResult(CELL, [played(EveningCount(duplicates=1, flaws=("T0 to ann came 2 times",)), 3)])


def test_a_cell_is_a_line() -> None:
    assert GOOD.is_kept
    assert GOOD.as_columns() == ("kill worker", "2", "0", "0", "1 (0)", "0", "0", "1.2 s", "", "kept", "10 s")
    assert not BAD.is_kept
    assert BAD.as_columns()[-2] == "BROKEN in 1"


def test_a_cell_that_nobody_played_keeps_nothing() -> None:
    assert not ScenarioResult(CELL, []).is_kept
    assert "not played" in as_text([ScenarioResult(CELL, [])])


def test_both_tables_have_a_line_for_each_cell() -> None:
    assert len(as_text([GOOD, BAD]).splitlines()) == 3
    lines = as_markdown([GOOD, BAD]).splitlines()
    assert len(lines) == 4
    assert len({line.count("|") for line in lines}) == 1


def test_a_bad_round_tells_its_seed_its_moment_and_its_rows() -> None:
    said = describe_evening(BAD.played[0], 77)
    for part in ("kill worker, round 3", "campaign 12", "0.50 s into 'start'", "seed 77", "ann", "1:begun:sending"):
        assert part in said


def test_what_kills_or_cuts_is_played_twenty_times_and_the_rest_five() -> None:
    assert {cell.rounds for cell in SCENARIOS if cell.name.startswith(("kill ", "cut "))} == {MANY}
    assert {cell.rounds for cell in SCENARIOS if not cell.name.startswith(("kill ", "cut "))} == {FEW}
    assert len(BY_NAME) == len(SCENARIOS)


def test_every_evening_has_a_day_of_its_own() -> None:
    calendar = EveningCalendar()
    assert [calendar.next_evening().day for _ in range(2)] == ["2026-04-08", "2026-04-09"]


def test_the_nights_of_the_change_go_over_the_very_change() -> None:
    calendar = EveningCalendar(date(2026, 1, 1))
    nights = [calendar.next_clock_change() for _ in range(4)]
    assert [(night.day, night.start) for night in nights] == [
        ("2026-03-29", "03:05"),
        ("2026-10-25", "02:59"),
        ("2027-03-28", "21:00"),
        ("2027-10-31", "21:00"),
    ]
    assert nights[0].start_at == at(3, 5, day=date(2026, 3, 29))
    assert calendar.next_evening().day == "2027-11-01"
