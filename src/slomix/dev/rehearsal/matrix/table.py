"""The matrix as a table, for the terminal and for a document."""

from collections.abc import Sequence
from dataclasses import dataclass

from slomix.dev.rehearsal.matrix.evening import PlayedEvening
from slomix.dev.rehearsal.matrix.results import EveningCount, sum_counts
from slomix.dev.rehearsal.matrix.scenarios import Scenario

HEADINGS = (
    "cell",
    "rounds",
    "duplicates",
    "losses",
    "unknown (arrived)",
    "tried again",
    "not told, with a reason",
    "worst lateness",
    "after a return",
    "promises",
    "a round takes",
)


@dataclass(frozen=True)
class ScenarioResult:
    """A cell with all its evenings."""

    cell: Scenario
    played: Sequence[PlayedEvening]

    @property
    def count(self) -> EveningCount:
        return sum_counts([evening.count for evening in self.played])

    @property
    def is_kept(self) -> bool:
        return bool(self.played) and not self.count.flaws

    @property
    def broken(self) -> list[PlayedEvening]:
        return [evening for evening in self.played if evening.count.flaws]

    def as_columns(self) -> tuple[str, ...]:
        """Return the columns of its line."""
        sums = self.count
        return (
            self.cell.name,
            str(len(self.played)),
            str(sums.duplicates),
            str(sums.losses),
            f"{sums.unknown} ({sums.unknown_arrived})",
            str(sums.tried_again),
            str(sums.explained),
            "none came" if sums.lateness is None else f"{sums.lateness:.1f} s",
            "" if sums.recovery is None else f"{sums.recovery:.1f} s",
            "kept" if self.is_kept else f"BROKEN in {len(self.broken)}" if self.played else "not played",
            f"{sum(evening.took for evening in self.played) / max(1, len(self.played)):.0f} s",
        )


def as_text(results: Sequence[ScenarioResult]) -> str:
    lines = [HEADINGS, *(result.as_columns() for result in results)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def as_markdown(results: Sequence[ScenarioResult]) -> str:
    lines = [HEADINGS, ("---", *("--:" for _ in HEADINGS[1:])), *(result.as_columns() for result in results)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def describe_evening(played: PlayedEvening, seed: int) -> str:
    """Describe a bad round with everything needed to look into it and play it again."""
    rows = [
        f"    {row['event_key']:27} {row['to']:24} {row['channel']:8} {row['status']:8} {row['reason'] or ''}"
        f"  {' '.join('{claim}:{event}:{status}'.format(**attempt) for attempt in row['attempts'])}".rstrip()
        for row in played.ledger
    ]
    return "\n".join(
        [
            f"{played.cell}, round {played.number}, {played.night.day}, campaign {played.campaign or 'none'}: "
            f"struck {played.delay:.2f} s into {played.phase!r}, seed {seed}",
            *(f"  {flaw}" for flaw in played.count.flaws),
            *rows,
        ]
    )
