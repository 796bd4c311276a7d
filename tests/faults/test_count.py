"""The matrix counts at the provider and compares with the ledger; each kind of flaw is found."""

from typing import Any

import pytest

from slomix.dev.rehearsal.matrix.results import (
    EveningCount,
    ExpectedEvening,
    LedgerRow,
    count_evening,
    read_row,
    sum_counts,
)
from slomix.dev.rehearsal.verdict import FOLLOW_UP, REMINDER, START, SUMMARY
from tests.moments import at

WORDS = {
    REMINDER: "Game night starts at 21:00",
    START: "Game night starts now. Come and join!",
    FOLLOW_UP: "We’re starting – still coming?",
    SUMMARY: "Game night is on",
}
SCRIPT = ExpectedEvening(
    wanted={START: frozenset({"ann", "ben"}), SUMMARY: frozenset({"room"})}, unwanted={FOLLOW_UP: frozenset({"ben"})}
)


def message(to: str, notice: str = START, *, provider: str = "discord", second: int = 1) -> dict[str, Any]:
    kind = "text_channel" if to == "room" else "dm"
    accepted_at = at(21, 0, second).isoformat()
    return {"provider": provider, "kind": kind, "to": to, "text": WORDS[notice], "accepted_at": accepted_at}


def row(person: str, status: str = "sent", notice: str = START, **more: Any) -> LedgerRow:
    values: dict[str, Any] = {"channel": "discord", "reason": None if status == "sent" else "why", "is_open": False}
    return LedgerRow(person, notice, status=status, **(values | more))


MESSAGES = [message("ann"), message("ben", second=3), message("room", SUMMARY)]
LEDGER = [row("ann"), row("ben"), row("room", notice=SUMMARY)]


def judged(messages: list[Any], ledger: list[LedgerRow], never_unknown: frozenset[str] = frozenset()) -> EveningCount:
    return count_evening(messages, ledger, SCRIPT, start_at=at(21), never_unknown=never_unknown)


def test_a_good_evening_has_no_flaw() -> None:
    assert judged(MESSAGES, LEDGER) == EveningCount(lateness=3.0)


def test_the_same_notice_twice_is_a_duplicate_also_on_another_channel() -> None:
    for provider in ("discord", "telegram"):
        found = judged([*MESSAGES, message("ann", provider=provider)], LEDGER)
        assert (found.duplicates, found.losses) == (1, 0)
        assert found.flaws == ("T0 to ann came 2 times",)


def test_a_message_that_never_came_is_a_loss_whatever_the_ledger_claims() -> None:
    for ledger in (LEDGER, LEDGER[1:]):
        found = judged(MESSAGES[1:], ledger)
        assert (found.duplicates, found.losses) == (0, 1)
        assert found.flaws == ("T0 to ann was lost",)


def test_a_summary_that_never_came_is_a_loss() -> None:
    assert judged(MESSAGES[:2], LEDGER[:2]).losses == 1


@pytest.mark.parametrize("status", ["skipped", "failed"])
def test_who_was_not_told_for_a_reason_is_no_loss_and_is_counted(status: str) -> None:
    found = judged(MESSAGES[1:], [row("ann", status), *LEDGER[1:]])
    assert (found.losses, found.explained, found.flaws) == (0, 1, ())


def test_a_reason_has_to_be_given() -> None:
    found = judged(MESSAGES[1:], [row("ann", "skipped", reason=None), *LEDGER[1:]])
    assert found.losses == 1


def test_what_is_still_on_its_way_in_the_end_is_a_loss() -> None:
    found = judged(MESSAGES[1:], [row("ann", "pending"), *LEDGER[1:]])
    assert found.losses == 1
    assert "T0 to ann is pending without an end" in found.flaws


def test_a_message_that_nobody_asked_for_any_more_is_found() -> None:
    found = judged([*MESSAGES, message("ben", FOLLOW_UP)], LEDGER)
    assert found.flaws == ("follow-up to ben came uncalled for",)


