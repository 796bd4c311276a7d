"""W72: `/health` names the part that is dead, and a database that is away makes a page and no stack trace."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from slomix.channels.base import ProviderDown
from slomix.dev.embedded import Servers
from slomix.health import outages, service, views
from slomix.health.rules import DISCORD, INBOX, SCHEDULER, WORKER
from slomix.reasons.codes import Reason
from tests.moments import TODAY, at
from tests.simulators import NOBODY
from tests.waiting import PATIENCE
from tests.web.conftest import Browser, browser_of, is_fragment, is_page, is_problem, make_app, with_settings
from tests.web.scraping import scrape
from tests.web.silence import without_database
from tests.world import World

BEATING = (SCHEDULER, WORKER, DISCORD, INBOX)


# When these tests ask, by the clock that heartbeats go by.
WALL = at(20, 30)


@pytest.fixture(autouse=True)
def asked_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine, no time passes between a beat and the question, and what lives answers in time."""
    monkeypatch.setattr(views, "wall_now", lambda: WALL)
    monkeypatch.setattr(views, "ANSWER_WITHIN", PATIENCE)


@pytest.fixture
def alive(world: World, servers: Servers) -> World:
    """Everything has just beaten."""
    configured = with_settings(world, redis_url=SecretStr(servers.redis_url), discord_bot_token=SecretStr("a-token"))
    beat(configured, *BEATING)
    return configured


def beat(world: World, *parts: str, ago: timedelta = timedelta(0)) -> None:
    with world.session() as session:
        for part in parts:
            service.record_heartbeat(session, part, "here/1", wall=WALL - ago)


def ask(world: World) -> tuple[int, dict[str, Any]]:
    answer = browser_of(make_app(world.runtime), world, None).get("/health")
    return answer.status_code, answer.get_json()


def dead(body: dict[str, Any]) -> set[str]:
    return {name for name, part in body["parts"].items() if not part["ok"]}


def test_when_all_beat_all_is_well(alive: World) -> None:
    status, body = ask(alive)
    assert (status, body["status"]) == (200, "ok")
    assert set(body["parts"]) == {"database", "redis", *BEATING}
    assert all(body["parts"][part]["age_seconds"] == 0 for part in BEATING)


@pytest.mark.parametrize("part", BEATING)
def test_a_part_that_no_longer_beats_is_named_with_its_age(alive: World, part: str) -> None:
    beat(alive, part, ago=timedelta(seconds=31))
    status, body = ask(alive)
    assert (status, body["status"]) == (503, "unwell")
    assert dead(body) == {part}
    assert body["parts"][part]["age_seconds"] == 31
    assert body["parts"][part]["reason"]


def test_strangers_are_told_that_a_copy_is_missing_and_not_where_it_ran(alive: World) -> None:
    with alive.session() as session:
        service.record_heartbeat(session, WORKER, "our-machine/worker.2", wall=WALL - timedelta(seconds=31))
    status, body = ask(alive)
    assert (status, body["parts"][WORKER]["reason"]) == (200, "1 of 2 processes silent")
    assert "our-machine" not in str(body)


def test_an_inbox_that_cannot_hear_is_unwell_and_says_why_until_it_can(alive: World) -> None:
    """Finding 12: the inbox lives, and hears nothing."""
    trouble = "Signal has not been heard for 61 s: the service runs in mode normal"
    with alive.session() as session:
        service.record_heartbeat(session, INBOX, "here/1", wall=WALL, trouble=trouble)
    status, body = ask(alive)
    assert (status, dead(body), body["parts"][INBOX]["reason"]) == (503, {INBOX}, trouble)
    beat(alive, INBOX)
    assert ask(alive)[0] == 200


def test_a_part_that_was_never_seen_is_dead(world: World, servers: Servers) -> None:
    configured = with_settings(world, redis_url=SecretStr(servers.redis_url))
    status, body = ask(configured)
    assert status == 503
    assert dead(body) == {SCHEDULER, WORKER, INBOX}, "Discord is not asked for where no bot is configured"


