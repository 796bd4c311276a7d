"""Rules of reaching players: kinds of messages, order of channels, quiet hours, valid preferences."""

import enum
import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from slomix.errors import Invalid
from slomix.i18n import N_
from slomix.parsing import checked_int
from slomix.reasons.codes import Reason


class ChannelName(enum.StrEnum):
    """The notification channels."""

    DISCORD = "discord"
    TELEGRAM = "telegram"
    SIGNAL = "signal"


CHANNEL_NAMES = {
    "discord": "Discord",
    "telegram": "Telegram",
    "signal": "Signal",
}


# Channels where a code proves the address; on Discord the login proves it.
LINKED_BY_CODE = (ChannelName.TELEGRAM, ChannelName.SIGNAL)


class PreferredChannel(enum.StrEnum):
    """The channel that a player wants first."""

    ANY = "any"
    DISCORD = "discord"
    TELEGRAM = "telegram"
    SIGNAL = "signal"


CHANNEL_ORDER: dict[PreferredChannel, tuple[ChannelName, ...]] = {
    PreferredChannel.ANY: (ChannelName.TELEGRAM, ChannelName.SIGNAL, ChannelName.DISCORD),
    PreferredChannel.TELEGRAM: (ChannelName.TELEGRAM, ChannelName.SIGNAL, ChannelName.DISCORD),
    PreferredChannel.SIGNAL: (ChannelName.SIGNAL, ChannelName.TELEGRAM, ChannelName.DISCORD),
    PreferredChannel.DISCORD: (ChannelName.DISCORD, ChannelName.TELEGRAM, ChannelName.SIGNAL),
}


class MessageKind(enum.StrEnum):
    """Kinds of messages that players switch on or off. The values are part of unsubscribe links."""

    CAMPAIGNS = "campaigns"
    SESSION_READY = "session_ready"
    DAILY_REMINDER = "daily_reminder"
    MORE_NEEDED = "more_needed"
    LOOKING = "looking"


@dataclass(frozen=True)
class Switch:
    """How a kind is stored: its column, which is also its name in the form and the JSON, and the value for off."""

    column: str
    off: bool | int = False

    @property
    def is_tick(self) -> bool:
        """Tell whether it is just on or off; otherwise it has a number."""
        return self.off is False


# All that a new kind needs here. Its column stands in `models.StoredPreferences` too, its texts in `KIND_TEXTS`.
KINDS: dict[MessageKind, Switch] = {
    MessageKind.CAMPAIGNS: Switch("allow_promotions"),
    MessageKind.SESSION_READY: Switch("session_ready"),
    MessageKind.DAILY_REMINDER: Switch("daily_reminder"),
    MessageKind.MORE_NEEDED: Switch("more_needed"),
    MessageKind.LOOKING: Switch("looking_threshold", off=0),
}
TICKS: dict[MessageKind, str] = {kind: switch.column for kind, switch in KINDS.items() if switch.is_tick}


# So many messages a day at most that a player did not ask for at that moment. A campaign's count, and always leave.
MESSAGES_A_DAY = 5


class NoSuchChannel(Invalid):
    sentence = N_("There is no such channel. Pick Discord, Telegram or Signal.")


class NoSuchThreshold(Invalid):
    sentence = N_("How many have to be looking is a number from 0 (off) to 99.")


class NoSuchLifetime(Invalid):
    sentence = N_("A code lives 5 to 120 minutes. Pick a number in between.")


MAX_THRESHOLD = 99

# How long a code that links an address may live.
CODE_LIFETIME = timedelta(minutes=30)
CODE_MINUTES = range(5, 121)


def parse_preferred(text: str) -> PreferredChannel:
    """Read the name of a channel, or `any`. Raise NoSuchChannel."""
    try:
        return PreferredChannel(text)
    except ValueError:
        raise NoSuchChannel from None


def parse_linked_channel(text: str) -> ChannelName:
    """Read the name of a channel that is linked by a code. Raise NoSuchChannel."""
    found = next((channel for channel in LINKED_BY_CODE if channel == text), None)
    if found is None:
        raise NoSuchChannel
    return found


def parse_threshold(text: str) -> int:
    """Read a number of players, 0 for off. Raise NoSuchThreshold."""
    return checked_int(text, 0, MAX_THRESHOLD, NoSuchThreshold)


def code_lifetime(minutes: int) -> timedelta:
    """Read how long a code is to live. Raise NoSuchLifetime outside 5 to 120 minutes."""
    if minutes not in CODE_MINUTES:
        raise NoSuchLifetime
    return timedelta(minutes=minutes)


def is_private_chat(address: str) -> bool:
    """Tell whether this is the id of a private Telegram chat; those of groups are negative."""
    return re.fullmatch(r"[1-9][0-9]{0,18}", address) is not None


