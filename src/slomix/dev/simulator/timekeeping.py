"""Shows and sets the clock of the system that this simulator belongs to."""

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from slomix.clock import Anchor, AnchoredClock, set_anchor, wall_now

FASTEST = 3600.0
# Outside these years a running clock may leave the range of a datetime, in every process at once.
YEARS = range(2000, 2101)


class SimulatorClock:
    """The shared clock file, to read and to write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.exists():
            set_anchor(path, Anchor(wall=wall_now(), system=wall_now(), speed=1.0))
        self._clock = AnchoredClock(path)

    def now(self) -> datetime:
        return self._clock.now()

    @property
    def speed(self) -> float:
        return self._clock.anchor().speed

    def as_json(self) -> dict[str, Any]:
        return {"now": self.now().isoformat(), "speed": self.speed}

    def change(self, *, now: Any = None, speed: Any = None) -> None:
        """Set the time, the speed or both. Raise ValueError with the reason, changing nothing."""
        if now is None and speed is None:
            raise ValueError("give now, speed or both")
        moment = self.now() if now is None else _moment(now)
        pace = self.speed if speed is None else _speed(speed)
        set_anchor(self._path, Anchor(wall=wall_now(), system=moment, speed=pace))


def _moment(value: Any) -> datetime:
    try:
        read = datetime.fromisoformat(value)
        moment = read.astimezone(UTC) if read.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        moment = None
    if moment is None or moment.year not in YEARS:
        raise ValueError(f"now is a time with a zone, such as 2026-03-28T20:40:00+01:00, not {value!r}")
    return moment


def _speed(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not 0 <= value <= FASTEST:
        raise ValueError(f"speed is a number from 0 to {FASTEST:g}, not {value!r}")
    return float(value)
