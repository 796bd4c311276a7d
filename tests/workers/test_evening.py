"""An evening through the real handlers, on a real PostgreSQL, with a clock that we move."""

from datetime import time, timedelta

import pytest
from sqlalchemy import select, update

from slomix.availability.rules import Status
from slomix.campaigns import queries, rules, service
from slomix.campaigns.models import Campaign
from slomix.campaigns.rules import Audience, CampaignStatus
from slomix.channels.base import SendError, Unanswered
from slomix.contacts.rules import QuietHours
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.jobs import service as job_service
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.presence import service as presence
from tests.conftest import AFK, ROOM, SUMMARY_ROOM, TODAY, World, at
from tests.services.test_campaigns import call, cancel, jobs_of, latest
from tests.workers.pump import pump

EVERYBODY = ("alice", "bob", "erik", "franka")


@pytest.fixture
def called(world: World) -> World:
    """Four are looking; Bob has called the evening together."""
    for name in EVERYBODY:
        world.says(name, Status.LOOKING)
    call(world)
    return world


def in_voice(world: World, **rooms: str) -> None:
    """The Discord process has just looked: these are in these rooms."""
    with world.session() as session:
        states = {world.discord_ids[name]: room for name, room in rooms.items()}
        presence.record_voice(session, states, now=world.clock.now())


def told(world: World, name: str) -> list[str]:
    """What somebody got, by its first words."""
    sent = [message.text for to, message, _ in world.discord.sent if to.value == world.discord_ids[name]]
    return [text.splitlines()[0].split("<")[0].strip() for text in sent]


def rows(world: World, phase: str) -> dict[str, tuple[DeliveryStatus, str | None]]:
    by_player = {player_id: name for name, player_id in world.players.items()}
    with world.session() as session:
        found = session.scalars(select(Delivery).where(Delivery.event_key == f"PROMOTE:{phase}:{TODAY}"))
        return {by_player[row.player_id or 0]: (row.status, row.reason) for row in found}


def status(world: World) -> CampaignStatus:
    with world.session() as session:
        campaign = session.scalars(select(Campaign).order_by(Campaign.id.desc())).first()
        assert campaign is not None
        assert queries.status_now(session, campaign) is campaign.status
        return campaign.status


def go(world: World, hour: int, minute: int = 0, second: int = 0) -> None:
    world.clock.move_to(at(hour, minute, second))
    pump(world)


REMINDER, START, FOLLOW_UP = "Game night starts at", "Game night starts now. Come and join!", "We are starting"


def test_a_whole_evening(called: World) -> None:
    go(called, 20, 44)
    assert called.discord.sent == []
    go(called, 20, 45)
    assert all(told(called, name) == [REMINDER] for name in EVERYBODY)
    assert status(called) is CampaignStatus.RUNNING
    called.clock.move_to(at(21))
    in_voice(called, alice=ROOM)
    pump(called)
    assert status(called) is CampaignStatus.SENT
    called.clock.move_to(at(21, 0, 30))
    in_voice(called, alice=ROOM, bob="900000000000000009", erik=AFK)
    pump(called)
    assert told(called, "alice") == [REMINDER], "was in voice at the start, needs no call"
    assert told(called, "bob") == [REMINDER, START], "elsewhere in voice counts as here"
    assert [text[:15] for text in told(called, "erik")] == [REMINDER[:15], START[:15], FOLLOW_UP], "AFK is not here"
    assert told(called, "franka")[-1].startswith(FOLLOW_UP)
    to, summary, _ = called.discord.sent[-1]
    assert (to.value, to.is_room) == (SUMMARY_ROOM, True)
    assert summary.text.splitlines() == [
        "Game night is on: 2 of 4 in voice.",
        "Still awaited: Erik, Franka",
        "follow-up 2/2",
    ]
    assert status(called) is CampaignStatus.FOLLOWUP_SENT
    before = len(called.discord.sent)
    go(called, 23)
    assert len(called.discord.sent) == before, "nothing comes twice, nothing comes later"


def test_at_the_moment_of_sending_each_recipient_is_looked_at_again(called: World) -> None:
    called.says("alice", Status.NOT_PLAYING)
    called.says("bob", None)
    called.prefers("erik", called=False)
    called.prefers("franka", quiet=QuietHours(time(20), time(22)))
    go(called, 20, 45)
    assert {name: reason for name, (_, reason) in rows(called, "T-15").items()} == {
        "alice": "not playing",
        "bob": "cleared their status",
        "erik": "not opted in",
        "franka": "quiet hours",
    }
    assert called.discord.sent == []
    assert jobs_of(called, latest(called))[rules.REMINDER].status is JobStatus.SKIPPED
    go(called, 21)
    assert status(called) is CampaignStatus.SENT, "skips are nobody's fault"


