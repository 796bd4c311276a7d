"""Nudges through Redis: a worker waits for them without asking, and leaves to others what it cannot begin."""

import re
import threading
import time
from pathlib import Path

import pytest
import redis
from dramatiq import ConnectionClosed, Consumer, MessageProxy
from sqlalchemy import update

from slomix.database.session import Database
from slomix.dev.embedded import Servers
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.jobs.service import DueJob
from slomix.processes import common, dispatch
from slomix.processes.common import Scheduler
from slomix.processes.nudges import NudgeBroker
from tests.steps import counted
from tests.waiting import until
from tests.world import World, build_world

LANE = "discord"


@pytest.fixture(autouse=True)
def _empty_redis(servers: Servers) -> None:
    with redis.Redis.from_url(servers.redis_url) as client:
        client.flushall()


@pytest.fixture
def world(committed: Database, servers: Servers) -> World:
    return build_world(committed, redis_url=servers.redis_url)


def nudge(servers: Servers, *ids: int) -> None:
    broker = NudgeBroker(servers.redis_url, dispatch.LANES)
    dispatch.send_nudges(broker, [DueJob(number, "no such kind", LANE) for number in ids])
    broker.close()


def test_workers_at_rest_ask_redis_and_wake_at_most_twice_a_second(world: World, servers: Servers) -> None:
    before = set(threading.enumerate())
    lanes = common._threads(world.runtime.settings.worker_threads)
    workers = [dispatch.make_worker(world.runtime, lane, threads=number) for lane, number in lanes.items()]
    for worker in workers:
        worker.start()
    ours = [thread for thread in threading.enumerate() if thread not in before]
    try:
        with redis.Redis.from_url(servers.redis_url) as client:
            until(lambda: client.info("clients")["blocked_clients"] == len(dispatch.LANES), "all lanes to wait")
            asked, woken, began = client.info("stats")["total_commands_processed"], wake_ups(ours), time.monotonic()
            time.sleep(3)
            asked = client.info("stats")["total_commands_processed"] - asked
            woken, seconds = wake_ups(ours) - woken, time.monotonic() - began
    finally:
        for worker in workers:
            worker.stop(5000)
    assert asked <= 2 * len(dispatch.LANES) * seconds
    assert woken <= 2 * len(ours) * seconds


def test_a_lane_takes_no_more_than_it_may_begin_and_gives_back_the_rest(servers: Servers) -> None:
    nudge(servers, 1, 2, 3)
    broker = NudgeBroker(servers.redis_url, [LANE])
    consumer = broker.consume(LANE, 2, 50)
    first, second = take(consumer), take(consumer)
    assert (next(consumer), [first.args[0], second.args[0]]) == (None, [1, 2])
    consumer.ack(first)
    third = take(consumer)
    assert third.args[0] == 3
    consumer.requeue([second, third])
    broker.close()
    other = NudgeBroker(servers.redis_url, [LANE])
    consumer = other.consume(LANE, 5, 50)
    assert [take(consumer).args[0] for _ in range(2)] == [2, 3]
    other.close()


def test_nudges_that_nobody_takes_do_not_stay_for_ever(servers: Servers) -> None:
    nudge(servers, 1)
    with redis.Redis.from_url(servers.redis_url) as client:
        assert [client.ttl(key) > 0 for key in client.scan_iter()] == [True]


def test_a_lane_that_lost_redis_says_so_and_has_all_its_room_afterwards(servers: Servers) -> None:
    broker = NudgeBroker("redis://127.0.0.1:1/0", [LANE])
    consumer = broker.consume(LANE, 1, 50)
    for _ in range(3):
        with pytest.raises(ConnectionClosed):
            next(consumer)
    broker.close()


def test_a_quiet_scheduler_looks_with_two_statements(world: World, servers: Servers) -> None:
    stopping = threading.Event()
    stopping.set()  # so that no step sleeps
    scheduler = Scheduler(world.runtime, NudgeBroker(servers.redis_url, dispatch.LANES), stopping)
    for _ in range(3):  # the day begins, and what it plans is released
        scheduler.step()
    with world.session() as session:
        session.execute(update(Job).values(status=JobStatus.SKIPPED, finished_at=world.clock.now()))
    with counted(world.runtime.database) as cost:
        scheduler.step()
    assert cost["statements"] <= 2, cost


def take(consumer: Consumer) -> MessageProxy:
    message = next(consumer)
    assert message is not None
    return message


def wake_ups(threads: list[threading.Thread]) -> int:
    """Count how often these threads have waited so far."""
    statuses = [Path(f"/proc/self/task/{thread.native_id}/status").read_text() for thread in threads]
    return sum(int(re.findall(r"^voluntary_ctxt_switches:\s*(\d+)", status, re.M)[0]) for status in statuses)
