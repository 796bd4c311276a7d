"""Several at once, for what only a race can show."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.waiting import PATIENCE


def at_once(deeds: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each deed returned, or the exception it raised; all begin in the same moment."""
    start = threading.Barrier(len(deeds), timeout=PATIENCE)

    def do(deed: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return deed()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            return error

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(do, deeds))
