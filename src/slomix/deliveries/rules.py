"""The life of a delivery and what a try's answer means for it."""

import enum
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from slomix.channels.base import Receipt, SendError, Unanswered
from slomix.jobs.rules import Done, JobStatus, Outcome, Retry, Snooze
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
    """A row of the log: a try begins, it ends, or the provider is asked whether an unanswered one has arrived."""

    BEGUN = "begun"
    ENDED = "ended"
    ASKED = "asked"


class Budget(enum.StrEnum):
    """How a notice counts towards the messages that a player gets a day without asking for them at that moment."""

    # The player asked for it just now, or it goes to rooms alone.
    FREE = "free"
    # It counts, and leaves however many there were.
    COUNTED = "counted"
    # It counts, and is held back when the day's messages are used up.
    LIMITED = "limited"


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

SHORTEST_PAUSE = timedelta(seconds=2)
# What has left is on its way for so long at most; before, that it is not there means nothing.
ASK_AFTER = timedelta(seconds=10)
ASK_AGAIN = timedelta(seconds=15)
# Of a delivery without a deadline.
LONGEST_QUESTION = timedelta(minutes=15)
# The clocks of the provider and ours differ by less.
LOOK_BACK = timedelta(minutes=1)


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
    can_be_asked: bool = False,
) -> Verdict:
    """Decide what the provider's answer means.

    No answer leaves the delivery `sending`, to be repeated with its nonce. If the provider knows no nonces, or has
    forgotten this one by now, it is asked what has arrived; one that cannot be asked makes the delivery `unknown`, and
    it is never repeated automatically. A refused repeat says nothing about the unanswered try, so that stays open.
    What is no fault of the recipient's uses up no attempt.
    """
    is_open = is_repeat or isinstance(answer, Unanswered)
    if is_open and can_be_asked and isinstance(answer, SendError):
        pause = pause_before_pursuit(first_tried_at, wall, repeatable_for)
        pause = max(pause, answer.retry_after or timedelta(0))
        return Verdict(DeliveryStatus.SENDING, Snooze(pause), answer.reason)
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


def pause_before_pursuit(first_tried_at: datetime, wall: datetime, repeatable_for: timedelta) -> timedelta:
    """Return how long to wait before an unanswered try is repeated or, when that is over, asked about.

    Repeats come ever later. Attempts don't limit them: their time is short.
    """
    tried_for = wall - first_tried_at
    pause = max(SHORTEST_PAUSE, tried_for)
    if tried_for + pause < repeatable_for:
        return pause
    return max(repeatable_for - tried_for, ASK_AFTER)


def judge_history(
    said: Receipt | SendError | None, *, unanswered: Explanation, is_expired: bool, is_over: bool
) -> Verdict:
    """Decide what the provider's history means for a message whose try had no answer, for the reason `unanswered`.

    If it does not stand there (None), it may leave anew before its deadline. If that cannot be known, it is asked again
    until the question `is_over`.
    """
    match said:
        case Receipt():
            return Verdict(DeliveryStatus.SENT, Done())
        case None if is_expired:
            return Verdict(DeliveryStatus.FAILED, Done(JobStatus.FAILED, unanswered), unanswered)
        case None:
            return Verdict(DeliveryStatus.PENDING, Snooze(timedelta(0)), unanswered)
    seen = replace(unanswered, then=said.reason)
    if is_over:
        return Verdict(DeliveryStatus.UNKNOWN, Done(JobStatus.FAILED, seen), seen)
    return Verdict(DeliveryStatus.SENDING, Snooze(max(ASK_AGAIN, said.retry_after or timedelta(0))), seen)


def is_question_over(first_tried_at: datetime, deadline_at: datetime | None, *, now: datetime, wall: datetime) -> bool:
    """Return whether a question that cannot be answered is given up: at the deadline, or after a while without one."""
    return now >= deadline_at if deadline_at is not None else wall - first_tried_at >= LONGEST_QUESTION


def status_when_given_up(status: DeliveryStatus) -> DeliveryStatus:
    """Return what a delivery becomes when its job has no try left: `unknown` if a try was never answered."""
    return DeliveryStatus.UNKNOWN if status is DeliveryStatus.SENDING else DeliveryStatus.FAILED
