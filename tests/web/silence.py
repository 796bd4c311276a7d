"""A server that takes connections and never says a word: what a machine looks like whose disk or network hangs."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from slomix import db
from tests.simulators import free_pair
from tests.world import World


@contextmanager
def silent_server() -> Iterator[int]:
    """Its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield int(server.getsockname()[1])


def at_port(world: World, port: int) -> World:
    """The same system with its database there."""
    url = f"postgresql+psycopg://nobody@127.0.0.1:{port}/slomix?connect_timeout=4"
    return replace(world, runtime=replace(world.runtime, database=db.Database(url)))


def without_database(world: World) -> World:
    """The same system with its database nowhere."""
    return at_port(world, free_pair())
