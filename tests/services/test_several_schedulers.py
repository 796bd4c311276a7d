"""Two schedulers begin one day once; one that sleeps hears soon that it is to stop."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from slomix.clock import SystemClock
from slomix.database.session import Database
from slomix.dev.embedded import Servers
from slomix.jobs.models import Job
from slomix.processes import common, dispatch
from slomix.processes.common import Scheduler, Waker
from slomix.processes.nudges import NudgeBroker
from tests.waiting import PATIENCE
from tests.world import build_world


def test_two_schedulers_at_once_begin_a_day_once(committed: Database, servers: Servers) -> None:
    world = build_world(committed)
    world.clock.forward(timedelta(hours=-12))
    broker = NudgeBroker(servers.redis_url, dispatch.LANES)
    stopping, gate = threading.Event(), threading.Barrier(3, timeout=PATIENCE)
    stopping.set()  # so that no step sleeps

    def begin() -> None:
        scheduler = Scheduler(world.runtime, broker, stopping)
        gate.wait()
        scheduler.step()

    with ThreadPoolExecutor(3) as pool:
        for one in [pool.submit(begin) for _ in range(3)]:
            one.result(PATIENCE)
    broker.close()
    with world.session() as session:
        planned = Counter(session.scalars(select(Job.kind)))
    assert planned["daily_reminder"] == 1
    assert set(planned.values()) == {1}, planned


def test_a_scheduler_that_sleeps_hears_that_it_is_to_stop(committed: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "MAX_SLEEP", 2 * PATIENCE)  # it does not wake by itself
    world = build_world(committed)
    stopping, is_asleep = threading.Event(), threading.Event()
    waker = Waker(replace(world.runtime, clock=SystemClock()), stopping)
    waker.listen()
    was_told, naps = waker._was_notified, list[float]()

    def nap(seconds: float) -> bool:
        naps.append(seconds)
        is_asleep.set()
        return was_told(seconds)

    monkeypatch.setattr(waker, "_was_notified", nap)
    sleeping = threading.Thread(target=waker.sleep, args=(None, None), daemon=True)
    sleeping.start()
    assert is_asleep.wait(PATIENCE)
    stopping.set()
    sleeping.join(PATIENCE)
    assert not sleeping.is_alive()
    assert max(naps) <= 0.5, "an operator who stops it need not wait for longer"
