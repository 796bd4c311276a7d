"""A test message: one at a time, over the channel it is about."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from slomix.contacts.rules import ChannelName
from slomix.database.session import Database
from slomix.deliveries import test_message
from slomix.deliveries.models import Delivery
from slomix.deliveries.test_message import MessageTestTooSoon
from tests.services.racing import at_once
from tests.world import World, build_world


def ask(world: World, name: str = "alice", channel: ChannelName = ChannelName.DISCORD) -> None:
    with world.session() as session:
        settings, now = world.runtime.settings, world.clock.now()
        test_message.plan_test_message(session, world.players[name], channel, settings=settings, now=now)


def planned(world: World) -> list[ChannelName]:
    with world.session() as session:
        return list(session.scalars(select(Delivery.channel).where(Delivery.notice == test_message.NOTICE)))


def test_of_six_presses_at_once_one_is_sent(committed: Database) -> None:
    world = build_world(committed)
    answers = at_once([lambda: ask(world)] * 6)
    assert sum(isinstance(answer, MessageTestTooSoon) for answer in answers) == 5
    assert planned(world) == [ChannelName.DISCORD]


def test_another_channel_and_another_person_need_not_wait(world: World) -> None:
    ask(world)
    ask(world, "bob")
    world.has("alice", ChannelName.SIGNAL, "+38640111111")
    ask(world, "alice", ChannelName.SIGNAL)
    assert len(planned(world)) == 3


def test_after_half_a_minute_one_may_ask_again(world: World) -> None:
    ask(world)
    world.clock.forward(timedelta(seconds=29))
    with pytest.raises(MessageTestTooSoon) as refused:
        ask(world)
    assert refused.value.retry_after == timedelta(seconds=1)
    world.clock.forward(timedelta(seconds=1))
    ask(world)
    assert len(planned(world)) == 2
