"""A provider that is out: messages are held without using up a try, probed for, and released all at once."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from slomix.channels.base import ProviderDown, SendError, TokenRefused, Unanswered
from slomix.clock import wall_now
from slomix.contacts.rules import ChannelName
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.health import outages
from slomix.health.models import Outage
from slomix.jobs import holding
from slomix.jobs.models import Job
from slomix.jobs.rules import HELD, HELD_TO_THE_END, JobStatus
from slomix.processes.probing import Prober
from slomix.reasons.codes import Reason
from tests.moments import at
from tests.services.sending import CHAT, Post

# What may happen while a provider is out, in any order.
EVENTS = ("out", "back", "answers probes only", "work", "probe", "a worker dies", "minutes pass")
DOWN = ProviderDown(Reason.DISCORD_ANSWERED, "503 Service Unavailable")
SILENT = Unanswered(Reason.DISCORD_DID_NOT_ANSWER, "ReadTimeout")
CLOSED = SendError(Reason.DMS_CLOSED, permanent=True)
THREE = ("alice", "erik", "franka")
DEADLINE = at(21, 0)


def out(post: Post, channel: str = "discord") -> Outage | None:
    with post.world.session() as session:
        return session.get(Outage, channel, populate_existing=True)


def work(post: Post, *names: str) -> list[JobStatus | None]:
    """The scheduler releases what it may, and workers try what is due by now; held jobs are left alone."""
    with post.world.session() as session:
        outages.release_held(session, now=post.world.clock.now())
        due = Job.wait_until.is_(None) | (Job.wait_until < HELD)
        session.execute(update(Job).where(due).values(wait_until=None))
        held = set(session.scalars(select(Job.subject).where(Job.wait_until >= HELD)))
    rows = [row for name in names for row in post.rows_of(name)]
    return [post.execute(row) for row in rows if not row.status.is_settled and str(row.id) not in held]


def probe(post: Post, channel: str = "discord") -> None:
    """A worker's turn at probing."""
    Prober(post.world.runtime, None).probe(channel)  # type: ignore[arg-type]


def goes_out(post: Post, *, names: tuple[str, ...] = THREE) -> None:
    """Discord is out, and these players' messages have met it."""
    post.wire.is_out = True
    post.plan(*names, deadline_at=DEADLINE)
    post.world.clock.move_to(at(20, 45))
    work(post, *names)
    work(post, *names)


def statuses(post: Post, *names: str) -> list[DeliveryStatus]:
    return [post.row(name).status for name in names]


def test_an_outage_holds_everybody_and_uses_up_no_try(post: Post) -> None:
    goes_out(post)
    for _ in range(20):
        work(post, *THREE)
        probe(post)
    jobs = [post.job(post.row(name)) for name in THREE]
    assert [(job.status, job.attempts, job.wait_until) for job in jobs] == [(JobStatus.PENDING, 0, HELD)] * 3
    found = out(post)
    assert found is not None
    assert (found.is_confirmed, found.since) == (True, at(20, 45))
    assert post.wire.pings == 20
    # Nobody's message is used for knocking.
    assert len(post.attempts(post.row("alice"))) == 2


def test_one_recipients_failure_holds_nobody_else(post: Post) -> None:
    post.wire.answers = [DOWN]
    post.plan(*THREE, deadline_at=DEADLINE)
    post.world.clock.move_to(at(20, 45))
    work(post, *THREE)
    assert statuses(post, *THREE) == [DeliveryStatus.PENDING, DeliveryStatus.SENT, DeliveryStatus.SENT]
    assert (out(post), post.job(post.row("alice")).attempts) == (None, 0)


def test_a_recipient_whose_message_always_fails_is_no_outage_while_probes_are_answered(post: Post) -> None:
    post.wire.answers = [DOWN] * 4
    post.plan("alice", deadline_at=DEADLINE)
    post.world.clock.move_to(at(20, 45))
    for _ in range(4):
        work(post, "alice")
        probe(post)
    found = out(post)
    assert found is not None
    assert not found.is_confirmed
    work(post, "alice")
    assert (post.row("alice").status, out(post)) == (DeliveryStatus.SENT, None)


