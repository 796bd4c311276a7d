"""One message to one person: it leaves once, and what became of it is written down."""

import pytest
from sqlalchemy import delete

from slomix.accounts import service as accounts
from slomix.accounts.models import Player, User
from slomix.channels.base import Address, SendError
from slomix.contacts import service as contacts
from slomix.contacts.rules import QuietHours
from slomix.deliveries.handlers import SendDelivery
from slomix.deliveries.rules import DeliveryStatus, Skip
from slomix.deliveries.service import JOB_KIND
from slomix.jobs import service as jobs
from slomix.jobs.rules import JobStatus
from slomix.jobs.runner import JobContext, execute
from slomix.reasons.codes import Explanation, Reason
from tests.configuration import SUMMARY_ROOM
from tests.moments import at
from tests.world import CAST

from .sending import Post

BUSY = SendError(Reason.DISCORD_ANSWERED, "503")
CLOSED = SendError(Reason.DMS_CLOSED, permanent=True)


def test_a_delivery_is_sent_once_and_the_ledger_says_what_when_and_under_which_number(post: Post) -> None:
    row = post.send("alice")
    assert (row.status, row.text, row.message_id) == (DeliveryStatus.SENT, "Hello at 20:45:00", "0")
    assert (row.reason, row.settled_at) == (None, at(20, 45))
    [(to, message, nonce)] = post.wire.sent
    assert (to, message.text, nonce) == (Address(CAST["alice"]), row.text, row.nonce)
    assert post.attempts(row) == [(1, "begun", "sending", None), (1, "ended", "sent", None)]
    assert (post.job(row).status, post.carry(row)) == (JobStatus.SENT, None)
    assert len(post.wire.sent) == 1


def test_what_is_settled_does_not_leave_again_whatever_becomes_of_its_job(post: Post) -> None:
    row = post.send("alice")
    with post.world.session() as session:
        jobs.reopen(session, JOB_KIND, [str(row.id)], run_at=at(20, 45), deadline_at=None)
    assert post.carry(row) is JobStatus.SKIPPED
    assert (post.row("alice").status, len(post.attempts(row))) == (DeliveryStatus.SENT, 2)


def test_what_a_campaign_skipped_it_does_not_open_again_itself(post: Post) -> None:
    post.greeting.unwanted = Skip(Reason.ALREADY_IN_VOICE)
    post.send("alice")
    post.greeting.unwanted = None
    assert post.plan("alice", "erik") == 1, "only who has none yet"
    assert post.row("alice").status is DeliveryStatus.SKIPPED


def test_the_row_says_sending_before_the_message_leaves(post: Post) -> None:
    seen: list[object] = []
    post.wire.meanwhile = lambda: seen.extend([post.row("alice").status, *post.attempts(post.row("alice"))])
    assert post.send("alice").status is DeliveryStatus.SENT
    assert seen == [DeliveryStatus.SENDING, (1, "begun", "sending", None)]


def test_a_refusal_for_good_fails_the_delivery_and_marks_the_contact(post: Post) -> None:
    post.wire.answers = [CLOSED]
    row = post.send("alice")
    assert (row.status, row.reason) == (DeliveryStatus.FAILED, CLOSED.reason)
    assert post.job(row).status is JobStatus.FAILED
    contact = post.contact("alice")
    assert contact is not None
    assert (contact.unusable_since, contact.unusable_reason) == (at(20, 45), CLOSED.reason)
    later = post.plan("alice", key="ANOTHER:2026-11-20")
    assert later == 1
    [_, second] = post.rows()
    post.carry(second)
    [_, second] = post.rows()
    assert (second.status, second.reason) == (DeliveryStatus.SKIPPED, Explanation(Reason.NO_WORKING_CONTACT))


def test_a_passing_failure_is_tried_again_with_the_words_of_then_and_both_tries_are_kept(post: Post) -> None:
    post.wire.answers = [BUSY]
    row = post.send("alice")
    assert (row.status, row.reason, row.settled_at) == (DeliveryStatus.PENDING, BUSY.reason, None)
    contact = post.contact("alice")
    assert contact is not None
    assert (contact.unusable_since, contact.last_error, contact.last_error_at) == (None, BUSY.reason, at(20, 45))
    post.world.clock.move_to(at(20, 50))
    assert post.carry(row) is JobStatus.SENT
    row = post.row("alice")
    assert (row.status, row.text, row.reason) == (DeliveryStatus.SENT, "Hello at 20:50:00", None)
    assert post.attempts(row) == [
        (1, "begun", "sending", None),
        (1, "ended", "pending", BUSY.reason),
        (2, "begun", "sending", None),
        (2, "ended", "sent", None),
    ]


def test_one_recipients_failure_is_retried_alone(post: Post) -> None:
    post.plan("alice", "erik", "franka")
    post.wire.answers = [None, BUSY, None]
    for name in ("alice", "erik", "franka"):
        post.carry(post.row(name))
    assert [row.status.value for row in post.rows()] == ["sent", "pending", "sent"]
    post.carry(post.row("erik"))
    assert sorted(to.value for to, _, _ in post.wire.sent) == sorted(CAST[name] for name in ("alice", "erik", "franka"))


