"""Reads commands and statuses in chat messages."""

import enum
import re
from dataclasses import dataclass
from datetime import date, timedelta

from slomix.availability.rules import NoSuchDay, Status
from slomix.chat.days import read_day


class Command(enum.StrEnum):
    """A command of the bot."""

    LINK = "link"
    YES = "yes"
    NO = "no"
    UNLINK = "unlink"
    AVAIL = "avail"
    TODAY = "today"
    TOMORROW = "tomorrow"
    NOTIFY = "notify"
    HELP = "help"


@dataclass(frozen=True)
class ParsedCommand:
    """A command and its arguments."""

    command: Command
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class ParsedStatus:
    """A day and a status for it; None clears it."""

    day: date
    status: Status | None


# `/link@SlomixBot` is how Telegram writes a command in company.
_COMMAND = re.compile(r"/(?P<name>[a-z]+)(?:@[A-Za-z0-9_]+)?(?:\s+(?P<rest>.*))?", re.DOTALL | re.IGNORECASE)

_NUMBER = re.compile(r"(?P<number>[0-9]{1,2})[.)]?")

# What an account without a player says waits so long for the player.
STATUS_WAITS = timedelta(minutes=15)

_STATUSES = {
    "looking": Status.LOOKING,
    "l": Status.LOOKING,
    "available": Status.AVAILABLE,
    "a": Status.AVAILABLE,
    "maybe": Status.MAYBE,
    "m": Status.MAYBE,
    "not_playing": Status.NOT_PLAYING,
    "notplaying": Status.NOT_PLAYING,
    "not": Status.NOT_PLAYING,
    "no": Status.NOT_PLAYING,
    "n": Status.NOT_PLAYING,
}
_CLEAR = {"clear", "remove", "delete", "unset", "none"}


def parse_command(text: str) -> ParsedCommand:
    """Read the command in a message; any other text asks for help.

    `/start CODE` is what Telegram sends when a player follows our deep link.
    """
    found = _COMMAND.fullmatch(text.strip())
    if found is None:
        return ParsedCommand(Command.HELP)
    name, rest = found["name"].lower(), tuple((found["rest"] or "").split())
    if name == "start":
        return ParsedCommand(Command.LINK, rest) if rest else ParsedCommand(Command.HELP)
    try:
        return ParsedCommand(Command(name), rest)
    except ValueError:
        return ParsedCommand(Command.HELP)


def parse_status(words: tuple[str, ...], today: date) -> ParsedStatus | None:
    """Read a day, by default today, and a status; return None for what makes no sense.

    Examples: `tomorrow looking`, `maybe`, `friday not playing`, `clear 2026-11-22`.
    """
    day, rest = _split(words, today)
    key = "_".join(rest).replace("-", "_")
    if key in _CLEAR:
        return ParsedStatus(day or today, None)
    return ParsedStatus(day or today, _STATUSES[key]) if key in _STATUSES else None


def parse_day(words: tuple[str, ...], today: date) -> date | None:
    """Read a day with nothing else beside it."""
    day, rest = _split(words, today)
    return None if rest else day


def parse_number(text: str) -> int | None:
    """Read the number of a choice, as a message that says nothing else."""
    found = _NUMBER.fullmatch(text.strip())
    return int(found["number"]) if found is not None else None


def _split(words: tuple[str, ...], today: date) -> tuple[date | None, list[str]]:
    """Return the last day that is named, and the other words."""
    day, rest = None, []
    for word in words:
        try:
            day = read_day(word, today)
        except NoSuchDay:
            rest.append(word.lower())
    return day, rest
