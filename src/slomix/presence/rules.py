"""Rules of presence: what voice rooms and names on the game server say about a player, unless too old."""

import enum
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from slomix.presence.game_names import name_key


class VoiceStatus(enum.StrEnum):
    """Where a player is, as far as a game night cares."""

    HERE = "here"
    ELSEWHERE = "elsewhere"
    MISSING = "missing"
    UNKNOWN = "unknown"

    @property
    def is_in_voice(self) -> bool:
        """Check whether a player is in any voice room, gaming or not, and need not be called."""
        return self in {VoiceStatus.HERE, VoiceStatus.ELSEWHERE}


@dataclass(frozen=True)
class VoiceRooms:
    """The configured rooms. Without gaming rooms, any room but the AFK room counts as one."""

    gaming: frozenset[str]
    afk: str

    def voice_status(self, room: str | None) -> VoiceStatus:
        if room is None or room == self.afk:
            return VoiceStatus.MISSING
        if not self.gaming or room in self.gaming:
            return VoiceStatus.HERE
        return VoiceStatus.ELSEWHERE


@dataclass(frozen=True)
class VoiceSnapshot:
    """Who was in which voice room at `observed_at`, which is None before the first observation."""

    observed_at: datetime | None
    rooms: Mapping[str, str]

    def is_fresh(self, now: datetime, max_age: timedelta) -> bool:
        """Check whether the snapshot may be used; after the clock was set, its time may be in the future."""
        return self.observed_at is not None and -max_age <= now - self.observed_at <= max_age


def recognised_players(known: Mapping[int, Iterable[str]], on_server: Iterable[str]) -> frozenset[int]:
    """Return the players on the game server, by any known name that only one of them has used."""
    there = {name_key(name) for name in on_server} - {""}
    keys = {player_id: {name_key(name) for name in names} for player_id, names in known.items()}
    owners = Counter(name for names in keys.values() for name in names)
    return frozenset(
        player_id for player_id, names in keys.items() if any(name in there and owners[name] == 1 for name in names)
    )
