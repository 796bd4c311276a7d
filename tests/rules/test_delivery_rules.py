"""What a provider's answer means, and when the same message may leave once more."""

from datetime import timedelta

import pytest

from slomix.channels.base import ProviderDown, RateLimited, Receipt, SendError, TokenRefused, Unanswered
from slomix.clock import wall_now
from slomix.deliveries.rules import (
    LIVE_STATUSES,
    DeliveryStatus,
    Verdict,
    judge_answer,
    judge_history,
    may_repeat,
    status_when_given_up,
)
from slomix.jobs.rules import Done, JobStatus, Retry, Snooze
from slomix.reasons.codes import Explanation, Reason

WALL = wall_now()
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
PATIENCE = 30 * SECOND

SENT = Verdict(DeliveryStatus.SENT, Done())
DOWN, TOKEN = ProviderDown(Reason.OTHER, "503"), TokenRefused(Reason.OTHER, "401")
CUT, BUSY, SLOW_DOWN, CLOSED = (
    Unanswered(Reason.OTHER, "no answer"),
    SendError(Reason.OTHER, "400"),
    RateLimited(Reason.OTHER, "429", retry_after=PATIENCE),
    SendError(Reason.DMS_CLOSED, permanent=True),
)


def over(status: DeliveryStatus, why: Explanation) -> Verdict:
    return Verdict(status, Done(JobStatus.FAILED, why), why)


def again(
    status: DeliveryStatus, why: Explanation, retry_after: timedelta | None = None, *, is_free: bool = False
) -> Verdict:
    return Verdict(status, Retry(why, retry_after, is_free=is_free or retry_after is not None), why)


@pytest.mark.parametrize(
    ("answer", "seconds_ago", "is_repeat", "verdict"),
    [
        (Receipt("1"), 0, False, SENT),
        (Receipt("1"), 59, True, SENT),
        (Receipt("1"), 3600, True, SENT),
        # Definite refusals: it did not arrive.
        (BUSY, 0, False, again(DeliveryStatus.PENDING, BUSY.reason)),
        (BUSY, 3600, False, again(DeliveryStatus.PENDING, BUSY.reason)),
        (SLOW_DOWN, 0, False, again(DeliveryStatus.PENDING, SLOW_DOWN.reason, PATIENCE)),
        (CLOSED, 0, False, over(DeliveryStatus.FAILED, CLOSED.reason)),
        # An outage is nobody's own failure.
        (DOWN, 0, False, again(DeliveryStatus.PENDING, DOWN.reason, is_free=True)),
        (DOWN, 10, True, again(DeliveryStatus.SENDING, DOWN.reason, is_free=True)),
        (TOKEN, 3600, False, again(DeliveryStatus.PENDING, TOKEN.reason, is_free=True)),
        # No answer: repeated while the nonce is remembered, and open for ever after that.
        (CUT, 0, False, again(DeliveryStatus.SENDING, CUT.reason, is_free=True)),
        (CUT, 59.9, True, again(DeliveryStatus.SENDING, CUT.reason, is_free=True)),
        (CUT, 60, True, over(DeliveryStatus.UNKNOWN, CUT.reason)),
        (CUT, 3600, False, over(DeliveryStatus.UNKNOWN, CUT.reason)),
        # A repeat that is refused says nothing about the try that got no answer.
        (BUSY, 10, True, again(DeliveryStatus.SENDING, BUSY.reason)),
        (SLOW_DOWN, 10, True, again(DeliveryStatus.SENDING, SLOW_DOWN.reason, PATIENCE)),
        (BUSY, 60, True, over(DeliveryStatus.UNKNOWN, BUSY.reason)),
        (CLOSED, 10, True, over(DeliveryStatus.UNKNOWN, CLOSED.reason)),
    ],
)
def test_an_answer_decides_what_became_of_the_message(
    answer: Receipt | SendError, seconds_ago: float, is_repeat: bool, verdict: Verdict
) -> None:
    first = WALL - seconds_ago * SECOND
    assert judge_answer(answer, first_tried_at=first, wall=WALL, repeatable_for=MINUTE, is_repeat=is_repeat) == verdict


