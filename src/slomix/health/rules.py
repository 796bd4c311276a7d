"""Rules of health: when a part counts as alive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from slomix import words

HEARTBEAT_INTERVAL = timedelta(seconds=5)
DEAD_AFTER = timedelta(seconds=30)
# A copy that was not seen for longer was taken away, not lost.
MISSED_FOR = timedelta(hours=1)
# Machines that come and go leave the names of their processes behind.
FORGOTTEN_AFTER = timedelta(days=7)

# A machine whose clock is off by so much has a fault that an operator should mend.
CLOCK_OFF_BY = timedelta(seconds=5)

SCHEDULER = "scheduler"
WORKER = "worker"
DISCORD = "discord"
INBOX = "inbox"


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

    @property
    def problem(self) -> str | None:
        """Return the reason for operators, with the names of machines, which are not shown to others."""
        return f"{self.reason}: {', '.join(self.missing)}" if self.missing else self.reason


def judge_part(part: str, beats: Mapping[str, datetime], wall: datetime) -> PartHealth:
    """Judge a part by the last heartbeats of its copies: one alive is enough, silent others are missing."""
    alive = [seen_at for seen_at in beats.values() if judge_heartbeat(part, seen_at, wall).ok]
    if not alive:
        return judge_heartbeat(part, max(beats.values(), default=None), wall)
    missing = sorted(copy for copy, seen_at in beats.items() if DEAD_AFTER < wall - seen_at <= MISSED_FOR)
    copies = len(alive) + len(missing)
    reason = words.COPIES_MISSING.format(missing=len(missing), copies=copies) if missing else None
    best = judge_heartbeat(part, max(alive), wall)
    return replace(best, reason=reason, copies=copies, missing=tuple(missing))


def add_troubles(part: PartHealth, troubles: Sequence[str]) -> PartHealth:
    """Mark a living part as not ok if one of its copies can't do its work."""
    if not part.ok or not troubles:
        return part
    return replace(part, ok=False, reason="; ".join(sorted(set(troubles))), missing=())


def add_clock(part: PartHealth, offsets: Sequence[float]) -> PartHealth:
    """Note how far the clocks of its machines are off; it works on rightly, but an operator should know."""
    worst = max(offsets, key=abs, default=0.0)
    if abs(worst) < CLOCK_OFF_BY.total_seconds():
        return replace(part, clock_offset=worst)
    text = words.CLOCK_BEHIND if worst > 0 else words.CLOCK_AHEAD
    note = text.format(seconds=round(abs(worst)))
    return replace(part, clock_offset=worst, reason="; ".join(filter(None, (part.reason, note))))


def judge_heartbeat(part: str, seen_at: datetime | None, wall: datetime) -> PartHealth:
    """Judge one heartbeat: a part without one for half a minute is dead; a beat from the future says nothing."""
    if seen_at is None:
        return PartHealth(part, ok=False, reason=words.NEVER_SEEN)
    age = wall - seen_at
    seconds = round(age.total_seconds(), 1)
    if age > DEAD_AFTER:
        reason = words.NOT_SEEN_FOR.format(seconds=round(seconds), every=round(HEARTBEAT_INTERVAL.total_seconds()))
        return PartHealth(part, ok=False, age_seconds=seconds, reason=reason)
    if age < -DEAD_AFTER:
        return PartHealth(part, ok=False, reason=words.CLOCKS_DIFFER.format(seconds=round(-seconds)))
    return PartHealth(part, ok=True, age_seconds=max(seconds, 0.0))


def schema_problem(revision: str | None, known_revisions: Sequence[str]) -> str | None:
    """Explain why this version cannot use a database at `revision`, or return None if it can.

    `known_revisions` are the revisions it knows, newest first. An unknown revision is a newer one: during a rolling
    restart the migrations run first, and processes still running have to go on serving until they are replaced.
    """
    if revision is None:
        return words.NO_SCHEMA.format(needed=known_revisions[0])
    if revision in known_revisions[1:]:
        return words.OLD_SCHEMA.format(found=revision, needed=known_revisions[0])
    return None
