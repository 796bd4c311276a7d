"""The clocks: system time, by which promises are kept, and wall time, for networks and processes.

The only module that asks the operating system for the time. *System time* may be set and sped up in development, for
all processes at once; *wall time* never is.

Wall time is the database's, so that processes on machines whose clocks differ agree: each process measures how far its
machine is off (see `follow`), and adds that to what its machine says.
"""

import json
import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_TYPED_TIME = re.compile(r"([01]?[0-9]|2[0-3])(?:[:.]?([0-5][0-9]))?", re.ASCII)
_SPEC = re.compile(r"^(?P<moment>[^@]+?)(?:@(?P<speed>\d+(?:\.\d+)?)x)?$")


# A machine that is off by less counts as right: a measurement over a network is no better.
TOLERANCE = timedelta(milliseconds=50)
# A process that could not compare its clock for so long does not know what time it is.
TRUSTED_FOR = 60.0


@dataclass(frozen=True)
class Comparison:
    """How far this machine's clock is behind the database's, and when that was measured, on the monotonic clock."""

    behind: timedelta
    measured_at: float


# None until this process compares: then its machine is believed.
_compared: Comparison | None = None


def machine_now() -> datetime:
    """Return what this machine's clock says, in UTC."""
    return datetime.now(UTC)


def wall_now() -> datetime:
    """Return wall time, in UTC. For leases, heartbeats and time-outs; never for promises to players."""
    return machine_now() + offset()


def offset() -> timedelta:
    """Return what is added to this machine's clock; zero before it was compared."""
    return _compared.behind if _compared is not None else timedelta(0)


def is_trusted() -> bool:
    """Check whether this process knows the time: its clock was compared within a minute, or need not be."""
    return _compared is None or time.monotonic() - _compared.measured_at <= TRUSTED_FOR


def follow(ask: Callable[[], datetime]) -> None:
    """Compare this machine's clock with the one that `ask` reads, and go by that one from now on.

    Half of the time that asking takes is taken off.
    """
    global _compared
    began, before = time.monotonic(), machine_now()
    theirs = ask()
    ended = time.monotonic()
    behind = theirs - before - timedelta(seconds=ended - began) / 2
    _compared = Comparison(behind if abs(behind) > TOLERANCE else timedelta(0), ended)


@dataclass(frozen=True)
class OutsideTime:
    """What time it is elsewhere, and here: wall time of one moment."""

    theirs: datetime
    ours: datetime


# What a provider said last. All processes go by the database's clock, so only an outsider can tell that it is off.
_outside: OutsideTime | None = None


def hear(theirs: datetime) -> None:
    """Note what time it is elsewhere."""
    global _outside
    _outside = OutsideTime(theirs, wall_now())


def contradiction(by_more_than: timedelta, *, within: timedelta) -> OutsideTime | None:
    """Return what was heard elsewhere within this time, if it differs by more from ours."""
    heard = _outside
    if heard is None or wall_now() - heard.ours > within or abs(heard.theirs - heard.ours) <= by_more_than:
        return None
    return heard


class Clock(Protocol):
    """The system's time."""

    def now(self) -> datetime:
        """Return system time, in UTC."""

    def wall_seconds_until(self, moment: datetime) -> float | None:
        """Return the wall seconds until system time reaches `moment`; None while the clock is stopped."""

    @property
    def can_jump(self) -> bool:
        """Tell whether this clock may be set while a process waits, so that waits must look again now and then."""


class SystemClock:
    """The clock of production: system time is wall time."""

    can_jump = False

    def now(self) -> datetime:
        return wall_now()

    def wall_seconds_until(self, moment: datetime) -> float | None:
        return max(0.0, (moment - wall_now()).total_seconds())


