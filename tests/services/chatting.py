"""Steps in a chat with the bot."""

from datetime import timedelta

import pytest

from slomix.availability import service as availability
from slomix.availability.rules import Status
from slomix.chat.responder import Responder
from slomix.contacts import links
from slomix.contacts.rules import ChannelName
from tests.moments import TODAY
from tests.world import World

TELEGRAM, SIGNAL = ChannelName.TELEGRAM, ChannelName.SIGNAL


ADDRESS = {TELEGRAM: "4242", SIGNAL: "+38640123456"}


def desk_of(world: World) -> Responder:
    return Responder(world.runtime)


def code_for(world: World, name: str, channel: ChannelName) -> str:
    with world.session() as session:
        return links.new_code(
            session,
            world.players[name],
            channel,
            lifetime=timedelta(minutes=30),
            settings=world.runtime.settings,
            now=world.clock.now(),
        )[0]


def status(world: World, name: str, day: object = TODAY) -> Status | None:
    with world.session() as session:
        return availability.statuses_of_day(session, day, [world.players[name]]).get(world.players[name])  # type: ignore[arg-type]


@pytest.fixture
def linked(world: World) -> World:
    """Alice has proved both of her addresses."""
    for channel, address in ADDRESS.items():
        world.has("alice", channel, address)
    return world
