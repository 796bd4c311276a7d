"""What every channel speaks: addresses, messages, receipts, errors."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True)
class Address:
    """Where a message goes: a person on a channel, or a room (`is_room`).

    `learned` is what an earlier receipt carried and saves the channel a question: on Discord the id of the DM channel.
    """

    value: str
    is_room: bool = False
    learned: str | None = None


@dataclass(frozen=True)
class Message:
    """The words, as plain text with Discord timestamps where a time is named.

    `mentions` are the Discord accounts that it may really call; a name or a number in the text calls nobody.
    """

    text: str
    mentions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Receipt:
    """The provider took the message."""

    message_id: str
    learned: str | None = None


class SendError(Exception):
    """The provider did not take the message. `permanent`: this address will never work."""

    def __init__(
        self, reason: str, *, permanent: bool = False, retry_after: timedelta | None = None, code: int | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.permanent = permanent
        self.retry_after = retry_after


class SlowDown(SendError):
    """Nothing was taken and nothing was wrong: we are asked to wait for `retry_after`."""


class Unanswered(SendError):
    """The request left and no answer came: nobody knows whether the message was taken."""


class Channel(Protocol):
    """One provider."""

    # For how long the provider recognises a repeated nonce; zero where it knows no such thing.
    repeatable_for: timedelta

    def send(self, to: Address, message: Message, *, nonce: str) -> Receipt:
        """Hand one message to the provider. Raise SendError if it is not taken."""


class GuildLookup(Protocol):
    """Asks the provider who is in our server."""

    def is_member(self, discord_id: str) -> bool:
        """Whether that person is a member now. Raise SendError when there is no answer."""


class VoiceLookup(Protocol):
    """Asks the provider itself where one person is, for when our own picture is too old."""

    def voice_channel_of(self, discord_id: str) -> str | None:
        """The voice room that person is in now, or None. Raise SendError when there is no answer."""


@dataclass(frozen=True)
class Posted:
    """A message of ours, as it stands in a room."""

    message_id: str
    text: str


class Threads(Protocol):
    """Private threads in a room: who is in one reads it, and nobody else. Everything raises SendError if it fails."""

    def find(self, parent: str, name: str) -> str | None:
        """The id of a thread that we made under this name, unless it is archived."""

    def create(self, parent: str, name: str) -> str:
        """Make one and return its id. Raise Unanswered when nobody knows whether it was made."""

    def add(self, thread: str, account: str) -> None:
        """Let somebody in, who may be in already; who is not in our server stays out."""

    def remove(self, thread: str, account: str) -> None:
        """Take somebody out, who may be out already."""

    def reopen(self, thread: str) -> None:
        """Take it out of the archive, where nobody can be let in and nothing edited."""

    def find_message(self, thread: str, beginning: str) -> Posted | None:
        """The newest message of ours that begins so, among the last few."""

    def edit(self, thread: str, message_id: str, message: Message) -> None:
        """Let a message of ours say this instead."""
