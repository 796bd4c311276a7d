"""What became of each row of the earlier site, and why; counted by kind. No address stands in it."""

import enum
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any


class Kind(enum.StrEnum):
    """What a row was about, in the order of the report."""

    PROFILES = "profiles"
    ACCOUNTS = "accounts"
    LINKS = "links"
    STATUSES = "statuses"
    PREFERENCES = "preferences"
    THRESHOLDS = "thresholds"
    REMINDERS = "daily reminders"
    SOUNDS = "ready sounds"
    SUBSCRIPTIONS = "subscriptions"
    ADDRESSES = "addresses"
    HANDLES = "handles"
    MESSAGES = "messages"
    CAMPAIGNS = "campaigns"
    RIGHTS = "rights"


class Outcome(enum.StrEnum):
    """What became of it: taken as it was, taken with a change, here before, or left."""

    TAKEN = "taken"
    CHANGED = "changed"
    HERE = "here already"
    LEFT = "left"


@dataclass(frozen=True)
class Finding:
    """One row, or `number` of them for the same reason. `who` is a name in the game or on Discord."""

    kind: Kind
    outcome: Outcome
    reason: str = ""
    who: str = ""
    what: str = ""
    number: int = 1


@dataclass
class Report:
    """All findings, and what an operator should do before going on."""

    findings: list[Finding] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    # Tables that are not there, or not as known, and which of the two.
    tables_missing: dict[str, str] = field(default_factory=dict)

    def add(
        self, kind: Kind, outcome: Outcome, reason: str = "", *, who: str = "", what: str = "", number: int = 1
    ) -> None:
        self.findings.append(Finding(kind, outcome, reason, who, what, number))

    @property
    def would_write(self) -> bool:
        """Whether anything is new."""
        return any(one.outcome in {Outcome.TAKEN, Outcome.CHANGED} for one in self.findings)

    def count(self, kind: Kind, outcome: Outcome) -> int:
        return sum(one.number for one in self.findings if (one.kind, one.outcome) == (kind, outcome))

    def counted(self) -> Iterator[tuple[Kind, Outcome, str, int]]:
        """How many of each kind came to what, and why."""
        numbers: Counter[tuple[Kind, Outcome, str]] = Counter()
        for one in self.findings:
            numbers[one.kind, one.outcome, one.reason] += one.number
        kinds, outcomes = list(Kind), list(Outcome)
        for kind, outcome, reason in sorted(numbers, key=lambda it: (kinds.index(it[0]), outcomes.index(it[1]), it[2])):
            yield kind, outcome, reason, numbers[kind, outcome, reason]

    def as_json(self, *, is_applied: bool) -> dict[str, Any]:
        """The whole of it, for a program or a drawer."""
        return {
            "applied": is_applied,
            "warnings": self.warnings,
            "tables_missing": self.tables_missing,
            "counts": [
                {"kind": kind, "outcome": outcome, "reason": reason, "number": number}
                for kind, outcome, reason, number in self.counted()
            ],
            "rows": [asdict(one) for one in self.findings],
        }
