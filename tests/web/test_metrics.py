"""W72: who may read /metrics, and what a process says of itself there, also when all else is away."""

import shutil
import subprocess
import time
from datetime import timedelta
from ipaddress import ip_network

import pytest
from pydantic import SecretStr

from slomix.clock import nap, wall_now
from slomix.database import session as db
from slomix.dev.embedded import Servers
from slomix.health import service as health
from slomix.health.rules import WORKER
from slomix.metrics import views
from tests.moments import TODAY
from tests.simulators import NOBODY
from tests.waiting import PATIENCE
from tests.web.conftest import is_page, make_app, with_settings
from tests.web.scraping import scrape
from tests.web.silence import at_port, noted_waits, silent_server, without_database
from tests.web.steps import Stream
from tests.world import World, build_world

TOKEN = "a-token-for-the-monitor-of-the-tests"
STRANGER = "203.0.113.7"
HERE = {"REMOTE_ADDR": "127.0.0.1"}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read counts here, not how soon."""
    monkeypatch.setattr(views, "ANSWER_WITHIN", PATIENCE)


def status(world: World, peer: str, **headers: str) -> int:
    """What whoever comes from this address gets."""
    client = make_app(world.runtime).test_client()
    asked = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get("/metrics", environ_overrides={"REMOTE_ADDR": peer}, headers=asked).status_code


@pytest.fixture
def guarded(world: World) -> World:
    return with_settings(world, metrics_token=SecretStr(TOKEN), trusted_proxies=(ip_network("127.0.0.1"),))


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_this_machine_itself_may_read_them(world: World, peer: str) -> None:
    assert status(world, peer) == 200


@pytest.mark.parametrize("peer", [STRANGER, "10.0.0.5", "2001:db8::1", ""])
def test_others_may_not(world: World, peer: str) -> None:
    assert status(world, peer) == 403
    assert status(world, peer, Authorization="Bearer ") == 403, "no token is set, so none opens it"


def test_whoever_shows_the_token_may(guarded: World) -> None:
    assert status(guarded, STRANGER, Authorization=f"Bearer {TOKEN}") == 200
    assert status(guarded, STRANGER, Authorization=f"bearer  {TOKEN} ") == 200


@pytest.mark.parametrize(
    "shown", ["", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "Bearer ä"]
)
def test_another_word_opens_nothing(guarded: World, shown: str) -> None:
    assert status(guarded, STRANGER, Authorization=shown) == 403


def test_a_stranger_behind_a_proxy_on_this_machine_is_a_stranger(world: World, guarded: World) -> None:
    """Also where nobody told us that there is one."""
    assert status(guarded, "127.0.0.1", X_Forwarded_For=STRANGER) == 403
    assert status(world, "127.0.0.1", X_Forwarded_For=STRANGER) == 403
    assert status(world, "127.0.0.1", X_Real_Ip=STRANGER) == 403
    assert status(world, "127.0.0.1", Forwarded=f"for={STRANGER}") == 403


def test_a_stranger_who_says_to_be_from_here_is_one(guarded: World) -> None:
    assert status(guarded, STRANGER, X_Forwarded_For="127.0.0.1") == 403
    assert status(guarded, "127.0.0.1", X_Forwarded_For=f"127.0.0.1, {STRANGER}") == 403


def test_who_may_not_read_is_told_in_a_sentence(world: World) -> None:
    answer = make_app(world.runtime).test_client().get("/metrics", environ_overrides={"REMOTE_ADDR": STRANGER})
    assert "callers with the token" in is_page(answer, 403)


def test_requests_are_measured_by_rule_method_and_kind_of_status_and_never_by_address(world: World) -> None:
    app = make_app(world.runtime)
    client = app.test_client()
    for path in (f"/day/{TODAY}", "/day/2026-11-21", "/day/2026-13-40", "/nowhere", "/elsewhere"):
        client.get(path)
    client.open("/", method="BREW")
    found = scrape(world, app)
    counted = {tuple(labels.values()): value for labels, value in found.of("http_request_duration_seconds_count")}
    assert counted == {
        ("GET", "/day/<day>", "2xx"): 2,
        ("GET", "/day/<day>", "4xx"): 1,
        ("GET", "none", "4xx"): 2,
        ("other", "none", "4xx"): 1,
    }
    assert "2026-11-21" not in found.text
    assert "nowhere" not in found.text


def test_how_long_a_request_takes_is_what_is_measured(world: World) -> None:
    app = make_app(world.runtime)
    began = time.perf_counter()

    @app.get("/slow")
    def slow() -> str:
        nap(0.3)
        return "done"

    app.test_client().get("/slow")
    took = time.perf_counter() - began
    found = scrape(world, app)
    assert found.sum("http_request_duration_seconds_bucket", route="/slow", le="0.25") == 0
    measured = found.sum("http_request_duration_seconds_sum", route="/slow")
    assert measured is not None
    assert 0.3 <= measured <= took


def test_a_stream_is_counted_while_it_is_open_and_is_no_duration(committed: db.Database) -> None:
    world = build_world(committed)
    app = make_app(world.runtime)
    assert scrape(world, app).sum("live_streams") == 0
    stream = Stream(app)
    stream.next()
    found = scrape(world, app)
    assert found.sum("live_streams") == 1
    assert found.of("http_request_duration_seconds_count", route="/events") == []
    with world.session() as session:
        db.notify(session, db.LIVE_CHANNEL, "the end")
    stream.answer.close()
    stream.close()


def test_the_pool_shows_what_is_in_use(committed: db.Database) -> None:
    world = build_world(committed)
    app = make_app(world.runtime)
    before = scrape(world, app)
    assert before.sum("database_pool_checked_out") == 0, "the monitor's own question is not counted"
    with committed.engine.connect(), committed.engine.connect():
        found = scrape(world, app)
    assert found.sum("database_pool_checked_out") == 2
    assert found.sum("database_pool_size") == 10
    assert found.sum("database_pool_most") == committed.max_connections == 15


def test_each_part_has_its_age(world: World, servers: Servers) -> None:
    world = with_settings(world, redis_url=SecretStr(servers.redis_url))
    beat_at = wall_now()
    with world.session() as session:
        health.record_heartbeat(session, WORKER, "here/1", wall=beat_at)
        health.record_heartbeat(session, WORKER, "here/2", wall=beat_at - timedelta(minutes=1))
    found = scrape(world)
    assert [found.sum("part_copies", part="worker", state=state) for state in ("alive", "missing")] == [1, 1]
    assert [found.sum("part_copies", part="scheduler", state=state) for state in ("alive", "missing")] == [0, 0]
    assert (found.sum("part_up", part="worker"), found.sum("part_up", part="scheduler")) == (1, 0)
    age = found.sum("heartbeat_age_seconds", part="worker")
    assert age is not None
    assert age <= (wall_now() - beat_at).total_seconds() + 0.1, "it is told to a tenth of a second"
    assert found.sum("heartbeat_age_seconds", part="scheduler") == float("inf")
    assert (found.sum("redis_up"), found.sum("database_up")) == (1, 1)


@pytest.mark.parametrize("away", ["hangs", "refuses"])
def test_without_its_database_a_process_tells_what_it_knows_itself(
    world: World, monkeypatch: pytest.MonkeyPatch, away: str
) -> None:
    monkeypatch.setattr(views, "ANSWER_WITHIN", 1.0)
    waits = noted_waits(monkeypatch)
    with silent_server() as port:
        lonely = at_port(world, port) if away == "hangs" else without_database(world)
        found = scrape(lonely)
    assert 0 < max(waits.values()) <= (1 if away == "hangs" else 2), "one limit for both, and nothing beyond it"
    assert (found.sum("database_up"), found.sum("live_streams")) == (0, 0)
    assert found.sum("build_info") == 1
    assert "process_start_time_seconds" in found.names()
    assert found.of("jobs_due") == [], "of the rest it says nothing rather than nought"
    assert found.of("sending_paused") == []


def test_redis_away_is_told_and_hides_nothing_else(world: World) -> None:
    away = with_settings(world, redis_url=SecretStr(f"redis://127.0.0.1:{NOBODY}/0"))
    found = scrape(away)
    assert (found.sum("redis_up"), found.sum("database_up"), found.sum("sending_paused")) == (0, 1, 0)


def test_a_mistake_of_ours_is_not_passed_off_as_a_database_that_is_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("slomix.metrics.readings.take_readings", broken)
    assert status(world, "127.0.0.1") == 500


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_has_nothing_to_say_against_names_and_help(world: World) -> None:
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=scrape(world).text, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
