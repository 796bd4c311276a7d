"""Writes times, countdowns, links and names as each channel needs them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from slomix.channels.markup import escape_markdown
from slomix.contacts.rules import ChannelName
from slomix.i18n import _, ngettext
from slomix.presence.game_names import plain_name

LONGEST_NAME = 32
# Begins the line under a message that says what was answered to it; a later answer takes its place, in any language.
ANSWERED = "→ "


class Style(Protocol):
    """What a message needs beside its words."""

    def time(self, moment: datetime) -> str:
        """Write an hour, in the reader's zone."""

    def countdown(self, moment: datetime) -> str:
        """Write how long it is until `moment`."""

    def quiet_link(self, link: str) -> str:
        """Write a link without a preview of its page."""


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
    """Plain text: times in the reader's zone, countdowns as of now."""

    zone: ZoneInfo
    now: datetime

    def time(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%H:%M}"

    def countdown(self, moment: datetime) -> str:
        minutes = max(1, round((moment - self.now).total_seconds() / 60))
        return ngettext("in a minute", "in {number} minutes", minutes)

    def quiet_link(self, link: str) -> str:
        return link


# What we write for Discord: times, bold words, links without a preview, escaped and separated characters.
_MARKUP = re.compile(
    r"<t:(?P<time>-?[0-9]{1,10}):(?P<style>[A-Za-z])>|\*\*(?P<bold>(?:\\.|[^\\*\n]|\*(?!\*))+)\*\*|<(?P<link>https?://[^>\s]+)>"
    r"|\\(?P<escaped>[!-/:-@\[-`{-~])|(?<=@)\u200b"
)


def plain_text(text: str, style: Style) -> str:
    """Write an answer that was written for Discord as plain text."""

    def replacement(found: re.Match[str]) -> str:
        if found["time"]:
            moment = datetime.fromtimestamp(int(found["time"]), UTC)
            return style.countdown(moment) if found["style"] == "R" else style.time(moment)
        if found["bold"]:
            return plain_text(found["bold"], style)
        return found["link"] or found["escaped"] or ""

    return _MARKUP.sub(replacement, text)


def style_for(channel: ChannelName, zone: ZoneInfo, now: datetime) -> Style:
    """Return the style of a channel for a reader in `zone`."""
    return DiscordStyle() if channel is ChannelName.DISCORD else PlainStyle(zone, now)


def safe_name(name: str) -> str:
    """Make a name harmless on Discord: no mentions, no formatting, one line, at most 32 characters before escaping."""
    return escape_markdown(" ".join(plain_name(name).split())[:LONGEST_NAME])


def fit_names(names: Sequence[str], *, longest: int, most: int | None = None, unnamed: int = 0) -> str:
    """Join as many whole names as fit into `longest`, at most `most`, and say how many more there are.

    `unnamed` more are counted only.
    """
    shown: list[str] = []
    left = longest
    for name in names[:most]:
        left -= _length(name) + 2
        if left < 0:
            break
        shown.append(name)
    listed, more = ", ".join(shown), len(names) - len(shown) + unnamed
    return _("{names} and {number} more").format(names=listed, number=more) if more else listed


def _length(text: str) -> int:
    """Count UTF-16 code units, as the strictest provider does."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def discord_timestamp(moment: datetime, style: str = "t") -> str:
    """Return a Discord timestamp, which every reader sees in their own zone."""
    return f"<t:{int(moment.timestamp())}:{style}>"
