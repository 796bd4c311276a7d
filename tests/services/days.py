"""Steps of a day that begins."""

from datetime import date

from slomix.availability import service as availability
from slomix.availability import triggers
from slomix.availability.rules import Status
from tests.moments import TODAY
from tests.world import World

SIX = ("alice", "bob", "erik", "franka", "goran", "dora")


def says(world: World, name: str, status: Status, day: date = TODAY) -> None:
    """As on the page."""
    with world.session() as session:
        now = world.clock.now()
        availability.set_status(session, world.players[name], day, status, settings=world.runtime.settings, now=now)


def begins(world: World, day: date = TODAY) -> None:
    with world.session() as session:
        triggers.begin_day(session, day, settings=world.runtime.settings, now=world.clock.now())
