"""Waits for what is sure to come. The limit only ends a test that would hang; it says nothing of how fast is enough."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# In seconds: many times what anything takes on a busy machine.
PATIENCE = 120.0


def until(condition: Callable[[], T], what: str) -> T:
    """Return the first true answer of `condition`; fail with `what` was waited for when it never comes."""
    give_up = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < give_up, f"waited {PATIENCE:g} s in vain for {what}"
        time.sleep(0.02)
    return found
