"""Everything that is true in the simulated Discord: who is in which room, what was written, what goes wrong."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from slomix.clock import wall_now
from slomix.simulator.faults import Faults
from slomix.simulator.limits import Limits
from slomix.simulator.people import AFK_VOICE_CHANNEL, GAMING_VOICE_CHANNEL, PEOPLE, TEXT_ROOMS, VOICE_ROOMS, Person
from slomix.simulator.timekeeping import Timekeeper

NONCE_WINDOW = timedelta(seconds=120)
DISCORD_EPOCH_MS = 1_420_070_400_000

ROOM_NAMES = {"default": GAMING_VOICE_CHANNEL, "afk": AFK_VOICE_CHANNEL}
DM_CHANNELS = {person.dm_channel: person for person in PEOPLE}


@dataclass(frozen=True)
class Message:
    """A message that was accepted, whether or not the sender heard of it."""

    id: str
    channel_id: str
    content: str
    nonce: str | None
    components: list[dict[str, Any]]
    accepted_at: datetime
    accepted_at_wall: datetime

    @property
    def recipient(self) -> Person | None:
        return DM_CHANNELS.get(self.channel_id)

    def as_record(self) -> dict[str, Any]:
        """As `/control/messages` lists it."""
        return {
            "provider": "discord",
            "kind": "dm" if self.recipient else "text_channel",
            "to": self.recipient.id if self.recipient else self.channel_id,
            "text": self.content,
            "nonce": self.nonce,
            "accepted_at": self.accepted_at.isoformat(),
            "accepted_at_wall": self.accepted_at_wall.isoformat(),
        }


class World:
    """One evening's state, in memory, for one process and one event loop."""

    def __init__(self, port: int, time: Timekeeper) -> None:
        self.port = port
        self.time = time
        self.faults = Faults()
        self.limits = Limits()
        self.messages: list[Message] = []
        self.voice: dict[str, str] = {}
        self.on_voice: list[Callable[[str], None]] = []
        self._nonces: dict[tuple[str, str], Message] = {}
        self._serial = itertools.count()

    @property
    def gateway_url(self) -> str:
        return f"ws://127.0.0.1:{self.port + 1}/gateway"

    def snowflake(self) -> str:
        milliseconds = int(wall_now().timestamp() * 1000) - DISCORD_EPOCH_MS
        return str((milliseconds << 22) | (next(self._serial) & 0xFFF))

    def knows_text_channel(self, channel_id: str) -> bool:
        return channel_id in TEXT_ROOMS or channel_id in DM_CHANNELS

    def said_before(self, channel_id: str, nonce: str | None) -> Message | None:
        """The message that this nonce already brought to the room, while Discord would remember it."""
        first = self._nonces.get((channel_id, nonce)) if nonce is not None else None
        return first if first and wall_now() - first.accepted_at_wall < NONCE_WINDOW else None

    def accept(self, channel_id: str, content: str, nonce: str | None, components: list[dict[str, Any]]) -> Message:
        message = Message(
            self.snowflake(), channel_id, content, nonce, components, self.time.now(), accepted_at_wall=wall_now()
        )
        self.messages.append(message)
        if nonce is not None:
            self._nonces[channel_id, nonce] = message
        return message

    def move(self, user_id: str, room: str | None) -> None:
        """Walk somebody into a voice room, or out of all. Raise ValueError with a sentence for an unknown room."""
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

    def reset(self) -> None:
        """Forget messages, counts and faults, and send everybody out of voice."""
        self.messages.clear()
        self._nonces.clear()
        self.faults.clear()
        self.limits.forget_counts()
        for user_id in list(self.voice):
            self.move(user_id, None)
