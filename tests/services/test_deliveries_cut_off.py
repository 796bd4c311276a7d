"""A message that left and got no answer: repeated while its nonce is remembered, then open for good. Never twice."""

from datetime import time, timedelta

import pytest

from slomix.accounts import service as accounts
from slomix.accounts.models import User
from slomix.channels.base import RateLimited, SendError, Unanswered
from slomix.contacts.rules import QuietHours
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus, Skip
from slomix.jobs import service as jobs
from slomix.jobs.rules import LEASE, JobStatus
from slomix.reasons.codes import Explanation, Reason
from tests.moments import at

from .sending import Post, nothing

SECOND = timedelta(seconds=1)
BUSY = SendError(Reason.DISCORD_ANSWERED, "503")
SLOW_DOWN = RateLimited(Reason.DISCORD_IS_BUSY, retry_after=timedelta(seconds=90))
CLOSED = SendError(Reason.DMS_CLOSED, permanent=True)


def cut_off(post: Post, **more: object) -> Delivery:
    """Alice's message was taken, and nobody heard of it."""
    post.wire.cuts = 1
    row = post.send("alice", **more)
    assert (row.status, len(post.wire.sent)) == (DeliveryStatus.SENDING, 1)
    return row


def test_it_is_repeated_with_its_nonce_and_its_words_and_arrives_once(post: Post) -> None:
    cut_off(post)
    post.world.clock.move_to(at(20, 46))
    assert post.carry(post.row("alice")) is JobStatus.SENT
    row = post.row("alice")
    assert (row.status, row.text) == (DeliveryStatus.SENT, "Hello at 20:45:00")
    assert post.wire.texts == ["Hello at 20:45:00"]
    assert post.attempts(row) == [
        (1, "begun", "sending", None),
        (1, "ended", "sending", Explanation(Reason.DISCORD_DID_NOT_ANSWER, "ReadError")),
        (2, "begun", "sending", None),
        (2, "ended", "sent", None),
    ]


def test_a_message_that_never_arrived_is_repeated_as_it_was(post: Post) -> None:
    post.wire.answers = [Unanswered(Reason.OTHER, "no answer")]
    nonce = post.send("alice").nonce
    post.world.clock.move_to(at(20, 46))
    post.carry(post.row("alice"))
    [(_, message, used)] = post.wire.sent
    assert (message.text, used) == ("Hello at 20:45:00", nonce)


@pytest.mark.parametrize("change", ["opted out", "quiet hours", "unwanted"])
def test_it_is_not_repeated_to_who_does_not_want_it_any_more(post: Post, change: str) -> None:
    """It may not have arrived, and then the repeat would be a message that nobody wants: so it stays unknown."""
    cut_off(post)
    match change:
        case "opted out":
            post.world.prefers("alice", called=False)
        case "quiet hours":
            post.world.prefers("alice", quiet=QuietHours(time(20), time(23)))
        case _:
            post.greeting.unwanted = Skip(Reason.ALREADY_IN_VOICE)
    accepted = len(post.wire.sent)
    assert post.carry(post.row("alice")) is JobStatus.FAILED
    assert post.row("alice").status is DeliveryStatus.UNKNOWN
    assert len(post.wire.sent) == accepted


def test_after_a_minute_of_wall_time_it_is_unknown_and_never_repeated(post: Post) -> None:
    row = cut_off(post)
    post.pass_wall_time(row, 60 * SECOND)
    assert post.carry(row) is JobStatus.FAILED
    row = post.row("alice")
    assert (row.status, row.reason) == (DeliveryStatus.UNKNOWN, Explanation(Reason.DISCORD_DID_NOT_ANSWER, "ReadError"))
    assert row.settled_at == post.world.clock.now()
    assert len(post.attempts(row)) == 2, "nothing was tried any more"
    assert post.carry(row) is None


def test_within_that_minute_it_does_not_matter_how_fast_the_evening_runs(post: Post) -> None:
    row = cut_off(post)
    post.pass_wall_time(row, 50 * SECOND)
    post.world.clock.move_to(at(22))
    assert post.carry(row) is JobStatus.SENT


def test_where_the_provider_knows_no_nonce_it_is_unknown_at_once(post: Post) -> None:
    post.wire.repeatable_for, post.wire.cuts = timedelta(0), 1
    row = post.send("alice")
    assert (row.status, post.job(row).status) == (DeliveryStatus.UNKNOWN, JobStatus.FAILED)
    assert len(post.wire.sent) == 1


@pytest.mark.parametrize("refusal", [BUSY, SLOW_DOWN])
def test_a_refused_repeat_does_not_make_it_a_new_message_once_its_nonce_is_forgotten(
    post: Post, refusal: SendError
) -> None:
    """Discord took it, cut the connection, refused the repeat, and by then forgot the nonce."""
    first_tried_at = cut_off(post).first_tried_at
    post.wire.answers = [refusal]
    post.world.clock.move_to(at(20, 46))
    assert post.carry(post.row("alice")) is JobStatus.PENDING
    row = post.row("alice")
    assert (row.status, row.first_tried_at, row.text) == (DeliveryStatus.SENDING, first_tried_at, "Hello at 20:45:00")
    post.pass_wall_time(row, 92 * SECOND)
    post.carry(row)
    assert (post.row("alice").status, len(post.wire.sent)) == (DeliveryStatus.UNKNOWN, 1)


