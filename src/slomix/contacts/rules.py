"""Quiet hours, and what a player's preferences may be."""

import enum
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from slomix import words
from slomix.errors import Invalid


class ChannelName(enum.StrEnum):
    """The notification channels."""

    DISCORD = "discord"


class EmptyQuietHours(Invalid):
    def __init__(self) -> None:
        super().__init__(words.EMPTY_QUIET_HOURS)


class HalfQuietHours(Invalid):
    def __init__(self) -> None:
        super().__init__(words.HALF_QUIET_HOURS)


@dataclass(frozen=True)
class QuietHours:
    """`[start, end)` in the player's own zone, over midnight if the start is later than the end."""

    start: time
    end: time

    def __post_init__(self) -> None:
        if self.start == self.end:
            raise EmptyQuietHours

    def hold_at(self, now: datetime, zone: ZoneInfo) -> bool:
        """Whether `now` is inside."""
        local = now.astimezone(zone).time()
        if self.start < self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end


class SoundTooOften(Invalid):
    def __init__(self) -> None:
        super().__init__(words.SOUND_TOO_OFTEN)


@dataclass(frozen=True)
class Sound:
    """Whether a browser of this player plays the ready sound, and how long it is silent after it did."""

    is_on: bool = False
    cooldown: timedelta = timedelta(seconds=480)

    def __post_init__(self) -> None:
        if not timedelta(seconds=30) <= self.cooldown <= timedelta(seconds=3600):
            raise SoundTooOften


def parse_cooldown(text: str) -> timedelta:
    """Read a number of seconds. Raise SoundTooOften for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise SoundTooOften
    return timedelta(seconds=int(text))


class NoSuchZone(Invalid):
    def __init__(self) -> None:
        super().__init__(words.NO_SUCH_ZONE)


@cache
def _zones() -> set[str]:
    return available_timezones()


def parse_zone(text: str) -> ZoneInfo:
    """Read the name of a time zone. Raise NoSuchZone when nobody knows it."""
    # Names without a place, such as `localtime`, mean something else on each machine.
    if text not in _zones() or ("/" not in text and text != "UTC"):
        raise NoSuchZone
    return ZoneInfo(text)


@dataclass(frozen=True)
class Reach:
    """All that decides whether, and how, a player may be written to."""

    player_id: int
    discord_id: str | None
    allows_promotions: bool
    quiet_hours: QuietHours | None
    zone: ZoneInfo
    contact_id: int | None
    channel: ChannelName
    address: str | None
    learned: str | None

    @property
    def is_linked(self) -> bool:
        return self.discord_id is not None

    def is_quiet(self, now: datetime) -> bool:
        return self.quiet_hours is not None and self.quiet_hours.hold_at(now, self.zone)


def why_not(
    reach: Reach | None, now: datetime, *, needs_consent: bool = True, heeds_quiet_hours: bool = True
) -> str | None:
    """Why this player gets no message now; None when there is nothing against it.

    What somebody asked for just now needs neither consent nor a daytime; a warning about their own campaign needs no
    consent.
    """
    if reach is None or not reach.is_linked:
        return words.NOT_LINKED
    if needs_consent and not reach.allows_promotions:
        return words.NOT_OPTED_IN
    if needs_consent and reach.contact_id is None:
        return words.NO_WORKING_CONTACT
    if heeds_quiet_hours and reach.is_quiet(now):
        return words.QUIET_HOURS
    return None
