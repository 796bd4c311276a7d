"""A planning room with its thread: opened, filled, looked at."""

from datetime import timedelta
from unittest.mock import patch

from sqlalchemy import select, update

from slomix.availability.models import Entry
from slomix.availability.rules import Status
from slomix.channels.base import SendError
from slomix.clock import wall_now
from slomix.database.session import Database
from slomix.jobs import runner
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.planning import threads
from slomix.planning.models import Room, RoomThread, TeamMember
from slomix.planning.rules import Side
from slomix.processes import dispatch
from slomix.reasons.codes import Reason
from tests.configuration import SUMMARY_ROOM
from tests.moments import TODAY
from tests.world import CAST, World, build_world

DOWN = SendError(Reason.DISCORD_NOT_REACHED, "ConnectError")
FORBIDDEN = SendError(Reason.DISCORD_SAID, "Missing Access (50001)", permanent=True, code=50001)
LINK = "<http://127.0.0.1:7000/planning/2026-11-20>"
HEADING = "**Teams for Friday 20 November**"


def with_room(database: Database, **settings: object) -> World:
    """Alice, Bob and Erik are in, and Franka perhaps; their room is open."""
    switched = {"planning_create_thread": True, "planning_thread_parent": SUMMARY_ROOM}
    world = build_world(database, **(switched | settings))
    for name in ("alice", "bob", "erik"):
        world.says(name, Status.LOOKING)
    world.says("franka", Status.MAYBE)
    open_room(world)
    return world


def open_room(world: World) -> None:
    with world.session() as session:
        room = session.scalars(select(Room)).one_or_none()
        if room is None:
            alice, now = world.players["alice"], world.clock.now()
            room = Room(day=TODAY, created_by=alice, owner_id=alice, created_at=now, version=0)
            session.add(room)
            session.flush()
        threads.plan_thread(session, room, settings=world.runtime.settings, now=world.clock.now())


def places(world: World, name: str, side: Side, *, is_captain: bool = False) -> None:
    """Somebody is put into a team, behind all others."""
    with world.session() as session:
        player = world.players[name]
        since = session.scalars(select(Entry.committed_since).where(Entry.player_id == player)).one()
        place, room_id = len(session.scalars(select(TeamMember)).all()), session.scalars(select(Room.id)).one()
        session.add(
            TeamMember(
                session_id=room_id,
                player_id=player,
                side=side,
                is_captain=is_captain,
                place=place,
                committed_since=since,
            )
        )


def job(world: World) -> Job:
    with world.session() as session:
        return session.scalars(
            select(Job).where(Job.kind == threads.KIND).execution_options(populate_existing=True)
        ).one()


def stored(world: World) -> RoomThread | None:
    with world.session() as session:
        return session.scalars(select(RoomThread).execution_options(populate_existing=True)).one_or_none()


def tries(world: World) -> timedelta:
    """Run the job once, in one moment of the wall clock, and say for how long it waits then."""
    with world.session() as session:
        session.execute(update(Job).values(wait_until=None))
    wall = wall_now()
    with patch.object(runner, "wall_now", lambda: wall):
        assert runner.execute(world.runtime, dispatch.HANDLERS[threads.KIND], job(world).id) is JobStatus.PENDING
    wait_until = job(world).wait_until
    assert wait_until is not None
    return wait_until - wall


def members(world: World) -> set[str]:
    """Who is in the one thread there is."""
    [thread] = world.threads.there.values()
    assert len(thread.members) == len(set(thread.members))
    return {name for name, account in CAST.items() if account in thread.members}


def says(world: World) -> list[str]:
    """The lines of the one message that was ever posted."""
    [(to, message, _)] = world.discord.sent
    assert (to.value, to.is_room, message.mentions) == (next(iter(world.threads.there)), True, ())
    return message.text.splitlines()
