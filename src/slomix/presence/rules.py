"""What a picture of the voice rooms says about a person, and the names on the game server; too old it says nothing."""

import enum
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
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


# As the game reads them: `^` and any one character, though not another `^`.
_COLOUR_CODE = re.compile(r"\^[^^]?")


def bare_name(name: str) -> str:
    """What makes a name in the game the same as another: its letters, in whatever colours, case and kind of accents.

    Empty where nothing of it can be seen.
    """
    seen = "".join(one for one in _COLOUR_CODE.sub("", name) if unicodedata.category(one) != "Cf")
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFD", seen).casefold())
    return " ".join(folded.split())


def recognised(known: Mapping[int, Iterable[str]], on_server: Iterable[str]) -> frozenset[int]:
    """Those who are on the game server, by any known name. A name that several of them had tells of nobody."""
    there = {bare_name(name) for name in on_server} - {""}
    bare = {player_id: {bare_name(name) for name in names} for player_id, names in known.items()}
    owners = Counter(name for names in bare.values() for name in names)
    return frozenset(
        player_id for player_id, names in bare.items() if any(name in there and owners[name] == 1 for name in names)
    )
