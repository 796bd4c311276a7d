"""A Redis that answers is not one that carries nudges; and messages need none."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
import redis
from pydantic import SecretStr

from slomix.clock import wall_now
from slomix.database.session import Database
from slomix.dev.embedded import Servers
from slomix.health import nudging
from slomix.jobs import service as jobs
from slomix.jobs.rules import Done
from slomix.jobs.service import NewJob
from slomix.processes import dispatch, nudges
from slomix.processes.nudges import NudgeBroker
from slomix.processes.polling import Poller
from tests.waiting import PATIENCE, until
from tests.world import World, build_world

Trouble = Callable[[redis.Redis], object]


def tell(client: redis.Redis, *command: str) -> None:
    client.execute_command(*command)  # type: ignore[no-untyped-call]


def out_of_memory(client: redis.Redis) -> None:
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", "1mb")


def evicts_at_once(client: redis.Redis) -> None:
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.config_set("maxmemory", "1")


def is_read_only(client: redis.Redis) -> None:
    tell(client, "REPLICAOF", "127.0.0.1", "9")


def forbids_scripts(client: redis.Redis) -> None:
    tell(client, "ACL", "SETUSER", "default", "-@scripting")


def hangs(client: redis.Redis) -> None:
    tell(client, "CLIENT", "PAUSE", "600000", "WRITE")


TROUBLES: list[Trouble] = [out_of_memory, evicts_at_once, is_read_only, forbids_scripts, hangs]


@pytest.fixture
def client(servers: Servers) -> Iterator[redis.Redis]:
    """Who may set the Redis of these tests; all is well again afterwards."""
    admin = redis.Redis.from_url(servers.redis_url)
    yield admin
    tell(admin, "CLIENT", "UNPAUSE")
    tell(admin, "ACL", "SETUSER", "default", "+@all")
    tell(admin, "REPLICAOF", "NO", "ONE")
    admin.config_set("maxmemory", "0")
    admin.config_set("maxmemory-policy", "noeviction")


def tried(servers: Servers) -> str | None:
    return nudging.send_trial_nudge(nudging.open_client(servers.redis_url, timeout=0.5))


def test_a_redis_that_carries_nudges_is_well(servers: Servers, client: redis.Redis) -> None:
    assert tried(servers) is None
    assert not client.keys("slomix:trial:*"), "the trial leaves nothing behind"


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_redis_that_answers_ping_and_carries_no_nudges_is_not(
    servers: Servers, client: redis.Redis, trouble: Trouble
) -> None:
    trouble(client)
    assert client.ping()
    with pytest.raises(redis.RedisError) as refused:
        tried(servers)
    assert nudging.describe_failure(refused.value) not in {"", None}


def test_a_redis_that_may_throw_nudges_away_carries_them_and_says_so(servers: Servers, client: redis.Redis) -> None:
    client.config_set("maxmemory", "1gb")
    client.config_set("maxmemory-policy", "allkeys-lru")
    assert "maxmemory-policy is allkeys-lru" in (tried(servers) or "")


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_is_due_is_done_without_redis_within_seconds(
    committed: Database, servers: Servers, client: redis.Redis, trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scheduler releases, its nudges are lost, and a worker looks by itself."""
    monkeypatch.setattr(nudges, "ENQUEUED_WITHIN", 0.2)
    world = build_world(committed)
    planned = [
        NewJob(kind="chore", subject=str(number), run_at=world.clock.now(), lane=("discord", "telegram")[number % 2])
        for number in range(40)
    ]
    with world.session() as session:
        jobs.schedule(session, planned, now=world.clock.now())
    done: list[tuple[str, int]] = []
    poller = Poller(world.runtime, doing(world, done), {"general": 1, "discord": 2, "telegram": 2})
    broker, stopping = NudgeBroker(servers.redis_url, dispatch.LANES), threading.Event()
    trouble(client)
    looking = threading.Thread(target=poller.run, args=(stopping,), daemon=True)
    looking.start()

    def is_done() -> bool:
        with suppress(redis.RedisError, ConnectionError):
            dispatch.send_nudges(broker, dispatch.release_jobs(world.runtime))
        return len(done) == len(planned)

    try:
        until(is_done, "everything that is due")
    finally:
        stopping.set()
        looking.join()
        poller.stop(5000)
        broker.close()
    assert len({job for _, job in done}) == len(planned), "each once"


def doing(world: World, done: list[tuple[str, int]]) -> Callable[[int, str], None]:
    """What a worker does with a job of these tests."""

    def run_job(job_id: int, kind: str) -> None:
        now, wall = world.clock.now(), wall_now()
        with world.session() as session:
            job = jobs.claim(session, job_id, now=now, wall=wall)
            if job is not None:
                jobs.finish(session, job, Done(), now=now, wall=wall)
                done.append((kind, job_id))

    return run_job


def test_a_job_that_was_nudged_once_is_left_to_redis(world: World) -> None:
    """Else every worker would look at every job twice."""
    wall = wall_now()
    with world.session() as session:
        job = NewJob(kind="chore", subject="1", run_at=world.clock.now())
        jobs.schedule(session, [job], now=world.clock.now())
        for nudges in range(3):
            found = jobs.find_unclaimed(session, now=world.clock.now(), wall=wall)
            assert bool(found) is (nudges > 1), nudges
            jobs.release_due(session, now=world.clock.now(), wall=wall + timedelta(seconds=60 * nudges))


def test_a_lane_whose_provider_hangs_blocks_no_other(committed: Database) -> None:
    world = build_world(committed)
    hanging, wall = threading.Event(), wall_now() - timedelta(minutes=5)
    started: list[str] = []
    with world.session() as session:
        for number, lane in enumerate(["discord"] * 5 + ["telegram"]):
            job = NewJob(kind=lane, subject=str(number), run_at=world.clock.now(), lane=lane)
            jobs.schedule(session, [job], now=world.clock.now())
        for minutes in range(2):
            jobs.release_due(session, now=world.clock.now(), wall=wall + timedelta(minutes=minutes))

    def run_job(_job_id: int, kind: str) -> None:
        started.append(kind)
        hanging.wait(PATIENCE)

    poller = Poller(world.runtime, run_job, {"general": 1, "discord": 2, "telegram": 2})
    assert [poller.step(), poller.step()] == [6, 6], "they are found, and those that run are not begun twice"
    until(lambda: len(started) == 3, "those that have room")
    assert sorted(started) == ["discord", "discord", "telegram"]
    hanging.set()
    poller.stop(5000)


def test_dramatiq_has_nothing_to_warn_of_when_a_worker_starts(
    world: World, servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    settings = world.runtime.settings.model_copy(update={"redis_url": SecretStr(servers.redis_url)})
    runtime = replace(world.runtime, settings=settings)
    workers = [dispatch.make_worker(runtime, lane, threads=2) for lane in dispatch.LANES]
    assert len(workers) == len(dispatch.LANES)
    assert [record.message for record in caplog.records if record.name.startswith("dramatiq")] == []


def test_a_redis_that_hangs_keeps_the_scheduler_for_two_seconds_at_most(servers: Servers) -> None:
    broker = NudgeBroker(servers.redis_url, dispatch.LANES)
    settings = broker._pushing.get_connection_kwargs()
    waits = (settings["retry"].get_retries() + 1) * settings["socket_timeout"]
    assert (waits <= 2, settings["socket_connect_timeout"] <= 1) == (True, True)
    broker.close()
