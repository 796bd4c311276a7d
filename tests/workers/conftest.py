"""The evening that most of these tests begin with."""

import pytest

from slomix.availability.rules import Status
from tests.steps import call
from tests.workers.stage import EVERYBODY
from tests.world import World


def pytest_configure(config: pytest.Config) -> None:
    """Load what only these tests need."""
    config.pluginmanager.import_plugin("tests.world")
    config.pluginmanager.import_plugin("tests.simulators")


@pytest.fixture
def called(world: World) -> World:
    """Four are looking; Bob has called the evening together."""
    for name in EVERYBODY:
        world.says(name, Status.LOOKING)
    call(world)
    return world
