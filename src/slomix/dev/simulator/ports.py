"""Ports for a copy of its own: one for the web, the next for the simulator."""

import random
import socket
from contextlib import suppress

# Another sequence in each process, also after a fork.
_FREE = random.SystemRandom()


def free_pair() -> int:
    """Return a port that is free, as the one after it is.

    Below those that a system gives to its own connections, or one of them might take it before it is listened on.
    """
    while True:
        port = _FREE.randrange(20_000, 32_000, 2)
        with socket.socket() as first, socket.socket() as second, suppress(OSError):
            first.bind(("127.0.0.1", port))
            second.bind(("127.0.0.1", port + 1))
            return port
