"""Texts to the bot on Telegram and Signal, in these providers' formats."""

import asyncio
import contextlib
import itertools
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slomix.clock import wall_now
from slomix.dev.simulator.limits import RateWindow
from slomix.dev.simulator.people import (
    GROUP_TITLE,
    LOAD_TEST_USERS_BY_ID,
    PEOPLE_BY_ID,
    SIGNAL_GROUP,
    SIGNAL_SENDER,
    TELEGRAM_GROUP,
    SimulatedPerson,
)

Json = dict[str, Any]

# Messages and seconds: 30 a second to all, one a second to a chat, above which short bursts may go.
# https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
TELEGRAM_LIMIT, CHAT_LIMIT = (30, 1.0), (5, 5.0)


class Inbox:
    """Waiting items, oldest first; putting one wakes those who wait."""

    def __init__(self) -> None:
        self.waiting: list[Json] = []
        # How many requests wait here for an item.
        self.askers = 0
        self._woken = asyncio.Event()

    def put(self, item: Json) -> None:
        self.waiting.append(item)
        self.wake()

    def wake(self) -> None:
        self._woken.set()

    async def sleep(self, seconds: float) -> None:
        """Wait until something happens here, at most so many seconds."""
        self._woken.clear()
        self.askers += 1
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), seconds)
        finally:
            self.askers -= 1

    def forget(self) -> None:
        self.waiting.clear()


@dataclass
class PressedButton:
    """A press on Telegram: the bot has to answer the query, and then writes or edits what the person sees."""

    query_id: str
    chat: str
    message_id: str
    at: float = field(default_factory=time.monotonic)
    answered_at: float | None = None
    # The message that was written or edited for it.
    shown: str | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class TelegramInbox(Inbox):
    """The updates for the bot, numbered on over restarts, as the bot remembers how far it has read."""

    def __init__(self) -> None:
        super().__init__()
        began = int(wall_now().timestamp())
        self._numbers = itertools.count(began)
        self.message_ids = itertools.count(began)
        self.webhook: str | None = None
        # The kinds of updates that the bot has asked for; None stands for all.
        self.allowed: list[str] | None = None
        self.pressed: dict[str, PressedButton] = {}
        # Only the latest poll is answered; the number tells an earlier poll that there is a later one.
        self.polls = 0
        self._overall = RateWindow(*TELEGRAM_LIMIT)
        self._chats: dict[str, RateWindow] = {}

    def forget(self) -> None:
        super().forget()
        self.allowed = None
        self.pressed.clear()
        self._overall = RateWindow(*TELEGRAM_LIMIT)
        self._chats.clear()

    def limit(self, chat: str, now: float) -> int | None:
        """Count a message to a chat, or return in how many seconds it would be taken."""
        windows = self._overall, self._chats.setdefault(chat, RateWindow(*CHAT_LIMIT))
        wait = max(window.wait(now) for window in windows)
        if wait > 0:
            return math.ceil(wait)
        for window in windows:
            window.accept(now)
        return None

    def receive(self, person: SimulatedPerson, text: str, *, in_group: bool) -> Json:
        message = {
            "message_id": next(self.message_ids),
            "from": telegram_user(person),
            "chat": telegram_group() if in_group else telegram_chat(person),
            "date": int(wall_now().timestamp()),
            "text": text,
        }
        if text.startswith("/"):
            message["entities"] = [{"offset": 0, "length": len(text.split()[0]), "type": "bot_command"}]
        update = {"update_id": next(self._numbers), "message": message}
        self.put(update)
        return update

    def press(self, person: SimulatedPerson, message: Json, value: str) -> PressedButton:
        """Press a button; a bot that has not asked for presses is not told of it."""
        pressed = PressedButton(str(next(self._numbers)), str(person.telegram_chat_id), str(message["message_id"]))
        self.pressed[pressed.query_id] = pressed
        if self.allowed is None or "callback_query" in self.allowed:
            query = {
                "id": pressed.query_id,
                "from": telegram_user(person),
                "message": message,
                "chat_instance": "1",
                "data": value,
            }
            self.put({"update_id": next(self._numbers), "callback_query": query})
        return pressed

    def show(self, chat: str, message_id: str, *, is_new: bool) -> None:
        """Note that a message was written or edited, for the presses that wait for one.

        What is written before a press was answered is an answer to something else.
        """
        for pressed in self.pressed.values():
            is_for_it = pressed.answered_at is not None if is_new else pressed.message_id == message_id
            if pressed.chat == chat and pressed.shown is None and is_for_it:
                pressed.shown = message_id
                pressed.changed.set()

    def confirm(self, offset: int) -> None:
        """Forget the updates before `offset`, or all but the last few if it is negative."""
        if offset < 0:
            self.waiting = self.waiting[offset:]
        elif offset > 0:
            self.waiting = [update for update in self.waiting if update["update_id"] >= offset]


