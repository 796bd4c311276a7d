"""Describes our slash commands to Discord, and brings its list up to date.

Names are English, as Discord knows no Slovene. Guild commands do not exist in the bot's direct messages.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from slomix import words
from slomix.availability.rules import Status
from slomix.contacts.rules import TICKS

SUBCOMMAND, STRING = 1, 3
IN_SERVER = 0
CHAT_INPUT = 1

Definition = dict[str, Any]


def definitions() -> list[Definition]:
    """Return all commands as they should be registered for our server."""
    day = _option("day", words.OPTION_DAY, autocomplete=True)
    statuses = [(words.STATUSES[status], status.key) for status in Status]
    kinds = [(words.KIND_TEXTS[kind].title, kind.value) for kind in TICKS]
    return [
        _command(
            "avail",
            _subcommand(
                "avail set",
                _required(day),
                _option("status", words.OPTION_STATUS, choices=statuses, required=True),
            ),
            _subcommand("avail late"),
            _subcommand("avail clear", _required(day)),
            _subcommand("avail show", day),
        ),
        _command("tonight"),
        _command("queue"),
        _command("link", _option("player", words.OPTION_PLAYER, autocomplete=True, required=True)),
        _command(
            "notify",
            _option("kind", words.OPTION_KIND, choices=kinds),
            _option("switch", words.OPTION_SWITCH, choices=[(words.ON, "on"), (words.OFF, "off")]),
        ),
        _command("promote"),
        _command("teams"),
    ]


def is_same(ours: list[Definition], registered: Sequence[Mapping[str, Any]]) -> bool:
    """Check whether Discord's list says what ours does, whatever it adds of its own."""
    by_name = {str(command.get("name")): command for command in registered}
    return len(by_name) == len(ours) and all(_covers(by_name.get(command["name"]), command) for command in ours)


def _covers(registered: Any, ours: Any) -> bool:
    if isinstance(ours, dict):
        return isinstance(registered, Mapping) and all(
            _covers(registered.get(name, _DEFAULTS.get(name)), value) for name, value in ours.items()
        )
    if isinstance(ours, list):
        return len(registered or []) == len(ours) and all(map(_covers, registered or [], ours))
    return bool(registered == ours)


# What Discord leaves out of its answers where it is not set.
_DEFAULTS = {"required": False, "autocomplete": False, "options": [], "choices": []}


def _command(name: str, *options: Definition) -> Definition:
    return {
        "name": name,
        "type": CHAT_INPUT,
        "description": words.COMMAND_TEXTS[name],
        "options": list(options),
        "contexts": [IN_SERVER],
    }


def _subcommand(name: str, *options: Definition) -> Definition:
    return {
        "name": name.split()[-1],
        "type": SUBCOMMAND,
        "description": words.COMMAND_TEXTS[name],
        "options": list(options),
    }


def _option(
    name: str,
    description: str,
    *,
    choices: list[tuple[str, str]] | None = None,
    autocomplete: bool = False,
    required: bool = False,
) -> Definition:
    option: Definition = {"name": name, "type": STRING, "description": description, "required": required}
    if choices is not None:
        option["choices"] = [{"name": label, "value": value} for label, value in choices]
    return option | ({"autocomplete": True} if autocomplete else {})


def _required(option: Definition) -> Definition:
    return option | {"required": True}