@pytest.mark.parametrize(
    ("answer", "seconds_ago", "pause"),
    [
        # Repeated ever later, until it is time to ask.
        (CUT, 0, 2),
        (CUT, 2, 2),
        (CUT, 12, 12),
        (CUT, 29, 29),
        (CUT, 30, 30),
        (CUT, 48, 12),
        (CUT, 55, 10),
        # Asked when what has left has had its time to arrive.
        (CUT, 60, 10),
        (CUT, 3600, 10),
        (CLOSED, 60, 10),
        (SLOW_DOWN, 0, 30),
    ],
)
def test_where_somebody_can_be_asked_an_open_question_stays_open_and_costs_no_attempt(
    answer: SendError, seconds_ago: int, pause: int
) -> None:
    verdict = judge_answer(
        answer,
        first_tried_at=WALL - seconds_ago * SECOND,
        wall=WALL,
        repeatable_for=MINUTE,
        is_repeat=True,
        can_be_asked=True,
    )
    assert verdict == Verdict(DeliveryStatus.SENDING, Snooze(pause * SECOND), answer.reason)


SEEN = Explanation(Reason.ANSWER_NOT_SEEN)
HIDDEN = SendError(Reason.DISCORD_HIDES_ROOM)
HIDDEN_SINCE = Explanation(Reason.ANSWER_NOT_SEEN, then=HIDDEN.reason)
SLOW_SINCE = Explanation(Reason.ANSWER_NOT_SEEN, then=SLOW_DOWN.reason)


@pytest.mark.parametrize(
    ("said", "is_expired", "is_over", "verdict"),
    [
        (Receipt("1"), False, False, SENT),
        (Receipt("1"), True, True, SENT),
        (None, False, False, Verdict(DeliveryStatus.PENDING, Snooze(timedelta(0)), SEEN)),
        (None, False, True, Verdict(DeliveryStatus.PENDING, Snooze(timedelta(0)), SEEN)),
        (None, True, True, over(DeliveryStatus.FAILED, SEEN)),
        (HIDDEN, False, False, Verdict(DeliveryStatus.SENDING, Snooze(15 * SECOND), HIDDEN_SINCE)),
        (SLOW_DOWN, False, False, Verdict(DeliveryStatus.SENDING, Snooze(PATIENCE), SLOW_SINCE)),
        (HIDDEN, True, True, over(DeliveryStatus.UNKNOWN, HIDDEN_SINCE)),
    ],
)
def test_what_stands_there_decides_and_what_cannot_be_read_decides_nothing(
    said: Receipt | SendError | None, is_expired: bool, is_over: bool, verdict: Verdict
) -> None:
    assert judge_history(said, unanswered=SEEN, is_expired=is_expired, is_over=is_over) == verdict


def test_where_no_nonce_is_known_no_answer_is_unknown_at_once() -> None:
    verdict = judge_answer(CUT, first_tried_at=WALL, wall=WALL, repeatable_for=timedelta(0), is_repeat=False)
    assert verdict.status is DeliveryStatus.UNKNOWN


@pytest.mark.parametrize(
    ("seconds", "window", "repeat"),
    [(0, 60, True), (59.999, 60, True), (60, 60, False), (3600, 60, False), (0, 0, False), (1, 0, False)],
)
def test_a_try_without_an_answer_may_be_repeated_within_the_nonces_window(
    seconds: float, window: int, repeat: bool
) -> None:
    assert may_repeat(WALL - seconds * SECOND, WALL, window * SECOND) is repeat


def test_given_up_while_it_may_have_arrived_is_unknown_and_otherwise_failed() -> None:
    assert status_when_given_up(DeliveryStatus.SENDING) is DeliveryStatus.UNKNOWN
    assert status_when_given_up(DeliveryStatus.PENDING) is DeliveryStatus.FAILED


def test_what_is_on_its_way_or_has_arrived_or_may_have_is_live() -> None:
    assert set(DeliveryStatus) - set(LIVE_STATUSES) == {DeliveryStatus.SKIPPED, DeliveryStatus.FAILED}