def test_a_change_to_maybe_keeps_a_recipient(called: World) -> None:
    called.says("alice", Status.MAYBE)
    go(called, 20, 45)
    assert told(called, "alice") == [REMINDER]


def test_who_joins_later_is_told_only_when_the_promoter_ticked_it(world: World) -> None:
    world.says("alice", Status.LOOKING)
    call(world)
    world.says("erik", Status.LOOKING)
    go(world, 21)
    assert told(world, "erik") == []


def test_late_joiners_are_told_at_the_start(world: World) -> None:
    world.says("alice", Status.LOOKING)
    call(world, include_late_joiners=True)
    go(world, 20, 45)
    world.says("erik", Status.LOOKING)
    world.says("goran", Status.AVAILABLE)
    go(world, 21)
    assert told(world, "erik") == [START]
    assert told(world, "goran") == [], "outside the audience"


def test_after_downtime_the_reminder_is_not_sent_with_untrue_words(called: World) -> None:
    go(called, 21, 5)
    assert set(rows(called, "T-15").values()) == {(DeliveryStatus.SKIPPED, "expired")}
    assert all(told(called, name)[0].startswith("Game night has begun") for name in EVERYBODY)


def test_back_the_next_morning_nothing_goes_out(called: World) -> None:
    called.clock.move_to(at(9) + timedelta(days=1))
    pump(called)
    assert called.discord.sent == []
    for phase in ("T-15", "T0"):
        assert set(rows(called, phase).values()) == {(DeliveryStatus.SKIPPED, "expired")}
    assert {job.status for job in jobs_of(called, latest(called)).values()} == {JobStatus.SKIPPED}


def test_one_failure_is_retried_alone(called: World) -> None:
    called.discord.answers = [SendError("Discord answered 503")]
    go(called, 20, 45)
    assert len(called.discord.sent) == 3
    called.clock.forward(timedelta(seconds=3))
    pump(called)
    assert len(called.discord.sent) == 4
    assert {state for state, _ in rows(called, "T-15").values()} == {DeliveryStatus.SENT}
    assert jobs_of(called, latest(called))[rules.REMINDER].status is JobStatus.SENT


def test_closed_dms_are_permanent_and_make_the_campaign_partial(called: World) -> None:
    called.discord.answers = [SendError("this person's DMs are closed to the bot", permanent=True)]
    go(called, 20, 45)
    assert sorted(state.value for state, _ in rows(called, "T-15").values()) == ["failed", "sent", "sent", "sent"]
    go(called, 21)
    assert "no working contact" in {reason for _, reason in rows(called, "T0").values()}
    assert status(called) is CampaignStatus.PARTIAL
    called.clock.move_to(at(21, 0, 30))
    in_voice(called, alice=ROOM, bob=ROOM, erik=ROOM, franka=ROOM)
    pump(called)
    assert status(called) is CampaignStatus.PARTIAL, "a later phase never hides an earlier failure"


def test_a_cut_line_is_repeated_with_its_nonce_and_arrives_once(called: World) -> None:
    original = called.discord.send
    cut = []

    def send_then_cut(*args: object, **kwargs: object) -> object:
        receipt = original(*args, **kwargs)  # type: ignore[arg-type]
        if not cut:
            cut.append(True)
            raise Unanswered("the line was cut")
        return receipt

    called.discord.send = send_then_cut  # type: ignore[method-assign,assignment]
    go(called, 20, 45)
    called.clock.forward(timedelta(seconds=3))
    pump(called)
    assert len(called.discord.sent) == 4
    assert {state for state, _ in rows(called, "T-15").values()} == {DeliveryStatus.SENT}


def test_a_total_outage_at_the_start_fails_loudly(called: World) -> None:
    go(called, 20, 45)
    called.discord.answers = [SendError("Discord cannot be reached")] * 1000
    for minute in range(20):
        go(called, 21, minute)
    assert {state for state, _ in rows(called, "T0").values()} == {DeliveryStatus.FAILED}
    assert status(called) is CampaignStatus.FAILED


def test_a_stale_picture_is_not_used_discord_itself_is_asked(called: World) -> None:
    in_voice(called)
    go(called, 20, 45)
    go(called, 21)
    called.lookup.rooms = {called.discord_ids[name]: ROOM for name in ("alice", "bob", "erik")}
    called.clock.move_to(at(21, 2))
    pump(called)
    assert told(called, "franka")[-1].startswith(FOLLOW_UP)
    assert told(called, "alice")[-1] == START


