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
    """The words, as plain text with Discord timestamps where a time is named."""

    text: str


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
