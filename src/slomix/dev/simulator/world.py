"""The state of the simulated world: who is in which room, what was written, what goes wrong."""

import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from slomix.clock import wall_now
from slomix.dev.simulator.faults import Faults
from slomix.dev.simulator.inboxes import Chats, SignalInbox, TelegramInbox
from slomix.dev.simulator.limits import OLD_EDIT_LIMIT, OLD_EDIT_WINDOW, RateLimits, RateWindow
from slomix.dev.simulator.people import (
    AFK_VOICE_CHANNEL,
    GAMING_VOICE_CHANNEL,
    PEOPLE_BY_ADDRESS,
    PEOPLE_BY_ID,
    VOICE_ROOMS,
    SimulatedPerson,
)
from slomix.dev.simulator.timekeeping import SimulatorClock

# Of the requests to Discord and their answers, so many are remembered.
EXCHANGES_KEPT = 2000
NONCE_WINDOW = timedelta(seconds=120)
DISCORD_EPOCH_MS = 1_420_070_400_000

ROOM_NAMES = {"default": GAMING_VOICE_CHANNEL, "afk": AFK_VOICE_CHANNEL}
LONGEST_TEXT = 4096
EVENT_STATUSES = {1: "scheduled", 2: "active", 3: "completed", 4: "canceled"}
# The game's limits.
MOST_ON_SERVER, LONGEST_NAME = 64, 35


@dataclass
class AcceptedMessage:
    """A message that was accepted, whether or not the sender learned of it; editing keeps its place."""

    provider: str
    id: str
    channel_id: str
    content: str
    nonce: str | None
    components: list[dict[str, Any]]
    accepted_at: datetime
    accepted_at_wall: datetime
    in_thread: bool = False
    edits: int = 0
    edited_at_wall: datetime | None = None
    # Who wrote it, if not the bot.
    author: SimulatedPerson | None = None
    # It stays on record, but does not stand in its room any more.
    deleted_at: datetime | None = None
    old_edits: RateWindow = field(default_factory=lambda: RateWindow(OLD_EDIT_LIMIT, OLD_EDIT_WINDOW))

    @property
    def recipient(self) -> SimulatedPerson | None:
        return PEOPLE_BY_ADDRESS[self.provider].get(self.channel_id)

    def as_record(self) -> dict[str, Any]:
        """Return the message as `/control/messages` lists it."""
        return {
            "id": self.id,
            "provider": self.provider,
            "kind": "thread" if self.in_thread else "dm" if self.recipient else "text_channel",
            "to": self.recipient.id if self.recipient else self.channel_id,
            "text": self.content,
            "nonce": self.nonce,
            "accepted_at": self.accepted_at.isoformat(),
            "accepted_at_wall": self.accepted_at_wall.isoformat(),
            "edits": self.edits,
            "edited_at": self.edited_at_wall.isoformat() if self.edited_at_wall else None,
            "deleted_at": self.deleted_at.isoformat() if self.deleted_at else None,
            "buttons": [button["label"] for row in self.components for button in row["components"]],
        }

    def edit(self, content: str, components: list[dict[str, Any]] | None = None) -> None:
        self.content = content
        self.components = self.components if components is None else components
        self.edits += 1
        self.edited_at_wall = wall_now()


@dataclass
class SimulatedThread:
    """A thread that the bot made in a text room, and the people in it besides the bot."""

    id: str
    parent: str
    name: str
    kind: int
    archived_after: int
    invitable: bool
    made_at_wall: datetime
    members: list[str] = field(default_factory=list)
    is_archived: bool = False

    def as_record(self) -> dict[str, Any]:
        """Return the thread as `/control/threads` lists it."""
        return {
            "id": self.id,
            "name": self.name,
            "parent": self.parent,
            "members": list(self.members),
            "archived": self.is_archived,
        }


