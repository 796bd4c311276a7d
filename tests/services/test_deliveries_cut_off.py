"""A message that left and got no answer: repeated while its nonce is remembered, then asked about. Never twice."""

from dataclasses import replace
from datetime import time, timedelta

import pytest
from sqlalchemy import update

from slomix.accounts import service as accounts
from slomix.accounts.models import User
from slomix.channels.base import RateLimited, SendError, Unanswered
from slomix.clock import wall_now
from slomix.contacts.rules import ChannelName, QuietHours
from slomix.deliveries import rules
from slomix.deliveries.handlers import PreparedSend, SendDelivery
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus, Skip
from slomix.deliveries.service import JOB_KIND
from slomix.jobs import runner
from slomix.jobs.models import Job
from slomix.jobs.rules import LEASE, JobStatus
from slomix.processes import dispatch
from slomix.reasons.codes import Explanation, Reason
from tests.moments import at

from .sending import CHAT, Post, nothing

SECOND = timedelta(seconds=1)
BUSY = SendError(Reason.DISCORD_ANSWERED, "503")
SLOW_DOWN = RateLimited(Reason.DISCORD_IS_BUSY, retry_after=timedelta(seconds=90))
CLOSED = SendError(Reason.DMS_CLOSED, permanent=True)
CUT = Unanswered(Reason.OTHER, "no answer")
READ_ERROR = Explanation(Reason.DISCORD_DID_NOT_ANSWER, "ReadError")


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


def never_arrives(post: Post, **more: object) -> Delivery:
    """Alice's message left, was not taken, and nobody heard of it."""
    post.wire.answers = [CUT]
    row = post.send("alice", **more)
    assert (row.status, len(post.wire.sent)) == (DeliveryStatus.SENDING, 0)
    return row


def asked(post: Post, row: Delivery, after: timedelta = 60 * SECOND) -> Delivery:
    """So much later a worker asks what became of it."""
    post.pass_wall_time(after)
    post.carry(row)
    return post.row("alice")


def no_longer_wanted(post: Post, change: str) -> Reason:
    match change:
        case "opted out":
            post.world.prefers("alice", called=False)
            return Reason.NOT_OPTED_IN
        case "quiet hours":
            post.world.prefers("alice", quiet=QuietHours(time(20), time(23)))
            return Reason.QUIET_HOURS
    post.greeting.unwanted = Skip(Reason.ALREADY_IN_VOICE)
    return Reason.ALREADY_IN_VOICE


CHANGES = ["opted out", "quiet hours", "unwanted"]


@pytest.mark.parametrize("change", CHANGES)
def test_who_does_not_want_it_any_more_gets_no_repeat_and_the_ledger_learns_that_it_arrived(
    post: Post, change: str
) -> None:
    row = cut_off(post)
    no_longer_wanted(post, change)
    row = asked(post, row, rules.ASK_AFTER)
    assert (row.status, row.message_id, len(post.wire.sent)) == (DeliveryStatus.SENT, "0", 1)


@pytest.mark.parametrize("change", CHANGES)
def test_what_never_arrived_and_is_not_wanted_any_more_is_left_out(post: Post, change: str) -> None:
    row = never_arrives(post)
    why = no_longer_wanted(post, change)
    row = asked(post, row, rules.ASK_AFTER)
    assert row.status is DeliveryStatus.PENDING
    post.carry(row)
    row = post.row("alice")
    assert (row.status, row.reason, post.wire.sent) == (DeliveryStatus.SKIPPED, Explanation(why), [])


def test_after_a_minute_of_wall_time_discord_is_asked_and_it_is_not_repeated(post: Post) -> None:
    row = cut_off(post)
    nonce, first_tried_at = row.nonce, row.first_tried_at
    row = asked(post, row)
    assert (row.status, row.reason, row.message_id) == (DeliveryStatus.SENT, None, "0")
    assert (post.job(row).status, row.settled_at) == (JobStatus.SENT, post.world.clock.now())
    [(to, mark, since)] = post.wire.asked
    assert first_tried_at is not None
    assert (to.value, mark) == (post.world.discord_ids["alice"], nonce)
    assert since == first_tried_at - rules.LOOK_BACK, "what is older is not ours"
    assert len(post.wire.sent) == 1
    assert [(event, status) for _, event, status, _ in post.attempts(row)] == [
        ("begun", "sending"),
        ("ended", "sending"),
        ("asked", "sent"),
    ]


def test_what_is_not_there_leaves_anew_with_a_new_nonce_and_new_words(post: Post) -> None:
    row = never_arrives(post)
    nonce = row.nonce
    row = asked(post, row)
    assert (row.status, row.reason) == (DeliveryStatus.PENDING, CUT.reason)
    assert row.nonce != nonce, "Discord may have forgotten the old one at any moment"
    post.world.clock.move_to(at(20, 47))
    assert post.carry(row) is JobStatus.SENT
    assert (post.wire.texts, post.wire.sent[0][2]) == (["Hello at 20:47:00"], row.nonce)
    assert [(event, status) for _, event, status, _ in post.attempts(row)] == [
        ("begun", "sending"),
        ("ended", "sending"),
        ("asked", "pending"),
        ("begun", "sending"),
        ("ended", "sent"),
    ]