def test_a_ledger_that_calls_an_arrived_message_failed_is_found() -> None:
    found = judged(MESSAGES, [row("ann", "failed"), *LEDGER[1:]])
    assert found.flaws == ("T0 to ann arrived, and the ledger says that it did not",)


def test_after_a_fallback_the_first_channel_may_say_failed() -> None:
    assert judged(MESSAGES, [row("ann", "failed", channel="telegram"), *LEDGER]).flaws == ()


def test_unknown_is_told_apart_by_whether_it_arrived_and_is_neither_loss_nor_duplicate() -> None:
    open_row = row("ann", "unknown", channel="telegram", is_open=True)
    for messages, arrived in ((MESSAGES, 1), (MESSAGES[1:], 0)):
        found = judged(messages, [open_row, *LEDGER[1:]])
        assert (found.unknown, found.unknown_arrived, found.flaws) == (1, arrived, ())


def test_unknown_is_exactly_where_no_answer_was_recorded() -> None:
    known = judged(MESSAGES, [row("ann", "unknown"), *LEDGER[1:]])
    assert known.flaws == ("T0 to ann on discord is unknown, and its answer was recorded",)
    hidden = judged(MESSAGES[1:], [row("ann", "failed", is_open=True), *LEDGER[1:]])
    assert hidden.flaws == ("T0 to ann on discord is failed, and no answer was recorded",)


def test_where_a_repeat_settles_it_nothing_stays_unknown() -> None:
    found = judged(MESSAGES, [row("ann", "unknown", is_open=True), *LEDGER[1:]], frozenset({"discord"}))
    assert found.flaws == ("T0 to ann on discord is unknown, where a repeat could have settled it",)


@pytest.mark.parametrize(
    ("attempts", "is_open"),
    [
        ([], False),
        ([(1, "begun", "sending")], True),
        ([(1, "begun", "sending"), (1, "ended", "sent")], False),
        ([(1, "begun", "sending"), (1, "ended", "pending")], False),
        ([(1, "begun", "sending"), (1, "ended", "unknown")], True),
        ([(1, "begun", "sending"), (1, "ended", "sending"), (2, "begun", "sending"), (2, "ended", "sent")], False),
        ([(1, "begun", "sending"), (2, "begun", "sending")], True),
        ([(1, "begun", "sending"), (2, "begun", "sending"), (1, "ended", "sent")], False),
        ([(1, "begun", "sending"), (2, "asked", "sent")], False),
        ([(1, "begun", "sending"), (2, "asked", "pending")], False),
        ([(1, "begun", "sending"), (2, "asked", "sending"), (3, "asked", "unknown")], True),
        ([(1, "begun", "sending"), (2, "asked", "pending"), (3, "begun", "sending")], True),
    ],
)
def test_a_question_is_open_when_the_last_try_has_no_certain_end(
    attempts: list[tuple[int, str, str]], is_open: bool
) -> None:
    entry = {
        "event_key": "PROMOTE:T0:2026-11-20",
        "channel": "telegram",
        "status": "sent",
        "reason": None,
        "tries": 1,
        "attempts": [{"claim": claim, "event": event, "status": status} for claim, event, status in attempts],
    }
    read = read_row(entry, "ann")
    assert (read.person, read.notice, read.is_open) == ("ann", START, is_open)


def test_evenings_add_up_and_the_worst_one_says_how_late() -> None:
    bad = EveningCount(duplicates=1, losses=2, unknown=3, unknown_arrived=1, explained=1, tried_again=4, lateness=9.0)
    assert sum_counts(
        [bad.add_flaws(["a"]), EveningCount(lateness=1.0), EveningCount().add_flaws(["b"])]
    ) == EveningCount(
        duplicates=1, losses=2, unknown=3, unknown_arrived=1, explained=1, tried_again=4, lateness=9.0, flaws=("a", "b")
    )
    assert sum_counts([]).lateness is None