def test_a_probe_that_fails_confirms_what_one_recipient_met(post: Post) -> None:
    goes_out(post, names=("alice",))
    found = out(post)
    assert found is not None
    assert not found.is_confirmed
    probe(post)
    work(post, "alice")
    assert post.job(post.row("alice")).wait_until == HELD


def test_old_failures_are_no_evidence_together(post: Post) -> None:
    with post.world.session() as session:
        now, wall = at(20, 0), wall_now() - timedelta(minutes=1)
        assert not outages.record_failure(session, "discord", DOWN, 1, now=now, wall=wall)
        assert not outages.record_failure(session, "discord", DOWN, 2, now=at(20, 45), wall=wall_now())
    found = out(post)
    assert found is not None
    assert (found.since, found.is_confirmed) == (at(20, 45), False)


def test_the_first_success_releases_everybody(post: Post) -> None:
    goes_out(post)
    post.wire.is_out = False
    probe(post)
    work(post, *THREE)
    assert sorted(statuses(post, *THREE)) == [DeliveryStatus.PENDING, DeliveryStatus.PENDING, DeliveryStatus.SENT]
    assert out(post) is None
    work(post, *THREE)
    assert statuses(post, *THREE) == [DeliveryStatus.SENT] * 3
    assert len(post.wire.sent) == 3


def test_a_refusal_of_one_recipient_proves_too_that_the_provider_is_back(post: Post) -> None:
    goes_out(post)
    post.wire.is_out, post.wire.answers = False, [CLOSED]
    probe(post)
    work(post, *THREE)
    assert out(post) is None


def test_a_provider_that_answers_probes_but_takes_no_message_gets_one_on_trial_at_a_time(post: Post) -> None:
    goes_out(post)
    post.wire.is_out, post.wire.answers = False, [DOWN] * 3
    for left in (2, 1, 0):
        probe(post)
        work(post, *THREE)
        assert len(post.wire.answers) == left
    # Another recipient each time.
    assert sorted(len(post.attempts(post.row(name))) for name in THREE) == [2, 4, 4]
    probe(post)
    work(post, *THREE)
    work(post, *THREE)
    assert statuses(post, *THREE) == [DeliveryStatus.SENT] * 3


def test_a_trial_that_never_ends_is_followed_by_another(post: Post) -> None:
    goes_out(post)
    post.wire.is_out = False
    probe(post)  # and the worker that would send the released message dies
    first = out(post)
    probe(post)
    second = out(post)
    assert first is not None
    assert second is not None
    assert first.trial_job_id not in (None, second.trial_job_id)
    work(post, *THREE)
    assert out(post) is None


def test_an_outage_that_holds_nothing_is_over_with_the_first_answered_probe(post: Post) -> None:
    with post.world.session() as session:
        for delivery in (1, 2):
            outages.record_failure(session, "discord", DOWN, delivery, now=at(20, 45), wall=wall_now())
    probe(post)
    assert out(post) is None


def test_workers_take_turns_at_probing_and_a_dead_ones_turn_passes_on(post: Post) -> None:
    goes_out(post)
    wall = wall_now() + timedelta(minutes=1)
    with post.world.session() as session:
        assert outages.claim_probes(session, ["discord", "telegram"], wall=wall) == ["discord"]
        assert outages.claim_probes(session, ["discord"], wall=wall) == []  # which then dies
        assert outages.claim_probes(session, ["discord"], wall=wall + outages.PROBE_LEASE) == ["discord"]


