"""Judges an evening by what the provider accepted; our own tables only have to agree."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slomix.i18n import N_

REMINDER, START, FOLLOW_UP, SUMMARY, WARNING = "T-15", "T0", "follow-up", "summary", "warning"

# The beginning of each message, by which its reader tells them apart.
_BEGINNINGS = {
    N_("Game night starts at {time} ({countdown}). See you there?").partition("{")[0]: REMINDER,
    N_("Game night starts now. Come and join!"): START,
    N_("Game night has begun, at {time}. Come and join!").partition("{")[0]: START,
    N_("We’re starting – still coming?"): FOLLOW_UP,
    N_("We are starting. We see you on the server, not in voice: will you join us there?"): FOLLOW_UP,
    N_("Tonight may go wrong: {reasons}. The campaign card says more: {link}").partition("{")[0]: WARNING,
}


@dataclass(frozen=True)
class ExpectedNotices:
    """The recipients of each message, decided by the script of the evening."""

    reminder: frozenset[str]
    start: frozenset[str]
    follow_up: frozenset[str]
    in_voice: frozenset[str]


@dataclass(frozen=True)
class JudgedPromise:
    """A promise, whether it was kept, and what was seen."""

    text: str
    kept: bool
    seen: str


@dataclass(frozen=True)
class Lateness:
    """Wall seconds from the start's moment to the first and the last start notice that the provider accepted."""

    first: float
    last: float


def kind_of(message: Mapping[str, Any]) -> str:
    """Tell a message's kind by its text."""
    if message["kind"] != "dm":
        return SUMMARY
    return next((kind for start, kind in _BEGINNINGS.items() if str(message["text"]).startswith(start)), "other")


def count_received(messages: Sequence[Mapping[str, Any]]) -> dict[str, Counter[str]]:
    """Count how often each person got each notice."""
    counted: dict[str, Counter[str]] = {
        kind: Counter() for kind in (REMINDER, START, FOLLOW_UP, SUMMARY, WARNING, "other")
    }
    for message in messages:
        counted[kind_of(message)][str(message["to"])] += 1
    return counted


def count_duplicates(messages: Sequence[Mapping[str, Any]]) -> int:
    """Count the messages that came once too often."""
    return sum(count - 1 for people in count_received(messages).values() for count in people.values())


def count_losses(messages: Sequence[Mapping[str, Any]], expected: ExpectedNotices) -> int:
    """Count the messages that should have come but didn't."""
    got = count_received(messages)
    wanted = {REMINDER: expected.reminder, START: expected.start, FOLLOW_UP: expected.follow_up}
    missing = sum(len(people - set(got[kind])) for kind, people in wanted.items())
    return missing + (0 if got[SUMMARY] else 1)


def measure_lateness(messages: Sequence[Mapping[str, Any]], start_at: datetime) -> Lateness | None:
    """Return how late the start notices were; None without any."""
    moments = [datetime.fromisoformat(str(message["accepted_at"])) for message in messages if kind_of(message) == START]
    if not moments:
        return None
    return Lateness((min(moments) - start_at).total_seconds(), (max(moments) - start_at).total_seconds())


def judge_promises(
    messages: Sequence[Mapping[str, Any]],
    expected: ExpectedNotices,
    *,
    jobs: Sequence[str],
    ledger: Sequence[Mapping[str, Any]],
    killed_after: int | None,
) -> list[JudgedPromise]:
    """Judge each promise; `killed_after` is how many start notices were out when the worker was killed, if it was."""
    got = count_received(messages)
    rows = Counter((row["to"], row["event_key"]) for row in ledger)
    promises = [
        JudgedPromise(
            "exactly one job of each type",
            Counter(jobs) == Counter(["send_reminder_2045", "send_start_2100", "voice_check_2100"]),
            f"{len(jobs)} jobs",
        ),
        _exactly("every recipient got exactly one T-15", got[REMINDER], expected.reminder),
        _exactly("every recipient got exactly one T0", got[START], expected.start),
        _exactly("follow-ups only to those missing, once each", got[FOLLOW_UP], expected.follow_up),
        JudgedPromise(
            "nobody in voice was called",
            not set(got[FOLLOW_UP]) & expected.in_voice,
            f"{len(expected.in_voice)} in voice",
        ),
        JudgedPromise("one summary", sum(got[SUMMARY].values()) == 1, f"{sum(got[SUMMARY].values())} in the room"),
        JudgedPromise(
            "nothing else was sent",
            not got["other"] and not got[WARNING],
            f"{sum(got['other'].values())} other messages, {sum(got[WARNING].values())} warnings",
        ),
        JudgedPromise(
            "the ledger has one row a person and notice, all settled",
            all(count == 1 for count in rows.values()) and all(_is_settled(row) for row in ledger),
            f"{len(ledger)} rows",
        ),
    ]
    if killed_after is not None:
        promises.append(
            JudgedPromise(
                "the worker was killed in the middle of the start notices",
                0 < killed_after < len(expected.start),
                f"after {killed_after} of {len(expected.start)}",
            )
        )
    return promises


def _exactly(text: str, got: Counter[str], expected: frozenset[str]) -> JudgedPromise:
    kept = got == Counter(dict.fromkeys(expected, 1))
    twice = sum(count - 1 for count in got.values())
    return JudgedPromise(
        text,
        kept,
        f"{len(expected)} expected, {len(expected - set(got))} missing, {twice} twice, "
        f"{len(set(got) - expected)} uncalled for",
    )


def _is_settled(row: Mapping[str, Any]) -> bool:
    return row["status"] == "sent" or (row["status"] in {"skipped", "failed", "unknown"} and bool(row["reason"]))