@pytest.mark.parametrize(
    ("on", "is_asked_for"), [({"signal_enabled"}, True), ({"telegram_enabled"}, True), (set(), False)], ids=str
)
def test_the_inbox_is_asked_for_where_somebody_can_write_to_it(alive: World, on: set[str], is_asked_for: bool) -> None:
    switches = {name: name in on for name in ("telegram_enabled", "signal_enabled")}
    status, body = ask(with_settings(alive, **switches))
    assert (status, INBOX in body["parts"]) == (200, is_asked_for)


def test_the_systems_clock_does_not_make_anybody_look_dead(alive: World) -> None:
    alive.clock.forward(timedelta(days=400))
    assert ask(alive)[0] == 200


def test_redis_away_is_named(alive: World) -> None:
    away = with_settings(alive, redis_url=SecretStr(f"redis://127.0.0.1:{NOBODY}/0"))
    status, body = ask(away)
    assert status == 503
    assert dead(body) == {"redis"}


def test_the_database_away_is_named_and_the_others_are_unknown(alive: World) -> None:
    status, body = ask(without_database(alive))
    assert status == 503
    assert dead(body) == {"database", *BEATING}
    assert body["parts"]["database"]["reason"] == "does not answer"
    assert body["parts"]["redis"]["ok"]
    assert "while the database is away" in body["parts"][WORKER]["reason"]


@pytest.fixture(params=[None, "alice"], ids=["anonymous", "logged in"])
def unlucky(request: pytest.FixtureRequest, world: World) -> Browser:
    """Somebody whose browser was here before the database went away."""
    return Browser(_moved(browser_of(make_app(world.runtime), world, request.param), without_database(world)).client)


def _moved(browser: Browser, world: World) -> Browser:
    """The same cookies, in front of the same system without its database."""
    moved = browser_of(make_app(world.runtime), world, None)
    with browser.client.session_transaction() as before, moved.client.session_transaction() as after:
        after.update(before)
    return moved


@pytest.mark.parametrize("path", ["/", f"/day/{TODAY}", "/board", "/calendar", "/auth/login"])
def test_a_page_without_a_database_says_so(unlucky: Browser, path: str) -> None:
    assert "database does not answer" in is_page(unlucky.get(path), 503)
    assert "database does not answer" in is_fragment(unlucky.get(path, htmx=True), 503)


@pytest.mark.parametrize("call", ["", "/access", "/promotions/preview"])
def test_the_api_without_a_database_says_so(world: World, call: str) -> None:
    alice = _moved(browser_of(make_app(world.runtime), world, "alice"), without_database(world))
    assert "database does not answer" in is_problem(alice.get(f"/api/availability{call}"), 503)


@pytest.mark.parametrize("channel", ["discord", "telegram", "signal"])
def test_a_provider_that_is_out_is_named_with_since_when_and_its_own_words(alive: World, channel: str) -> None:
    with alive.session() as session:
        error = ProviderDown(Reason.DISCORD_ANSWERED, "503 Service Unavailable")
        for delivery in (1, 2):
            outages.record_failure(session, channel, error, delivery, now=at(20, 59, 55), wall=WALL)
    status, body = ask(alive)
    assert (status, dead(body)) == (503, {f"{channel}_provider"})
    reason = f"takes no messages since {TODAY} 20:59:55 CET: Discord answered 503 Service Unavailable"
    assert body["parts"][f"{channel}_provider"]["reason"] == reason
    page = browser_of(make_app(alive.runtime), alive, "dora").get("/admin/tonight").text
    assert f"{channel.capitalize()} isn’t accepting our messages" in page
    assert f"T{reason[1:]}" in page
    alive.clock.move_to(at(21))
    assert scrape(alive).of("provider_out_seconds", channel=channel) == [({"channel": channel}, 5.0)]


def test_a_mere_suspicion_is_not_told(alive: World) -> None:
    with alive.session() as session:
        error = ProviderDown(Reason.DISCORD_ANSWERED, "503")
        outages.record_failure(session, "discord", error, 1, now=at(20, 59), wall=WALL)
    assert ask(alive)[0] == 200
    assert scrape(alive).sum("provider_out_seconds") == 0
