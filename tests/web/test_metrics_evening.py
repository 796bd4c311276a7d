"""What a monitor sees of an evening: what should have left, how late it left, what came of it, and nobody's name."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from slomix.availability.rules import Status
from slomix.campaigns import service
from slomix.channels.base import SendError, Unanswered
from slomix.contacts.rules import ChannelName
from slomix.deliveries import pausing
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.metrics import views
from slomix.reasons.codes import Reason
from tests.configuration import ROOM
from tests.moments import at
from tests.steps import call, latest
from tests.waiting import PATIENCE
from tests.web.scraping import Scrape, scrape
from tests.workers.pump import pump
from tests.workers.stage import EVERYBODY, go, in_voice
from tests.world import CAST, World

REMINDER, START = "send_reminder_2045", "send_start_2100"
BUSY = SendError(Reason.DISCORD_IS_BUSY)
CLOSED = SendError(Reason.DMS_CLOSED, permanent=True)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read counts here, not how soon: a busy machine may take longer than a monitor would wait."""
    monkeypatch.setattr(views, "ANSWER_WITHIN", PATIENCE)


@pytest.fixture
def called(world: World) -> World:
    """Four are looking; Bob has called the evening together."""
    for name in EVERYBODY:
        world.says(name, Status.LOOKING)
    call(world)
    return world


def late(found: Scrape, notice: str, seconds: str) -> float | None:
    """How many left at most so late."""
    return found.sum("delivery_lateness_24h_seconds_bucket", notice=notice, le=seconds)


def test_before_its_moment_nothing_is_due(called: World) -> None:
    called.clock.move_to(at(20, 34))
    found = scrape(called)
    assert found.of("deliveries_unsent") == []
    assert found.sum("jobs_due") == 0
    assert found.sum("tonight_seconds_to_start") == 26 * 60
    assert found.sum("tonight_recipients") == 4
    assert found.sum("campaigns_today", status="scheduled") == 1
    assert found.sum("campaigns_today") == 1


def test_what_should_have_left_is_counted_with_the_age_of_the_oldest(called: World) -> None:
    called.clock.move_to(at(20, 46, 30))
    found = scrape(called)
    assert found.sum("deliveries_unsent", notice=REMINDER, channel="discord", status="pending") == 4
    assert found.sum("deliveries_unsent_oldest_seconds", notice=REMINDER) == 90
    assert found.sum("jobs_due", kind="delivery", lane="discord") == 4
    assert found.sum("jobs_due_oldest_seconds", kind=REMINDER, lane="general") == 90
    assert found.of("deliveries_unsent", notice=START) == []


def test_how_late_it_left_is_told_when_it_has_left(called: World) -> None:
    go(called, 20, 46, 30)
    found = scrape(called)
    assert found.of("deliveries_unsent") == []
    assert (late(found, REMINDER, "60.0"), late(found, REMINDER, "120.0"), late(found, REMINDER, "+Inf")) == (0, 4, 4)
    assert found.sum("delivery_lateness_24h_seconds_gsum", notice=REMINDER) == 4 * 90
    assert found.sum("delivery_lateness_24h_seconds_gcount", notice=REMINDER) == 4
    assert found.sum("deliveries_settled_15m", notice=REMINDER, outcome="sent") == 4
    assert found.sum("campaigns_today", status="running") == 1


def test_a_retry_does_not_make_anything_less_late(called: World) -> None:
    """A retry moves the job's next moment; what was promised stays when it was."""
    called.discord.answers = [BUSY]
    go(called, 20, 45)
    waiting = scrape(called)
    assert waiting.sum("deliveries_unsent", notice=REMINDER) == 1
    assert waiting.sum("jobs_retrying", kind="delivery") == 1
    called.clock.move_to(at(20, 45, 1))
    assert scrape(called).sum("deliveries_unsent_oldest_seconds", notice=REMINDER) == 1, "backing off is waiting too"
    go(called, 20, 45, 20)
    found = scrape(called)
    assert (late(found, REMINDER, "1.0"), late(found, REMINDER, "10.0"), late(found, REMINDER, "30.0")) == (3, 3, 4)
    assert found.sum("delivery_retries_24h", notice=REMINDER) == 1
    assert found.sum("jobs_retrying") == 0


