"""Who is late is left in peace until then: the summary says so, and their one follow-up comes at that moment."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from slomix.availability.rules import Status
from slomix.campaigns import rules
from slomix.campaigns.rules import CampaignStatus
from slomix.channels.base import SendError
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.reasons.codes import Explanation, Reason
from tests.configuration import ROOM
from tests.moments import at
from tests.steps import cancel, comes, is_late, jobs_of, latest
from tests.workers.pump import pump
from tests.workers.stage import EVERYBODY, FOLLOW_UP, ON_SERVER, go, in_voice, rows, status, summary, told
from tests.world import World


def called_again(world: World) -> list[str]:
    """Who got a follow-up, as often as they got one."""
    return [name for name in EVERYBODY for line in told(world, name) if line.startswith((FOLLOW_UP, ON_SERVER))]


def check(world: World, *here: str) -> None:
    """The voice check comes, and sees these."""
    world.clock.move_to(at(21, 0, 30))
    in_voice(world, **dict.fromkeys(here, ROOM))
    pump(world)


def later(world: World, hour: int, minute: int, second: int = 0, *here: str) -> None:
    world.clock.move_to(at(hour, minute, second))
    in_voice(world, **dict.fromkeys(here, ROOM))
    pump(world)


@pytest.fixture
def late(called: World) -> World:
    """Franka said at the reminder that she comes late; the start has gone out."""
    go(called, 20, 45)
    is_late(called, "franka")
    go(called, 21)
    return called


def test_the_one_follow_up_comes_at_that_moment_and_the_summary_does_not_wait(late: World) -> None:
    check(late, "alice", "bob")
    assert called_again(late) == ["erik"]
    assert summary(late) == [
        "Game night is on – 2 of 4 in voice at 21:00.",
        "Waiting for: Erik",
        "15 min late: Franka",
        "follow-up 1/1",
    ]
    later(late, 21, 14, 59, "alice", "bob")
    assert called_again(late) == ["erik"]
    later(late, 21, 15, 0, "alice", "bob")
    assert called_again(late) == ["erik", "franka"]
    later(late, 21, 21, 0, "alice", "bob")
    assert called_again(late) == ["erik", "franka"]
    assert status(late) is CampaignStatus.FOLLOWUP_SENT


def test_where_all_who_are_missing_are_late_nobody_else_is_awaited(late: World) -> None:
    check(late, "alice", "bob", "erik")
    assert summary(late)[1:] == ["Nobody else to wait for.", "15 min late: Franka"]


def test_many_who_are_late_hold_up_no_summary_either(called: World) -> None:
    go(called, 21)
    for name in EVERYBODY:
        is_late(called, name)
    check(called)
    assert summary(called)[1:] == ["Nobody else to wait for.", "15 min late: Alice, Bob, Erik, Franka"]
    assert called_again(called) == []


def test_who_arrives_gets_none(late: World) -> None:
    check(late, "alice", "bob", "erik")
    later(late, 21, 10, 0, "alice", "bob", "erik", "franka")
    assert comes(late, "franka") is None
    later(late, 21, 15, 0, "alice", "bob", "erik", "franka")
    assert called_again(late) == []
    assert rows(late, "FOLLOWUP")["franka"] == (DeliveryStatus.SKIPPED, Explanation(Reason.ALREADY_IN_VOICE))


def test_who_cant_come_after_all_gets_none(late: World) -> None:
    check(late, "alice", "bob", "erik")
    late.says("franka", Status.NOT_PLAYING)
    later(late, 21, 15, 0, "alice", "bob", "erik")
    assert called_again(late) == []
    assert rows(late, "FOLLOWUP")["franka"] == (DeliveryStatus.SKIPPED, Explanation(Reason.NOT_PLAYING))


def test_whom_nobody_can_see_then_gets_none(late: World) -> None:
    check(late, "alice", "bob", "erik")
    go(late, 21, 15)
    assert called_again(late) == []
    assert rows(late, "FOLLOWUP")["franka"] == (DeliveryStatus.SKIPPED, Explanation(Reason.VOICE_NO_LONGER_KNOWN))


def test_who_is_on_the_server_has_arrived_and_is_asked_to_voice_at_once(late: World) -> None:
    late.game_server.on_it = ["Franka"]
    check(late, "alice", "bob", "erik")
    assert called_again(late) == ["franka"]
    assert "Waiting for: Franka" in summary(late)
    later(late, 21, 15, 0, "alice", "bob", "erik")
    assert called_again(late) == ["franka"]


def test_who_says_it_under_the_follow_up_gets_no_other(called: World) -> None:
    go(called, 21)
    check(called, "alice", "bob", "erik")
    assert called_again(called) == ["franka"]
    is_late(called, "franka")
    for minute in (15, 16, 20, 21):
        later(called, 21, minute, 0, "alice", "bob", "erik")
    assert called_again(called) == ["franka"]


def test_what_has_not_left_yet_waits_for_who_says_it_now(called: World) -> None:
    go(called, 21)
    called.discord.answers = [SendError(Reason.DISCORD_ANSWERED, "503")]
    check(called, "alice", "bob", "erik")
    is_late(called, "franka")
    later(called, 21, 2, 0, "alice", "bob", "erik")
    assert called_again(called) == []
    assert summary(called)[2] == "15 min late: Franka"
    later(called, 21, 15, 30, "alice", "bob", "erik")
    assert called_again(called) == ["franka"]


def test_saying_it_again_puts_it_off_and_the_deadline_is_the_end(late: World) -> None:
    check(late, "alice", "bob", "erik")
    late.clock.move_to(at(21, 10))
    is_late(late, "franka")
    later(late, 21, 15, 0, "alice", "bob", "erik")
    assert called_again(late) == []
    later(late, 21, 20, 30, "alice", "bob", "erik")
    assert called_again(late) == []
    assert rows(late, "FOLLOWUP")["franka"] == (DeliveryStatus.SKIPPED, Explanation(Reason.EXPIRED))
    assert jobs_of(late, latest(late))[rules.VOICE_CHECK].status is JobStatus.SENT


def test_what_waits_for_who_is_late_can_be_cancelled(late: World) -> None:
    check(late, "alice", "bob", "erik")
    cancel(late, latest(late))
    later(late, 21, 15, 0, "alice", "bob", "erik")
    assert called_again(late) == []


def test_it_is_promised_for_that_moment_so_that_no_dashboard_calls_it_late(late: World) -> None:
    check(late, "alice", "bob", "erik")
    with late.session() as session:
        franka = Delivery.player_id == late.players["franka"]
        row = session.scalars(select(Delivery).where(franka, Delivery.notice == rules.VOICE_CHECK)).one()
        job = session.scalars(select(Job).where(Job.kind == "delivery", Job.subject == str(row.id))).one()
        assert (job.run_at, job.due_at, job.attempts) == (at(21, 15), at(21, 15), 0)
        assert row.status is DeliveryStatus.PENDING


def test_a_late_player_is_never_held_to_be_here_in_the_final_count(late: World) -> None:
    check(late, "alice", "bob", "erik")
    later(late, 21, 10, 0, "alice", "bob", "erik", "franka")
    late.clock.forward(timedelta(minutes=11))
    in_voice(late, alice=ROOM)
    pump(late)
    assert summary(late)[0] == "Game night: 4 of 4 came to voice."