def test_nobody_is_asked_before_the_last_try_had_its_time_to_arrive(post: Post) -> None:
    row = cut_off(post)
    post.greeting.unwanted = Skip(Reason.ALREADY_IN_VOICE)
    row = asked(post, row, rules.ASK_AFTER - SECOND)
    assert (row.status, post.wire.asked, post.job(row).attempts) == (DeliveryStatus.SENDING, [], 0)
    row = asked(post, row, SECOND)
    assert (row.status, len(post.wire.asked)) == (DeliveryStatus.SENT, 1)


HIDDEN = SendError(Reason.DISCORD_HIDES_ROOM)
DOWN = SendError(Reason.DISCORD_ANSWERED, "503")


@pytest.mark.parametrize("refusal", [HIDDEN, DOWN, RateLimited(Reason.DISCORD_IS_BUSY, retry_after=SECOND)])
@pytest.mark.parametrize("arrived", [True, False])
def test_what_cannot_be_read_is_asked_again_until_the_deadline_and_is_then_unknown(
    post: Post, refusal: SendError, arrived: bool
) -> None:
    make = cut_off if arrived else never_arrives
    row, post.wire.hidden = make(post, deadline_at=at(21)), refusal
    for _ in range(10):
        row = asked(post, row)
        assert (row.status, post.job(row).status) == (DeliveryStatus.SENDING, JobStatus.PENDING)
    assert len(post.wire.asked) == 10
    post.world.clock.move_to(at(21))
    row = asked(post, row)
    assert (row.status, post.job(row).status) == (DeliveryStatus.UNKNOWN, JobStatus.FAILED)
    assert row.reason == replace(CUT.reason if not arrived else READ_ERROR, then=refusal.reason)
    assert len(post.wire.sent) == int(arrived)


def test_what_can_be_read_again_is_settled(post: Post) -> None:
    row, post.wire.hidden = cut_off(post), HIDDEN
    row = asked(post, row)
    post.wire.hidden = None
    assert asked(post, row, SECOND).status is DeliveryStatus.SENT


def test_a_bug_in_the_words_does_not_keep_anybody_from_asking(post: Post) -> None:
    row = cut_off(post)
    post.greeting.broken = ["a bug"] * 9
    assert asked(post, row).status is DeliveryStatus.SENT


def test_without_a_deadline_the_question_is_open_for_a_while(post: Post) -> None:
    row, post.wire.hidden = cut_off(post), HIDDEN
    assert asked(post, row).status is DeliveryStatus.SENDING
    assert asked(post, row, rules.LONGEST_QUESTION).status is DeliveryStatus.UNKNOWN


def test_what_is_not_there_at_its_deadline_has_failed_and_not_merely_expired(post: Post) -> None:
    row = never_arrives(post, deadline_at=at(21))
    post.world.clock.move_to(at(21))
    row = asked(post, row)
    assert (row.status, row.reason, post.wire.sent) == (DeliveryStatus.FAILED, CUT.reason, [])


def test_what_is_not_there_shortly_before_its_deadline_takes_the_next_channel(post: Post) -> None:
    post.world.has("alice", ChannelName.TELEGRAM, CHAT)
    post.world.prefers("alice", preferred_channel="discord")
    never_arrives(post, deadline_at=at(21))
    post.world.clock.move_to(at(20, 59, 30))
    post.pass_wall_time(60 * SECOND)
    assert [(channel, status) for channel, status, _, _ in post.carry_all()] == [
        ("discord", "failed"),
        ("telegram", "sent"),
    ]


def test_within_that_minute_it_does_not_matter_how_fast_the_evening_runs(post: Post) -> None:
    row = cut_off(post)
    post.pass_wall_time(50 * SECOND)
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
    row = asked(post, row, 92 * SECOND)
    assert (row.status, len(post.wire.sent)) == (DeliveryStatus.SENT, 1)


@pytest.mark.parametrize("arrived", [True, False])
def test_a_repeat_that_is_refused_for_good_leaves_the_first_try_an_open_question(post: Post, arrived: bool) -> None:
    row = cut_off(post) if arrived else never_arrives(post)
    post.wire.answers = [CLOSED] * 2
    assert post.carry(row) is JobStatus.PENDING
    row = post.row("alice")
    assert (row.status, row.reason) == (DeliveryStatus.SENDING, CLOSED.reason)
    contact = post.contact("alice")
    assert contact is not None
    assert contact.unusable_reason == CLOSED.reason
    row = asked(post, row)
    if not arrived:
        post.carry(row)
    assert post.row("alice").status is (DeliveryStatus.SENT if arrived else DeliveryStatus.SKIPPED)


