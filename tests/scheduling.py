"""Which of the two test processes does what, and when.

A whole system has a dozen processes, and a browser as many again: the journeys are one piece of work, which one process
begins with. The other plays the short tests and then the other systems, on whose end nothing waits.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

JOURNEYS = "tests/journeys/"
OTHER_SYSTEMS = ("tests/faults/test_short.py", "tests/deployment/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest first, and the other systems last."""
    items.sort(key=lambda item: _turn(item.nodeid))


def _turn(nodeid: str) -> int:
    return 0 if nodeid.startswith(JOURNEYS) else 2 if nodeid.startswith(OTHER_SYSTEMS) else 1


class OneSystemAtATime(LoadScopeScheduling):
    """What shares a system is one piece of work; every other test is one by itself."""

    def _split_scope(self, nodeid: str) -> str:
        return ("journeys", nodeid, "other systems")[_turn(nodeid)]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Keep the order of the collection; xdist would put the largest pieces first."""
    config.option.loadscopereorder = False
    return OneSystemAtATime(config, log)
