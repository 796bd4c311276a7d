"""Who asks how everything is gets an answer within three seconds, also when what they ask about hangs."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import event, text

from slomix.database import migrations
from slomix.database.session import Database
from slomix.dev.embedded import Servers
from slomix.health import views
from slomix.health.probes import Probe
from slomix.health.rules import SCHEDULER, WORKER
from tests.databases import beside
from tests.simulators import NOBODY
from tests.waiting import PATIENCE, until
from tests.web.conftest import browser_of, make_app, with_settings
from tests.web.silence import answers_in_time, at_port, noted_waits, silent_server, without_database
from tests.world import World

DATABASE, REDIS = ("parts", "revision"), ("redis",)
PROBES = DATABASE + REDIS

IN_PRODUCTION = views.ANSWER_WITHIN, views.GIVE_UP_AFTER
# What whoever asks waits for in these tests, in seconds.
LIMIT = 1


@pytest.fixture
def silent() -> Iterator[int]:
    with silent_server() as port:
        yield port


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> dict[int, float]:
    """For how long each thread was ready to wait for answers."""
    monkeypatch.setattr(views, "ANSWER_WITHIN", float(LIMIT))
    monkeypatch.setattr(views, "GIVE_UP_AFTER", PATIENCE)
    return noted_waits(monkeypatch)


def ask(app: Flask, world: World, path: str, *, hanging: tuple[str, ...] = ()) -> tuple[int, dict[str, Any]]:
    """The answer to who asks how everything is; what does not hang is in time."""
    answers_in_time(app, *{*PROBES} - {*hanging})
    answer = browser_of(app, world, None).get(path)
    return answer.status_code, answer.get_json()


def on_redis(world: World, url: str) -> World:
    return with_settings(world, redis_url=SecretStr(url))


def test_who_asks_is_answered_within_three_seconds() -> None:
    assert IN_PRODUCTION == (2, 4), "and a Redis that hangs is given up later than that"


def test_a_database_that_hangs_is_named_in_time(
    world: World, servers: Servers, silent: int, waits: dict[int, float]
) -> None:
    hanging = at_port(on_redis(world, servers.redis_url), silent)
    status, body = ask(make_app(hanging.runtime), hanging, "/health", hanging=DATABASE)
    assert (status, body["status"]) == (503, "unwell")
    assert body["parts"]["database"] == {
        "ok": False,
        "age_seconds": None,
        "reason": f"does not answer within {LIMIT} s",
        "clock_offset_seconds": 0.0,
    }
    assert "database is away" in body["parts"][WORKER]["reason"]
    assert body["parts"]["redis"]["ok"], "the other one is not blamed for it"
    assert 0 < max(waits.values()) <= LIMIT


def test_a_redis_that_hangs_is_named_in_time(world: World, silent: int, waits: dict[int, float]) -> None:
    hanging = on_redis(world, f"redis://127.0.0.1:{silent}/0")
    status, body = ask(make_app(hanging.runtime), hanging, "/health", hanging=REDIS)
    assert status == 503
    assert body["parts"]["redis"]["reason"] == f"does not answer within {LIMIT} s"
    assert body["parts"]["database"]["ok"]
    assert body["parts"][SCHEDULER]["reason"] == "was never seen", "what the database knows is told"
    assert 0 < max(waits.values()) <= 2 * LIMIT


def test_both_hanging_take_no_longer_than_one(world: World, silent: int, waits: dict[int, float]) -> None:
    hanging = at_port(on_redis(world, f"redis://127.0.0.1:{silent}/0"), silent)
    _, body = ask(make_app(hanging.runtime), hanging, "/health", hanging=PROBES)
    assert not body["parts"]["database"]["ok"]
    assert not body["parts"]["redis"]["ok"]
    assert 0 < max(waits.values()) <= LIMIT


def test_many_who_ask_while_it_hangs_gather_no_threads(world: World, silent: int, waits: dict[int, float]) -> None:
    hanging = at_port(on_redis(world, f"redis://127.0.0.1:{silent}/0"), silent)
    app, before, found = make_app(hanging.runtime), {*threading.enumerate()}, []

    def one() -> None:
        found.append(ask(app, hanging, "/health", hanging=PROBES))

    asking = [threading.Thread(target=one) for _ in range(10)]
    for thread in asking:
        thread.start()
    until(lambda: len(waits) == len(asking), "all of them to wait")
    probes = [thread for thread in {*threading.enumerate()} - before if thread.name == "probe"]
    assert len(probes) == 2, "one for the database, one for Redis"
    for thread in asking:
        thread.join()
    assert [status for status, _ in found] == [503] * len(asking)
    assert max(waits.values()) <= LIMIT


def test_a_process_with_all_its_connections_in_use_says_so(world: World, database_url: str) -> None:
    full = replace(world.runtime, database=Database(database_url, pool_size=1, overflow=0))
    assert views.database_problem(full, TimeoutError()) == f"does not answer within {LIMIT} s"
    with full.database.engine.connect():
        reason = views.database_problem(full, TimeoutError())
    assert reason == f"does not answer within {LIMIT} s; all 1 connections of this process are in use"
    full.database.close()


def test_what_answers_again_is_believed_at_once(world: World) -> None:
    gate = threading.Event()
    probe: Probe[bool] = Probe(gate.wait)
    with pytest.raises(TimeoutError):
        probe.submit().result(0)
    assert probe.seconds_silent is None
    began = time.monotonic()
    gate.set()
    assert probe.submit().result(PATIENCE)
    assert probe.seconds_silent is not None
    assert probe.seconds_silent <= time.monotonic() - began


@pytest.mark.parametrize("away", ["hangs", "refuses"])
def test_a_process_lives_also_without_a_database(world: World, silent: int, away: str, waits: dict[int, float]) -> None:
    lonely = at_port(world, silent) if away == "hangs" else without_database(world)
    tries: list[object] = []
    event.listen(lonely.runtime.database.engine, "do_connect", lambda *_: tries.append("connect"))
    assert ask(make_app(lonely.runtime), lonely, "/health/live") == (200, {"status": "ok"})
    assert (tries, waits) == ([], {}), "it does not even ask: it would be told so after two seconds"


@pytest.mark.parametrize(
    ("away", "reason"),
    [("hangs", f"the database does not answer within {LIMIT} s"), ("refuses", "the database does not answer")],
)
def test_a_process_without_a_database_gets_no_requests(
    world: World, silent: int, away: str, reason: str, waits: dict[int, float]
) -> None:
    lonely = at_port(world, silent) if away == "hangs" else without_database(world)
    status, body = ask(make_app(lonely.runtime), lonely, "/health/ready", hanging=DATABASE if away == "hangs" else ())
    assert (status, body) == (503, {"status": "unready", "reason": reason})
    assert 0 < max(waits.values()) <= LIMIT


def test_a_process_is_ready_whoever_else_is_dead(world: World) -> None:
    """No worker, no scheduler, no Discord, no Redis: people can still say that they play."""
    alone = on_redis(world, f"redis://127.0.0.1:{NOBODY}/0")
    app = make_app(alone.runtime)
    assert ask(app, alone, "/health")[0] == 503
    assert ask(app, alone, "/health/ready") == (200, {"status": "ok", "reason": None})


def test_a_process_is_not_ready_on_the_schema_of_an_earlier_version(world: World, servers: Servers) -> None:
    newest, before = migrations.revisions()[:2]
    app = make_app(world.runtime)
    with stamped(servers, before):
        status, body = ask(app, world, "/health/ready")
    assert status == 503
    assert body["reason"] == f"the schema is at {before}; this version needs {newest}"
    assert ask(app, world, "/health/ready")[0] == 200


def test_a_process_goes_on_when_the_next_version_has_migrated(world: World, servers: Servers) -> None:
    """A rolling restart: until it is replaced, the old one serves."""
    with stamped(servers, "9999"):
        assert ask(make_app(world.runtime), world, "/health/ready")[0] == 200


def test_a_database_that_nobody_migrated_is_named(world: World, empty_database_url: str) -> None:
    empty = Database(empty_database_url)
    _, body = ask(make_app(replace(world.runtime, database=empty)), world, "/health/ready")
    empty.close()
    assert body["reason"] == f"the database has no schema yet; this version needs {migrations.revisions()[0]}"


@contextmanager
def stamped(servers: Servers, revision: str) -> Iterator[None]:
    """As if the owner had migrated to there."""
    owner = Database(beside(servers.owner_url, "town"))

    def stamp(to: str) -> None:
        with owner.transaction() as session:
            session.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": to})

    stamp(revision)
    try:
        yield
    finally:
        stamp(migrations.revisions()[0])
        owner.close()
