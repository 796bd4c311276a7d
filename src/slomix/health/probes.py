"""Asks something that may hang, with a time limit of our own: who waits for the answer may stop waiting."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

# A question that got no answer for so long is given up, and the next one is asked anew.
GIVE_UP_AFTER = 30.0

T = TypeVar("T")


class Probe(Generic[T]):
    """One question, asked in a thread of its own.

    Who asks while it is under way waits for the same answer, so that a server that hangs gathers no threads, however
    many ask.
    """

    def __init__(self, question: Callable[[], T]) -> None:
        self._question = question
        self._lock = threading.Lock()
        self._asked: Future[T] | None = None
        self._asked_at = 0.0
        self._answered_at: float | None = None

    def ask(self) -> "Future[T]":
        """The answer to come. Its `result(timeout)` raises TimeoutError, or what the question raised."""
        with self._lock:
            now = time.monotonic()
            if self._asked is None or self._asked.done() or now - self._asked_at > GIVE_UP_AFTER:
                self._asked, self._asked_at = Future(), now
                threading.Thread(target=self._run, args=(self._asked,), name="probe", daemon=True).start()
            return self._asked

    @property
    def silence(self) -> float | None:
        """Seconds since the last answer; None when there never was one."""
        return None if self._answered_at is None else time.monotonic() - self._answered_at

    def _run(self, asked: "Future[T]") -> None:
        try:
            answer = self._question()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the answer is read
            asked.set_exception(error)
        else:
            self._answered_at = time.monotonic()
            asked.set_result(answer)
