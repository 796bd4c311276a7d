"""Several web processes behind one proxy are one Slomix: what one gave out the others take."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from slomix.availability.rules import Status
from slomix.database.session import Database
from slomix.web import live
from tests.moments import TODAY
from tests.waiting import PATIENCE
from tests.web.conftest import Browser, browser_of, make_app, with_settings
from tests.web.steps import Stream, begins_with
from tests.world import World, build_world

NAMES = [
    ({"environment": "production", "public_url": "https://slomix.example"}, "__Host-slomix"),
    ({"environment": "production", "public_url": "http://127.0.0.1:7000"}, "slomix"),
    ({"environment": "development", "public_url": ""}, "slomix_7000"),
]
PRODUCTION = NAMES[0][0]


def process(world: World, port: int, **settings: object) -> Flask:
    """A web process on this port."""
    return make_app(with_settings(world, port=port, **(settings or PRODUCTION)).runtime)


def cookie_name(app: Flask) -> str:
    return str(app.config["SESSION_COOKIE_NAME"])


@pytest.mark.parametrize(("settings", "name"), NAMES)
def test_the_cookies_name_does_not_tell_processes_apart_in_production(
    world: World, settings: dict[str, object], name: str
) -> None:
    assert cookie_name(process(world, 7000, **settings)) == name
    is_shared = settings["environment"] == "production"
    assert (cookie_name(process(world, 7001, **settings)) == name) is is_shared


def moved(browser: Browser, to: Flask) -> Browser:
    """The same browser, as the proxy has another process answer it."""
    other = to.test_client()
    for cookie in browser.client._cookies.values():  # type: ignore[union-attr]
        other.set_cookie(cookie.key, cookie.value, path=cookie.path, secure=cookie.secure)
    return Browser(other)


def test_login_and_form_of_one_process_hold_at_another(world: World) -> None:
    settings = dict(NAMES[1][0])
    first, second = process(world, 7000, **settings), process(world, 7001, **settings)
    alice = browser_of(first, world, "alice")
    token = alice.csrf()
    there = moved(alice, second)
    assert there.get("/auth/link/status").get_json()["player_name"] == "Alice"
    answer = there.client.post(f"/day/{TODAY}/status", data={"status": "LOOKING", "csrf_token": token})
    assert answer.status_code == 303
    assert "Alice (you)" in alice.page("/").by_id("queue").words


def test_over_https_a_form_needs_its_token_and_no_referer(world: World) -> None:
    alice = browser_of(process(world, 7000), world, None)
    base = {"base_url": "https://slomix.example"}
    page = alice.client.get("/nowhere", **base)
    token = page.text.split('csrf_token" value="')[1].split('"')[0]
    theme = {"theme": "dark"}
    assert alice.client.post("/appearance", data=theme | {"csrf_token": token}, **base).status_code == 303
    assert alice.client.post("/appearance", data=theme, **base).status_code in {401, 403}


def test_the_page_of_one_process_vouches_for_no_stream_of_another(
    committed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PATIENCE_SECONDS", PATIENCE)
    evening = build_world(committed)
    first, second = make_app(evening.runtime), make_app(evening.runtime)
    marks = {begins_with(app.test_client().get("/").text) for app in (first, second)}
    assert len(marks) == 2
    assert "" not in marks
    page, stream = begins_with(first.test_client().get("/").text), Stream(second)
    assert f"id: {page}\n" not in stream.next(), "so the page looks again"
    stream.close()


def test_a_process_that_stops_lets_its_open_pages_go_at_once(committed: Database) -> None:
    evening = build_world(committed)
    app = make_app(evening.runtime)
    hub: live.EventHub = app.extensions["slomix_hub"]
    streams = [Stream(app), Stream(app)]
    for one in streams:
        one.next()
    hub.close()
    evening.says("alice", Status.LOOKING)
    for one in streams:
        with pytest.raises(StopIteration):
            while True:
                one.next()
        one.close()
    late = Stream(app)  # on a connection that is still open
    assert late.next().endswith("data: hello\n\n"), "it came, so it will come again, to another process"
    with pytest.raises(StopIteration):
        late.next()
    late.close()


def test_a_process_that_stops_while_pages_come_keeps_none(committed: Database) -> None:
    hub = live.EventHub(committed.url, linger_seconds=0.1)
    gate = threading.Barrier(6, timeout=PATIENCE)

    def open_one() -> int:
        gate.wait()
        with hub.stream() as messages:
            read = 0
            while messages.get(timeout=PATIENCE) != live.THE_END:
                read += 1
            return read

    with ThreadPoolExecutor(5) as pool:
        opened = [pool.submit(open_one) for _ in range(5)]
        gate.wait()
        hub.close()
        assert all(one.result(PATIENCE) >= 1 for one in opened)


@pytest.mark.parametrize("path", ["/static/joined/slomix.js", "/static/joined/slomix.css"])
def test_an_asset_under_the_address_of_another_version_is_not_kept(anonymous: Browser, path: str) -> None:
    """While two versions run side by side, a page of one may get its style from the other."""
    answer = anonymous.get(f"{path}?v=0123456789")
    assert answer.status_code == 200
    assert answer.cache_control.no_cache
    assert not answer.cache_control.max_age