def mask_address(address: str) -> str:
    """Show the last two characters of an address, at most a third of it, so that its owner recognises it."""
    shown = min(2, len(address) // 3)
    return "•" * 6 + (address[-shown:] if shown else "")


class EmptyQuietHours(Invalid):
    sentence = N_("Quiet hours that begin and end at the same time would mean never or always. Pick two times.")


class HalfQuietHours(Invalid):
    sentence = N_("Quiet hours need both a beginning and an end, or neither.")


@dataclass(frozen=True)
class QuietHours:
    """`[start, end)` in the player's own zone, over midnight if the start is later than the end."""

    start: time
    end: time

    def __post_init__(self) -> None:
        if self.start == self.end:
            raise EmptyQuietHours

    def apply_at(self, now: datetime, zone: ZoneInfo) -> bool:
        """Tell whether `now` is inside."""
        local = now.astimezone(zone).time()
        if self.start < self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end


class InvalidCooldown(Invalid):
    sentence = N_("The ready sound can wait 30 to 3600 seconds before it plays again. Pick a number in between.")


# How long the ready sound may be silent after it was played.
COOLDOWN_SECONDS = range(30, 3601)


@dataclass(frozen=True)
class ReadySound:
    """Whether a browser of this player plays the ready sound, and how long it is silent after it did."""

    is_on: bool = False
    cooldown: timedelta = timedelta(seconds=480)

    def __post_init__(self) -> None:
        shortest, longest = timedelta(seconds=COOLDOWN_SECONDS[0]), timedelta(seconds=COOLDOWN_SECONDS[-1])
        if not shortest <= self.cooldown <= longest:
            raise InvalidCooldown


def parse_cooldown(text: str) -> timedelta:
    """Read a number of seconds. Raise InvalidCooldown for anything else."""
    return timedelta(seconds=checked_int(text, COOLDOWN_SECONDS[0], COOLDOWN_SECONDS[-1], InvalidCooldown))


class NoSuchZone(Invalid):
    sentence = N_("That is not a time zone. One looks like Europe/Ljubljana.")


@cache
def _zones() -> set[str]:
    return available_timezones()


@cache
def offered_zones() -> tuple[str, ...]:
    """Return the zones that name a place, as choices for players."""
    return tuple(sorted(zone for zone in _zones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/"))))


def parse_zone(text: str) -> ZoneInfo:
    """Read the name of a time zone. Raise NoSuchZone."""
    # Names without a place, such as `localtime`, mean something else on each machine.
    if text not in _zones() or ("/" not in text and text != "UTC"):
        raise NoSuchZone
    return ZoneInfo(text)


@dataclass(frozen=True)
class ContactRoute:
    """A contact through which a player may be reached. `sealed` is its address, None on Discord."""

    contact_id: int
    channel: ChannelName
    sealed: str | None = None
    learned: str | None = None
    is_usable: bool = True
    # Identifies the address: a new one is verified at another moment.
    verified_at: datetime | None = None


@dataclass(frozen=True)
class Reachability:
    """All that decides whether and how a player may be reached; `all_routes` are in the preferred order."""

    player_id: int
    discord_id: str | None
    has_left: bool
    allows: frozenset[MessageKind]
    quiet_hours: QuietHours | None
    zone: ZoneInfo
    all_routes: tuple[ContactRoute, ...]
    # What the unsubscribe links of this player are signed with, beside our own secret.
    unsubscribe_salt: str = ""
    # The language that they chose, if any.
    language: str | None = None

    @property
    def is_linked(self) -> bool:
        return self.discord_id is not None

    @property
    def routes(self) -> tuple[ContactRoute, ...]:
        """Return the routes that work."""
        return tuple(route for route in self.all_routes if route.is_usable)

    @property
    def first_channel(self) -> ChannelName:
        """Return the channel that a message takes first; Discord if none works, as every player has it."""
        return self.routes[0].channel if self.routes else ChannelName.DISCORD

    def is_quiet(self, now: datetime) -> bool:
        return self.quiet_hours is not None and self.quiet_hours.apply_at(now, self.zone)


def refusal_reason(
    reach: Reachability | None,
    now: datetime,
    *,
    kind: MessageKind | None = MessageKind.CAMPAIGNS,
    heeds_quiet_hours: bool = True,
) -> Reason | None:
    """Return why this player gets no message of this kind now, or None if nothing is against it.

    A message of no kind was asked for just now, or warns a promoter of their own campaign: it needs no consent.
    """
    if reach is None or not reach.is_linked:
        return Reason.NOT_LINKED
    if reach.has_left:
        return Reason.LEFT_OUR_SERVER
    if kind is not None and kind not in reach.allows:
        return Reason.NOT_OPTED_IN
    if kind is not None and not reach.routes:
        return Reason.NO_WORKING_CONTACT
    if heeds_quiet_hours and reach.is_quiet(now):
        return Reason.QUIET_HOURS
    return None


def may_be_named(reach: Reachability | None, now: datetime) -> bool:
    """Check whether a post in a room may name this player: who is not to be called now is not named either.

    A player whose DMs are closed has not withdrawn.
    """
    return refusal_reason(reach, now) in {None, Reason.NO_WORKING_CONTACT}
