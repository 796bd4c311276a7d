"""Answers chat messages, each once, in the transaction that claims it."""

import threading
import time
from collections import deque

import structlog
from sqlalchemy.exc import OperationalError

from slomix import words
from slomix.channels.base import Address, Message, SendError
from slomix.channels.telegram import TelegramUpdate
from slomix.chat import service
from slomix.chat.service import IncomingMessage
from slomix.contacts.rules import ChannelName
from slomix.deliveries.service import new_nonce
from slomix.runtime.context import Runtime

log = structlog.get_logger()

# A chat that writes more is not answered until a minute has passed.
MAX_REPLIES_PER_MINUTE = 20
MAX_TRIES = 3


class Responder:
    """Answers chat messages. Thread-safe."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._lock = threading.Lock()
        self._answered: dict[tuple[str, str], deque[float]] = {}
        self._tried: dict[int, int] = {}

    def answer_update(self, update: TelegramUpdate) -> None:
        """Answer a message to the bot, unless it was answered before; groups are never answered.

        A message that cannot be handled is tried again and in the end skipped, so that the others need not wait.
        """
        try:
            reply = self._answer_once(update)
        except OperationalError:
            raise  # the database is away: not the message's fault
        except Exception:
            tried = self._tried[update.update_id] = self._tried.get(update.update_id, 0) + 1
            if tried < MAX_TRIES:
                raise
            log.exception("inbox.passed_over", update=update.update_id)
            with self._runtime.transaction() as session:
                service.advance_position(session, ChannelName.TELEGRAM, update.update_id, now=self._runtime.clock.now())
            reply = words.OUR_MISTAKE
        self._tried.pop(update.update_id, None)
        if reply:
            self._reply(ChannelName.TELEGRAM, update.chat_id, reply)

    def answer_message(self, message: IncomingMessage) -> None:
        """Answer a message to our number, which Signal pushes to every inbox: the first inbox to claim it answers."""
        if not self._is_within_limit(message):
            return
        try:
            with self._runtime.transaction() as session:
                now = self._runtime.clock.now()
                if not service.claim_message(session, message, now=now):
                    return
                reply = service.reply_to(session, message, settings=self._runtime.settings, now=now)
        except OperationalError:
            raise
        except Exception:
            log.exception("inbox.passed_over", channel=str(message.channel))
            reply = words.OUR_MISTAKE
        self._reply(message.channel, message.address, reply)

    def _answer_once(self, update: TelegramUpdate) -> str | None:
        now = self._runtime.clock.now()
        with self._runtime.transaction() as session:
            if not service.advance_position(session, ChannelName.TELEGRAM, update.update_id, now=now):
                return None
            message = IncomingMessage(ChannelName.TELEGRAM, update.chat_id, update.text)
            if not update.chat_is_private or not update.text or not self._is_within_limit(message):
                return None
            return service.reply_to(session, message, settings=self._runtime.settings, now=now)

    def _is_within_limit(self, message: IncomingMessage) -> bool:
        now = time.monotonic()
        with self._lock:
            times = self._answered.setdefault((message.channel, message.address), deque(maxlen=MAX_REPLIES_PER_MINUTE))
            if len(times) == MAX_REPLIES_PER_MINUTE and now - times[0] < 60:
                return False
            times.append(now)
            if len(self._answered) > 10_000:
                self._answered.clear()
            return True

    def _reply(self, channel: ChannelName, address: str, text: str) -> None:
        """Send an answer, trying once: the player can ask again."""
        try:
            self._runtime.channels[channel].send(Address(address), Message(text), nonce=new_nonce())
        except SendError as error:
            log.warning("inbox.not_answered", channel=str(channel), reason=str(error))
