"""What the tests of services share."""

from dataclasses import replace
from datetime import timedelta

import pytest

from slomix import clock
from slomix.contacts.rules import ChannelName
from tests.world import World

from .sending import CHAT, NUMBER, Post, Wire


def pytest_configure(config: pytest.Config) -> None:
    """Load what only these tests need."""
    config.pluginmanager.import_plugin("tests.world")
    config.pluginmanager.import_plugin("tests.simulators")
    config.pluginmanager.import_plugin("tests.steps")
    config.pluginmanager.import_plugin("tests.services.chatting")


@pytest.fixture
def post(world: World, monkeypatch: pytest.MonkeyPatch) -> Post:
    monkeypatch.setattr(clock, "_compared", clock._compared)  # what passes on the wall ends with the test
    discord, telegram, signal = Wire(), *(Wire(repeatable_for=timedelta(0)) for _ in range(2))
    channels = {"discord": discord, "telegram": telegram, "signal": signal}
    runtime = replace(world.runtime, channels=channels)
    wired = replace(world, runtime=runtime, discord=discord, telegram=telegram, signal=signal)
    return Post(wired, discord, telegram, signal)


@pytest.fixture
def everywhere(post: Post) -> Post:
    """Alice has proved an address on each channel and prefers none."""
    post.world.has("alice", ChannelName.TELEGRAM, CHAT)
    post.world.has("alice", ChannelName.SIGNAL, NUMBER)
    return post
