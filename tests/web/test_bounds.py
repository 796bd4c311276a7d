"""What anybody may ask of the web process is bounded, whoever they are, and nobody is held up by somebody else."""

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from pydantic import SecretStr
from werkzeug.routing import Rule

from slomix.web import fairness, live
from slomix.web.fairness import FairShare, Pace
from tests.moments import TODAY
from tests.waiting import PATIENCE
from tests.web.conftest import Browse, Browser, browser_of, is_problem, make_app, with_settings
from tests.world import World

SECURITY = Path(__file__).parents[2] / "docs/security.md"
FILLED = {"the_day": TODAY.isoformat(), "day": TODAY.isoformat(), "filename": "main.css"}


def path_of(rule: Rule) -> str:
    """A path that fits the rule."""
    return re.sub(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", lambda found: FILLED.get(found[1], "1"), rule.rule)


def routes(app: Flask) -> Iterator[tuple[str, Rule]]:
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
            yield method, rule


@pytest.fixture
def paced(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let a client ask so often a minute; the minute does not end, since the next would let some more through."""
    monkeypatch.setattr(fairness, "monotonic", lambda: 0.0)

    def pace(requests: int) -> None:
        monkeypatch.setattr(fairness, "PACE", Pace(requests, 60))

    return pace


def test_every_route_ends_for_a_client_that_asks_without_end(
    app: Flask, anonymous: Browser, paced: Callable[[int], None]
) -> None:
    paced(2)
    shares: FairShare = app.extensions["slomix_shares"]
    endless = set()
    for method, rule in routes(app):
        shares.reset()
        statuses = [anonymous.client.open(path_of(rule), method=method).status_code for _ in range(3)]
        if statuses[-1] != 429:
            endless.add(rule.rule)
    assert {rule for rule in endless if not rule.startswith(fairness.UNCOUNTED)} == set()


def test_the_table_of_what_strangers_may_ask_for_is_complete(app: Flask, anonymous: Browser) -> None:
    """Every route that does not answer a stranger with `log in first` stands there with its bound."""
    listed = dict(re.findall(r"^\| `(/[^`]*)` \| (.+?) \|$", SECURITY.read_text(), re.MULTILINE))
    shares: FairShare = app.extensions["slomix_shares"]
    open_to_all = set()
    for method, rule in routes(app):
        shares.reset()
        if anonymous.client.open(path_of(rule), method=method).status_code not in {401, 403}:
            open_to_all.add(rule.rule)
    assert set(listed) == open_to_all
    uncounted = {rule for rule in open_to_all if rule.startswith(fairness.UNCOUNTED)}
    assert not [rule for rule in uncounted if "the pace" in listed[rule]], "these have a bound of their own"


def test_whoever_asks_too_fast_gets_a_sentence_and_a_time_and_nobody_else_does(
    app: Flask, anonymous: Browser, browse: Browse, paced: Callable[[int], None]
) -> None:
    paced(3)
    assert [anonymous.get("/board").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = anonymous.get("/api/availability/access")
    assert "often" in is_problem(refused, 429)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert anonymous.client.get("/board", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 200
    assert browse("alice").get("/board").status_code == 200, "behind the same address, with a login"
    assert anonymous.get("/health/live").status_code == 200


@pytest.mark.parametrize(
    ("address", "is_same"),
    [
        ("2001:db8:1:2::1", True),
        ("2001:db8:1:2:ffff:1:2:3", True),
        ("2001:db8:1:3::1", False),
        ("2001:db8::1", False),
    ],
)
def test_an_ipv6_client_is_its_network(
    anonymous: Browser, paced: Callable[[int], None], address: str, is_same: bool
) -> None:
    paced(1)
    asked = [
        anonymous.client.get("/board", environ_base={"REMOTE_ADDR": who}).status_code
        for who in ("2001:db8:1:2::99", address)
    ]
    assert asked == [200, 429 if is_same else 200]


def test_stop_links_cannot_be_guessed_from_every_address_of_one_network(anonymous: Browser) -> None:
    statuses = [
        anonymous.client.get("/stop/x", environ_base={"REMOTE_ADDR": f"2001:db8:1:2::{number:x}"}).status_code
        for number in range(1, 62)
    ]
    assert statuses == [404] * 60 + [429]


# Streams


def open_stream(browser: Browser, address: str = "203.0.113.5") -> object:
    return browser.client.get("/events", environ_base={"REMOTE_ADDR": address}, buffered=False)


def test_a_strange_client_may_hold_thirty_streams_and_gives_back_what_it_closes(world: World) -> None:
    stranger = browser_of(make_app(world.runtime), world, None)
    held = [open_stream(stranger) for _ in range(live.MOST_OF_CLIENT)]
    assert {answer.status_code for answer in held} == {200}  # type: ignore[attr-defined]
    refused = open_stream(stranger)
    assert refused.status_code == 429  # type: ignore[attr-defined]
    assert int(refused.headers["Retry-After"]) >= 1  # type: ignore[attr-defined]
    assert open_stream(stranger, "203.0.113.6").status_code == 200  # type: ignore[attr-defined]
    held[0].close()  # type: ignore[attr-defined]
    assert open_stream(stranger).status_code == 200  # type: ignore[attr-defined]


def test_a_stream_that_is_refused_to_a_page_of_another_viewer_holds_no_place(world: World) -> None:
    app = make_app(world.runtime)
    stranger = browser_of(app, world, None)
    headers = {"X-Viewer": "1"}
    refused = [stranger.get("/events", htmx=False, **headers).status_code for _ in range(live.MOST_OF_CLIENT + 1)]
    assert set(refused) == {409}
    assert app.extensions["slomix_hub"]._places.total() == 0
    assert open_stream(stranger, "127.0.0.1").status_code == 200  # type: ignore[attr-defined]


def test_an_account_may_hold_six_streams_wherever_it_is(world: World) -> None:
    app = make_app(world.runtime)
    browsers = [browser_of(app, world, "alice") for _ in range(7)]
    statuses = [
        open_stream(browser, f"203.0.113.{number}").status_code  # type: ignore[attr-defined]
        for number, browser in enumerate(browsers)
    ]
    assert statuses == [200] * 6 + [429]
    assert open_stream(browser_of(app, world, "bob"), "203.0.113.0").status_code == 200  # type: ignore[attr-defined]


def test_web_processes_share_what_a_client_may_hold(world: World) -> None:
    both = with_settings(world, formation="worker=2, web=2")
    browser = browser_of(make_app(both.runtime), both, "alice")
    assert [open_stream(browser).status_code for _ in range(4)] == [200, 200, 200, 429]  # type: ignore[attr-defined]


def test_a_process_full_of_streams_still_has_pages(world: World) -> None:
    app = make_app(world.runtime)
    app.extensions["slomix_hub"].most_streams = 2
    stranger = browser_of(app, world, None)
    statuses = [open_stream(stranger, f"203.0.113.{number}").status_code for number in range(3)]  # type: ignore[attr-defined]
    assert statuses == [200, 200, 429]
    assert stranger.get("/").status_code == 200


# Turns


def test_a_client_waits_behind_itself_and_nobody_behind_them() -> None:
    """Two of its requests are served, the third waits; another client's is served at once."""
    may_end, began = threading.Event(), threading.Semaphore(0)

    def serve(environ: dict[str, object], _start: object) -> list[bytes]:
        began.release()
        assert may_end.wait(PATIENCE)
        return []

    shares = FairShare(Flask("fair"), serve)
    shares._app.secret_key = "x"

    def ask(address: str) -> threading.Thread:
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "REMOTE_ADDR": address}
        asking = threading.Thread(target=lambda: shares(environ, lambda *_: None), daemon=True)  # type: ignore[arg-type]
        asking.start()
        return asking

    asking = [ask("203.0.113.1") for _ in range(3)]
    assert began.acquire(timeout=PATIENCE)
    assert began.acquire(timeout=PATIENCE)
    asking.append(ask("203.0.113.2"))
    assert began.acquire(timeout=PATIENCE), "another client's"
    assert not began.acquire(blocking=False), "the third of the first"
    may_end.set()
    for one in asking:
        one.join(PATIENCE)
    assert began.acquire(blocking=False), "it had its turn"
    assert not shares._asking
    assert not shares._free


# Writes


def test_a_member_writes_sixty_times_a_minute_from_whatever_browser(browse: Browse) -> None:
    first, second = browse("alice"), browse("alice")
    statuses = [
        (first if number % 2 else second)
        .call("POST", "/api/availability", {"date": TODAY.isoformat(), "status": "LOOKING"})
        .status_code
        for number in range(61)
    ]
    assert statuses == [200] * 60 + [429]
    assert first.post(f"/day/{TODAY}/status", {"status": "MAYBE"}).status_code == 429, "forms count too"
    assert first.get("/").status_code == 200
    assert browse("bob").post(f"/day/{TODAY}/status", {"status": "MAYBE"}).status_code < 400


def test_the_bridge_is_not_used_up_by_wrong_bearers(world: World) -> None:
    bridged = with_settings(world, internal_api_secret=SecretStr("the secret of the bridge"))
    caller = browser_of(make_app(bridged.runtime), bridged, None)
    path = "/api/availability/link-confirm"
    wrong = [caller.client.post(path, json={}, headers={"Authorization": "Bearer x"}).status_code for _ in range(61)]
    assert wrong[-1] == 429
    right = caller.client.post(path, json={}, headers={"Authorization": "Bearer the secret of the bridge"})
    assert right.status_code == 422


def test_a_stranger_is_refused_before_their_body_is_read(anonymous: Browser) -> None:
    class Unread:
        def read(self, *_: int) -> bytes:
            raise AssertionError("somebody read it")

        readline = readlines = read

    for path, status in (("/api/availability", 401), ("/inbox/telegram", 404)):
        answer = anonymous.client.post(
            path,
            headers={"X-Requested-With": "XMLHttpRequest"},
            environ_overrides={"wsgi.input": Unread(), "CONTENT_LENGTH": "10"},
        )
        assert answer.status_code == status, path
