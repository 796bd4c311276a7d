"""Reads commands and statuses in chat messages."""

import enum
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from slomix.availability.rules import STATUS_NAMES, NoSuchDay, Status
from slomix.chat.days import all_keys, read_day
from slomix.i18n import _, pgettext
from slomix.presence.game_names import name_key


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
_COMMAND = re.compile(r"/(?P<name>[^\W\d_]+)(?:@[A-Za-z0-9_]+)?(?:\s+(?P<rest>.*))?", re.DOTALL | re.IGNORECASE)

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
    "not playing": Status.NOT_PLAYING,
    "notplaying": Status.NOT_PLAYING,
    "not": Status.NOT_PLAYING,
    "no": Status.NOT_PLAYING,
    "n": Status.NOT_PLAYING,
}
_CLEAR = {"clear", "remove", "delete", "unset", "none"}
# What players say in their own languages: with these words on buttons a command and an answer may be typed too.
_NAMED: dict[Command, Callable[[], str]] = {
    Command.YES: lambda: _("Yes"),
    Command.NO: lambda: _("No"),
    Command.TODAY: lambda: _("Today"),
    Command.TOMORROW: lambda: _("Tomorrow"),
}


def parse_command(text: str) -> ParsedCommand:
    """Read the command in a message; any other text asks for help.

    `/start CODE` is what Telegram sends when a player follows our deep link.
    """
    found = _COMMAND.fullmatch(text.strip())
    if found is None:
        return ParsedCommand(Command.HELP)
    name, rest = name_key(found["name"]), tuple((found["rest"] or "").split())
    if name == "start":
        return ParsedCommand(Command.LINK, rest) if rest else ParsedCommand(Command.HELP)
    named = (command for command, say in _NAMED.items() if name in all_keys(say))
    command = Command(name) if name in set(Command) else next(named, Command.HELP)
    return ParsedCommand(command, rest) if command is not Command.HELP else ParsedCommand(command)


def parse_status(words: tuple[str, ...], today: date) -> ParsedStatus | None:
    """Read a day, by default today, and a status; return None for what makes no sense.

    Examples: `tomorrow looking`, `maybe`, `friday not playing`, `clear 2026-11-22`, `jutri mogoče`.
    """
    day, rest = _split(words, today)
    said = " ".join(rest)
    if said in _CLEAR | all_keys(_clear):
        return ParsedStatus(day or today, None)
    status = _STATUSES.get(said) or _named_status(said)
    return ParsedStatus(day or today, status) if status is not None else None


def _clear() -> str:
    return _("Clear")


def parse_late(words: tuple[str, ...], today: date) -> date | None:
    """Read `late`, and a day if it is not today; return None for anything else."""
    late = all_keys(lambda: pgettext("typed", "late"))
    rest = tuple(word for word in words if name_key(word) not in late)
    return (parse_day(rest, today) if rest else today) if len(rest) < len(words) else None


def _named_status(said: str) -> Status | None:
    """Read the beginning of a status's name in any language, if it begins no other's."""
    found = [
        status
        for status in Status
        if len(said) > 1 and any(name.startswith(said) for name in all_keys(partial(STATUS_NAMES.__getitem__, status)))
    ]
    return found[0] if len(found) == 1 else None


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
            rest += name_key(word.replace("_", " ").replace("-", " ")).split()
    return day, rest
