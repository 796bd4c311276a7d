"""What people wrote to the bot on Telegram and Signal and it has not taken yet, in the words of those two."""

import asyncio
import contextlib
import itertools
import json
import uuid
from pathlib import Path
from typing import Any

from slomix.clock import wall_now
from slomix.dev.simulator.people import (
    CROWD_BY_ID,
    GROUP_TITLE,
    PEOPLE_BY_ID,
    SIGNAL_GROUP,
    SIGNAL_SENDER,
    TELEGRAM_GROUP,
    Person,
)

Json = dict[str, Any]


class Inbox:
    """What waits to be taken, oldest first; whoever waits for it is woken."""

    def __init__(self) -> None:
        self.waiting: list[Json] = []
        # How many wait here for something to come.
        self.askers = 0
        self._woken = asyncio.Event()

    def put(self, one: Json) -> None:
        self.waiting.append(one)
        self.wake()

    def wake(self) -> None:
        self._woken.set()

    async def sleep(self, seconds: float) -> None:
        """Until something happens here, or for so long."""
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
    """The updates of the one bot. They are numbered on over restarts, as the bot remembers how far it has read."""

    def __init__(self) -> None:
        super().__init__()
        began = int(wall_now().timestamp())
        self._numbers = itertools.count(began)
        self.message_ids = itertools.count(began)
        self.webhook: str | None = None
        # Only the last who asked is answered: counted, so that the one before can see it is no longer that.
        self.polls = 0

    def receive(self, person: Person, text: str, *, in_group: bool) -> Json:
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
        """Forget what the bot has read: all before `offset`, or all but the last few where it is negative."""
        if offset < 0:
            self.waiting = self.waiting[offset:]
        elif offset > 0:
            self.waiting = [update for update in self.waiting if update["update_id"] >= offset]


class SignalInbox(Inbox):
    """The envelopes for our number; they are given once."""

    def __init__(self) -> None:
        super().__init__()
        self._last = 0

    def timestamp(self) -> int:
        """Milliseconds, by which Signal tells messages apart: never the same twice."""
        self._last = max(self._last + 1, int(wall_now().timestamp() * 1000))
        return self._last

    def receive(self, person: Person, text: str, *, in_group: bool) -> Json:
        timestamp = self.timestamp()
        data = {"timestamp": timestamp, "message": text, "expiresInSeconds": 0, "viewOnce": False}
        if in_group:
            data["groupInfo"] = {"groupId": SIGNAL_GROUP, "groupName": GROUP_TITLE, "revision": 0, "type": "DELIVER"}
        else:
            self.put(_envelope(person, timestamp, typingMessage={"action": "STARTED", "timestamp": timestamp}))
        envelope = _envelope(person, timestamp, dataMessage=data)
        self.put(envelope)
        return envelope

    def deliver(self, person: Person, timestamp: int) -> None:
        """That person's phone says that it has our message."""
        receipt = {"when": timestamp, "isDelivery": True, "isRead": False, "isViewed": False, "timestamps": [timestamp]}
        self.put(_envelope(person, self.timestamp(), receiptMessage=receipt))

    def take(self) -> list[Json]:
        taken, self.waiting = self.waiting, []
        return taken


class Chats:
    """Who has ever written to the bot on Telegram. In a file: the real chats outlive any process of ours.

    All of the crowd have.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begun = {person_id for person_id in _read(path) if person_id in PEOPLE_BY_ID}

    def __contains__(self, person: Person) -> bool:
        return person.id in self._begun or person.id in CROWD_BY_ID

    def add(self, person: Person) -> None:
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
    return [one for one in read if isinstance(one, str)] if isinstance(read, list) else []


def telegram_user(person: Person) -> Json:
    return {
        "id": person.telegram_chat_id,
        "is_bot": False,
        "first_name": person.name,
        "username": person.username.replace(".", "_"),
        "language_code": "en",
    }


def telegram_chat(person: Person) -> Json:
    user = telegram_user(person)
    return {name: user[name] for name in ("id", "first_name", "username")} | {"type": "private"}


def telegram_group() -> Json:
    return {"id": int(TELEGRAM_GROUP), "title": GROUP_TITLE, "type": "supergroup"}


def _envelope(person: Person, timestamp: int, **content: Json) -> Json:
    envelope = {
        "source": person.signal_number,
        "sourceNumber": person.signal_number,
        "sourceUuid": str(uuid.uuid5(uuid.NAMESPACE_URL, person.id)),
        "sourceName": person.name,
        "sourceDevice": 1,
        "timestamp": timestamp,
    }
    return {"envelope": envelope | content, "account": SIGNAL_SENDER}
