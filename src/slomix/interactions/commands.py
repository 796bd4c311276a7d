"""Describes our slash commands to Discord, and brings its list up to date.

Names are English. What they do is said in the community's language, and in the other languages that Discord has.
Guild commands do not exist in the bot's direct messages.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from slomix import i18n
from slomix.availability.rules import STATUS_NAMES, Status
from slomix.contacts.kinds import KIND_TEXTS
from slomix.contacts.rules import TICKS
from slomix.i18n import N_, Texts, _

SUBCOMMAND, STRING = 1, 3
IN_SERVER = 0
CHAT_INPUT = 1

Definition = dict[str, Any]

# What each command does, at most 100 characters.
COMMAND_TEXTS = Texts(
    {
        "avail": N_("Say when you play"),
        "avail set": N_("Set your status for a day"),
        "avail late": N_("Say that you come to tonight's game, 15 minutes late"),
        "avail clear": N_("Take your status back"),
        "avail show": N_("See a day, or the week at a glance"),
        "tonight": N_("Who plays tonight, when it starts, and who is in voice"),
        "queue": N_("Who is looking to play tonight"),
        "link": N_("Choose your player"),
        "notify": N_("See or change what you are told"),
        "promote": N_("Call tonight's players together (promoters)"),
        "teams": N_("Tonight's teams"),
    }
)


# What Discord itself can be set to: https://discord.com/developers/docs/reference#locales
LOCALES = (
    "ar bg cs da de el en-GB en-US es-419 es-ES fi fr he hi hr hu id it ja ko lt nl no pl pt-BR ro ru sv-SE th tr uk "
    "vi zh-CN zh-TW"
)


def definitions(languages: Sequence[str]) -> list[Definition]:
    """Return all commands as they should be registered for our server; the first language is the community's."""
    first, *others = languages
    with i18n.speaking(first):
        ours = _definitions()
    for language in others:
        with i18n.speaking(language):
            theirs = _definitions()
        for locale in LOCALES.split():
            if locale.partition("-")[0] == language:
                _localize(ours, theirs, locale)
    return ours


def _localize(ours: Sequence[Definition], theirs: Sequence[Definition], locale: str) -> None:
    """Add to descriptions, and to the names of choices, what they are in another of Discord's languages."""
    for our, their in zip(ours, theirs, strict=True):
        said = "name" if "value" in our else "description"
        our.setdefault(f"{said}_localizations", {})[locale] = their[said]
        for inside in ("options", "choices"):
            _localize(our.get(inside, ()), their.get(inside, ()), locale)


def _definitions() -> list[Definition]:
    day = _option("day", _("Today, tomorrow, a weekday, or a date such as 2026-11-22"), autocomplete=True)
    statuses = [(STATUS_NAMES[status], status.key) for status in Status]
    kinds = [(KIND_TEXTS[kind].title, kind.value) for kind in TICKS]
    return [
        _command(
            "avail",
            _subcommand(
                "avail set",
                _required(day),
                _option("status", _("What you say"), choices=statuses, required=True),
            ),
            _subcommand("avail late"),
            _subcommand("avail clear", _required(day)),
            _subcommand("avail show", day),
        ),
        _command("tonight"),
        _command("queue"),
        _command("link", _option("player", _("Your name in the game"), autocomplete=True, required=True)),
        _command(
            "notify",
            _option("kind", _("What you are told about"), choices=kinds),
            _option("switch", _("On or off"), choices=[(_("on"), "on"), (_("off"), "off")]),
        ),
        _command("promote"),
        _command("teams"),
    ]


def is_same(ours: list[Definition], registered: Sequence[Mapping[str, Any]]) -> bool:
    """Check whether Discord's list says what ours does, whatever it adds of its own."""
    by_name = {str(command.get("name")): command for command in registered}
    return len(by_name) == len(ours) and all(_covers(by_name.get(command["name"]), command) for command in ours)


def _covers(registered: Any, ours: Any) -> bool:
    if isinstance(ours, dict) and "name" in ours:
        return isinstance(registered, Mapping) and all(
            _covers(registered.get(name) or default, ours.get(name) or default)
            for name, default in (dict.fromkeys(ours) | _DEFAULTS).items()
        )
    if isinstance(ours, list):
        return len(registered or []) == len(ours) and all(map(_covers, registered or [], ours))
    return bool(registered == ours)


# What Discord leaves out of its answers where it is not set.
_DEFAULTS: Final = {
    "required": False,
    "autocomplete": False,
    "options": [],
    "choices": [],
    "description_localizations": {},
    "name_localizations": {},
}


def _command(name: str, *options: Definition) -> Definition:
    return {
        "name": name,
        "type": CHAT_INPUT,
        "description": COMMAND_TEXTS[name],
        "options": list(options),
        "contexts": [IN_SERVER],
    }


def _subcommand(name: str, *options: Definition) -> Definition:
    return {
        "name": name.split()[-1],
        "type": SUBCOMMAND,
        "description": COMMAND_TEXTS[name],
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