def test_after_the_last_attempt_a_message_that_was_refused_has_failed(post: Post) -> None:
    post.wire.answers = [BUSY] * 5
    post.plan("alice")
    row = post.row("alice")
    assert [post.carry(row) for _ in range(5)] == [JobStatus.PENDING] * 4 + [JobStatus.FAILED]
    row = post.row("alice")
    assert (row.status, row.reason, row.settled_at) == (DeliveryStatus.FAILED, BUSY.reason, post.world.clock.now())
    assert len(post.attempts(row)) == 10


def test_words_that_cannot_be_found_fail_the_delivery_with_their_last_error(post: Post) -> None:
    post.greeting.broken = [f"bug {number}" for number in range(1, 6)]
    post.plan("alice")
    row = post.row("alice")
    for _ in range(5):
        post.carry(row)
    row = post.row("alice")
    assert (row.status, row.reason) == (DeliveryStatus.FAILED, Explanation(Reason.CRASHED, "ValueError: bug 5"))
    assert post.wire.sent == []


def test_the_id_of_the_dm_channel_is_learned_and_used_next_time(post: Post) -> None:
    post.wire.learns = "7001"
    post.send("alice")
    contact = post.contact("alice")
    assert contact is not None
    assert (contact.learned, contact.last_success_at) == ("7001", at(20, 45))
    post.plan("alice", key="ANOTHER:2026-11-20")
    post.carry(post.rows()[-1])
    assert [to for to, _, _ in post.wire.sent] == [
        Address(CAST["alice"]),
        Address(CAST["alice"], learned="7001"),
    ]


def test_a_room_has_a_row_without_a_player_and_is_told_once(post: Post) -> None:
    assert post.plan_room(SUMMARY_ROOM) == 1
    assert post.plan_room(SUMMARY_ROOM) == 0
    row = post.row(None)
    assert post.carry(row) is JobStatus.SENT
    assert [to for to, _, _ in post.wire.sent] == [Address(SUMMARY_ROOM, is_room=True)]
    assert (row.player_id, row.destination) == (None, SUMMARY_ROOM)


def test_a_room_that_refuses_for_good_marks_nobodys_contact(post: Post) -> None:
    post.wire.answers = [SendError(Reason.DISCORD_SAID, "Missing Access (50001)", permanent=True)]
    post.plan_room(SUMMARY_ROOM)
    post.carry(post.row(None))
    assert post.row(None).status is DeliveryStatus.FAILED
    assert all((contact := post.contact(name)) and contact.unusable_since is None for name in ("alice", "bob"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("quiet", Explanation(Reason.QUIET_HOURS)),
        ("opted out", Explanation(Reason.NOT_OPTED_IN)),
        ("unlinked", Explanation(Reason.NOT_LINKED)),
        ("left", Explanation(Reason.LEFT_OUR_SERVER)),
        ("removed", Explanation(Reason.NO_WORKING_CONTACT)),
        ("unwanted", Explanation(Reason.ALREADY_IN_VOICE)),
        ("expired", Explanation(Reason.EXPIRED)),
    ],
)
def test_each_recipient_is_looked_at_again_when_it_is_time_and_a_skip_has_its_reason(
    post: Post, change: str, reason: Explanation
) -> None:
    world = post.world
    post.plan("alice", "erik", deadline_at=at(21))
    match change:
        case "quiet":
            world.prefers("alice", quiet=QuietHours(at(20, 30).time(), at(23).time()))
        case "opted out":
            world.prefers("alice", called=False)
        case "unlinked":
            with world.session() as session:
                accounts.unlink_player(session, session.get_one(User, world.users["alice"]), now=at(20, 40))
        case "left":
            with world.session() as session:
                user = session.get_one(User, world.users["alice"])
                accounts.record_membership(session, user, is_member=False, now=at(20, 40))
        case "removed":
            with world.session() as session:
                contacts.delete_contacts_and_preferences(session, world.players["alice"])
            world.prefers("alice")
        case "unwanted":
            post.greeting.unwanted = Skip(Reason.ALREADY_IN_VOICE)
        case "expired":
            world.clock.move_to(at(21))
    row = post.row("alice")
    assert post.carry(row) is JobStatus.SKIPPED
    row = post.row("alice")
    assert (row.status, row.reason, row.settled_at) == (DeliveryStatus.SKIPPED, reason, world.clock.now())
    assert (post.job(row).reason, post.attempts(row), post.wire.sent) == (reason, [], [])
    if change not in {"unwanted", "expired"}:
        assert post.carry(post.row("erik")) is JobStatus.SENT, "nobody else is skipped"


def test_a_message_that_could_not_leave_until_its_deadline_has_failed_with_the_last_error(post: Post) -> None:
    post.wire.answers = [BUSY]
    post.send("alice", deadline_at=at(21))
    post.world.clock.move_to(at(21))
    row = post.row("alice")
    assert post.carry(row) is JobStatus.FAILED
    row = post.row("alice")
    assert (row.status, row.reason) == (DeliveryStatus.FAILED, BUSY.reason)
    assert post.wire.sent == []


def test_a_delivery_whose_player_is_gone_stops_neither_worker_nor_scheduler(post: Post) -> None:
    post.plan("alice")
    job = post.job(post.row("alice"))
    post.world.clock.move_to(at(20, 45))
    handler = SendDelivery({"greeting": post.greeting})
    with post.world.session() as session:
        session.execute(delete(Player).where(Player.id == post.world.players["alice"]))
        handler.give_up(JobContext(post.world.runtime, session, job, at(20, 45)))
    assert post.rows() == []
    assert execute(post.world.runtime, handler, job.id) is JobStatus.SKIPPED
