"""A provider in memory that counts what it takes, breaks on request, and asks whether a message may come at all."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from slomix.channels.base import Address, Message, ProviderDown, RateLimited, Receipt, SendError, Unanswered
from slomix.clock import wall_now
from slomix.reasons.codes import Reason

SECOND = timedelta(seconds=1)


class Killed(BaseException):
    """The worker is gone: nothing of it runs any more."""


@dataclass
class Wire:
    """A provider that counts what it takes, and asks of each message whether it may come at all."""

    repeatable_for: timedelta
    may_come: Callable[[str, str], str | None]
    mood: list[str] = field(default_factory=list)
    taken: dict[str, datetime] = field(default_factory=dict)
    accepted: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    held: list[Any] = field(default_factory=list)

    def send(self, to: Address, message: Message, *, nonce: str) -> Receipt:
        mood = self.mood.pop() if self.mood else "fine"
        complaint = self.may_come(nonce, message.text)
        if complaint is not None:
            self.complaints.append(complaint)
        match mood:
            case "busy":
                raise SendError(Reason.OTHER, "503")
            case "down":
                raise ProviderDown(Reason.OTHER, "502")
            case "slow down":
                raise RateLimited(Reason.OTHER, "429", retry_after=SECOND)
            case "closed":
                raise SendError(Reason.DMS_CLOSED, permanent=True)
            case "killed before":
                raise Killed
        remembered = self.taken.get(nonce)
        if self.repeatable_for and remembered is not None:
            return self._answer(mood, nonce)
        self.taken[nonce] = wall_now()
        self.accepted[nonce] += 1
        return self._answer(mood, nonce)

    def ping(self) -> None:
        """Is probed through `Evening.a_worker_probes`, which decides what comes of it."""

    def _answer(self, mood: str, nonce: str) -> Receipt:
        if mood == "cut":
            raise Unanswered(Reason.OTHER, "cut")
        if mood == "killed after":
            raise Killed
        return Receipt(nonce)


MOODS = st.sampled_from(["busy", "down", "slow down", "closed", "cut", "killed before", "killed after"])
