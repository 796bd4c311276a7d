"""Shared types of all channels: addresses, messages, receipts and errors."""

import enum
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit

from slomix.reasons.codes import Explanation, Reason


@dataclass(frozen=True)
class Address:
    """Where a message goes: a person on a channel, or a room (`is_room`).

    `learned` comes from an earlier receipt and saves the channel a request: on Discord the id of the DM channel.
    """

    value: str
    is_room: bool = False
    learned: str | None = None


@dataclass(frozen=True)
class Button:
    """A button under a message: pressed, it sends `value` to us, or opens `link`."""

    label: str
    value: str = ""
    link: str = ""


def is_public(link: str) -> bool:
    """Return whether a button may open a link: providers refuse one to a host such as `localhost`."""
    return "." in (urlsplit(link).hostname or "")


@dataclass(frozen=True)
class Message:
    """The text of a message, plain with Discord timestamps for times.

    `mentions` are the Discord accounts that it may notify; a name or a number in the text notifies no account. Where
    there are no buttons, the `choices` are numbered at the end of the text.
    """

    text: str
    mentions: tuple[str, ...] = ()
    buttons: tuple[Button, ...] = ()

    @property
    def choices(self) -> tuple[Button, ...]:
        """Return the buttons that are sent back to us."""
        return tuple(button for button in self.buttons if button.value)


@dataclass(frozen=True)
class Receipt:
    """Proof that the provider took the message."""

    message_id: str
    learned: str | None = None


class SendError(Exception):
    """The provider did not take the message. `permanent`: it never will, and this address will never work."""

    # Whether the failure says nothing about the recipient, so that it uses up no attempt.
    is_free = False

    def __init__(
        self,
        reason: Reason,
        detail: str | None = None,
        *,
        permanent: bool = False,
        retry_after: timedelta | None = None,
        code: int | None = None,
    ) -> None:
        self.reason = Explanation(reason, detail)
        super().__init__(self.reason)
        self.code = code
        self.permanent = permanent
        self.retry_after = retry_after


class RateLimited(SendError):
    """A rate limit: nothing was taken, and the provider asks to wait for `retry_after`."""

    is_free = True


class MessageRefused(SendError):
    """The provider will never take this message; another one to the same address it may."""

    def __init__(self, reason: Reason, detail: str | None = None, *, code: int | None = None) -> None:
        super().__init__(reason, detail, permanent=True, code=code)


class Unanswered(SendError):
    """The request was sent without an answer: the message may have been taken."""

    is_free = True


class ProviderDown(SendError):
    """The provider was not reached or failed itself, for every recipient: nothing was taken."""

    is_free = True


class TokenRefused(ProviderDown):
    """The provider refuses our own token or number: nothing is taken until an operator mends that."""


class History(Protocol):
    """Tells whether a message whose answer was lost has arrived."""

    def find(self, to: Address, mark: str, *, since: datetime) -> Receipt | None:
        """Return the receipt of our message with this mark, or None if it is not there.

        `since` is in wall time. Raise SendError if it cannot be known.
        """


class Channel(Protocol):
    """A provider of messages."""

    # For how long the provider recognises a repeated nonce; zero if it doesn't.
    repeatable_for: timedelta

    @property
    def history(self) -> History | None:
        """Return what tells which messages have arrived, or None if the provider cannot be asked."""

    def send(self, to: Address, message: Message, *, nonce: str) -> Receipt:
        """Hand one message to the provider. Raise SendError if it is not taken."""

    def ping(self) -> None:
        """Ask the provider something harmless. Raise SendError if it doesn't answer that."""


class DmOpener(Protocol):
    """Opens the channel of a person's direct messages before there is a message."""

    def open_dm(self, account: str) -> str:
        """Return the channel's id, always the same for an account. Raise SendError when it is not opened."""


@runtime_checkable
class MessageEditor(Protocol):
    """Replaces the text of what we sent: a channel whose messages can be edited."""

    def edit(self, room: str, message_id: str, message: Message) -> None:
        """Replace the text of our message in a room or a chat. Raise SendError if that is refused."""