def test_when_presence_stays_unknown_nobody_is_called_missing(called: World) -> None:
    called.lookup.error = SendError("Discord cannot be reached")
    go(called, 21)
    for second in range(30, 60, 5):
        go(called, 21, 0, second)
    go(called, 21, 2)
    assert not any(FOLLOW_UP in message.text for _, message, _ in called.discord.sent)
    texts = called.discord.texts
    assert sum("could not see who is in voice" in text for text in texts) == 2, "the room and the promoter are told"
    assert not any(name.title() in text for text in texts for name in EVERYBODY)
    assert status(called) is CampaignStatus.PARTIAL


def test_the_summary_does_not_name_who_is_in_quiet_hours_or_withdrew(called: World) -> None:
    go(called, 21)
    called.prefers("alice", quiet=QuietHours(time(20), time(23)))
    called.says("erik", Status.NOT_PLAYING)
    called.clock.move_to(at(21, 0, 30))
    in_voice(called, bob=ROOM)
    pump(called)
    summary = called.discord.texts[-1]
    assert "Franka" in summary
    assert "Alice" not in summary
    assert "Erik" not in summary
    assert {name: reason for name, (_, reason) in rows(called, "FOLLOWUP").items() if reason} == {
        "alice": "quiet hours",
        "erik": "not playing",
    }


def test_when_all_are_here_the_summary_says_so(called: World) -> None:
    called.clock.move_to(at(21))
    in_voice(called, alice=ROOM, bob=ROOM, erik=ROOM, franka=ROOM)
    pump(called)
    go(called, 21, 0, 30)
    assert called.discord.texts == ["Game night is on: 4 of 4 in voice.\nEverybody is here. Have fun!"]


def test_cancelled_between_the_notices_the_rest_stays_home(called: World) -> None:
    go(called, 20, 45)
    cancel(called, latest(called))
    sent = len(called.discord.sent)
    go(called, 21, 1)
    assert len(called.discord.sent) == sent
    assert status(called) is CampaignStatus.CANCELLED


def test_after_a_cancel_nobody_gets_the_same_notice_twice(called: World) -> None:
    go(called, 20, 45)
    cancel(called, latest(called))
    called.clock.move_to(at(20, 50))
    call(called, "bob", key="again")
    go(called, 21)
    assert all(told(called, name) == [REMINDER, START] for name in EVERYBODY)


def test_a_dry_run_reaches_its_promoter_alone_and_uses_nothing_up(world: World) -> None:
    world.says("alice", Status.LOOKING)
    world.prefers("bob", called=False, quiet=QuietHours(time(0), time(23, 59)))
    call(world, dry_run=True)
    pump(world)
    assert [to.value for to, _, _ in world.discord.sent] == [world.discord_ids["bob"]] * 4
    assert all(text.startswith("[Dry run") for text in world.discord.texts)
    assert "could not see" in world.discord.texts[-1] or "Game night is on" in world.discord.texts[-1]
    assert not rows(world, "T0")
    _, is_new = call(world, key="real")
    assert is_new


def test_a_worker_that_dies_in_the_middle_of_sending(called: World) -> None:
    """Its lease runs out, another worker repeats the send with the same nonce, the player gets one message."""
    called.clock.move_to(at(20, 45))
    with called.session() as session:
        row = session.scalars(select(Delivery).where(Delivery.event_key.contains("T-15"))).first()
        assert row is not None
        job = session.scalars(select(Job).where(Job.kind == "delivery", Job.subject == str(row.id))).one()
        now = called.clock.now()
        claimed = job_service.claim(session, job.id, now=now, wall=now)
        assert claimed is not None
        row.status, row.text, row.first_tried_at = DeliveryStatus.SENDING, "as it was", None
        nonce = row.nonce
        session.execute(update(Job).where(Job.id == job.id).values(lease_until=at(0)))
        row_id = row.id
    pump(called)
    with called.session() as session:
        again = session.get_one(Delivery, row_id)
        assert (again.status, again.nonce) == (DeliveryStatus.SENT, nonce)
    assert [message.text for _, message, used in called.discord.sent if used == nonce] == ["as it was"]


def test_preview_and_campaign_agree(world: World) -> None:
    for name, says in (("alice", Status.LOOKING), ("erik", Status.AVAILABLE), ("franka", Status.MAYBE)):
        world.says(name, says)
    audience = Audience(include_available=True)
    with world.session() as session:
        ahead = service.preview(
            session, audience, day=TODAY, start_at=at(21), settings=world.runtime.settings, now=world.clock.now()
        )
    campaign_id, _ = call(world, audience=audience)
    with world.session() as session:
        asked = queries.recipients(session, queries.get(session, campaign_id))
    assert {one.player_id for one in asked} == {one.player_id for one in ahead.asked}
