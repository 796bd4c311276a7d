"""Counts one evening: what came twice, what was lost, what nobody knows. Plain functions of what both sides say."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from slomix.dev.rehearsal.verdict import FOLLOW_UP, REMINDER, START, SUMMARY, WARNING, kind_of

NOTICES = {
    "PROMOTE:T-15": REMINDER,
    "PROMOTE:T0": START,
    "PROMOTE:FOLLOWUP": FOLLOW_UP,
    "SUMMARY": SUMMARY,
    "AT_RISK": WARNING,
}
# What a recorded ending says for certain; a try that ended otherwise, or not at all, left a question.
CERTAIN = {"sent", "failed", "skipped", "pending"}


@dataclass(frozen=True)
class Row:
    """One row of the ledger. `is_open`: its last try left, and no ending of it says whether it arrived."""

    person: str
    notice: str
    channel: str
    status: str
    reason: str | None
    is_open: bool
    tries: int = 1

    @property
    def is_settled(self) -> bool:
        return self.status == "sent" or (self.status in {"skipped", "failed", "unknown"} and bool(self.reason))


@dataclass(frozen=True)
class Script:
    """Who was to get which notice at its moment, and who was not to get it any more."""

    wanted: Mapping[str, frozenset[str]]
    unwanted: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Count:
    """What one evening came to; whatever broke a promise is a sentence in `flaws`."""

    duplicates: int = 0
    losses: int = 0
    unknown: int = 0
    unknown_arrived: int = 0
    explained: int = 0
    tried_again: int = 0
    lateness: float | None = None
    flaws: tuple[str, ...] = ()

    def with_flaws(self, more: Iterable[str]) -> "Count":
        return replace(self, flaws=(*self.flaws, *more))


def read_row(entry: Mapping[str, Any], person: str) -> Row:
    """A row of `slomix campaign show --json`."""
    return Row(
        person=person,
        notice=_notice_of(str(entry["event_key"])),
        channel=str(entry["channel"]),
        status=str(entry["status"]),
        reason=entry["reason"],
        is_open=_is_open(entry["attempts"]),
        tries=int(entry["tries"]),
    )


def _notice_of(event_key: str) -> str:
    return next((notice for start, notice in NOTICES.items() if event_key.startswith(f"{start}:")), "other")


def _is_open(attempts: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the last word about this row is that something left."""
    begun = [one["claim"] for one in attempts if one["event"] == "begun"]
    ended = {one["claim"]: one["status"] for one in attempts if one["event"] == "ended"}
    if not begun or "sent" in ended.values():
        return False
    return ended.get(max(begun)) not in CERTAIN


def count(
    messages: Sequence[Mapping[str, Any]],
    ledger: Sequence[Row],
    script: Script,
    *,
    start_at: datetime,
    never_unknown: frozenset[str] = frozenset(),
) -> Count:
    """Judge an evening. `never_unknown` are channels on which this evening leaves no question open."""
    got = Counter((str(one["to"]), kind_of(one)) for one in messages)
    twice = [f"{_who(key)} came {times} times" for key, times in got.items() if times > 1]
    wanted = {(person, notice) for notice, people in script.wanted.items() for person in people}
    unwanted = {(person, notice) for notice, people in script.unwanted.items() for person in people}
    told = {(row.person, row.notice): row for row in ledger if row.status == "sent"}
    settled = {(row.person, row.notice) for row in ledger if row.is_settled and row.status != "sent"}
    untold = [key for key in sorted(wanted) if not got[key]]
    lost = [key for key in untold if key not in settled or key in told]
    unknown = [row for row in ledger if row.status == "unknown"]
    flaws = [
        *twice,
        *(f"{_who(key)} was lost" for key in lost),
        *(f"{_who(key)} came uncalled for" for key in sorted(unwanted) if got[key]),
        *(f"{_who((row.person, row.notice))} is {row.status} without an end" for row in ledger if not row.is_settled),
        *(_about_arrival(got, ledger)),
        *(_about_unknown(ledger, never_unknown)),
    ]
    return Count(
        duplicates=sum(times - 1 for times in got.values() if times > 1),
        losses=len(lost),
        unknown=len(unknown),
        unknown_arrived=sum(1 for row in unknown if got[row.person, row.notice]),
        explained=len(untold) - len(lost),
        tried_again=sum(1 for row in ledger if row.tries > 1),
        lateness=_lateness(messages, start_at),
        flaws=tuple(flaws),
    )


def _who(key: tuple[str, str]) -> str:
    return f"{key[1]} to {key[0]}"


def _about_arrival(got: Counter[tuple[str, str]], ledger: Sequence[Row]) -> list[str]:
    """What the ledger calls not sent may not have arrived; on any channel, so the rows are taken together."""
    perhaps = {(row.person, row.notice) for row in ledger if row.status in {"sent", "unknown"}}
    return [
        f"{_who(key)} arrived, and the ledger says that it did not"
        for key in sorted({(row.person, row.notice) for row in ledger} - perhaps)
        if got[key]
    ]


def _about_unknown(ledger: Sequence[Row], never_unknown: frozenset[str]) -> list[str]:
    """`unknown` exactly where a try left and no answer was recorded."""
    flaws = []
    for row in ledger:
        name = f"{_who((row.person, row.notice))} on {row.channel}"
        if row.status == "unknown" and not row.is_open:
            flaws.append(f"{name} is unknown, and its answer was recorded")
        if row.is_open and row.status != "unknown":
            flaws.append(f"{name} is {row.status}, and no answer was recorded")
        if row.status == "unknown" and row.channel in never_unknown:
            flaws.append(f"{name} is unknown, where a repeat could have settled it")
    return flaws


def _lateness(messages: Sequence[Mapping[str, Any]], start_at: datetime) -> float | None:
    """Seconds of system time from the start's moment to the last start notice that was accepted."""
    moments = [datetime.fromisoformat(str(one["accepted_at"])) for one in messages if kind_of(one) == START]
    return (max(moments) - start_at).total_seconds() if moments else None


def total(counts: Sequence[Count]) -> Count:
    """A cell's evenings taken together; the worst lateness."""
    late = [one.lateness for one in counts if one.lateness is not None]
    return Count(
        duplicates=sum(one.duplicates for one in counts),
        losses=sum(one.losses for one in counts),
        unknown=sum(one.unknown for one in counts),
        unknown_arrived=sum(one.unknown_arrived for one in counts),
        explained=sum(one.explained for one in counts),
        tried_again=sum(one.tried_again for one in counts),
        lateness=max(late, default=None),
        flaws=tuple(flaw for one in counts for flaw in one.flaws),
    )