@dataclass(frozen=True)
class Anchor:
    """A point that fixes system time: at `wall` it was `system`, and since then it runs at `speed`."""

    wall: datetime
    system: datetime
    speed: float

    def at(self, wall: datetime) -> datetime:
        return self.system + (wall - self.wall) * self.speed

    @classmethod
    def parse(cls, spec: str, *, wall: datetime) -> "Anchor":
        """Read `<ISO time with zone>[@<speed>x]`. Raise ValueError with the reason."""
        found = _SPEC.match(spec.strip())
        try:
            moment = datetime.fromisoformat(found["moment"]) if found else None
            system = moment.astimezone(UTC) if moment is not None and moment.tzinfo is not None else None
        except (ValueError, OverflowError):
            system = None
        if found is None or system is None:
            raise ValueError(f"{spec!r} is not a time with a zone, such as 2026-03-28T20:40:00+01:00@20x")
        return cls(wall=wall, system=system, speed=float(found["speed"] or 1))


class AnchoredClock:
    """The clock of development: read from a small file that all processes of one copy share.

    Writing the file (see `set_anchor`) sets the time of all processes; each notices on its next look.
    """

    can_jump = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._anchor = self._read()

    def now(self) -> datetime:
        return self.anchor().at(wall_now())

    def wall_seconds_until(self, moment: datetime) -> float | None:
        anchor = self.anchor()
        left = (moment - anchor.at(wall_now())).total_seconds()
        if left <= 0:
            return 0.0
        return left / anchor.speed if anchor.speed else None

    def anchor(self) -> Anchor:
        """Return the anchor in force; read the file again only when it was replaced."""
        with self._lock:
            stat = self._path.stat()
            if self._seen != (stat.st_mtime_ns, stat.st_ino):
                self._anchor = self._read()
            return self._anchor

    def _read(self) -> Anchor:
        with self._path.open() as file:
            stat = os.fstat(file.fileno())
            stored = json.load(file)
        self._seen = (stat.st_mtime_ns, stat.st_ino)
        return Anchor(
            wall=datetime.fromisoformat(stored["wall"]),
            system=datetime.fromisoformat(stored["system"]),
            speed=float(stored["speed"]),
        )


def set_anchor(path: Path, anchor: Anchor) -> None:
    """Set the time of all processes that share `path`, in one step: readers see the old anchor or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    fresh.write_text(
        json.dumps({"wall": anchor.wall.isoformat(), "system": anchor.system.isoformat(), "speed": anchor.speed})
    )
    fresh.replace(path)


def open_clock(path: Path | None) -> Clock:
    """Open the clock of this process: the shared one at `path`, or real time without a path."""
    return AnchoredClock(path) if path is not None else SystemClock()


def nap(seconds: float) -> None:
    """Sleep for wall `seconds`."""
    time.sleep(max(0.0, seconds))


def parse_time(text: str) -> time_of_day:
    """Read `HH:MM`, without anything else that ISO 8601 allows, such as a zone. Raise ValueError."""
    if not _TIME.fullmatch(text):
        raise ValueError(f"{text!r} is not a time of day such as 20:45")
    return time_of_day.fromisoformat(text)


def parse_typed_time(text: str) -> time_of_day:
    """Read a time of day as people type it: `20:45`, `9.30`, `2045` or `21`. Raise ValueError."""
    found = _TYPED_TIME.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a time of day such as 20:45")
    return time_of_day(int(found[1]), int(found[2] or 0))


def local_day(now: datetime, zone: ZoneInfo, starts_at: time_of_day = time_of_day(0)) -> date:
    """Return the community's date at `now`: days begin at `starts_at` local time, so 00:30 may be yesterday.

    A day that has begun stays begun when the autumn change repeats the hour in which it did.
    """
    local = now.astimezone(zone)
    has_begun = local.time() >= starts_at or now >= datetime.combine(local.date(), starts_at, zone).astimezone(UTC)
    return local.date() if has_begun else local.date() - timedelta(days=1)


def moment_of(day: date, at: time_of_day, zone: ZoneInfo, starts_at: time_of_day = time_of_day(0)) -> datetime:
    """Return the moment, in UTC, when it is `at` o'clock on the community's `day`.

    An hour before the day boundary belongs to the night after: with a boundary of 05:00, `01:00` of Friday is
    Saturday's 01:00. An hour that the spring change skips becomes the one after it; of a doubled hour the first counts.
    """
    date_on_calendar = day if at >= starts_at else day + timedelta(days=1)
    return datetime.combine(date_on_calendar, at, zone).astimezone(UTC)