class RoomEditor(MessageEditor, Protocol):
    """Changes what we posted to a room. All methods raise SendError if that is refused."""

    def edit(self, room: str, message_id: str, message: Message, *, replaces_buttons: bool = False) -> None:
        """Replace the text of our message; its buttons stay unless they are replaced too."""

    def delete(self, room: str, message_id: str) -> None:
        """Delete our message; no-op if it is gone already."""

    def count_after(self, room: str, message_id: str, *, most: int) -> int:
        """Count the messages below this one, up to `most`."""


class PressAnswers(MessageEditor, Protocol):
    """Answers a press of a button under one of our messages."""

    def answer_press(self, press_id: str) -> None:
        """Tell the app of who pressed that the press has arrived. Raise SendError if that is refused."""


class GuildLookup(Protocol):
    """Asks the provider who is in our server."""

    def is_member(self, discord_id: str) -> bool:
        """Check whether an account is a member now. Raise SendError when there is no answer."""


class InteractionResponses(Protocol):
    """Sends the answer to a pressed button or a command that took too long to be answered at once."""

    def edit_response(self, application_id: str, token: str, message: dict[str, Any]) -> None:
        """Put a message in the place of "thinking…". Raise SendError."""


class VoiceLookup(Protocol):
    """Asks the provider where an account is, for when the stored presence is too old."""

    def voice_channel_of(self, discord_id: str) -> str | None:
        """Return the account's voice room now, or None. Raise SendError when there is no answer."""


@dataclass(frozen=True)
class PostedMessage:
    """A message of ours, as it stands in a room."""

    message_id: str
    text: str


class Threads(Protocol):
    """Private threads in a room, readable by their members only. All methods raise SendError on failure."""

    def find(self, parent: str, names: Collection[str]) -> str | None:
        """Return the id of our thread that has one of these names, or None if it is missing or archived."""

    def create(self, parent: str, name: str) -> str:
        """Create a thread and return its id. Raise Unanswered if it may have been created."""

    def add(self, thread: str, account: str) -> None:
        """Add an account; no-op for members of the thread and accounts outside our server."""

    def remove(self, thread: str, account: str) -> None:
        """Remove an account; no-op if it is not in the thread."""

    def reopen(self, thread: str) -> None:
        """Take a thread out of the archive, where it takes neither members nor edits."""

    def find_message(self, thread: str, beginnings: tuple[str, ...]) -> PostedMessage | None:
        """Return our newest message that begins so. Raise SendError if the thread cannot be read to its end."""

    def edit(self, thread: str, message_id: str, message: Message) -> None:
        """Replace the text of our message."""


class EventStatus(enum.IntEnum):
    """How far an event has come, as Discord numbers it: scheduled → active → completed; scheduled → cancelled."""

    SCHEDULED = 1
    ACTIVE = 2
    COMPLETED = 3
    CANCELLED = 4

    @property
    def is_over(self) -> bool:
        return self in {EventStatus.COMPLETED, EventStatus.CANCELLED}


@dataclass(frozen=True)
class ScheduledEvent:
    """An event of our server: in a voice room, or at `place` if there is none."""

    name: str
    description: str
    starts_at: datetime
    ends_at: datetime
    voice_channel: str
    place: str


class ScheduledEvents(Protocol):
    """The events that we made in our server. All methods raise SendError on failure."""

    def find(self, mark: str) -> tuple[str, EventStatus] | None:
        """Return the id and status of our event with this mark in its description, or None if none is to come."""

    def create(self, event: ScheduledEvent) -> str:
        """Make an event that starts in the future, and return its id. Raise Unanswered if it may have been made."""

    def change(self, event_id: str, event: ScheduledEvent) -> None:
        """Replace what an event says that has not begun."""

    def set_status(self, event_id: str, status: EventStatus) -> None:
        """Begin, end or cancel an event."""