def test_a_repeat_that_is_refused_for_good_leaves_the_first_try_an_open_question(post: Post) -> None:
    row = cut_off(post)
    post.wire.answers = [CLOSED]
    assert post.carry(row) is JobStatus.FAILED
    row = post.row("alice")
    assert (row.status, row.reason) == (DeliveryStatus.UNKNOWN, CLOSED.reason)
    contact = post.contact("alice")
    assert contact is not None
    assert contact.unusable_reason == CLOSED.reason


@pytest.mark.parametrize("change", ["unlinked", "past its deadline"])
def test_it_is_not_repeated_to_who_is_unlinked_nor_after_its_deadline(post: Post, change: str) -> None:
    row = cut_off(post, deadline_at=at(21))
    if change == "unlinked":
        with post.world.session() as session:
            accounts.unlink_player(session, session.get_one(User, post.world.users["alice"]), now=at(20, 46))
    else:
        post.world.clock.move_to(at(21))
    assert post.carry(row) is JobStatus.FAILED
    assert (post.row("alice").status, len(post.wire.sent)) == (DeliveryStatus.UNKNOWN, 1)


def test_given_up_without_an_answer_it_is_unknown(post: Post) -> None:
    post.wire.answers = [Unanswered(Reason.OTHER, "no answer")] * 6
    post.plan("alice")
    row = post.row("alice")
    assert {post.carry(row) for _ in range(5)} == {JobStatus.PENDING}, "silence uses up no try"
    post.pass_wall_time(row, timedelta(minutes=1))
    assert post.carry(row) is JobStatus.FAILED
    assert (post.row("alice").status, post.row("alice").reason) == (
        DeliveryStatus.UNKNOWN,
        Explanation(Reason.OTHER, "no answer"),
    )


class Killed(BaseException):
    """No handler sees this one."""


def killed_while_sending(post: Post, *, arrived: bool) -> Delivery:
    """A worker dies between its two transactions; the scheduler takes the job back."""

    def die() -> None:
        raise Killed

    post.wire.meanwhile, post.wire.afterwards = (nothing, die) if arrived else (die, nothing)
    post.plan("alice")
    with pytest.raises(Killed):
        post.carry(post.row("alice"))
    post.wire.meanwhile = post.wire.afterwards = nothing
    row = post.row("alice")
    assert (row.status, len(post.wire.sent)) == (DeliveryStatus.SENDING, int(arrived))
    take_back(post, row)
    return row


def take_back(post: Post, row: Delivery) -> None:
    """The scheduler, after this delivery's lease has run out."""
    lease = post.job(row).lease_until
    assert lease is not None
    with post.world.session() as session:
        assert jobs.release_expired(session, now=post.world.clock.now(), wall=lease + SECOND) == []


@pytest.mark.parametrize("arrived", [True, False])
def test_a_worker_killed_while_sending_has_its_message_repeated_safely(post: Post, arrived: bool) -> None:
    row = killed_while_sending(post, arrived=arrived)
    post.pass_wall_time(row, LEASE)
    assert post.carry(row) is JobStatus.SENT
    row = post.row("alice")
    assert (row.status, post.wire.texts) == (DeliveryStatus.SENT, ["Hello at 20:45:00"])
    assert [(claim, event) for claim, event, _, _ in post.attempts(row)] == [(1, "begun"), (2, "begun"), (2, "ended")]


def test_a_worker_killed_while_sending_and_found_too_late_leaves_it_unknown(post: Post) -> None:
    row = killed_while_sending(post, arrived=True)
    post.pass_wall_time(row, 61 * SECOND)
    assert post.carry(row) is JobStatus.FAILED
    row = post.row("alice")
    assert (row.status, row.reason, len(post.wire.sent)) == (
        DeliveryStatus.UNKNOWN,
        Explanation(Reason.ANSWER_NOT_SEEN),
        1,
    )


def test_a_slow_worker_whose_message_was_repeated_by_another_writes_nothing(post: Post) -> None:
    post.plan("alice")
    row = post.row("alice")

    def is_overtaken() -> None:
        post.wire.meanwhile = nothing
        take_back(post, row)
        assert post.carry(row) is JobStatus.SENT

    post.wire.meanwhile = is_overtaken
    assert post.carry(row) is None
    assert (post.row("alice").status, len(post.wire.sent)) == (DeliveryStatus.SENT, 1)
    assert [(claim, event) for claim, event, _, _ in post.attempts(row)] == [(1, "begun"), (2, "begun"), (2, "ended")]
