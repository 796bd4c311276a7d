"""Which of the test processes does what, and when.

A whole system has a dozen processes, and a browser as many again: the journeys are one piece of work, which one process
begins with. The others play the tests of pages meanwhile, and then one of them the other systems, which wait more than
they work; the short tests that are left fill the time of the rest.
"""

import gc
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

JOURNEYS, PAGES = "tests/journeys/", "tests/web/"
OTHER_SYSTEMS = ("tests/faults/test_short.py", "tests/deployment/")

# Whatever is collected stays: looking through all of it again and again finds no garbage.
gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest first, and behind what waits enough to fill the time of the others."""
    items.sort(key=lambda item: _turn(item.nodeid))


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was collected, which stays to the end."""
    gc.collect()
    gc.freeze()
    gc.enable()


def _turn(nodeid: str) -> int:
    order: tuple[str | tuple[str, ...], ...] = (JOURNEYS, PAGES, OTHER_SYSTEMS)
    return next((turn for turn, start in enumerate(order) if nodeid.startswith(start)), len(order))


class OneSystemAtATime(LoadScopeScheduling):
    """What shares a system is one piece of work; every other test is one by itself."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(JOURNEYS):
            return "journeys"
        return "other systems" if nodeid.startswith(OTHER_SYSTEMS) else nodeid

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
        """Forget a piece of work that is done: after each test xdist counts what is left in all that it knows of."""
        super().mark_test_complete(node, item_index, duration)
        pieces, piece = self.assigned_work[node], self._split_scope(self.registered_collections[node][item_index])
        if all(pieces[piece].values()):
            del pieces[piece]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Keep the order of the collection; xdist would put the largest pieces first."""
    config.option.loadscopereorder = False
    return OneSystemAtATime(config, log)
