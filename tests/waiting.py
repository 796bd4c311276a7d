"""Waits for what is sure to come. The limit only ends a test that would hang; it says nothing of how fast is enough."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# In seconds: many times what anything takes on a busy machine.
PATIENCE = 300.0


def until(condition: Callable[[], T], what: str, *, pause: Callable[[float], object] = time.sleep) -> T:
    """Return the first true answer of `condition`; fail with `what` was waited for when it never comes.

    `pause` passes the seconds in between; a browser hears of nothing during any but its own.
    """
    give_up = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < give_up, f"waited {PATIENCE:g} s in vain for {what}"
        pause(0.02)
    return found
