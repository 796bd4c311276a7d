"""Waits for what is sure to come. The limit only ends a test that would hang; it says nothing of how fast is enough."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# In seconds: many times what anything takes on a busy machine.
PATIENCE = 300.0


def until(condition: Callable[[], T], what: str, *, pause: Callable[[float], object] = time.sleep) -> T:
    """Return the first true answer of `condition`; fail with `what` was waited for when it never comes.

    `pause` passes the seconds in between; a browser hears of nothing during any but its own. What takes long to answer
    is asked less often: else those who are asked had no time left for what is waited for.
    """
    asked = time.monotonic()
    give_up = asked + PATIENCE
    while not (found := condition()):
        answered = time.monotonic()
        assert answered < give_up, f"waited {PATIENCE:g} s in vain for {what}"
        pause(max(0.02, 3 * (answered - asked)))
        asked = time.monotonic()
    return found