def test_a_token_that_is_refused_stops_everybody_at_once_and_is_probed_once_a_minute(post: Post) -> None:
    post.wire.answers = [TokenRefused(Reason.DISCORD_ANSWERED, "401 Unauthorized")]
    post.plan(*THREE, deadline_at=DEADLINE)
    post.world.clock.move_to(at(20, 45))
    work(post, *THREE)
    assert len(post.wire.sent) == 0
    assert all(post.job(post.row(name)).wait_until == HELD for name in THREE)
    found = out(post)
    assert found is not None
    assert found.probe_every == timedelta(minutes=1)
    # A worker starts, perhaps with a new token.
    wall = wall_now()
    with post.world.session() as session:
        session.execute(update(Outage).values(probe_at=wall + timedelta(minutes=1)))
        outages.probe_soon(session, wall=wall)
        assert outages.claim_probes(session, ["discord"], wall=wall) == ["discord"]


def test_who_has_another_channel_is_moved_there_after_three_minutes(post: Post) -> None:
    post.world.has("alice", ChannelName.TELEGRAM, CHAT)
    post.world.prefers("alice", preferred_channel="discord")
    goes_out(post)
    post.world.clock.move_to(at(20, 47, 59))
    work(post, *THREE)
    assert post.arrived() == {}
    post.world.clock.move_to(at(20, 48))
    work(post, *THREE)
    assert post.arrived() == {ChannelName.TELEGRAM: [CHAT]}
    assert (post.row("alice").channel, post.row("alice").status) == (ChannelName.TELEGRAM, DeliveryStatus.SENT)
    # The others wait on, without being looked at again and again.
    assert work(post, *THREE) == []
    assert post.job(post.row("erik")).wait_until == HELD_TO_THE_END
    post.wire.is_out = False
    probe(post)
    work(post, *THREE)
    work(post, *THREE)
    assert statuses(post, *THREE) == [DeliveryStatus.SENT] * 3


def test_whose_message_may_have_arrived_is_not_moved(post: Post) -> None:
    post.world.has("alice", ChannelName.TELEGRAM, CHAT)
    post.world.prefers("alice", preferred_channel="discord")
    post.wire.answers = [SILENT]
    post.plan("alice", deadline_at=DEADLINE)
    post.world.clock.move_to(at(20, 45))
    work(post, "alice")
    post.wire.is_out = True
    probe(post)
    work(post, "alice")
    post.world.clock.move_to(at(20, 50))
    work(post, "alice")
    assert (post.row("alice").status, post.arrived()) == (DeliveryStatus.SENDING, {})


def test_a_question_waits_for_the_providers_return_and_is_not_looked_at_again_and_again(post: Post) -> None:
    post.wire.answers = [SILENT]
    post.plan("alice", deadline_at=DEADLINE)
    post.world.clock.move_to(at(20, 45))
    work(post, "alice")
    post.wire.is_out = True
    probe(post)
    post.pass_wall_time(timedelta(seconds=61))
    post.world.clock.move_to(at(20, 49))
    work(post, "alice")
    assert work(post, "alice") == []
    assert (post.job(post.row("alice")).wait_until, post.wire.asked) == (HELD_TO_THE_END, [])
    post.wire.is_out = False
    probe(post)
    for _ in range(2):
        work(post, "alice")
    assert (post.row("alice").status, len(post.wire.asked)) == (DeliveryStatus.SENT, 1)


@pytest.mark.parametrize("reason", [Reason.WORKER_DID_NOT_COME_BACK, Reason.NOT_E164])
def test_what_we_find_ourselves_is_no_answer_of_a_provider(post: Post, reason: Reason) -> None:
    goes_out(post)
    post.wire.is_out = False
    post.wire.answers = [SendError(reason)]
    probe(post)
    work(post, *THREE)
    assert out(post) is not None


@pytest.mark.parametrize("reason", [Reason.SWITCHED_OFF, Reason.DISCORD_TOO_SLOW])
def test_a_question_that_was_not_asked_ends_no_outage(post: Post, reason: Reason) -> None:
    post.wire.answers = [SILENT]
    post.plan("alice", deadline_at=DEADLINE)
    post.world.clock.move_to(at(20, 45))
    work(post, "alice")
    post.pass_wall_time(timedelta(seconds=61))
    post.wire.hidden = SendError(reason)
    work(post, "alice")
    assert (len(post.wire.asked), out(post) is not None) == (1, True)


