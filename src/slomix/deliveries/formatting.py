"""How each channel writes what is not just words: times, how long until then, links."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from slomix import words
from slomix.channels.markup import escape_markdown
from slomix.contacts.rules import ChannelName
from slomix.presence.game_names import plain_name

LONGEST_NAME = 32


class Style(Protocol):
    """What a message needs beside its words."""

    def time(self, moment: datetime) -> str:
        """An hour, in the reader's zone."""

    def countdown(self, moment: datetime) -> str:
        """How long until then."""

    def quiet_link(self, link: str) -> str:
        """A link that is not to be shown as a picture of where it leads."""


class DiscordStyle:
    """Discord writes times itself, in every reader's own zone and language."""

    def time(self, moment: datetime) -> str:
        return discord_timestamp(moment)

    def countdown(self, moment: datetime) -> str:
        return discord_timestamp(moment, "R")

    def quiet_link(self, link: str) -> str:
        return f"<{link}>"


@dataclass(frozen=True)
class PlainStyle:
    """For a channel that knows only text: times in the reader's zone, as true now."""

    zone: ZoneInfo
    now: datetime

    def time(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%H:%M}"

    def countdown(self, moment: datetime) -> str:
        minutes = max(1, round((moment - self.now).total_seconds() / 60))
        return words.IN_A_MINUTE if minutes == 1 else words.IN_MINUTES.format(minutes=minutes)

    def quiet_link(self, link: str) -> str:
        return link


def style_for(channel: ChannelName, zone: ZoneInfo, now: datetime) -> Style:
    """How that channel writes, for a reader in `zone`."""
    return DiscordStyle() if channel is ChannelName.DISCORD else PlainStyle(zone, now)


def safe_name(name: str) -> str:
    """A name that mentions nobody and formats nothing on Discord, on one line, at most 32 characters long."""
    return escape_markdown(" ".join(plain_name(name).split())[:LONGEST_NAME])


def fit_names(names: Sequence[str], *, longest: int, most: int | None = None) -> str:
    """As many whole names as there is room for, at most so many, and how many more."""
    shown: list[str] = []
    left = longest
    for name in names[:most]:
        left -= _length(name) + 2
        if left < 0:
            break
        shown.append(name)
    more = len(names) - len(shown)
    return ", ".join(shown) + (words.AND_MORE.format(number=more) if more else "")


def _length(text: str) -> int:
    """As the strictest count them: a character beyond the first 65,536 is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def discord_timestamp(moment: datetime, style: str = "t") -> str:
    """A Discord timestamp, which every reader sees in their own zone."""
    return f"<t:{int(moment.timestamp())}:{style}>"
