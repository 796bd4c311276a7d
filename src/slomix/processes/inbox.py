"""Receives messages from Telegram and Signal until told to stop.

Of several copies, one polls Telegram; all listen to Signal, and each message is answered by one of them.
"""

import queue
import threading
import time

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from slomix.channels.base import SendError
from slomix.channels.signal_listener import ReceivedText, SignalListener
from slomix.channels.telegram import CONFLICT, Telegram
from slomix.chat import service
from slomix.chat.responder import Responder
from slomix.chat.service import IncomingMessage
from slomix.clock import wall_now
from slomix.contacts.rules import CHANNEL_NAMES, ChannelName
from slomix.database import session as db
from slomix.health import rules as health_rules
from slomix.processes.common import announce_stop, run_alone, send_heartbeat
from slomix.runtime import logs
from slomix.runtime.context import Runtime
from slomix.runtime.factory import make_signal, make_telegram

log = structlog.get_logger()

CONNECTIONS = 4
WAIT_SECONDS = 20
PAUSE_SECONDS = 2.0
# The pause before the next connection to Signal: messages that arrive meanwhile are lost.
RECONNECT_SECONDS = 0.5
NOTICE_STOP_WITHIN = 0.2
FINISH_WITHIN = 5.0
# After so long without a provider, an operator has to know.
TROUBLE_AFTER = 60.0
# A webhook that another program sets again and again must not become a contest.
DELETE_WEBHOOK_EVERY = 60.0
# An arbitrary number of our own for the advisory lock that only one inbox holds.
LOCK = 0x51_0117_1B


def run_inbox() -> None:
    """Run the process behind `workers/inbox.py`."""
    run_alone(health_rules.INBOX, receive, connections=CONNECTIONS)


def receive(runtime: Runtime, stopping: threading.Event) -> None:
    """Answer what people write until told to stop; with both channels switched off, log that and idle."""
    on = runtime.settings.channels_on
    receptions: list[Reception] = []
    desk = Responder(runtime)
    signal = SignalReceiver(runtime, desk) if "signal" in on else None
    if signal is not None:
        # Messages that arrive while no process listens are lost, so this comes first.
        signal.start()
        receptions.append(signal.reception)
    if not on - {"discord"}:
        log.info("inbox.nothing_to_do", hint="Telegram and Signal are switched off")
    turn = AdvisoryLock(runtime, stopping)
    if "telegram" in on:
        telegram = TelegramReceiver(runtime, desk, stopping)
        receptions.append(telegram.reception)
        threading.Thread(target=_receive_while_locked, args=(telegram, turn, stopping), daemon=True).start()
    while not stopping.is_set():
        turn.acquire()
        troubles = [trouble for reception in receptions if (trouble := reception.trouble()) is not None]
        send_heartbeat(runtime, health_rules.INBOX, trouble="; ".join(troubles) or None)
        stopping.wait(health_rules.HEARTBEAT_INTERVAL.total_seconds())
    announce_stop(runtime, health_rules.INBOX)
    if signal is not None:
        signal.finish()


class Reception:
    """Tracks since when a provider cannot be reached, and why, in its own words."""

    def __init__(self, channel: ChannelName) -> None:
        self._channel = channel
        self._failing_since: float | None = None
        self._reason = ""

    def succeeded(self) -> None:
        if self._failing_since is not None:
            log.info("inbox.provider_back", channel=str(self._channel))
        self._failing_since = None

    def failed(self, reason: str) -> None:
        """Note a failure; log it if it is new."""
        if self._failing_since is None or reason != self._reason:
            log.warning("inbox.provider_away", channel=str(self._channel), reason=reason)
        if self._failing_since is None:
            self._failing_since = time.monotonic()
        self._reason = reason

    def trouble(self) -> str | None:
        """Return the failure, once it has lasted for a minute."""
        since = self._failing_since
        if since is None or (seconds := time.monotonic() - since) < TROUBLE_AFTER:
            return None
        return f"{CHANNEL_NAMES[self._channel]} has not been heard for {round(seconds)} s: {self._reason}"


class AdvisoryLock:
    """The right to receive: an advisory lock in the database, which is released with its connection."""

    def __init__(self, runtime: Runtime, stopping: threading.Event) -> None:
        self._url, self._stopping = db.libpq_url(runtime.database.url), stopping
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None
        self.is_held = threading.Event()

    def acquire(self) -> None:
        """Take the lock, or check that it is still ours."""
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(self._url, autocommit=True, connect_timeout=5)
            if not self.is_held.is_set():
                row = self._connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
                if row is not None and row[0]:
                    self.is_held.set()
            else:
                self._connection.execute("SELECT 1")
        except psycopg.Error:
            self.is_held.clear()
            if self._connection is not None:
                self._connection.close()
            self._connection = None


