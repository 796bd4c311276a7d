"""The private thread of a planning room: made once, for those who are in, whatever happens (W64, W65)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from slomix.accounts.models import User
from slomix.accounts.rules import Membership
from slomix.availability.rules import Status
from slomix.channels.discord import Discord
from slomix.channels.discord_threads import DiscordThreads
from slomix.database.session import Database
from slomix.deliveries.rules import ASK_AFTER
from slomix.dev.simulator.people import BOT_TOKEN, GUILD_ID, TEXT_CHANNEL
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.jobs.runner import JobContext, execute
from slomix.planning import threads
from slomix.planning.models import Room
from slomix.planning.rules import Side
from slomix.processes import dispatch
from slomix.reasons.codes import Explanation, Reason
from tests.configuration import SUMMARY_ROOM
from tests.moments import TODAY, at
from tests.services.racing import at_once
from tests.simulators import CAST as PEOPLE
from tests.simulators import Simulator
from tests.workers.planned import (
    FORBIDDEN,
    HEADING,
    job,
    members,
    open_room,
    places,
    says,
    stored,
    tries,
    with_room,
)
from tests.workers.pump import pump
from tests.world import CAST, Peopled, World


@pytest.fixture
def room(peopled: Peopled) -> World:
    return with_room(peopled)


@pytest.fixture
def committed_room(committed: Database) -> Iterator[World]:
    """The same in a database that really commits."""
    yield with_room(committed)


# Made once, whatever happens


def test_the_room_has_a_thread_under_its_day(room: World) -> None:
    pump(room)
    [(thread_id, thread)] = room.threads.there.items()
    assert (thread.parent, thread.name) == (SUMMARY_ROOM, "Game night 2026-11-20")
    row = stored(room)
    assert row is not None
    assert (row.thread_id, row.error) == (thread_id, None)


def test_it_is_promised_once_however_often_the_room_is_opened(room: World) -> None:
    for _ in range(3):
        open_room(room)
    assert job(room).status is JobStatus.PENDING
    pump(room)
    pump(room)
    assert room.threads.made == 1


def test_without_the_setting_nothing_is_promised(peopled: Peopled) -> None:
    world = with_room(peopled, planning_create_thread=False)
    with world.session() as session:
        assert session.scalars(select(Job)).all() == []


def test_opened_three_times_at_once_and_tried_by_three_workers_at_once_there_is_one(committed_room: World) -> None:
    room, job_id = committed_room, job(committed_room).id
    at_once([lambda: open_room(room)] * 3)
    at_once([lambda: execute(room.runtime, dispatch.HANDLERS[threads.KIND], job_id)] * 3)
    assert room.threads.made == 1
    assert members(room) == {"alice", "bob", "erik", "franka"}


def test_a_thread_whose_answer_was_lost_is_taken_over_and_not_made_twice(room: World) -> None:
    room.threads.loses_next_answer = True
    assert tries(room) >= ASK_AFTER, "before, that it is not there means nothing"
    row = stored(room)
    assert row is not None
    assert (room.threads.made, row.thread_id, row.error) == (
        1,
        None,
        Explanation(Reason.DISCORD_DID_NOT_ANSWER, "cut off"),
    )
    tries(room)
    row = stored(room)
    assert row is not None
    assert (room.threads.made, row.thread_id, row.error) == (1, next(iter(room.threads.there)), None)
    assert members(room) == {"alice", "bob", "erik", "franka"}


def test_a_worker_that_dies_after_making_it_leaves_one_that_the_next_takes_over(room: World) -> None:
    talk = None
    with room.session() as session:
        talk = threads.PlanningThread().begin(JobContext(room.runtime, session, job(room), room.clock.now()))
    assert isinstance(talk, threads.ThreadSync)
    talk.run()
    assert stored(room) is None
    pump(room)
    assert room.threads.made == 1
    assert members(room) == {"alice", "bob", "erik", "franka"}


# Who is in it


def test_everybody_who_is_in_tonight_is_in_it_and_nobody_else(room: World) -> None:
    pump(room)
    assert members(room) == {"alice", "bob", "erik", "franka"}


def test_who_joins_is_let_in_and_who_leaves_is_taken_out(room: World) -> None:
    pump(room)
    room.says("goran", Status.AVAILABLE)
    room.says("bob", Status.NOT_PLAYING)
    room.says("franka", None)
    pump(room)
    assert members(room) == {"alice", "erik", "goran"}
    room.says("bob", Status.LOOKING)
    pump(room)
    assert members(room) == {"alice", "bob", "erik", "goran"}


def test_who_left_our_server_is_not_asked_in(room: World) -> None:
    with room.session() as session:
        theirs = User.discord_id == CAST["erik"]
        session.execute(update(User).where(theirs).values(membership=Membership.LEFT))
    pump(room)
    assert members(room) == {"alice", "bob", "franka"}


def test_somebody_whom_discord_refuses_keeps_nobody_else_out_and_is_tried_again(room: World) -> None:
    room.threads.refused[CAST["alice"]] = FORBIDDEN
    places(room, "bob", Side.A)
    pump(room)
    row = stored(room)
    assert row is not None
    assert (members(room), row.error) == ({"bob", "erik", "franka"}, None)
    assert row.refused == {CAST["alice"]: FORBIDDEN.reason.as_json()}
    assert says(room)[0] == HEADING
    room.threads.refused.clear()
    pump(room)
    row = stored(room)
    assert row is not None
    assert (members(room), row.refused) == ({"alice", "bob", "erik", "franka"}, {})


def test_an_archived_thread_is_opened_again(room: World) -> None:
    pump(room)
    [thread] = room.threads.there.values()
    thread.is_archived = True
    room.says("goran", Status.LOOKING)
    pump(room)
    assert (room.threads.made, thread.is_archived) == (1, False)
    assert members(room) == {"alice", "bob", "erik", "franka", "goran"}


# The whole way


@pytest.mark.parametrize("lost", [{"fault": "cut_after_accept"}, {"fault": "error_after_accept", "code": 504}])
def test_the_real_thing_makes_one_though_every_answer_is_lost_once(
    peopled: Peopled, simulator: Simulator, lost: dict[str, object]
) -> None:
    world = with_room(peopled, planning_thread_parent=TEXT_CHANNEL)
    accounts = {name: PEOPLE[name.title()].id for name in ("alice", "bob", "erik", "franka")}
    with world.session() as session:
        for name, account in accounts.items():
            session.execute(update(User).where(User.discord_id == CAST[name]).values(discord_id=account))
    discord = Discord(f"{simulator.url}/api/v10", BOT_TOKEN, GUILD_ID)
    channels = {"discord": discord}
    world.runtime = replace(world.runtime, threads=DiscordThreads(discord, GUILD_ID), channels=channels)
    fault = {"provider": "discord", "times": 1, **lost}
    for placed in (None, "bob", "alice"):  # the thread, the message, and its edit
        if placed is not None:
            places(world, placed, Side.A)
        simulator.client().post("/control/faults", json=fault).raise_for_status()
        pump(world)
    discord.close()
    [thread] = simulator.client().get("/control/threads").json()
    assert (thread["name"], set(thread["members"])) == ("Game night 2026-11-20", set(accounts.values()))
    [message] = simulator.messages()
    assert (message["kind"], message["to"]) == ("thread", thread["id"])
    assert "**Team A**: Bob, Alice" in message["text"]


# Its end


def test_it_ends_with_its_day(room: World) -> None:
    pump(room)
    room.clock.move_to(at(23, 59, 59))
    pump(room)
    assert job(room).status is JobStatus.PENDING
    room.clock.move_to(at(0, 0, day=TODAY + timedelta(days=1)))
    room.says("goran", Status.LOOKING)
    pump(room)
    assert job(room).status is JobStatus.SENT
    assert "goran" not in members(room)


def test_it_ends_when_threads_were_switched_off(room: World) -> None:
    without = replace(room.runtime, threads=None)
    assert execute(without, dispatch.HANDLERS[threads.KIND], job(room).id) is JobStatus.SKIPPED
    assert job(room).reason == Explanation(Reason.SWITCHED_OFF)


def test_it_ends_when_its_room_is_gone(room: World) -> None:
    with room.session() as session:
        session.execute(delete(Room))
    pump(room)
    assert (job(room).status, room.threads.made) == (JobStatus.SENT, 0)
