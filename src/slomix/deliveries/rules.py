"""The life of a delivery and what a try's answer means for it."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from slomix.channels.base import Receipt, SendError, Unanswered
from slomix.jobs.rules import Done, JobStatus, Outcome, Retry
from slomix.reasons.codes import Explanation, Reason


class DeliveryStatus(enum.StrEnum):
    """pending → sending | skipped; sending → sent | failed | unknown | pending; unknown → sent by a late answer.

    skipped and failed can be re-opened.
    """

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def is_settled(self) -> bool:
        return self not in OPEN


# A player may have at most one row in these states for an event: on its way, arrived, or perhaps arrived.
LIVE_STATUSES = (DeliveryStatus.PENDING, DeliveryStatus.SENDING, DeliveryStatus.SENT, DeliveryStatus.UNKNOWN)
# Not settled yet.
OPEN = (DeliveryStatus.PENDING, DeliveryStatus.SENDING)
# The subject of rows for messages that the earlier site sent.
IMPORTED = "predecessor"


class AttemptEvent(enum.StrEnum):
    """The two rows of a try: the first is added when it begins, the second when it ends."""

    BEGUN = "begun"
    ENDED = "ended"


@dataclass(frozen=True)
class Skip:
    """A message that is no longer wanted, and why."""

    reason: Reason


@dataclass(frozen=True)
class Verdict:
    """The result of a try, for the delivery and for its job."""

    status: DeliveryStatus
    outcome: Outcome
    error: Explanation | None = None


EXPIRED = Skip(Reason.EXPIRED)


def may_repeat(first_tried_at: datetime, wall: datetime, repeatable_for: timedelta) -> bool:
    """Return whether an unanswered try may be repeated with its nonce: while the provider remembers it."""
    return wall - first_tried_at < repeatable_for


def judge_answer(
    answer: Receipt | SendError,
    *,
    first_tried_at: datetime,
    wall: datetime,
    repeatable_for: timedelta,
    is_repeat: bool,
) -> Verdict:
    """Decide what the provider's answer means.

    No answer leaves the delivery `sending`, to be repeated with its nonce; if the provider knows no nonces, or has
    forgotten this one by now, it becomes `unknown` and is never repeated automatically. A refused repeat says nothing
    about the unanswered try, so that stays open. What is no fault of the recipient's uses up no attempt.
    """
    is_open = is_repeat or isinstance(answer, Unanswered)
    is_free = isinstance(answer, SendError) and answer.is_free
    match answer:
        case Receipt():
            return Verdict(DeliveryStatus.SENT, Done())
        case SendError(permanent=False) if is_open and may_repeat(first_tried_at, wall, repeatable_for):
            return Verdict(DeliveryStatus.SENDING, Retry(answer.reason, answer.retry_after, is_free), answer.reason)
        case SendError() if is_open:
            return Verdict(DeliveryStatus.UNKNOWN, Done(JobStatus.FAILED, answer.reason), answer.reason)
        case SendError(permanent=True):
            return Verdict(DeliveryStatus.FAILED, Done(JobStatus.FAILED, answer.reason), answer.reason)
        case _:
            return Verdict(DeliveryStatus.PENDING, Retry(answer.reason, answer.retry_after, is_free), answer.reason)


def status_when_given_up(status: DeliveryStatus) -> DeliveryStatus:
    """Return what a delivery becomes when its job has no try left: `unknown` if a try was never answered."""
    return DeliveryStatus.UNKNOWN if status is DeliveryStatus.SENDING else DeliveryStatus.FAILED
