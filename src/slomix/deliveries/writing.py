"""How each channel writes what is not just words: times, how long until then, links."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from slomix import words
from slomix.contacts.rules import ChannelName, Reach


@dataclass(frozen=True)
class Occasion:
    """What a message is put into words for: the channel it takes, its player (None for a room), and the moment."""

    channel: ChannelName
    reach: Reach | None
    now: datetime


class Style(Protocol):
    """What a message needs beside its words."""

    def time(self, moment: datetime) -> str:
        """An hour, in the reader's zone."""

    def countdown(self, moment: datetime) -> str:
        """How long until then."""

    def aside(self, link: str) -> str:
        """A link that is not to be shown as a picture of where it leads."""


class OnDiscord:
    """Discord writes times itself, in every reader's own zone and language."""

    def time(self, moment: datetime) -> str:
        return timestamp(moment)

    def countdown(self, moment: datetime) -> str:
        return timestamp(moment, "R")

    def aside(self, link: str) -> str:
        return f"<{link}>"


@dataclass(frozen=True)
class Plain:
    """For a channel that knows only text: times in the reader's zone, as true now."""

    zone: ZoneInfo
    now: datetime

    def time(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%H:%M}"

    def countdown(self, moment: datetime) -> str:
        minutes = max(1, round((moment - self.now).total_seconds() / 60))
        return words.IN_A_MINUTE if minutes == 1 else words.IN_MINUTES.format(minutes=minutes)

    def aside(self, link: str) -> str:
        return link


def style_for(channel: ChannelName, zone: ZoneInfo, now: datetime) -> Style:
    """How that channel writes, for a reader in `zone`."""
    return OnDiscord() if channel is ChannelName.DISCORD else Plain(zone, now)


def timestamp(moment: datetime, style: str = "t") -> str:
    """A Discord timestamp, which every reader sees in their own zone."""
    return f"<t:{int(moment.timestamp())}:{style}>"
