"""Two schedulers begin one day once; one that sleeps hears soon that it is to stop."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from slomix import background
from slomix.clock import SystemClock
from slomix.db import Database
from slomix.embedded import Servers
from slomix.jobs.models import Job
from slomix.processes import LOOK_AT_LEAST_EVERY, Scheduler, Waker
from tests.world import build_world


def test_two_schedulers_at_once_begin_a_day_once(committed: Database, servers: Servers) -> None:
    world = build_world(committed)
    world.clock.forward(timedelta(hours=-12))
    broker = background.make_broker(servers.redis_url)
    stopping, gate = threading.Event(), threading.Barrier(3)
    stopping.set()  # so that no step sleeps

    def begin() -> None:
        scheduler = Scheduler(world.runtime, broker, stopping)
        gate.wait()
        scheduler.step()

    with ThreadPoolExecutor(3) as pool:
        for one in [pool.submit(begin) for _ in range(3)]:
            one.result(timeout=20)
    broker.close()
    with world.session() as session:
        planned = Counter(session.scalars(select(Job.kind)))
    assert planned["daily_reminder"] == 1
    assert set(planned.values()) == {1}, planned


def test_a_scheduler_that_sleeps_hears_that_it_is_to_stop(committed: Database) -> None:
    world = build_world(committed)
    stopping = threading.Event()
    waker = Waker(replace(world.runtime, clock=SystemClock()), stopping)
    waker.listen()
    sleeping = threading.Thread(target=waker.sleep, args=(None, None))
    sleeping.start()
    time.sleep(0.3)
    assert sleeping.is_alive()
    stopping.set()
    began = time.monotonic()
    sleeping.join(timeout=5)
    assert time.monotonic() - began < LOOK_AT_LEAST_EVERY - 2, "it would have woken by itself"
