"""What a picture of the voice rooms says about a person; too old a picture says nothing."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta


class Whereabouts(enum.StrEnum):
    """Where somebody is, as far as a game night cares."""

    HERE = "here"
    ELSEWHERE = "elsewhere"
    MISSING = "missing"
    UNKNOWN = "unknown"

    @property
    def is_in_voice(self) -> bool:
        """In a gaming room, or in another one: either way there is nobody to call."""
        return self in {Whereabouts.HERE, Whereabouts.ELSEWHERE}


@dataclass(frozen=True)
class Rooms:
    """The rooms that mean something. No gaming rooms: any room but the AFK room is one."""

    gaming: frozenset[str]
    afk: str

    def whereabouts(self, room: str | None) -> Whereabouts:
        if room is None or room == self.afk:
            return Whereabouts.MISSING
        if not self.gaming or room in self.gaming:
            return Whereabouts.HERE
        return Whereabouts.ELSEWHERE


@dataclass(frozen=True)
class VoiceSnapshot:
    """Who was in which voice room at `observed_at`; None means that nobody ever looked."""

    observed_at: datetime | None
    rooms: Mapping[str, str]

    def is_fresh(self, now: datetime, max_age: timedelta) -> bool:
        """Whether this may be used; after the clock was set, a picture of far ahead may not either."""
        return self.observed_at is not None and -max_age <= now - self.observed_at <= max_age
