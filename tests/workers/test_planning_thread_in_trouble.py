"""The thread of a planning room while Discord is away, busy, forbids it, or somebody deletes things there."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from slomix import clock
from slomix.availability.rules import Status
from slomix.channels.base import RateLimited, SendError
from slomix.channels.discord import UNKNOWN_CHANNEL
from slomix.clock import wall_now
from slomix.deliveries import pausing
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.jobs.runner import execute
from slomix.planning import threads
from slomix.planning.rules import Side
from slomix.processes import dispatch
from slomix.reasons.codes import Explanation, Reason
from tests.workers.planned import DOWN, FORBIDDEN, job, members, places, stored, tries, with_room
from tests.workers.pump import pump
from tests.world import Peopled, World


@pytest.fixture
def room(peopled: Peopled) -> World:
    return with_room(peopled)


def test_while_discord_is_down_it_is_said_and_tried_more_and_more_rarely(room: World) -> None:
    room.threads.error = DOWN
    waits = [tries(room).total_seconds() for _ in range(6)]
    assert waits == [5, 10, 20, 40, 60, 60]
    row = stored(room)
    assert row is not None
    assert (row.thread_id, row.error) == (None, DOWN.reason)
    room.threads.error = None
    assert tries(room).total_seconds() == 5
    row = stored(room)
    assert row is not None
    assert (row.error, members(room)) == (None, {"alice", "bob", "erik", "franka"})
    room.threads.error = DOWN
    room.says("goran", Status.LOOKING)
    assert tries(room).total_seconds() == 5, "the next trouble begins anew"


def test_what_discord_asks_for_is_waited_and_is_no_trouble(room: World) -> None:
    room.threads.error = RateLimited(Reason.OTHER, "busy", retry_after=timedelta(seconds=33))
    assert [tries(room).total_seconds() for _ in range(2)] == [33, 33]
    row = stored(room)
    assert row is not None
    assert row.error is None


@pytest.mark.parametrize("error", [FORBIDDEN, SendError(Reason.OTHER, "gone", permanent=True, code=UNKNOWN_CHANNEL)])
def test_without_access_to_its_room_it_ends_and_the_reason_stays(room: World, error: SendError) -> None:
    room.threads.error = error
    pump(room)
    row = stored(room)
    assert row is not None
    assert (job(room).status, row.thread_id, row.error) == (JobStatus.FAILED, None, error.reason)


def test_a_thread_that_somebody_deleted_is_not_made_again(room: World) -> None:
    pump(room)
    room.threads.there.clear()
    room.says("goran", Status.LOOKING)
    pump(room)
    row = stored(room)
    assert row is not None
    assert (job(room).status, room.threads.made, row.thread_id) == (JobStatus.FAILED, 1, None)
    assert row.error == Explanation(Reason.DISCORD_SAID, "Unknown Channel")


def test_an_error_of_ours_is_tried_again_and_does_not_end_it(room: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(room.threads, "find", lambda *_: 1 / 0)
        for _ in range(7):
            room.clock.forward(timedelta(minutes=3))
            with room.session() as session:
                session.execute(update(Job).values(wait_until=None))
            assert execute(room.runtime, dispatch.HANDLERS[threads.KIND], job(room).id) is JobStatus.PENDING
    room.clock.forward(timedelta(minutes=3))
    tries(room)
    assert members(room) == {"alice", "bob", "erik", "franka"}


def test_while_sending_is_paused_nothing_is_made_or_said(room: World) -> None:
    places(room, "bob", Side.A)
    with room.session() as session:
        pausing.pause(session, by="dora", now=room.clock.now())
    pump(room)
    assert (room.threads.made, room.discord.sent) == (0, [])
    with room.session() as session:
        pausing.resume(session, by="command line", now=room.clock.now())
    pump(room)
    assert (room.threads.made, len(room.discord.sent)) == (1, 1)


def test_a_long_talk_is_cut_short_and_goes_on_at_once(room: World, monkeypatch: pytest.MonkeyPatch) -> None:
    swift, wall = room.threads.add, [wall_now()]

    def add(thread: str, account: str) -> None:
        wall[0] += threads.TIME_LIMIT + timedelta(seconds=1)
        swift(thread, account)

    monkeypatch.setattr(room.threads, "add", add)
    monkeypatch.setattr(clock, "wall_now", lambda: wall[0])
    for number in range(1, 4):
        assert tries(room) <= timedelta(0)
        assert len(members(room)) == number
    assert tries(room) > timedelta(seconds=4)
    assert members(room) == {"alice", "bob", "erik", "franka"}
