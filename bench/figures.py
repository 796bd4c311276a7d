"""What a benchmark finds, how it reads on a terminal, and how it stands in `bench.json`."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Say = Callable[[str], None]


class CannotMeasure(Exception):
    """Raised when this machine or the system under test does not allow the measurement."""


@dataclass(frozen=True)
class Figure:
    """One measured number; its ratio to the floor is what can be compared between machines."""

    name: str
    value: float
    unit: str
    floor: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor if self.floor else None


@dataclass(frozen=True)
class BenchmarkResult:
    """What one benchmark found. `kept` tells whether the promise was; every figure's `floor` is from the same run."""

    name: str
    promise: str
    kept: bool
    seen: str
    floor: str
    figures: list[Figure] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return the table, for a reader."""
        rows = [f"  {'':<42}{'figure':>13}{'floor':>13}{'ratio':>8}"]
        for figure in self.figures:
            floor = f"{_number(figure.floor)} {figure.unit}" if figure.floor is not None else ""
            ratio = _number(figure.ratio) if figure.ratio is not None else ""
            rows.append(f"  {figure.name:<42}{f'{_number(figure.value)} {figure.unit}':>13}{floor:>13}{ratio:>8}")
        verdict = f"  {'kept  ' if self.kept else 'BROKEN'}  {self.promise}: {self.seen}"
        return [*rows, f"  floor: {self.floor}", verdict]

    def as_record(self) -> dict[str, Any]:
        """Return the same for a program."""
        return {
            "name": self.name,
            "promise": self.promise,
            "kept": self.kept,
            "seen": self.seen,
            "floor": self.floor,
            "figures": [
                {
                    "name": figure.name,
                    "value": figure.value,
                    "unit": figure.unit,
                    "floor": figure.floor,
                    "ratio": figure.ratio,
                }
                for figure in self.figures
            ],
        }


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest of `values` that at least `percent` of them do not exceed."""
    if not values:
        raise CannotMeasure("Nothing was measured.")
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def median(values: Sequence[float]) -> float:
    return percentile(values, 50)


def spread(name: str, seconds: Sequence[float], floor: float | None) -> list[Figure]:
    """Return p50, p95 and the worst of some durations, each against the same floor, in milliseconds."""
    in_ms = None if floor is None else floor * 1000
    shown = [("p50", median(seconds)), ("p95", percentile(seconds, 95)), ("max", max(seconds))]
    return [Figure(f"{name}, {which}", value * 1000, "ms", in_ms) for which, value in shown]


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"
