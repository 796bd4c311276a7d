"""What every test has. Databases, the cast and the simulator are plugins of the folders that need them.

So a test of rules waits for none of their libraries.
"""

from pathlib import Path

import pytest

from slomix import logs

pytest_plugins = ["tests.scheduling"]  # which test process does what
pytest.register_assert_rewrite("tests.world", "tests.databases", "tests.simulators", "tests.steps")


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """Log as in production; the pretty tracebacks of development take seconds each."""
    logs.configure("tests")


@pytest.fixture
def root() -> Path:
    return Path(__file__).parents[1]