class TelegramReceiver:
    """Polls Telegram for updates, or registers the webhook if one is configured."""

    def __init__(self, runtime: Runtime, desk: Responder, stopping: threading.Event) -> None:
        self._runtime, self._desk, self._stopping = runtime, desk, stopping
        self._telegram: Telegram = make_telegram(runtime.settings, connections=2)
        self._is_prepared, self._prepared_at = False, 0.0
        self.reception = Reception(ChannelName.TELEGRAM)

    def step(self) -> None:
        secret = self._runtime.settings.telegram_webhook_secret.get_secret_value()
        address = f"{self._runtime.settings.base_url}/inbox/telegram"
        if not self._is_prepared:
            if secret:
                self._telegram.set_webhook(address, secret)
            else:
                self._telegram.delete_webhook()
            self._is_prepared, self._prepared_at = True, time.monotonic()
        if secret:
            self._is_prepared = self._telegram.check_webhook(address, wall=wall_now())
            self._stopping.wait(WAIT_SECONDS)
            return
        with self._runtime.transaction() as session:
            offset = service.next_update(session, ChannelName.TELEGRAM, now=self._runtime.clock.now())
        asked_at = time.monotonic()
        try:
            updates = self._telegram.get_updates(offset, wait_seconds=WAIT_SECONDS)
        except SendError as error:
            if error.code == CONFLICT and asked_at - self._prepared_at >= DELETE_WEBHOOK_EVERY:
                log.warning("inbox.webhook_deleted", reason=str(error))
                self._is_prepared = False
            raise
        for update in updates:
            with logs.log_context(trace=logs.new_trace()):
                self._desk.answer_update(update)
        if not updates and time.monotonic() - asked_at < PAUSE_SECONDS:
            # A server that ignores `wait_seconds` must not be polled without a pause.
            self._stopping.wait(PAUSE_SECONDS)


def _receive_while_locked(receiver: TelegramReceiver, turn: AdvisoryLock, stopping: threading.Event) -> None:
    """Receive while the lock is ours; wait when the provider or the database is away."""
    while not stopping.is_set():
        if not turn.is_held.wait(1):
            receiver.reception.succeeded()  # another copy receives
            continue
        try:
            receiver.step()
            receiver.reception.succeeded()
        except SendError as error:
            receiver.reception.failed(str(error))
            wait = error.retry_after.total_seconds() if error.retry_after is not None else PAUSE_SECONDS
            stopping.wait(min(max(wait, PAUSE_SECONDS), 60))
        except SQLAlchemyError as error:
            log.warning("inbox.database_away", error=type(error).__name__)
            stopping.wait(PAUSE_SECONDS)
        except Exception:
            log.exception("inbox.error")
            stopping.wait(PAUSE_SECONDS)


class SignalReceiver:
    """Listens to Signal in one thread and answers in another, so that a database that is away loses nothing.

    Signal pushes a message to every copy that listens at that moment; the database decides which one answers.
    """

    def __init__(self, runtime: Runtime, desk: Responder) -> None:
        self._desk = desk
        self._listener = SignalListener(runtime.settings.signal_daemon_url, runtime.settings.signal_sender)
        self._signal = make_signal(runtime.settings, connections=1)
        self._messages: queue.SimpleQueue[IncomingMessage | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._has_tried = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._listen, self._answer)]
        self.reception = Reception(ChannelName.SIGNAL)

    def start(self) -> None:
        """Begin to listen; return when the first connection is up, or has failed."""
        for thread in self._threads:
            thread.start()
        self._has_tried.wait(FINISH_WITHIN)

    def finish(self) -> None:
        """Stop listening, and answer what has arrived."""
        listening, answering = self._threads
        self._stopping.set()
        listening.join(FINISH_WITHIN)
        self._messages.put(None)
        answering.join(FINISH_WITHIN)
        self._signal.close()

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                if not self._listener.is_open:
                    self._connect()
                incoming = self._listener.receive(seconds=NOTICE_STOP_WITHIN)
            except UnusableService as error:
                self.reception.failed(str(error))
                self._stopping.wait(PAUSE_SECONDS)
            except SendError as error:
                self.reception.failed(str(error))
                self._stopping.wait(RECONNECT_SECONDS)
            except Exception as error:
                log.exception("inbox.error")
                self._listener.close()
                self.reception.failed(type(error).__name__)
                self._stopping.wait(PAUSE_SECONDS)
            else:
                self.reception.succeeded()
                if incoming is not None and incoming.is_private:
                    self._messages.put(_as_message(incoming))
        self._listener.close()

    def _connect(self) -> None:
        """Connect, then check the service. Raise SendError, or UnusableService if the service cannot be used."""
        try:
            self._listener.open()
        except SendError as error:
            # The service's mode may be what prevents a connection.
            if error.code is not None and (problem := self._service_problem()) is not None:
                raise UnusableService(problem) from None
            raise
        finally:
            self._has_tried.set()
        if (problem := self._service_problem()) is not None:
            self._listener.close()
            raise UnusableService(problem)

    def _service_problem(self) -> str | None:
        try:
            return self._signal.service_problem()
        except SendError as error:
            log.warning("inbox.service_not_asked", reason=str(error))
            return None

    def _answer(self) -> None:
        while (message := self._messages.get()) is not None:
            with logs.log_context(trace=logs.new_trace()):
                self._answer_message(message)

    def _answer_message(self, message: IncomingMessage) -> None:
        """Answer a message; wait when the database is away, unless the process has to end."""
        while True:
            try:
                self._desk.answer_message(message)
            except SQLAlchemyError as error:
                log.warning("inbox.database_away", error=type(error).__name__)
            except Exception:
                log.exception("inbox.error")
                return
            else:
                return
            if self._stopping.wait(PAUSE_SECONDS):
                return


def _as_message(received: ReceivedText) -> IncomingMessage:
    """Mark a text, so that each copy of the inbox that received it recognises it."""
    mark = f"{received.sent_at}:{received.text}"
    return IncomingMessage(ChannelName.SIGNAL, received.sender, received.text, mark=mark, number=received.number)


class UnusableService(Exception):
    """Raised when the Signal service answers but cannot be used; the text says why."""
