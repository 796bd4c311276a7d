"""Texts to the bot on Telegram and Signal that it hasn't taken yet, in these providers' formats."""

import asyncio
import contextlib
import itertools
import json
import uuid
from pathlib import Path
from typing import Any

from slomix.clock import wall_now
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


class TelegramInbox(Inbox):
    """The updates for the bot, numbered on over restarts, as the bot remembers how far it has read."""

    def __init__(self) -> None:
        super().__init__()
        began = int(wall_now().timestamp())
        self._numbers = itertools.count(began)
        self.message_ids = itertools.count(began)
        self.webhook: str | None = None
        # Only the latest poll is answered; the number tells an earlier poll that there is a later one.
        self.polls = 0

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

    def confirm(self, offset: int) -> None:
        """Forget the updates before `offset`, or all but the last few if it is negative."""
        if offset < 0:
            self.waiting = self.waiting[offset:]
        elif offset > 0:
            self.waiting = [update for update in self.waiting if update["update_id"] >= offset]


class SignalInbox(Inbox):
    """The envelopes for our number; each is given once."""

    def __init__(self) -> None:
        super().__init__()
        self._last = 0

    def timestamp(self) -> int:
        """Return a unique timestamp in milliseconds, by which Signal tells messages apart."""
        self._last = max(self._last + 1, int(wall_now().timestamp() * 1000))
        return self._last

    def receive(self, person: SimulatedPerson, text: str, *, in_group: bool) -> Json:
        timestamp = self.timestamp()
        data = {"timestamp": timestamp, "message": text, "expiresInSeconds": 0, "viewOnce": False}
        if in_group:
            data["groupInfo"] = {"groupId": SIGNAL_GROUP, "groupName": GROUP_TITLE, "revision": 0, "type": "DELIVER"}
        else:
            self.put(_envelope(person, timestamp, typingMessage={"action": "STARTED", "timestamp": timestamp}))
        envelope = _envelope(person, timestamp, dataMessage=data)
        self.put(envelope)
        return envelope

    def deliver(self, person: SimulatedPerson, timestamp: int) -> None:
        """Queue the delivery receipt of a person's phone."""
        receipt = {"when": timestamp, "isDelivery": True, "isRead": False, "isViewed": False, "timestamps": [timestamp]}
        self.put(_envelope(person, self.timestamp(), receiptMessage=receipt))

    def take(self) -> list[Json]:
        taken, self.waiting = self.waiting, []
        return taken


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


def _envelope(person: SimulatedPerson, timestamp: int, **content: Json) -> Json:
    envelope = {
        "source": person.signal_number,
        "sourceNumber": person.signal_number,
        "sourceUuid": str(uuid.uuid5(uuid.NAMESPACE_URL, person.id)),
        "sourceName": person.name,
        "sourceDevice": 1,
        "timestamp": timestamp,
    }
    return {"envelope": envelope | content, "account": SIGNAL_SENDER}
