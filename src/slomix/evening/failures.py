"""Asks Discord about an evening, and decides how long to wait after a refusal or without an answer."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from slomix.channels.base import RateLimited, SendError, Unanswered
from slomix.clock import wall_now
from slomix.deliveries.rules import ASK_AFTER
from slomix.evening.models import EveningEvent, EveningMessage
from slomix.jobs.rules import Snooze
from slomix.reasons.codes import Reason

T = TypeVar("T")

SHORTEST_DELAY, LONGEST_DELAY = timedelta(seconds=5), timedelta(seconds=60)
# How long nothing is tried after Discord has refused it for good, as a right may be given back.
REFUSED_FOR = timedelta(minutes=10)


def ask_once(lease_until: datetime | None, ask: Callable[[], T]) -> T | SendError:
    """Ask Discord and return its answer, also a refusal; nothing leaves once another worker may have taken over."""
    if lease_until is not None and wall_now() >= lease_until:
        return SendError(Reason.WORKER_DID_NOT_COME_BACK)
    try:
        return ask()
    except SendError as error:
        return error


def hold(row: EveningMessage | EveningEvent, error: SendError, *, failures: int) -> Snooze:
    """Store why and for how long it is left alone; `failures` are those in a row before this one."""
    delay = min(SHORTEST_DELAY * 2 ** min(failures, 10), LONGEST_DELAY)
    if isinstance(error, RateLimited):
        delay = error.retry_after or delay
    elif error.permanent:
        delay = REFUSED_FOR
    elif isinstance(error, Unanswered) and row.tried_at is not None:  # it may still come
        delay = max(delay, ASK_AFTER)
    row.held_until = wall_now() + delay
    row.problem = error.reason.shortened()
    return Snooze(delay, failures=failures + (not isinstance(error, RateLimited)))