@dataclass
class SimulatedEvent:
    """A scheduled event that the bot made; what is over stays on record."""

    id: str
    name: str
    description: str | None
    kind: int
    channel: str | None
    place: str | None
    starts_at: datetime
    ends_at: datetime | None
    status: int = 1

    def as_record(self) -> dict[str, Any]:
        """Return the event as `/control/events` lists it."""
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "status": EVENT_STATUSES[self.status],
            "voice_channel": self.channel,
            "location": self.place,
            "starts_at": self.starts_at.isoformat(),
            "ends_at": self.ends_at.isoformat() if self.ends_at else None,
        }


@dataclass(frozen=True)
class Exchange:
    """A request to Discord's API and its answer."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    sent: bytes
    status: int
    content_type: str
    answer: bytes

    def as_record(self) -> dict[str, Any]:
        """Return the exchange as `/control/exchanges` lists it."""
        return {
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "user_agent": self.headers.get("User-Agent", ""),
            "sent_type": self.headers.get("Content-Type", ""),
            "sent": self.sent.decode(errors="replace"),
            "status": self.status,
            "content_type": self.content_type,
            "answer": self.answer.decode(errors="replace"),
        }


@dataclass(frozen=True)
class TypedMessage:
    """A text that a person wrote to the bot, alone or in a group that the bot is in."""

    provider: str
    person: SimulatedPerson
    text: str
    in_group: bool
    at: datetime
    at_wall: datetime


class World:
    """One evening's state, for one process and one event loop; in memory, except for the chats on Telegram."""

    def __init__(self, port: int, time: SimulatorClock, telegram_chats: Path) -> None:
        self.port = port
        self.time = time
        self.faults = Faults()
        self.limits = RateLimits()
        self.messages: list[AcceptedMessage] = []
        # What people write to each other in Discord's rooms.
        self.chatter: list[AcceptedMessage] = []
        self.exchanges: deque[Exchange] = deque(maxlen=EXCHANGES_KEPT)
        self.threads: dict[str, SimulatedThread] = {}
        self.events: dict[str, SimulatedEvent] = {}
        self.typed: list[TypedMessage] = []
        self.telegram_chats = Chats(telegram_chats)
        self.telegram = TelegramInbox()
        self.signal = SignalInbox()
        self.interactions_endpoint = self.default_endpoint
        self.voice: dict[str, str] = {}
        # The names on the game server, or None while it is down.
        self.on_server: list[str] | None = []
        self.on_voice: list[Callable[[str], None]] = []
        self.on_reset: list[Callable[[], None]] = []
        self._nonces: dict[tuple[str, str], AcceptedMessage] = {}
        self._serial = itertools.count()

    @property
    def default_endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}/discord/interactions"

    @property
    def gateway_url(self) -> str:
        return f"ws://127.0.0.1:{self.port + 1}/gateway"

    def snowflake(self) -> str:
        milliseconds = int(wall_now().timestamp() * 1000) - DISCORD_EPOCH_MS
        return str((milliseconds << 22) | (next(self._serial) & 0xFFF))

    def message_of_nonce(self, channel_id: str, nonce: str | None) -> AcceptedMessage | None:
        """Return the message that this nonce already brought to the room, while Discord would remember it."""
        first = self._nonces.get((channel_id, nonce)) if nonce is not None else None
        return first if first and wall_now() - first.accepted_at_wall < NONCE_WINDOW else None

    def accept(
        self,
        provider: str,
        channel_id: str,
        content: str,
        *,
        message_id: str | None = None,
        nonce: str | None = None,
        components: list[dict[str, Any]] | None = None,
    ) -> AcceptedMessage:
        """Keep a message for good; its id is a Discord snowflake unless given."""
        message = AcceptedMessage(
            provider,
            message_id or self.snowflake(),
            channel_id,
            content,
            nonce,
            components or [],
            self.time.now(),
            accepted_at_wall=wall_now(),
            in_thread=channel_id in self.threads,
        )
        self.messages.append(message)
        if nonce is not None:
            self._nonces[channel_id, nonce] = message
        return message

    def chat(self, person: SimulatedPerson, channel_id: str, number: int) -> None:
        """Have a person write so many messages in one of Discord's rooms."""
        for count in range(number):
            now, wall = self.time.now(), wall_now()
            text = f"{count + 1}: hm"
            self.chatter.append(
                AcceptedMessage("discord", self.snowflake(), channel_id, text, None, [], now, wall, author=person)
            )

    def standing(self, message_id: str, channel_id: str | None = None) -> AcceptedMessage | None:
        """Return the bot's message with this id if it stands in the room, or in any of Discord's."""
        return next(
            (
                message
                for message in self.messages
                if message.id == message_id
                and message.provider == "discord"
                and message.deleted_at is None
                and channel_id in {None, message.channel_id}
            ),
            None,
        )

    def history(self, channel_id: str) -> list[AcceptedMessage]:
        """Return what stands in one of Discord's rooms, oldest first."""
        written = (*self.messages, *self.chatter)
        there = [it for it in written if it.channel_id == channel_id and it.deleted_at is None]
        return sorted(there, key=lambda message: int(message.id))

    def type_text(
        self, provider: str, user_id: str, text: Any, *, in_group: Any = False, hides_number: Any = None
    ) -> dict[str, Any]:
        """Write to the bot as a person and return what the bot will receive. Raise ValueError with the reason."""
        if not isinstance(text, str) or not text.strip() or len(text) > LONGEST_TEXT:
            raise ValueError(f"text is what the person writes, at most {LONGEST_TEXT} characters, not {text!r}")
        if not isinstance(in_group, bool):
            raise ValueError(f"group is true or false, not {in_group!r}")
        if not isinstance(hides_number, bool | None):
            raise ValueError(f"hides_number is true or false, not {hides_number!r}")
        person = PEOPLE_BY_ID[user_id]
        self.typed.append(TypedMessage(provider, person, text, in_group, self.time.now(), wall_now()))
        if provider == "signal":
            return self.signal.receive(person, text, in_group=in_group, hides_number=hides_number)
        if not in_group:
            self.telegram_chats.add(person)
        return self.telegram.receive(person, text, in_group=in_group)

    def move_voice(self, user_id: str, room: str | None) -> None:
        """Move a person into a voice room, or out of all. Raise ValueError with the reason for an unknown room."""
        room_id = None if room is None else ROOM_NAMES.get(str(room), str(room))
        if room_id is not None and room_id not in VOICE_ROOMS:
            raise ValueError(f'voice_channel is "default", "afk", null or the id of a voice room, not {room!r}')
        if self.voice.get(user_id) == room_id:
            return
        if room_id is None:
            del self.voice[user_id]
        else:
            self.voice[user_id] = room_id
        for tell in self.on_voice:
            tell(user_id)

    def set_game_players(self, names: Any) -> None:
        """Set the players on the game server; None takes it down. Raise ValueError with the reason."""
        if names is not None and not (
            isinstance(names, list) and len(names) <= MOST_ON_SERVER and all(map(_can_be_worn, names))
        ):
            raise ValueError(
                f"names is null, or a list of at most {MOST_ON_SERVER} names of at most {LONGEST_NAME} characters"
                f" without control characters, quotation marks or backslashes, not {names!r}"
            )
        self.on_server = names

    def reset(self) -> None:
        """Start anew: no messages, threads or faults, no person in voice or on the game server, which is up.

        A chat on Telegram stays begun.
        """
        self.messages.clear()
        self.chatter.clear()
        self.exchanges.clear()
        self.threads.clear()
        self.events.clear()
        self.typed.clear()
        self.telegram.forget()
        self.signal.forget()
        self._nonces.clear()
        self.faults.clear()
        self.limits = RateLimits()
        self.on_server = []
        self.interactions_endpoint = self.default_endpoint
        for user_id in list(self.voice):
            self.move_voice(user_id, None)
        for forget in self.on_reset:
            forget()


def _can_be_worn(name: object) -> bool:
    """Check a name: the game takes quotation marks and backslashes out."""
    return (
        isinstance(name, str)
        and len(name) <= LONGEST_NAME
        and not any(letter in '"\\' or letter < " " for letter in name)
    )
