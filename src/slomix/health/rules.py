"""What counts as alive."""

from dataclasses import dataclass
from datetime import datetime, timedelta

BEAT_EVERY = timedelta(seconds=5)
DEAD_AFTER = timedelta(seconds=30)

SCHEDULER = "scheduler"
WORKER = "worker"
DISCORD = "discord"
INBOX = "inbox"


@dataclass(frozen=True)
class PartHealth:
    """One part: whether it lives, and how many seconds ago it said so (where it says anything)."""

    part: str
    ok: bool
    age_seconds: float | None = None
    reason: str | None = None


def judge_beat(part: str, seen_at: datetime | None, wall: datetime) -> PartHealth:
    """A part that was never seen, or not for half a minute, is dead."""
    if seen_at is None:
        return PartHealth(part, ok=False, reason="never seen")
    age = wall - seen_at
    ok = age <= DEAD_AFTER
    return PartHealth(part, ok, round(age.total_seconds(), 1), None if ok else "not seen for too long")
