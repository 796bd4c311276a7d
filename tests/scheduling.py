"""Which of the two test processes does what: all tests with a running system one of them, the rest who has time."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# A second system of many processes beside the first would have no processor to run on.
WITH_A_SYSTEM = ("tests/journeys/", "tests/faults/test_short.py", "tests/deployment/")


class OneSystemAtATime(LoadScopeScheduling):
    """What shares a system is one piece of work; every other test is one by itself."""

    def _split_scope(self, nodeid: str) -> str:
        return "a system" if nodeid.startswith(WITH_A_SYSTEM) else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return OneSystemAtATime(config, log)
