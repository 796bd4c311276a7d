"""Test doubles: a channel and threads in memory, with the answers that tests choose."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from slomix.channels.base import (
    Address,
    EventStatus,
    Message,
    MessageRefused,
    PostedMessage,
    ProviderDown,
    Receipt,
    ScheduledEvent,
    SendError,
    Unanswered,
)
from slomix.channels.discord_answers import ARCHIVED, UNKNOWN_CHANNEL, UNKNOWN_EVENT, UNKNOWN_MESSAGE
from slomix.reasons.codes import Reason


@dataclass
class MemoryChannel:
    """Takes every message, or raises what stands in `answers`; a known nonce gets the first receipt.

    It knows nonces and can be asked for messages, like Discord, or neither.
    """

    sent: list[tuple[Address, Message, str]] = field(default_factory=list)
    answers: list[SendError | None] = field(default_factory=list)
    repeatable_for: timedelta = timedelta(seconds=60)
    # Answers neither messages nor pings.
    is_out: bool = False
    pings: int = 0
    # What stands in the way of asking.
    hidden: SendError | None = None
    asked: list[tuple[Address, str, datetime]] = field(default_factory=list)
    # The presses whose app was told to wait no longer.
    acknowledged: list[str] = field(default_factory=list)
    # The answers to edits; messages that are gone; and how many of others stand below ours.
    edit_answers: list[SendError | None] = field(default_factory=list)
    edits: int = 0
    deleted: set[str] = field(default_factory=set)
    below: int = 0
    looks: int = 0

    @property
    def history(self) -> "MemoryChannel | None":
        return self if self.repeatable_for else None

    def find(self, to: Address, mark: str, *, since: datetime) -> Receipt | None:
        self.asked.append((to, mark, since))
        if self.hidden is not None:
            raise self.hidden
        for number, (there, message, _) in enumerate(self.sent):
            marked = any(mark in button.link + button.value for button in message.buttons)
            if there.value == to.value and marked and str(number) not in self.deleted:
                return Receipt(str(number))
        return None

    def send(self, to: Address, message: Message, *, nonce: str) -> Receipt:
        if self.is_out:
            raise ProviderDown(Reason.DISCORD_NOT_REACHED, "ConnectError")
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        known = [number for number, (_, _, seen) in enumerate(self.sent) if seen == nonce]
        if known:
            return Receipt(message_id=str(known[0]))
        self.sent.append((to, message, nonce))
        return Receipt(message_id=str(len(self.sent) - 1))

    def ping(self) -> None:
        self.pings += 1
        if self.is_out:
            raise ProviderDown(Reason.DISCORD_NOT_REACHED, "ConnectError")

    def edit(self, room: str, message_id: str, message: Message, *, replaces_buttons: bool = False) -> None:
        answer = self.edit_answers.pop(0) if self.edit_answers else None
        if answer is not None:
            raise answer
        if message_id in self.deleted:
            raise MessageRefused(Reason.DISCORD_SAID, "Unknown Message (10008)", code=UNKNOWN_MESSAGE)
        del room  # the number alone says which
        to, before, nonce = self.sent[int(message_id)]
        # An edit on Telegram always replaces them.
        buttons = message.buttons if replaces_buttons or not self.repeatable_for else before.buttons
        self.sent[int(message_id)] = (to, replace(message, buttons=buttons), nonce)
        self.edits += 1

    def delete(self, _room: str, message_id: str) -> None:
        self.deleted.add(message_id)

    def count_after(self, _room: str, _message_id: str, *, most: int) -> int:
        self.looks += 1
        return min(self.below, most)

    def answer_press(self, press_id: str) -> None:
        self.acknowledged.append(press_id)

    @property
    def texts(self) -> list[str]:
        return [message.text for _, message, _ in self.sent]


@dataclass
class MemoryThread:
    """A thread in memory."""

    parent: str
    name: str
    members: list[str] = field(default_factory=list)
    is_archived: bool = False


@dataclass
class MemoryThreads:
    """Threads with the messages of `channel`; raises `error`, and loses an answer if told to."""

    channel: MemoryChannel
    there: dict[str, MemoryThread] = field(default_factory=dict)
    error: SendError | None = None
    loses_next_answer: bool = False
    # Accounts that Discord lets into no thread, and takes out of none.
    refused: dict[str, SendError] = field(default_factory=dict)
    made: int = 0
    edits: int = 0

    def find(self, parent: str, names: Collection[str]) -> str | None:
        self._answer()
        ours = {thread: it.name for thread, it in self.there.items() if (it.parent, it.is_archived) == (parent, False)}
        return next((thread for thread, name in ours.items() if name in names), None)

    def create(self, parent: str, name: str) -> str:
        self._answer()
        self.made += 1
        thread = str(700 + self.made)
        self.there[thread] = MemoryThread(parent, name)
        if self.loses_next_answer:
            self.loses_next_answer = False
            raise Unanswered(Reason.DISCORD_DID_NOT_ANSWER, "cut off")
        return thread

    def add(self, thread: str, account: str) -> None:
        it = self._open(thread)
        if account in self.refused:
            raise self.refused[account]
        if account not in it.members:
            it.members.append(account)

    def remove(self, thread: str, account: str) -> None:
        it = self._open(thread)
        if account in self.refused:
            raise self.refused[account]
        it.members = [member for member in it.members if member != account]

    def reopen(self, thread: str) -> None:
        self._answer()
        self.there[thread].is_archived = False

    def find_message(self, thread: str, beginnings: tuple[str, ...]) -> PostedMessage | None:
        self._answer()
        for number, (to, message, _) in reversed(list(enumerate(self.channel.sent))):
            if to.value == thread and message.text.startswith(beginnings):
                return PostedMessage(str(number), message.text)
        return None

    def edit(self, thread: str, message_id: str, message: Message) -> None:
        self._open(thread)
        if int(message_id) >= len(self.channel.sent):
            raise SendError(Reason.DISCORD_SAID, "Unknown Message", code=UNKNOWN_MESSAGE)
        to, _, nonce = self.channel.sent[int(message_id)]
        self.channel.sent[int(message_id)] = (to, message, nonce)
        self.edits += 1

    def _open(self, thread: str) -> MemoryThread:
        self._answer()
        if thread not in self.there:
            raise SendError(Reason.DISCORD_SAID, "Unknown Channel", permanent=True, code=UNKNOWN_CHANNEL)
        if self.there[thread].is_archived:
            raise SendError(Reason.DISCORD_SAID, "Thread is archived", code=ARCHIVED)
        return self.there[thread]

    def _answer(self) -> None:
        if self.error is not None:
            raise self.error


@dataclass
class MemoryEvents:
    """Scheduled events in memory; raises what stands in `answers`, and loses an answer if told to."""

    there: dict[str, tuple[ScheduledEvent, EventStatus]] = field(default_factory=dict)
    answers: list[SendError | None] = field(default_factory=list)
    loses_next_answer: bool = False
    # All that was asked, by its name.
    asked: list[str] = field(default_factory=list)

    def find(self, mark: str) -> tuple[str, EventStatus] | None:
        self._answer("find")
        assert mark
        for event_id, (event, status) in self.there.items():
            if mark in event.description and not status.is_over:
                return event_id, status
        return None

    def create(self, event: ScheduledEvent) -> str:
        self._answer("create")
        event_id = str(800 + len(self.there))
        self.there[event_id] = (event, EventStatus.SCHEDULED)
        if self.loses_next_answer:
            self.loses_next_answer = False
            raise Unanswered(Reason.DISCORD_DID_NOT_ANSWER, "cut off")
        return event_id

    def change(self, event_id: str, event: ScheduledEvent) -> None:
        self._answer("change")
        _, status = self._known(event_id)
        assert status is EventStatus.SCHEDULED
        self.there[event_id] = (event, status)

    def set_status(self, event_id: str, status: EventStatus) -> None:
        self._answer("set_status")
        event, before = self._known(event_id)
        allowed = {
            EventStatus.SCHEDULED: {EventStatus.ACTIVE, EventStatus.CANCELLED},
            EventStatus.ACTIVE: {EventStatus.COMPLETED},
        }
        assert status in allowed[before]
        self.there[event_id] = (event, status)

    def _known(self, event_id: str) -> tuple[ScheduledEvent, EventStatus]:
        if event_id not in self.there:
            raise MessageRefused(Reason.DISCORD_SAID, "Unknown Guild Scheduled Event (10070)", code=UNKNOWN_EVENT)
        return self.there[event_id]

    def _answer(self, name: str) -> None:
        self.asked.append(name)
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