def test_what_went_over_another_channel_was_promised_for_the_same_moment(called: World) -> None:
    called.has("alice", ChannelName.TELEGRAM, "4242")
    called.telegram.answers = [SendError(Reason.TELEGRAM_BLOCKED, permanent=True)]
    go(called, 20, 45, 8)
    found = scrape(called)
    assert found.sum("deliveries_settled_24h", channel="telegram", outcome="fell_back") == 1
    assert found.of("deliveries_settled_24h", outcome="failed") == [], "alice was told all the same"
    assert found.sum("deliveries_settled_24h", channel="discord", outcome="sent") == 4
    assert (late(found, REMINDER, "5.0"), late(found, REMINDER, "10.0")) == (0, 4)


def test_every_outcome_has_its_count(called: World) -> None:
    called.says("erik", Status.NOT_PLAYING)
    called.discord.answers = [CLOSED]
    go(called, 20, 45)
    found = scrape(called)
    assert found.sum("deliveries_settled_24h", outcome="skipped") == 1
    assert found.sum("deliveries_settled_24h", outcome="failed") == 1
    assert found.sum("deliveries_settled_24h", outcome="sent") == 2
    assert found.sum("jobs_failed_15m", kind="delivery") == 1


def test_an_outcome_that_nobody_knows_is_told_apart(called: World) -> None:
    called.discord.repeatable_for = timedelta(0)
    called.discord.answers = [Unanswered(Reason.DISCORD_DID_NOT_ANSWER, "ReadError")]
    go(called, 20, 45)
    assert scrape(called).sum("deliveries_settled_15m", outcome="unknown") == 1


def test_what_is_long_ago_is_not_told_any_more(called: World) -> None:
    go(called, 20, 45)
    called.clock.forward(timedelta(minutes=14))
    assert scrape(called).sum("deliveries_settled_15m", notice=REMINDER) == 4
    called.clock.forward(timedelta(minutes=2))
    quarter = scrape(called)
    assert quarter.sum("deliveries_settled_15m", notice=REMINDER) == 0
    assert quarter.sum("deliveries_settled_24h", notice=REMINDER) == 4
    called.clock.forward(timedelta(hours=24))
    day = scrape(called)
    assert day.of("deliveries_settled_24h", notice=REMINDER) == []
    assert late(day, REMINDER, "+Inf") is None


def test_a_worker_that_does_not_come_back_leaves_a_lease_behind(called: World) -> None:
    with called.session() as session:
        job = session.scalars(select(Job).where(Job.kind == REMINDER)).one()
        job.status, job.lease_until = JobStatus.RUNNING, at(20, 29)
        session.flush()
    found = scrape(called)
    assert (found.sum("jobs_running", kind=REMINDER), found.sum("jobs_past_lease", kind=REMINDER)) == (1, 1)


def test_the_switch_and_the_picture_of_voice(called: World) -> None:
    before = scrape(called)
    assert (before.sum("sending_paused"), before.sum("presence_age_seconds")) == (0, float("inf"))
    in_voice(called, alice=ROOM)
    with called.session() as session:
        pausing.pause(session, by="the tests", now=called.clock.now())
    called.clock.forward(timedelta(seconds=42))
    found = scrape(called)
    assert (found.sum("sending_paused"), found.sum("presence_age_seconds")) == (1, 42)


def test_after_a_whole_evening_no_person_can_be_found_in_them(called: World) -> None:
    go(called, 20, 45)
    go(called, 21)
    called.clock.move_to(at(21, 0, 30))
    in_voice(called, alice=ROOM)
    pump(called)
    found = scrape(called)
    assert found.sum("deliveries_settled_24h", outcome="sent") == 4 + 4 + 3 + 1, "with the summary"
    assert found.sum("campaigns_today", status="followup_sent") == 1
    assert {labels["kind"] for labels, _ in found.of("jobs_due")} == {"attendance"}, "counted for good later"
    for name, account in CAST.items():
        assert account not in found.text
        assert name not in found.text.lower()
    assert ROOM not in found.text


def test_a_dry_run_is_no_evening(world: World) -> None:
    world.says("alice", Status.LOOKING)
    call(world, dry_run=True)
    found = scrape(world)
    assert found.sum("campaigns_today") == 0
    assert found.of("tonight_seconds_to_start") == []


def test_a_cancelled_evening_has_no_start(called: World) -> None:
    with called.session() as session:
        service.cancel_campaign(
            session, latest(called), player_id=called.players["bob"], is_admin=False, now=called.clock.now()
        )
    found = scrape(called)
    assert found.sum("campaigns_today", status="cancelled") == 1
    assert found.of("tonight_seconds_to_start") == []
    assert found.sum("tonight_recipients") == 0
