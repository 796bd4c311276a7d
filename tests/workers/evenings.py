"""Evenings with a message in the announcement room: how they begin, and what stands there."""

from datetime import timedelta

from sqlalchemy import select, update

from slomix.availability.triggers import UNDO_FOR
from slomix.channels.base import Message
from slomix.clock import wall_now
from slomix.database.session import Database
from slomix.evening import service
from slomix.evening.models import EveningMessage
from slomix.jobs.models import Job
from slomix.reasons.codes import Explanation
from tests.moments import TODAY, at
from tests.workers.pump import pump
from tests.world import World, build_world

PLACE = "900000000000000004"
PUBLIC_KEY = "ab" * 32


def evening_world(database: Database, **settings: object) -> World:
    """The switch is on, and the day has begun."""
    switched: dict[str, object] = {
        "evening_message_enabled": True,
        "announce_channel_id": PLACE,
        "discord_public_key": PUBLIC_KEY,
    }
    world = build_world(database, **(switched | settings))
    world.clock.move_to(at(0))
    with world.session() as session:
        service.plan_evening(session, TODAY, settings=world.runtime.settings, now=world.clock.now())
    return world


def later(world: World, seconds: float = UNDO_FOR.total_seconds()) -> None:
    """Let all that was changed become final, and the worker see it."""
    with world.session() as session:
        service.wake(session, now=world.clock.now())
    world.clock.forward(timedelta(seconds=seconds))
    unpaced(world)
    pump(world)


def unpaced(world: World) -> None:
    """Let the time pass, on the wall, that has to lie between two edits."""
    with world.session() as session:
        earlier = wall_now() - timedelta(minutes=1)
        session.execute(update(EveningMessage).values(edited_at=earlier, held_until=None))


def posts(world: World) -> list[Message]:
    """What was ever posted to the announcement room and not deleted, as it stands there."""
    return [
        message
        for number, (to, message, _) in enumerate(world.discord.sent)
        if to.value == PLACE and str(number) not in world.discord.deleted
    ]


def said(world: World) -> list[str]:
    """The lines of the one message that stands there."""
    [message] = posts(world)
    assert message.mentions == ()
    return message.text.splitlines()


def stored(world: World) -> EveningMessage:
    with world.session() as session:
        return session.scalars(select(EveningMessage).execution_options(populate_existing=True)).one()


def problem(world: World) -> Explanation | None:
    return stored(world).problem


def job(world: World) -> Job:
    with world.session() as session:
        wanted = select(Job).where(Job.kind == service.MESSAGE).execution_options(populate_existing=True)
        return session.scalars(wanted).one()