def test_it_is_not_asked_about_who_is_unlinked(post: Post) -> None:
    row = cut_off(post, deadline_at=at(21))
    with post.world.session() as session:
        accounts.unlink_player(session, session.get_one(User, post.world.users["alice"]), now=at(20, 46))
    row = asked(post, row)
    assert (row.status, post.wire.asked, len(post.wire.sent)) == (DeliveryStatus.UNKNOWN, [], 1)


def test_it_is_not_repeated_after_its_deadline_but_asked_about(post: Post) -> None:
    row = cut_off(post, deadline_at=at(21))
    post.world.clock.move_to(at(21))
    row = asked(post, row, rules.ASK_AFTER)
    assert (row.status, len(post.wire.sent)) == (DeliveryStatus.SENT, 1)


def test_however_often_there_is_no_answer_it_is_asked_about_in_the_end(post: Post) -> None:
    post.wire.answers = [CUT] * 8
    post.plan("alice")
    row = post.row("alice")
    assert [post.carry(row) for _ in range(8)] == [JobStatus.PENDING] * 8
    assert asked(post, row).status is DeliveryStatus.PENDING


class Killed(BaseException):
    """No handler sees this one."""


def die() -> None:
    raise Killed


def killed_while_sending(post: Post, *, arrived: bool) -> Delivery:
    """A worker dies between its two transactions; the scheduler takes the job back."""

    post.wire.meanwhile, post.wire.afterwards = (nothing, die) if arrived else (die, nothing)
    post.plan("alice")
    with pytest.raises(Killed):
        post.carry(post.row("alice"))
    post.wire.meanwhile = post.wire.afterwards = nothing
    row = post.row("alice")
    assert (row.status, len(post.wire.sent)) == (DeliveryStatus.SENDING, int(arrived))
    post.take_back(row)
    return row


@pytest.mark.parametrize("arrived", [True, False])
def test_a_worker_killed_while_sending_has_its_message_repeated_safely(post: Post, arrived: bool) -> None:
    row = killed_while_sending(post, arrived=arrived)
    post.pass_wall_time(LEASE)
    assert post.carry(row) is JobStatus.SENT
    row = post.row("alice")
    assert (row.status, post.wire.texts) == (DeliveryStatus.SENT, ["Hello at 20:45:00"])
    assert [(claim, event) for claim, event, _, _ in post.attempts(row)] == [(1, "begun"), (2, "begun"), (2, "ended")]


@pytest.mark.parametrize("arrived", [True, False])
def test_a_worker_killed_while_sending_and_found_too_late_is_asked_about(post: Post, arrived: bool) -> None:
    row = asked(post, killed_while_sending(post, arrived=arrived), 61 * SECOND)
    assert len(post.wire.asked) == 1
    if not arrived:
        assert (row.status, row.reason) == (DeliveryStatus.PENDING, Explanation(Reason.ANSWER_NOT_SEEN))
        post.carry(row)
    assert (post.row("alice").status, len(post.wire.sent)) == (DeliveryStatus.SENT, 1)


def test_a_worker_killed_on_the_last_try_leaves_a_question_and_no_end(post: Post) -> None:
    post.plan("alice")
    with post.world.session() as session:
        session.execute(update(Job).values(max_attempts=1))
    with pytest.raises(Killed):
        post.wire.afterwards = die
        post.carry(post.row("alice"))
    post.wire.afterwards = nothing
    row = post.row("alice")
    with post.world.session() as session:
        session.execute(update(Job).values(lease_until=wall_now() - SECOND))
    handlers = {JOB_KIND: SendDelivery({"greeting": post.greeting})}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch, "HANDLERS", handlers)
        dispatch.release_jobs(post.world.runtime)
    assert (post.row("alice").status, post.job(row).status) == (DeliveryStatus.SENDING, JobStatus.PENDING)
    assert asked(post, row).status is DeliveryStatus.SENT


def test_a_worker_that_was_stopped_beyond_its_lease_sends_nothing_any_more(post: Post) -> None:
    """Somebody else may have asked meanwhile, and found nothing."""
    handler = SendDelivery({"greeting": post.greeting})
    post.plan("alice")
    row = post.row("alice")
    post.world.clock.move_to(at(20, 45))
    begun = runner._begin(post.world.runtime, handler, post.job(row).id)
    assert isinstance(begun, runner._Begun)
    assert isinstance(begun.prepared, PreparedSend)
    answer = handler.act(post.world.runtime, replace(begun.prepared, lease_until=wall_now()))
    assert isinstance(answer.said, SendError)
    assert post.wire.sent == []


def test_a_slow_worker_whose_message_was_repeated_by_another_writes_nothing(post: Post) -> None:
    post.plan("alice")
    row = post.row("alice")

    def is_overtaken() -> None:
        post.wire.meanwhile = nothing
        post.take_back(row)
        assert post.carry(row) is JobStatus.SENT

    post.wire.meanwhile = is_overtaken
    assert post.carry(row) is None
    assert (post.row("alice").status, len(post.wire.sent)) == (DeliveryStatus.SENT, 1)
    assert [(claim, event) for claim, event, _, _ in post.attempts(row)] == [(1, "begun"), (2, "begun"), (2, "ended")]
