"""An answer that comes when the job has long been somebody else's is still the truth about the message."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from slomix.channels.base import SendError
from slomix.clock import wall_now
from slomix.contacts.rules import ChannelName
from slomix.deliveries import retrying
from slomix.deliveries.handlers import SendDelivery
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.jobs.runner import execute
from slomix.processes import dispatch
from slomix.reasons.codes import Reason

from .sending import CHAT, Post, nothing


def taken_back(post: Post) -> None:
    """The worker was gone for so long that its lease ran out and another one looked at the message."""
    row = next(row for row in post.rows() if row.status is DeliveryStatus.SENDING)
    with post.world.session() as session:
        job = session.get_one(Job, post.job(row).id)
        session.execute(update(Job).where(Job.id == job.id).values(lease_until=wall_now() - timedelta(seconds=1)))
    dispatch.release_jobs(post.world.runtime)
    assert execute(post.world.runtime, SendDelivery({"greeting": post.greeting}), post.job(row).id) is not None


@pytest.fixture
def on_telegram(post: Post) -> Post:
    post.world.has("alice", ChannelName.TELEGRAM, CHAT)
    return post


def test_what_was_unknown_has_arrived_after_all(on_telegram: Post) -> None:
    post = on_telegram
    seen: list[Delivery] = []

    def meanwhile() -> None:
        taken_back(post)
        seen.append(post.row("alice"))

    post.telegram.afterwards = meanwhile
    row = post.send("alice")
    assert [one.status for one in seen] == [DeliveryStatus.UNKNOWN]
    assert (row.status, row.reason, row.message_id) == (DeliveryStatus.SENT, None, "0")
    assert len(post.telegram.sent) == 1, "and nobody sent it again"
    assert [(claim, event, status) for claim, event, status, _ in post.attempts(row)] == [
        (1, "begun", "sending"),
        (1, "ended", "sent"),
    ]
    contact = post.contact("alice", ChannelName.TELEGRAM)
    assert contact is not None
    assert contact.last_success_at is not None


@pytest.mark.parametrize(
    ("is_tried", "status"), [(False, DeliveryStatus.PENDING), (True, DeliveryStatus.UNKNOWN)], ids=["waits", "unknown"]
)
def test_a_late_answer_says_nothing_about_a_message_that_was_begun_anew(
    on_telegram: Post, is_tried: bool, status: DeliveryStatus
) -> None:
    post = on_telegram

    def meanwhile() -> None:
        post.telegram.afterwards = nothing
        taken_back(post)
        row = post.row("alice")
        with post.world.session() as session:
            assert retrying.retry_deliveries(session, row.subject, [row.id], now=post.world.clock.now()) == 1
        if is_tried:
            post.telegram.cuts = 1
            post.carry(row)

    post.telegram.afterwards = meanwhile
    row = post.send("alice")
    assert (row.status, row.message_id) == (status, None)


def test_a_late_refusal_leaves_the_question_open(on_telegram: Post) -> None:
    """It may be the answer to another try than the one that nobody saw."""
    post = on_telegram
    post.telegram.meanwhile = lambda: taken_back(post)
    post.telegram.answers = [SendError(Reason.TELEGRAM_SAID, "Bad Gateway (502)")]
    assert post.send("alice").status is DeliveryStatus.UNKNOWN


def test_on_discord_the_other_worker_gets_the_same_message_and_one_line_says_so(post: Post) -> None:
    done: list[bool] = []

    def meanwhile() -> None:
        if not done:
            done.append(True)
            taken_back(post)

    post.wire.afterwards = meanwhile
    row = post.send("alice")
    assert (row.status, post.job(row).status) == (DeliveryStatus.SENT, JobStatus.SENT)
    assert len(post.wire.sent) == 1
    assert [status for _, event, status, _ in post.attempts(row) if event == "ended"] == ["sent"]
