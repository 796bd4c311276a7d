"""Rules of health: when a part counts as alive."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import reduce

from slomix.i18n import later

HEARTBEAT_INTERVAL = timedelta(seconds=5)
DEAD_AFTER = timedelta(seconds=30)
# A copy that nobody dismissed is missed for so long.
FORGOTTEN_AFTER = timedelta(days=7)

# A machine whose clock is off by so much has a fault that an operator should mend.
CLOCK_OFF_BY = timedelta(seconds=5)

SCHEDULER = "scheduler"
WORKER = "worker"
DISCORD = "discord"
INBOX = "inbox"
# What an installation needs beside its processes.
DISK = "disk"
BACKUP = "backup"
PUBLIC_URL = "public_url"
CERTIFICATE = "certificate"


# A provider that is out is a part of its own: `discord_provider`, beside the process `discord`.
PROVIDER = "{channel}_provider"


@dataclass(frozen=True)
class PartHealth:
    """The health of a part; `age_seconds` since its last sign of life is None if there is none or it is unknown.

    One living copy of a process is enough; `missing` names the others that are silent, and `reason` then says so.
    """

    part: str
    ok: bool
    age_seconds: float | None = None
    reason: str | None = None
    copies: int = 0
    missing: tuple[str, ...] = ()
    # What is added to the clock of that copy whose machine is off the most, in seconds.
    clock_offset: float = 0.0
    # Without it the evening does not work; without others an operator has something to do.
    is_vital: bool = True

    @property
    def problem(self) -> str | None:
        """Return the reason for operators, with the names of machines, which are not shown to others."""
        if self.reason is None or not self.missing:
            return self.reason
        return later("{reason}: {processes}", reason=self.reason, processes=", ".join(self.missing))


@dataclass(frozen=True)
class Beat:
    """What one copy of a process left: when it was seen last and first, and whether it was asked to end."""

    copy: str
    seen_at: datetime
    first_seen_at: datetime | None = None
    has_left: bool = False

    @property
    def name(self) -> str:
        """Return its name without its machine's."""
        return self.copy.rpartition("/")[2]


def judge_part(part: str, beats: Sequence[Beat], wall: datetime) -> PartHealth:
    """Judge a part by the beats of its copies: one alive is enough, others that are silent unasked are missing."""
    alive = [beat for beat in beats if not beat.has_left and judge_heartbeat(part, beat.seen_at, wall).ok]
    if not alive:
        return judge_heartbeat(part, max((beat.seen_at for beat in beats), default=None), wall)
    silent = [beat for beat in beats if not beat.has_left and wall - beat.seen_at > DEAD_AFTER]
    missing = sorted(beat.copy for beat in _without_replaced(silent, alive))
    copies = len(alive) + len(missing)
    reason = later("{missing} of {copies} processes silent", missing=len(missing), copies=copies) if missing else None
    best = judge_heartbeat(part, max(beat.seen_at for beat in alive), wall)
    return replace(best, reason=reason, copies=copies, missing=tuple(missing))


def _without_replaced(silent: Sequence[Beat], alive: Sequence[Beat]) -> list[Beat]:
    """Leave out whose place another took: a machine that was renamed or a container that was made anew.

    It has the same name on another machine, and was never seen before that one fell silent.
    """
    left = sorted(silent, key=lambda beat: beat.seen_at)
    for beat in alive:
        earlier = [
            other
            for other in left
            if other.name == beat.name and beat.first_seen_at is not None and other.seen_at < beat.first_seen_at
        ]
        if earlier:
            left.remove(earlier[-1])
    return left


def add_troubles(part: PartHealth, troubles: Sequence[str]) -> PartHealth:
    """Mark a living part as not ok if one of its copies can't do its work."""
    if not part.ok or not troubles:
        return part
    return replace(part, ok=False, reason=joined(sorted(set(troubles))), missing=())


def add_clock(part: PartHealth, offsets: Sequence[float]) -> PartHealth:
    """Note how far the clocks of its machines are off; it works on rightly, but an operator should know."""
    worst = max(offsets, key=abs, default=0.0)
    if abs(worst) < CLOCK_OFF_BY.total_seconds():
        return replace(part, clock_offset=worst)
    seconds = round(abs(worst))
    note = (
        later("its machine's clock is {seconds} s behind the database's, and is corrected", seconds=seconds)
        if worst > 0
        else later("its machine's clock is {seconds} s ahead of the database's, and is corrected", seconds=seconds)
    )
    return replace(part, clock_offset=worst, reason=joined(filter(None, (part.reason, note))))


def joined(reasons: Iterable[str]) -> str | None:
    """Join reasons to one; None if there are none."""
    found = [*reasons]
    return reduce(lambda one, other: later("{one}; {other}", one=one, other=other), found) if found else None


def judge_heartbeat(part: str, seen_at: datetime | None, wall: datetime) -> PartHealth:
    """Judge one heartbeat: a part without one for half a minute is dead; a beat from the future says nothing."""
    if seen_at is None:
        return PartHealth(part, ok=False, reason=later("was never seen"))
    age = wall - seen_at
    seconds = round(age.total_seconds(), 1)
    if age > DEAD_AFTER:
        reason = later(
            "has given no sign for {seconds} s; it does so every {every} s",
            seconds=round(seconds),
            every=round(HEARTBEAT_INTERVAL.total_seconds()),
        )
        return PartHealth(part, ok=False, age_seconds=seconds, reason=reason)
    if age < -DEAD_AFTER:
        return PartHealth(
            part, ok=False, reason=later("its clock is {seconds} s ahead of ours", seconds=round(-seconds))
        )
    return PartHealth(part, ok=True, age_seconds=max(seconds, 0.0))


def schema_problem(revision: str | None, known_revisions: Sequence[str]) -> str | None:
    """Explain why this version cannot use a database at `revision`, or return None if it can.

    `known_revisions` are the revisions it knows, newest first. An unknown revision is a newer one: during a rolling
    restart the migrations run first, and processes still running have to go on serving until they are replaced.
    """
    if revision is None:
        return later("the database has no schema yet; this version needs {needed}", needed=known_revisions[0])
    if revision in known_revisions[1:]:
        return later("the schema is at {found}; this version needs {needed}", found=revision, needed=known_revisions[0])
    return None