def test_nobody_is_moved_to_a_channel_that_is_out_too(post: Post) -> None:
    post.world.has("alice", ChannelName.TELEGRAM, CHAT)
    post.world.prefers("alice", preferred_channel="discord")
    goes_out(post)
    with post.world.session() as session:
        for delivery in (1, 2):
            outages.record_failure(session, "telegram", DOWN, delivery, now=at(20, 47), wall=wall_now())
    post.world.clock.move_to(at(20, 48))
    work(post, *THREE)
    assert (post.arrived(), post.row("alice").status) == ({}, DeliveryStatus.PENDING)


def test_shortly_before_the_deadline_another_channel_has_its_chance(post: Post) -> None:
    post.world.has("alice", ChannelName.TELEGRAM, CHAT)
    post.world.prefers("alice", preferred_channel="discord")
    post.world.clock.move_to(at(20, 58))
    post.wire.is_out = True
    post.plan(*THREE, deadline_at=DEADLINE)
    work(post, *THREE)
    work(post, *THREE)
    post.world.clock.move_to(at(20, 59))
    work(post, *THREE)
    assert post.arrived() == {ChannelName.TELEGRAM: [CHAT]}


def test_an_outage_until_the_deadline_fails_with_the_providers_words(post: Post) -> None:
    goes_out(post)
    post.world.clock.move_to(DEADLINE)
    work(post, *THREE)
    row: Delivery = post.row("alice")
    assert row.status is DeliveryStatus.FAILED
    assert row.reason is not None
    assert row.reason.code is Reason.DISCORD_NOT_REACHED
    assert out(post) is not None


@pytest.mark.parametrize("error", [DOWN, SILENT], ids=["refused", "silent"])
def test_an_outage_says_nothing_about_the_contact(post: Post, error: SendError) -> None:
    post.wire.answers = [error]
    post.plan("alice", deadline_at=DEADLINE)
    post.world.clock.move_to(at(20, 45))
    work(post, "alice")
    contact = post.contact("alice")
    assert contact is not None
    assert contact.unusable_since is None


def happens(post: Post, event: str) -> None:
    match event:
        case "out":
            post.wire.is_out = True
        case "back":
            post.wire.is_out, post.wire.answers = False, []
        case "answers probes only":
            post.wire.is_out, post.wire.answers = False, [DOWN] * 20
        case "work":
            work(post, *THREE)
        case "probe":
            probe(post)
        case "a worker dies":  # with the message that was on trial, or with a probe
            with post.world.session() as session:
                holding.release_one(session, "discord")
        case "minutes pass":
            post.world.clock.forward(timedelta(minutes=2))


@given(events=st.lists(st.sampled_from(EVENTS), max_size=20), number=st.uuids())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
def test_whatever_happens_nobody_loses_a_try_and_a_return_releases_everybody(
    post: Post, events: list[str], number: UUID
) -> None:
    post.wire.sent.clear()
    happens(post, "back")
    post.world.clock.move_to(at(20, 45))
    with post.world.session() as session:
        session.execute(delete(Outage))
        session.execute(delete(Job))
        session.execute(delete(Delivery))
    post.plan(*THREE, key=f"PROMOTE:T0:{number}", deadline_at=at(23))
    for event in events:
        happens(post, event)
        with post.world.session() as session:
            assert set(session.scalars(select(Job.attempts).where(Job.status == JobStatus.PENDING))) <= {0}
    happens(post, "back")
    for _ in range(3):  # one answer, one trial, everybody
        probe(post)
        work(post, *THREE)
    assert statuses(post, *THREE) == [DeliveryStatus.SENT] * 3
    assert len(post.wire.sent) == 3
    assert out(post) is None
