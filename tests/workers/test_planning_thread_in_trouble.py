"""The thread of a planning room while Discord is away, busy, forbids it, or somebody deletes things there."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from slomix import clock
from slomix.availability.rules import Status
from slomix.channels.base import MessageRefused, RateLimited, SendError, Unanswered
from slomix.channels.discord_answers import UNKNOWN_CHANNEL
from slomix.clock import wall_now
from slomix.deliveries import pausing
from slomix.deliveries.rules import ASK_AFTER
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.jobs.runner import execute
from slomix.planning import threads
from slomix.planning.rules import Side
from slomix.processes import dispatch
from slomix.reasons.codes import Explanation, Reason
from tests.workers.planned import DOWN, FORBIDDEN, job, members, places, says, stored, tries, with_room
from tests.workers.pump import pump
from tests.world import CAST, Peopled, World


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


# One account's trouble is that account's alone.

# Of one account: for good, an unlisted 404, and no answer at all.
TROUBLES = [
    FORBIDDEN,
    SendError(Reason.DISCORD_SAID, "Not Found", code=404),
    MessageRefused(Reason.DISCORD_SAID, "Maximum number of thread participants reached", code=30033),
    SendError(Reason.DISCORD_DID_NOT_ANSWER, "502"),
    Unanswered(Reason.DISCORD_DID_NOT_ANSWER, "ReadTimeout"),
]


@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
def test_who_must_not_read_on_goes_and_the_teams_are_posted_whatever_happens_to_another(
    room: World, trouble: SendError
) -> None:
    tries(room)
    assert members(room) == {"alice", "bob", "erik", "franka"}
    room.says("bob", Status.NOT_PLAYING)
    room.says("erik", Status.NOT_PLAYING)
    room.says("goran", Status.LOOKING)
    room.says("dora", Status.LOOKING)
    places(room, "alice", Side.A)
    room.threads.refused = {CAST["bob"]: trouble, CAST["goran"]: trouble}
    first = ASK_AFTER.total_seconds() if isinstance(trouble, Unanswered) else 5
    assert [tries(room).total_seconds() for _ in range(3)] == [first, 10, 20]
    assert members(room) == {"alice", "bob", "franka", "dora"}, "erik is out and dora in"
    assert says(room)[1] == "**Team A**: Alice"
    row = stored(room)
    assert row is not None
    if trouble.code is None:
        assert (row.error, row.refused) == (trouble.reason, {})
    else:
        assert (row.error, row.refused) == (None, dict.fromkeys(room.threads.refused, trouble.reason.as_json()))
    room.threads.refused = {}
    tries(room)
    row = stored(room)
    assert row is not None
    assert (members(room), row.error, row.refused) == ({"alice", "franka", "goran", "dora"}, None, {})


def test_who_must_not_read_on_goes_first(room: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tries(room)
    room.says("erik", Status.NOT_PLAYING)
    room.says("goran", Status.LOOKING)
    done: list[str] = []
    for name in ("add", "remove"):
        monkeypatch.setattr(room.threads, name, lambda _thread, _account, name=name: done.append(name))
    tries(room)
    assert done == ["remove", "add"]


def test_what_is_about_the_thread_or_all_requests_ends_the_run(room: World) -> None:
    tries(room)
    room.says("erik", Status.NOT_PLAYING)
    room.says("goran", Status.LOOKING)
    room.threads.refused = {CAST["erik"]: RateLimited(Reason.DISCORD_IS_BUSY, retry_after=timedelta(seconds=33))}
    assert tries(room).total_seconds() == 33
    assert members(room) == {"alice", "bob", "erik", "franka"}, "nobody is asked in meanwhile"


def test_a_refused_account_that_is_not_wanted_any_more_is_forgotten(room: World) -> None:
    room.threads.refused = {CAST["bob"]: FORBIDDEN}
    tries(room)
    room.says("bob", Status.NOT_PLAYING)
    assert tries(room).total_seconds() == 5
    row = stored(room)
    assert row is not None
    assert (row.refused, members(room)) == ({}, {"alice", "erik", "franka"})


def test_a_message_that_is_refused_for_good_does_not_end_the_care_for_its_members(room: World) -> None:
    places(room, "alice", Side.A)
    room.discord.answers = [MessageRefused(Reason.DISCORD_SAID, "blocked by AutoMod (200000)", code=200000)]
    assert tries(room).total_seconds() == 5
    room.says("goran", Status.LOOKING)
    tries(room)
    assert "goran" in members(room)
    assert says(room)[1] == "**Team A**: Alice"
