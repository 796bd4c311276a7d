"""Answers chat messages and pressed buttons, each once, in the transaction that claims it."""

import threading
import time
from collections import deque
from datetime import datetime

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from slomix import i18n
from slomix.channels.base import Address, Message, Receipt, SendError
from slomix.channels.telegram import TelegramPress, TelegramUpdate
from slomix.chat import commands, service
from slomix.chat.replies import Reply
from slomix.chat.service import IncomingMessage
from slomix.contacts.rules import ChannelName
from slomix.deliveries import offers
from slomix.deliveries.service import new_nonce
from slomix.i18n import _
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
        """Answer a message to the bot or a press, unless it was answered before; groups are never answered.

        A message that cannot be handled is tried again and in the end skipped, so that the others need not wait.
        """
        with i18n.speaking(self._runtime.settings.language_for()):  # until it is known who asks
            self._answer_update(update)

    def _answer_update(self, update: TelegramUpdate) -> None:
        if update.press is not None:
            self._stop_waiting(update.press)
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
            reply = Reply(_("That is our mistake, not yours. Nothing was changed; please try again."))
        self._tried.pop(update.update_id, None)
        if reply is not None and not (update.press is not None and self._edit(update.chat_id, update.press, reply)):
            self._send(ChannelName.TELEGRAM, update.chat_id, reply, new_nonce())

    def answer_message(self, message: IncomingMessage) -> None:
        """Answer a message to our number, which Signal pushes to every inbox: the first inbox to claim it answers."""
        if self._is_within_limit(message):
            with i18n.speaking(self._runtime.settings.language_for()):  # until it is known who asks
                self._answer_message(message)

    def _answer_message(self, message: IncomingMessage) -> None:
        nonce, settings = new_nonce(), self._runtime.settings
        try:
            with self._runtime.transaction() as session:
                now = self._runtime.clock.now()
                if not service.claim_message(session, message, now=now):
                    return
                reply = self._reply_to(session, message, now)
                choices = _message(reply).choices
                offers.offer(
                    session, message.channel, message.address, choices, nonce=nonce, settings=settings, now=now
                )
        except OperationalError:
            raise
        except Exception:
            log.exception("inbox.passed_over", channel=str(message.channel))
            reply = Reply(_("That is our mistake, not yours. Nothing was changed; please try again."))
        self._send(message.channel, message.address, reply, nonce)

    def _answer_once(self, update: TelegramUpdate) -> Reply | None:
        now = self._runtime.clock.now()
        with self._runtime.transaction() as session:
            if not service.advance_position(session, ChannelName.TELEGRAM, update.update_id, now=now):
                return None
            pressed = update.press.value if update.press is not None else None
            message = IncomingMessage(ChannelName.TELEGRAM, update.chat_id, update.text, pressed=pressed)
            is_empty = not update.text and pressed is None
            if not update.chat_is_private or is_empty or not self._is_within_limit(message):
                return None
            return self._reply_to(session, message, now)

    def _reply_to(self, session: Session, message: IncomingMessage, now: datetime) -> Reply:
        """Do what a message asks for, and answer in its sender's language."""
        settings = self._runtime.settings
        i18n.speak(settings.language_for(service.language_of(session, message, settings=settings)))
        return commands.reply_to(session, message, settings=settings, now=now)

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

    def _stop_waiting(self, press: TelegramPress) -> None:
        """Tell the app at once that its press has arrived; what it did is said when it is done."""
        if self._runtime.press_answers is not None:
            try:
                self._runtime.press_answers.answer_press(press.id)
            except SendError as error:
                log.info("inbox.press_not_answered", reason=str(error))

    def _edit(self, chat: str, press: TelegramPress, reply: Reply) -> bool:
        """Put an answer in the place of the message whose button was pressed; return whether it stands there."""
        if not reply.replaces or not press.text or self._runtime.press_answers is None:
            return False
        message = Message(reply.text, buttons=press.buttons) if reply.buttons is None else _message(reply)
        try:
            self._runtime.press_answers.edit(chat, press.message_id, message)
        except SendError as error:
            log.warning("inbox.not_edited", reason=str(error))
            return False
        return True

    def _send(self, channel: ChannelName, address: str, reply: Reply, nonce: str) -> None:
        """Send an answer, trying once: the player can ask again."""
        message = _message(reply)
        try:
            answer: Receipt | SendError = self._runtime.channels[channel].send(Address(address), message, nonce=nonce)
        except SendError as error:
            log.warning("inbox.not_answered", channel=str(channel), reason=str(error))
            answer = error
        if message.choices and channel in offers.BY_NUMBER:
            with self._runtime.transaction() as session:
                offers.settle(session, channel, nonce, answer)


def _message(reply: Reply) -> Message:
    return Message(reply.text, buttons=tuple(button for row in reply.buttons or () for button in row))
