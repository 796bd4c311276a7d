"""A server that takes connections and never says a word: what a machine looks like whose disk or network hangs."""

import socket
import threading
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from flask import Flask

from slomix.database import session as db
from slomix.health import probes
from slomix.health.probes import Probe
from tests.simulators import NOBODY
from tests.waiting import PATIENCE
from tests.world import World


@contextmanager
def silent_server() -> Iterator[int]:
    """Its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield int(server.getsockname()[1])


def at_port(world: World, port: int) -> World:
    """The same system with its database there, which is given up long after whoever asks has been answered."""
    url = f"postgresql+psycopg://nobody@127.0.0.1:{port}/slomix?connect_timeout={PATIENCE:g}"
    return replace(world, runtime=replace(world.runtime, database=db.Database(url)))


def without_database(world: World) -> World:
    """The same system with its database nowhere."""
    return at_port(world, NOBODY)


class Noted(Future[Any]):
    """The answer of a probe; notes for how long each thread was ready to wait for answers."""

    waits: ClassVar[dict[int, float]] = defaultdict(float)

    def result(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "who asks waits for ever"
        self.waits[threading.get_ident()] += timeout
        return super().result(timeout)


def noted_waits(monkeypatch: pytest.MonkeyPatch) -> dict[int, float]:
    """By thread, the seconds for which it was ready to wait for the probes that are asked from now on."""
    monkeypatch.setattr(probes, "Future", Noted)
    waits: defaultdict[int, float] = defaultdict(float)
    monkeypatch.setattr(Noted, "waits", waits)
    return waits


def answers_in_time(app: Flask, *names: str) -> None:
    """Let these probes be answered before anybody waits for them, however busy the machine."""

    def patiently(probe: Probe[Any]) -> None:
        ask = probe.submit

        def answered() -> Future[Any]:
            wait([asked := ask()], PATIENCE)
            return asked

        setattr(probe, "submit", answered)  # noqa: B010 - a method of this one probe

    for name in names:
        patiently(getattr(app.extensions["slomix_probes"], name))
