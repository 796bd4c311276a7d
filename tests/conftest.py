"""What every test has. Databases, the cast and the simulator are plugins of the folders that need them.

So a test of rules waits for none of their libraries.
"""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from slomix.runtime import logs

# Which test process does what.
pytest_plugins = ["tests.scheduling"]
# Their asserts explain themselves as a test's do.
pytest.register_assert_rewrite(
    *("tests.databases", "tests.world", "tests.simulators", "tests.waiting"),
    *("tests.steps", "tests.database.steps", "tests.services.chatting", "tests.web.steps"),
)

# How far tests search. Briefly, and each time the same, so that a change has its answer soon and nobody else's; or, in
# `make test-all` (--hypothesis-profile=thorough), long and each time elsewhere.
settings.register_profile(
    "brief", max_examples=25, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
settings.register_profile("thorough", settings.get_profile("brief"), max_examples=1_000, derandomize=False)
settings.load_profile("brief")


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """Log as in production; the pretty tracebacks of development take seconds each."""
    logs.configure("tests")


@pytest.fixture
def root() -> Path:
    return Path(__file__).parents[1]
