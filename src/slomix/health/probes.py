"""Asks questions that may hang, with a time limit, so that callers can stop waiting."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Generic, TypeVar

# A question without an answer for so long is given up, and the next caller asks anew.
GIVE_UP_AFTER = 30.0

T = TypeVar("T")


class Probe(Generic[T]):
    """A question, asked in its own thread.

    Callers that come meanwhile wait for the same answer, so that a hanging server never blocks more than one thread.
    """

    def __init__(self, question: Callable[[], T]) -> None:
        self._question = question
        self._lock = threading.Lock()
        self._asked: Future[T] | None = None
        self._asked_at = 0.0
        self._unanswered_since: float | None = None
        self._answered_at: float | None = None
        self._answer: T | None = None

    def submit(self) -> "Future[T]":
        """Return the answer to come. Its `result(timeout)` raises TimeoutError, or what the question raised."""
        with self._lock:
            now = time.monotonic()
            if self._asked is None or self._asked.done() or now - self._asked_at > GIVE_UP_AFTER:
                self._asked, self._asked_at = Future(), now
                if self._unanswered_since is None:
                    self._unanswered_since = now
                threading.Thread(target=self._run, args=(self._asked,), name="probe", daemon=True).start()
            return self._asked

    def latest(self, *, every: float, wait: float) -> T | None:
        """Return the last answer, and ask anew when it is older than `every` seconds.

        Only before the first answer it is waited for; None if it does not come within `wait` seconds.
        """
        silent = self.seconds_silent
        if silent is None or silent >= every:
            asked = self.submit()
            if silent is None:
                with suppress(Exception):
                    return asked.result(wait)
        return self._answer

    @property
    def seconds_silent(self) -> float | None:
        """Return the seconds since the last answer; None before the first."""
        return None if self._answered_at is None else time.monotonic() - self._answered_at

    @property
    def seconds_without_answer(self) -> float:
        """Return for how many seconds it has been asked without an answer; 0 while it is not asked."""
        since = self._unanswered_since
        return 0.0 if since is None else time.monotonic() - since

    def _run(self, asked: "Future[T]") -> None:
        try:
            answer = self._question()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the answer is read
            asked.set_exception(error)
        else:
            self._answer, self._answered_at, self._unanswered_since = answer, time.monotonic(), None
            asked.set_result(answer)
