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
    # What stands there: when it was taken, and where its buttons lead.
    there: list[tuple[datetime, str, str]] = field(default_factory=list)
    is_hidden: bool = False

    @property
    def history(self) -> "Wire | None":
        return self if self.repeatable_for else None

    def find(self, to: Address, mark: str, *, since: datetime) -> Receipt | None:
        if self.is_hidden:
            raise SendError(Reason.DISCORD_HIDES_ROOM)
        seen = (nonce for at, nonce, links in self.there if at >= since and mark in links)
        found = next(seen, None)
        return Receipt(found) if found is not None else None

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
        self.there.append((wall_now(), nonce, " ".join(button.link for button in message.buttons)))
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
