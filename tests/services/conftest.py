"""What the tests of services share."""

from dataclasses import replace

import pytest

from tests.conftest import World

from .sending import Post, Wire


@pytest.fixture
def post(world: World) -> Post:
    wire = Wire()
    channels = dict(world.runtime.channels) | {"discord": wire}
    return Post(replace(world, runtime=replace(world.runtime, channels=channels), discord=wire), wire)