@dataclass
class SignalService:
    """The version and mode of the signal-cli-rest-api."""

    mode: str = "json-rpc"
    version: str = "0.98"

    @property
    def is_json_rpc(self) -> bool:
        return self.mode.startswith("json-rpc")

    @property
    def number(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.version.split("."))


class SignalInbox:
    """The listeners for texts to our number; without one a text is gone, as with the real service."""

    def __init__(self) -> None:
        self.service = SignalService()
        self._listeners: set[asyncio.Queue[Json | None]] = set()
        self._last = 0
        # Signal tells us a number only after we have written to its owner, and never if they hide it.
        self._hiding: set[str] = set()
        self._written_to: set[str] = set()

    @property
    def askers(self) -> int:
        return len(self._listeners)

    @contextlib.contextmanager
    def listening(self) -> Iterator["asyncio.Queue[Json | None]"]:
        envelopes: asyncio.Queue[Json | None] = asyncio.Queue()
        self._listeners.add(envelopes)
        try:
            yield envelopes
        finally:
            self._listeners.discard(envelopes)

    def drop(self) -> None:
        """Cut every connection."""
        for envelopes in self._listeners:
            envelopes.put_nowait(None)
        self._listeners.clear()

    def timestamp(self) -> int:
        """Return a unique timestamp in milliseconds, by which Signal tells messages apart."""
        self._last = max(self._last + 1, int(wall_now().timestamp() * 1000))
        return self._last

    def receive(self, person: SimulatedPerson, text: str, *, in_group: bool, hides_number: bool | None) -> Json:
        if hides_number is not None:
            (self._hiding.add if hides_number else self._hiding.discard)(person.id)
        timestamp = self.timestamp()
        data = {"timestamp": timestamp, "message": text, "expiresInSeconds": 0, "viewOnce": False}
        if in_group:
            data["groupInfo"] = {"groupId": SIGNAL_GROUP, "groupName": GROUP_TITLE, "revision": 0, "type": "DELIVER"}
        else:
            self._put(person, timestamp, typingMessage={"action": "STARTED", "timestamp": timestamp})
        return self._put(person, timestamp, dataMessage=data)

    def deliver(self, person: SimulatedPerson, timestamp: int) -> None:
        """Push the delivery receipt of a person's phone."""
        self._written_to.add(person.id)
        receipt = {"when": timestamp, "isDelivery": True, "isRead": False, "isViewed": False, "timestamps": [timestamp]}
        self._put(person, self.timestamp(), receiptMessage=receipt)

    def forget(self) -> None:
        self.service = SignalService()
        self._hiding.clear()
        self._written_to.clear()

    def _put(self, person: SimulatedPerson, timestamp: int, **content: Json) -> Json:
        shows_number = person.id in self._written_to and person.id not in self._hiding
        number = person.signal_number if shows_number else None
        envelope = {
            "source": number or person.signal_aci,
            "sourceNumber": number,
            "sourceUuid": person.signal_aci,
            "sourceName": person.name,
            "sourceDevice": 1,
            "timestamp": timestamp,
            "serverReceivedTimestamp": timestamp + 40,
            "serverDeliveredTimestamp": timestamp + 90,
        }
        given = {"envelope": envelope | content, "account": SIGNAL_SENDER}
        for envelopes in self._listeners:
            envelopes.put_nowait(given)
        return given


class Chats:
    """The people who ever wrote to the bot on Telegram. In a file: real chats outlive any process.

    The whole crowd counts as having written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begun = {person_id for person_id in _read(path) if person_id in PEOPLE_BY_ID}

    def __contains__(self, person: SimulatedPerson) -> bool:
        return person.id in self._begun or person.id in LOAD_TEST_USERS_BY_ID

    def add(self, person: SimulatedPerson) -> None:
        if person not in self:
            self._begun.add(person.id)
            self._write()

    def clear(self) -> None:
        if self._begun:
            self._begun.clear()
            self._write()

    def _write(self) -> None:
        self._path.write_text(json.dumps(sorted(self._begun)))


def _read(path: Path) -> list[str]:
    try:
        read = json.loads(path.read_text())
    except (OSError, ValueError):
        return []
    return [person_id for person_id in read if isinstance(person_id, str)] if isinstance(read, list) else []


def telegram_user(person: SimulatedPerson) -> Json:
    return {
        "id": person.telegram_chat_id,
        "is_bot": False,
        "first_name": person.name,
        "username": person.username.replace(".", "_"),
        "language_code": "en",
    }


def telegram_chat(person: SimulatedPerson) -> Json:
    user = telegram_user(person)
    return {name: user[name] for name in ("id", "first_name", "username")} | {"type": "private"}


def telegram_group() -> Json:
    return {"id": int(TELEGRAM_GROUP), "title": GROUP_TITLE, "type": "supergroup"}
