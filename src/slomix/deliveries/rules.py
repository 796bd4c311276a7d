"""The life of a delivery and what a try's answer means for it."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from slomix.channels.base import RateLimited, Receipt, SendError, Unanswered
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


# The states of which a player may have at most one row for an event: on its way, arrived, or perhaps arrived.
LIVE_STATUSES = (DeliveryStatus.PENDING, DeliveryStatus.SENDING, DeliveryStatus.SENT, DeliveryStatus.UNKNOWN)


# The states from which a delivery is still to be settled.
OPEN = (DeliveryStatus.PENDING, DeliveryStatus.SENDING)


# What rows are about that tell of messages which the earlier site had sent.
IMPORTED = "predecessor"


class AttemptEvent(enum.StrEnum):
    """A try is two rows that are only ever added: one when it begins, one when it ends."""

    BEGUN = "begun"
    ENDED = "ended"


@dataclass(frozen=True)
class Skip:
    """The message is not wanted any more, for this reason."""

    reason: Reason


@dataclass(frozen=True)
class Verdict:
    """What a try did to the delivery and to the job that carries it."""

    status: DeliveryStatus
    outcome: Outcome
    error: Explanation | None = None


EXPIRED = Skip(Reason.EXPIRED)


def may_repeat(first_tried_at: datetime, wall: datetime, repeatable_for: timedelta) -> bool:
    """Whether a try that got no answer may be made again with the same nonce: while the provider remembers it."""
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

    No answer leaves the delivery `sending`, to be repeated with its nonce; where the provider knows no nonces, or has
    forgotten this one by now, it becomes `unknown` and is never repeated by itself. A refusal of such a repeat says
    nothing about the try that got no answer: that question stays open. To be asked to wait is no try.
    """
    is_open = is_repeat or isinstance(answer, Unanswered)
    is_free = isinstance(answer, RateLimited)
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
    """What a delivery becomes when its job has no try left: an open question stays one."""
    return DeliveryStatus.UNKNOWN if status is DeliveryStatus.SENDING else DeliveryStatus.FAILED
