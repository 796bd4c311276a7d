"""Decides how long to wait after Discord has refused something about an evening, or has not answered."""

from datetime import timedelta

from slomix.channels.base import RateLimited, SendError, Unanswered
from slomix.clock import wall_now
from slomix.deliveries.rules import ASK_AFTER
from slomix.evening.models import EveningEvent, EveningMessage
from slomix.jobs.rules import Snooze

SHORTEST_DELAY, LONGEST_DELAY = timedelta(seconds=5), timedelta(seconds=60)
# How long nothing is tried after Discord has refused it for good, as a right may be given back.
REFUSED_FOR = timedelta(minutes=10)


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
