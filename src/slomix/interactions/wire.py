"""Reads interactions as Discord posts them, and writes the answers.

https://discord.com/developers/docs/interactions/receiving-and-responding
"""

import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from slomix.channels.discord import action_rows
from slomix.chat.replies import Reply
from slomix.chat.service import Asker
from slomix.contacts.rules import ChannelName
from slomix.i18n import SOURCE

# A request that was signed longer ago is a copy of an old one. Discord itself allows three seconds for an answer.
SIGNED_WITHIN = timedelta(minutes=5)
EPHEMERAL = 1 << 6
# Discord's own limits.
MAX_CHOICES = 25
LONGEST_CHOICE = 100


class NotFromDiscord(Exception):
    """Raised when a request is not signed by Discord, was signed too long ago, or is no interaction."""


class InteractionType(enum.IntEnum):
    """What happened: https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object."""

    PING = 1
    COMMAND = 2
    PRESS = 3
    AUTOCOMPLETE = 4


class CallbackType(enum.IntEnum):
    """How an interaction is answered."""

    PONG = 1
    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    UPDATE = 7
    CHOICES = 8


@dataclass(frozen=True)
class Interaction:
    """What a person did in Discord, in parts that we use."""

    id: str
    type: InteractionType
    token: str = field(repr=False)
    application_id: str
    user_id: str
    username: str
    display_name: str
    # The server in which it happened; None in a direct message.
    guild_id: str | None
    # The language of the person's Discord, unless that is English: so it is for all whose own language it lacks.
    language: str | None = None
    # A command as it is typed, such as `avail set`, with its options by name; or what a pressed button sends.
    command: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    # The option that is being typed, for autocomplete.
    focused: str = ""
    pressed: str = ""
    # The text of the pressed button's message, and whether it is an answer that is seen by its reader alone.
    content: str = ""
    is_ephemeral: bool = False

    @property
    def asker(self) -> Asker:
        return Asker(ChannelName.DISCORD, self.user_id)


def verify(body: bytes, *, signature: str, timestamp: str, public_key: str, wall: datetime) -> None:
    """Check that Discord signed this body just now. Raise NotFromDiscord."""
    try:
        signed_at = datetime.fromtimestamp(int(timestamp), UTC)
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), timestamp.encode() + body)
    except (InvalidSignature, ValueError, OverflowError, OSError) as error:
        raise NotFromDiscord from error
    if abs(wall - signed_at) > SIGNED_WITHIN:
        raise NotFromDiscord


def parse(body: bytes) -> Interaction:
    """Read an interaction. Raise NotFromDiscord for anything else."""
    try:
        return _parse(json.loads(body))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NotFromDiscord from error


def _parse(said: dict[str, Any]) -> Interaction:
    kind = InteractionType(said["type"])
    if kind is InteractionType.PING:
        return Interaction(
            id=str(said.get("id", "")),
            type=kind,
            token="",
            application_id=str(said.get("application_id", "")),
            user_id="",
            username="",
            display_name="",
            guild_id=None,
        )
    user = said["member"]["user"] if "member" in said else said["user"]
    data = said["data"]
    command, options, focused = "", {}, ""
    if kind is not InteractionType.PRESS:
        command, given = _command(data)
        options = {str(option["name"]): str(option["value"]) for option in given}
        focused = next((str(option["name"]) for option in given if option.get("focused")), "")
    return Interaction(
        id=str(said["id"]),
        type=kind,
        token=str(said["token"]),
        application_id=str(said["application_id"]),
        user_id=str(user["id"]),
        username=str(user["username"]),
        display_name=str(user.get("global_name") or user["username"]),
        guild_id=str(said["guild_id"]) if said.get("guild_id") else None,
        language=_language(str(said.get("locale", ""))),
        command=command,
        options=options,
        focused=focused,
        pressed=str(data["custom_id"]) if kind is InteractionType.PRESS else "",
        content=str((said.get("message") or {}).get("content", "")),
        is_ephemeral=bool((said.get("message") or {}).get("flags", 0) & EPHEMERAL),
    )


def _language(locale: str) -> str | None:
    """Read what Discord writes as `de` or `pt-BR`."""
    spoken = locale.partition("-")[0]
    return spoken if spoken not in {"", SOURCE} else None


def _command(data: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """Return a command with its subcommand, as it is typed, and its options."""
    options = list(data.get("options") or [])
    subcommand = 1
    if options and options[0]["type"] == subcommand:
        return f"{data['name']} {options[0]['name']}", list(options[0].get("options") or [])
    return str(data["name"]), options


def pong() -> dict[str, Any]:
    return {"type": CallbackType.PONG}


def answer(reply: Reply, *, to: Interaction) -> dict[str, Any]:
    """Write an answer: a message for the asker alone, or a change of the message whose button was pressed.

    What stands in a room is everybody's, and is never replaced by an answer to one.
    """
    is_own = to.is_ephemeral or to.guild_id is None
    replaces = reply.replaces and to.type is InteractionType.PRESS and is_own
    flags = {} if replaces else {"flags": EPHEMERAL}
    return {"type": CallbackType.UPDATE if replaces else CallbackType.MESSAGE, "data": message(reply) | flags}


def deferral() -> dict[str, Any]:
    """Write that the answer follows, in a message of its own: it may be one that must not replace the pressed one."""
    return {"type": CallbackType.DEFERRED_MESSAGE, "data": {"flags": EPHEMERAL}}


def choices(found: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Write what may be chosen for an option: labels with their values."""
    listed = [{"name": label[:LONGEST_CHOICE], "value": value} for label, value in found[:MAX_CHOICES]]
    return {"type": CallbackType.CHOICES, "data": {"choices": listed}}


def message(reply: Reply) -> dict[str, Any]:
    """Write a reply as a message that notifies no account."""
    written: dict[str, Any] = {"content": reply.text, "allowed_mentions": {"parse": []}}
    if reply.buttons is not None:
        written["components"] = action_rows([button for row in reply.buttons for button in row])
    return written
