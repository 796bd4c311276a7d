"""The report of an import: what became of each row and why, counted by kind, without addresses."""

import enum
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any


class RowKind(enum.StrEnum):
    """The subject of a row, in the order of the report."""

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


class ImportOutcome(enum.StrEnum):
    """The result for a row: taken as it was, taken with a change, here already, or left."""

    TAKEN = "taken"
    CHANGED = "changed"
    HERE = "here already"
    LEFT = "left"


@dataclass(frozen=True)
class ImportFinding:
    """A row, or `number` of them for the same reason. `who` is a name in the game or on Discord."""

    kind: RowKind
    outcome: ImportOutcome
    reason: str = ""
    who: str = ""
    what: str = ""
    number: int = 1


@dataclass
class ImportReport:
    """All findings, and what an operator should do before going on."""

    findings: list[ImportFinding] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    # Tables that are missing, or not in the known shape, with the reason.
    tables_missing: dict[str, str] = field(default_factory=dict)

    def add(
        self, kind: RowKind, outcome: ImportOutcome, reason: str = "", *, who: str = "", what: str = "", number: int = 1
    ) -> None:
        self.findings.append(ImportFinding(kind, outcome, reason, who, what, number))

    @property
    def would_write(self) -> bool:
        """Check whether any row is new."""
        return any(finding.outcome in {ImportOutcome.TAKEN, ImportOutcome.CHANGED} for finding in self.findings)

    def count(self, kind: RowKind, outcome: ImportOutcome) -> int:
        return sum(finding.number for finding in self.findings if (finding.kind, finding.outcome) == (kind, outcome))

    def counted(self) -> Iterator[tuple[RowKind, ImportOutcome, str, int]]:
        """Count the rows of each kind by outcome and reason."""
        numbers: Counter[tuple[RowKind, ImportOutcome, str]] = Counter()
        for finding in self.findings:
            numbers[finding.kind, finding.outcome, finding.reason] += finding.number
        kinds, outcomes = list(RowKind), list(ImportOutcome)
        for kind, outcome, reason in sorted(
            numbers, key=lambda row: (kinds.index(row[0]), outcomes.index(row[1]), row[2])
        ):
            yield kind, outcome, reason, numbers[kind, outcome, reason]

    def as_json(self, *, is_applied: bool) -> dict[str, Any]:
        """Return the whole report as JSON."""
        return {
            "applied": is_applied,
            "warnings": self.warnings,
            "tables_missing": self.tables_missing,
            "counts": [
                {"kind": kind, "outcome": outcome, "reason": reason, "number": number}
                for kind, outcome, reason, number in self.counted()
            ],
            "rows": [asdict(finding) for finding in self.findings],
        }
