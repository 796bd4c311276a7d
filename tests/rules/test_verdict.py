"""The verdict counts what the provider accepted, and can say no."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from slomix.dev.rehearsal import verdict
from slomix.dev.rehearsal.verdict import ExpectedNotices
from tests.moments import at

EXPECTED = ExpectedNotices(
    reminder=frozenset({"a", "b"}),
    start=frozenset({"a", "b"}),
    follow_up=frozenset({"b"}),
    in_voice=frozenset({"a"}),
)
JOBS = ["send_reminder_2045", "send_start_2100", "voice_check_2100"]


def dm(to: str, text: str) -> dict[str, Any]:
    return {"kind": "dm", "to": to, "text": text, "accepted_at": at(21, 0, 1).isoformat()}


ROOM = {"kind": "text_channel", "to": "room", "text": "Game night is on", "accepted_at": at(21, 0, 40).isoformat()}
GOOD = [
    dm("a", "Game night starts at <t:1>"),
    dm("b", "Game night starts at <t:1>"),
    dm("a", "Game night starts now. Come and join!"),
    dm("b", "Game night has begun, at {time}. Come and join!".format(time="<t:1>")),
    dm("b", "We’re starting – still coming?"),
    ROOM,
]
LEDGER = [{"to": "a", "event_key": "T0", "status": "sent", "reason": None}]


def broken(
    messages: list[Any], *, jobs: list[str] = JOBS, ledger: Sequence[Mapping[str, Any]] = LEDGER, killed: int | None = 1
) -> list[str]:
    promises = verdict.judge_promises(messages, EXPECTED, jobs=jobs, ledger=ledger, killed_after=killed)
    return [promise.text for promise in promises if not promise.kept]


def test_a_good_evening_keeps_every_promise() -> None:
    assert broken(GOOD) == []
    assert (verdict.count_duplicates(GOOD), verdict.count_losses(GOOD, EXPECTED)) == (0, 0)


@pytest.mark.parametrize(
    ("messages", "promise", "duplicates", "losses"),
    [
        ([*GOOD, GOOD[2]], "every recipient got exactly one T0", 1, 0),
        (GOOD[1:], "every recipient got exactly one T-15", 0, 1),
        ([*GOOD, dm("c", "Game night starts now. Come and join!")], "every recipient got exactly one T0", 0, 0),
        (
            [*GOOD, dm("a", "We’re starting – still coming?")],
            "nobody in voice was called",
            0,
            0,
        ),
        ([*GOOD, ROOM], "one summary", 1, 0),
        (GOOD[:-1], "one summary", 0, 1),
        ([*GOOD, dm("a", "something else")], "nothing else was sent", 0, 0),
    ],
)
def test_each_flaw_is_found(messages: list[Any], promise: str, duplicates: int, losses: int) -> None:
    assert promise in broken(messages)
    assert (verdict.count_duplicates(messages), verdict.count_losses(messages, EXPECTED)) == (duplicates, losses)


def test_jobs_ledger_and_a_kill_that_hit_nothing_are_found() -> None:
    assert broken(GOOD, jobs=[*JOBS, JOBS[0]]) == ["exactly one job of each type"]
    assert broken(GOOD, ledger=[*LEDGER, *LEDGER]) == ["the ledger has one row a person and notice, all settled"]
    unexplained = [{"to": "a", "event_key": "T0", "status": "skipped", "reason": None}]
    assert len(broken(GOOD, ledger=unexplained)) == 1
    assert broken(GOOD, killed=0) == ["the worker was killed in the middle of the start notices"]
    assert broken(GOOD, killed=2) == ["the worker was killed in the middle of the start notices"]


def test_lateness_is_from_the_moment_to_the_first_and_the_last() -> None:
    late = verdict.measure_lateness(GOOD, at(21))
    assert late is not None
    assert (late.first, late.last) == (1.0, 1.0)
    assert verdict.measure_lateness([], at(21)) is None
