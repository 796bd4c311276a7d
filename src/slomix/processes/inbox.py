"""Receives messages from Telegram and Signal until told to stop; of several copies, one receives."""

import threading
from collections import deque
from collections.abc import Callable

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from slomix import logs
from slomix.channels.base import SendError
from slomix.channels.signal import Signal
from slomix.channels.telegram import Telegram
from slomix.chat import service
from slomix.chat.responder import Responder
from slomix.chat.service import IncomingMessage
from slomix.contacts.rules import ChannelName
from slomix.database import session as db
from slomix.health import rules as health_rules
from slomix.processes.common import announce_stop, send_heartbeat, start_process, stop_event
from slomix.runtime.context import Runtime
from slomix.runtime.factory import make_signal, make_telegram

log = structlog.get_logger()

WAIT_SECONDS = 20
PAUSE_SECONDS = 2.0
# An arbitrary number of our own for the advisory lock that only one inbox holds.
LOCK = 0x51_0117_1B


def run_inbox() -> None:
    """Run the process behind `workers/inbox.py`; with both channels switched off it logs that and idles."""
    runtime = start_process("inbox", connections=4)
    stopping = stop_event()
    on = runtime.settings.channels_on
    if not on - {"discord"}:
        log.info("inbox.nothing_to_do", hint="Telegram and Signal are switched off")
    turn = AdvisoryLock(runtime, stopping)
    desk = Responder(runtime)
    receivers: list[Callable[[], None]] = []
    if "telegram" in on:
        receivers.append(TelegramReceiver(runtime, desk).step)
    if "signal" in on:
        receivers.append(SignalReceiver(runtime, desk).step)
    for step in receivers:
        threading.Thread(target=_receive_while_locked, args=(step, turn, stopping), daemon=True).start()
    while not stopping.is_set():
        turn.acquire()
        send_heartbeat(runtime, health_rules.INBOX)
        stopping.wait(health_rules.HEARTBEAT_INTERVAL.total_seconds())
    announce_stop(runtime, health_rules.INBOX)


class AdvisoryLock:
    """The right to receive: an advisory lock in the database, which ends with its connection."""

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


def _receive_while_locked(step: Callable[[], None], turn: AdvisoryLock, stopping: threading.Event) -> None:
    """Receive while the lock is ours; wait when the provider or the database is away."""
    while not stopping.is_set():
        if not turn.is_held.wait(1):
            continue
        try:
            step()
        except SendError as error:
            log.warning("inbox.provider_away", reason=str(error))
            wait = error.retry_after.total_seconds() if error.retry_after is not None else PAUSE_SECONDS
            stopping.wait(min(max(wait, PAUSE_SECONDS), 60))
        except SQLAlchemyError as error:
            log.warning("inbox.database_away", error=type(error).__name__)
            stopping.wait(PAUSE_SECONDS)
        except Exception:
            log.exception("inbox.error")
            stopping.wait(PAUSE_SECONDS)


class TelegramReceiver:
    """Polls Telegram for updates, or registers the webhook if one is configured."""

    def __init__(self, runtime: Runtime, desk: Responder) -> None:
        self._runtime, self._desk = runtime, desk
        self._telegram: Telegram = make_telegram(runtime.settings, connections=2)
        self._is_prepared = False

    def step(self) -> None:
        secret = self._runtime.settings.telegram_webhook_secret.get_secret_value()
        if not self._is_prepared:
            if secret:
                self._telegram.set_webhook(f"{self._runtime.settings.base_url}/inbox/telegram", secret)
            else:
                self._telegram.delete_webhook()
            self._is_prepared = True
        if secret:
            threading.Event().wait(PAUSE_SECONDS)
            return
        with self._runtime.transaction() as session:
            offset = service.next_update(session, ChannelName.TELEGRAM, now=self._runtime.clock.now())
        for update in self._telegram.get_updates(offset, wait_seconds=WAIT_SECONDS):
            with logs.log_context(trace=logs.new_trace()):
                self._desk.answer_update(update)


class SignalReceiver:
    """Polls our Signal service, which gives each message once: all are answered before the next poll."""

    def __init__(self, runtime: Runtime, desk: Responder) -> None:
        self._desk = desk
        self._signal: Signal = make_signal(runtime.settings, connections=2)
        self._unanswered: deque[IncomingMessage] = deque()

    def step(self) -> None:
        if not self._unanswered:
            incoming = self._signal.receive(wait_seconds=WAIT_SECONDS)
            self._unanswered.extend(
                IncomingMessage(ChannelName.SIGNAL, message.sender, message.text)
                for message in incoming
                if message.is_private
            )
        while self._unanswered:
            with logs.log_context(trace=logs.new_trace()):
                self._desk.answer_message(self._unanswered[0])
            self._unanswered.popleft()
