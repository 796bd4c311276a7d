"""Counts one evening: duplicates, losses and unknowns, from what the providers and the ledger say."""

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
# Endings that leave no doubt; an attempt that ended otherwise, or not at all, leaves a question.
# Within so many seconds of a provider's return everybody has the start.
RECOVERED_WITHIN = 10.0
CERTAIN = {"sent", "failed", "skipped", "pending"}


@dataclass(frozen=True)
class LedgerRow:
    """A row of the ledger. `is_open`: its last attempt left, and no ending says whether it arrived."""

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
class ExpectedEvening:
    """The players who should get each notice, and those who no longer should."""

    wanted: Mapping[str, frozenset[str]]
    unwanted: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class EveningCount:
    """The counts of one evening; each broken promise is a sentence in `flaws`."""

    duplicates: int = 0
    losses: int = 0
    unknown: int = 0
    unknown_arrived: int = 0
    explained: int = 0
    tried_again: int = 0
    lateness: float | None = None
    # From the return of a provider that was away until the last start, in wall time.
    recovery: float | None = None
    flaws: tuple[str, ...] = ()

    def add_flaws(self, more: Iterable[str]) -> "EveningCount":
        return replace(self, flaws=(*self.flaws, *more))


def read_row(entry: Mapping[str, Any], person: str) -> LedgerRow:
    """Read a row of `slomix campaign show --json`."""
    return LedgerRow(
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
    """Check whether the last try left without a certain ending, and the provider was not asked about it either."""
    begun = [attempt["claim"] for attempt in attempts if attempt["event"] == "begun"]
    if not begun:
        return False
    answers = [attempt for attempt in attempts if attempt["event"] != "begun" and attempt["status"] in CERTAIN]
    return not any(
        attempt["status"] == "sent" or attempt["claim"] == max(begun) or _is_asked_after(attempt, max(begun))
        for attempt in answers
    )


def _is_asked_after(attempt: Mapping[str, Any], claim: int) -> bool:
    """Check whether this row is a question, asked after the try of that claim."""
    return attempt["event"] == "asked" and int(attempt["claim"]) > claim


def count_evening(
    messages: Sequence[Mapping[str, Any]],
    ledger: Sequence[LedgerRow],
    script: ExpectedEvening,
    *,
    start_at: datetime,
    back_at: datetime | None = None,
    never_unknown: frozenset[str] = frozenset(),
) -> EveningCount:
    """Judge an evening; on the channels in `never_unknown` no question may stay open."""
    got = Counter((str(message["to"]), kind_of(message)) for message in messages)
    twice = [f"{_who(key)} came {times} times" for key, times in got.items() if times > 1]
    wanted = {(person, notice) for notice, people in script.wanted.items() for person in people}
    unwanted = {(person, notice) for notice, people in script.unwanted.items() for person in people}
    told = {(row.person, row.notice): row for row in ledger if row.status == "sent"}
    settled = {(row.person, row.notice) for row in ledger if row.is_settled and row.status != "sent"}
    untold = [key for key in sorted(wanted) if not got[key]]
    lost = [key for key in untold if key not in settled or key in told]
    unknown = [row for row in ledger if row.status == "unknown"]
    recovery = _recovery(messages, back_at) if back_at is not None else None
    flaws = [
        *twice,
        *(f"{_who(key)} was lost" for key in lost),
        *(f"{_who(key)} came uncalled for" for key in sorted(unwanted) if got[key]),
        *(f"{_who((row.person, row.notice))} is {row.status} without an end" for row in ledger if not row.is_settled),
        *(_about_arrival(got, ledger)),
        *(_about_unknown(ledger, never_unknown)),
        *([f"the last start came {recovery:.1f} s after the provider"] if (recovery or 0) > RECOVERED_WITHIN else []),
    ]
    return EveningCount(
        duplicates=sum(times - 1 for times in got.values() if times > 1),
        losses=len(lost),
        unknown=len(unknown),
        unknown_arrived=sum(1 for row in unknown if got[row.person, row.notice]),
        explained=len(untold) - len(lost),
        tried_again=sum(1 for row in ledger if row.tries > 1),
        lateness=_lateness(messages, start_at),
        recovery=recovery,
        flaws=tuple(flaws),
    )


def _who(key: tuple[str, str]) -> str:
    return f"{key[1]} to {key[0]}"


def _about_arrival(got: Counter[tuple[str, str]], ledger: Sequence[LedgerRow]) -> list[str]:
    """List messages that arrived though the ledger denies it; a person's rows of all channels count together."""
    perhaps = {(row.person, row.notice) for row in ledger if row.status in {"sent", "unknown"}}
    return [
        f"{_who(key)} arrived, and the ledger says that it did not"
        for key in sorted({(row.person, row.notice) for row in ledger} - perhaps)
        if got[key]
    ]


def _about_unknown(ledger: Sequence[LedgerRow], never_unknown: frozenset[str]) -> list[str]:
    """List rows that are `unknown` with a recorded answer, or without one are not."""
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
    """Return the seconds of system time from the start to the last start notice that was accepted."""
    moments = [datetime.fromisoformat(str(message["accepted_at"])) for message in messages if kind_of(message) == START]
    return (max(moments) - start_at).total_seconds() if moments else None


def _recovery(messages: Sequence[Mapping[str, Any]], back_at: datetime) -> float:
    """Return the seconds of wall time from a provider's return to the last start; 0 if all had it by then."""
    moments = [_wall(message) for message in messages if kind_of(message) == START]
    return max([(moment - back_at).total_seconds() for moment in moments] + [0.0])


def _wall(message: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(str(message["accepted_at_wall"]))


def sum_counts(counts: Sequence[EveningCount]) -> EveningCount:
    """Add up a cell's evenings, with the worst lateness."""
    late = [evening.lateness for evening in counts if evening.lateness is not None]
    recovered = [evening.recovery for evening in counts if evening.recovery is not None]
    return EveningCount(
        duplicates=sum(evening.duplicates for evening in counts),
        losses=sum(evening.losses for evening in counts),
        unknown=sum(evening.unknown for evening in counts),
        unknown_arrived=sum(evening.unknown_arrived for evening in counts),
        explained=sum(evening.explained for evening in counts),
        tried_again=sum(evening.tried_again for evening in counts),
        lateness=max(late, default=None),
        recovery=max(recovered, default=None),
        flaws=tuple(flaw for evening in counts for flaw in evening.flaws),
    )
