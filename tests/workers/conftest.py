"""The evening that most of these tests begin with."""

import pytest

from slomix.availability.rules import Status
from tests.conftest import World
from tests.services.test_campaigns import call
from tests.workers.stage import EVERYBODY


@pytest.fixture
def called(world: World) -> World:
    """Four are looking; Bob has called the evening together."""
    for name in EVERYBODY:
        world.says(name, Status.LOOKING)
    call(world)
    return world
