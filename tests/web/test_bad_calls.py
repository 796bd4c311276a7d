"""What scripts get wrong when they call the API: problem+json, the right status, and nothing stored."""

from datetime import timedelta
from typing import Any

import pytest

from slomix.availability.rules import Status
from tests.moments import TODAY
from tests.web.conftest import OURS, Browse, Browser, is_problem, nothing_stored
from tests.world import World

API = "/api/availability"
CAMPAIGNS = f"{API}/promotions/campaigns"
SET: dict[str, Any] = {"date": str(TODAY), "status": "LOOKING"}
WRITES = [
    ("POST", API),
    ("DELETE", f"{API}/{TODAY}"),
    ("POST", CAMPAIGNS),
    ("POST", f"{CAMPAIGNS}/1/cancel"),
    ("POST", f"{CAMPAIGNS}/1/retry"),
]


def on(day: object, status: object = "LOOKING") -> dict[str, object]:
    return {"date": day, "status": status}


@pytest.mark.parametrize(
    ("who", "body", "status", "words"),
    [
        ("alice", on(str(TODAY - timedelta(days=1))), 422, "is over"),
        ("alice", on(str(TODAY + timedelta(days=91))), 422, "90 days"),
        ("alice", on("2026-13-40"), 422, "not a date"),
        ("alice", on("20261125"), 422, "not a date"),
        ("alice", on("2026-11-25T00:00"), 422, "not a date"),
        ("alice", on("\ud800\udc00" * 5), 422, "not a date"),
        ("alice", on(20261125), 422, "date must be a text"),
        ("alice", on(None), 422, "date must be a text"),
        ("alice", on(str(TODAY), "SOON"), 422, "not a status"),
        ("alice", on(str(TODAY), ""), 422, "not a status"),
        ("alice", on(str(TODAY), ["LOOKING"]), 422, "status must be a text"),
        ("alice", {"date": str(TODAY)}, 422, "status must be a text"),
        ("alice", {}, 422, "date must be a text"),
        ("alice", [on(str(TODAY))], 400, "JSON object"),
        ("alice", "LOOKING", 400, "JSON object"),
        ("alice", 1, 400, "JSON object"),
        ("charlie", on(str(TODAY)), 403, "link"),
        (None, on(str(TODAY)), 401, "log in"),
    ],
    ids=str,
)
def test_a_status_that_makes_no_sense(
    world: World, browse: Browse, who: str | None, body: Any, status: int, words: str
) -> None:
    browser = browse(who)
    with nothing_stored(world):
        answer = browser.call("POST", API, body)
    assert words in is_problem(answer, status)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"date=2026-11-20&status=LOOKING", 400),
        (b"null", 400),
        (b"\xff\xfe{}", 400),
        (b"[" * 60_000, 400),
        (b'{"a":' * 10_000, 400),
        (b"1" * 10_000, 400),
        (b'{"date": "' + b"x" * 70_000 + b'"}', 413),
    ],
    ids=["nothing", "half", "a form", "null", "bytes", "brackets", "objects", "a number", "too large"],
)
@pytest.mark.parametrize("path", [API, CAMPAIGNS])
def test_a_body_that_is_no_json_object(world: World, bob: Browser, path: str, body: bytes, status: int) -> None:
    with nothing_stored(world):
        answer = bob.client.post(path, data=body, headers=OURS | {"Content-Type": "application/json"})
    is_problem(answer, status)


FROM_ELSEWHERE: list[dict[str, str]] = [
    {},
    {"X-Requested-With": "XMLHttpRequest"},
    {"Origin": "http://localhost"},
    OURS | {"Origin": "http://evil.example"},
    OURS | {"Origin": "https://localhost"},
    OURS | {"Origin": "http://localhost:8080"},
    OURS | {"Origin": "http://localhost.evil.example"},
    OURS | {"Origin": "null"},
    OURS | {"Origin": ""},
    OURS | {"Origin": "http://evil.example", "Referer": "http://localhost/"},
    OURS | {"X-Requested-With": "fetch"},
]


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        *((method, path, {}) for method, path in WRITES),
        *(("POST", API, headers) for headers in FROM_ELSEWHERE[1:]),
    ],
    ids=str,
)
def test_a_write_from_elsewhere_is_refused(
    world: World, bob: Browser, method: str, path: str, headers: dict[str, str]
) -> None:
    """One gate stands before all writes: each has it, and with it in place no header opens it."""
    world.says("erik", Status.LOOKING)
    with nothing_stored(world):
        answer = bob.client.open(path, method=method, json=SET, headers=headers)
    assert "did not come from a Slomix page" in is_problem(answer, 403)


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_write_of_nobody_is_401_whatever_else_it_sends(
    world: World, anonymous: Browser, method: str, path: str
) -> None:
    with nothing_stored(world):
        is_problem(anonymous.client.open(path, method=method, json=SET), 401)
        is_problem(anonymous.call(method, path, SET), 401)


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_write_of_somebody_unlinked_is_403(world: World, charlie: Browser, method: str, path: str) -> None:
    with nothing_stored(world):
        assert "link" in is_problem(charlie.call(method, path, SET), 403)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("from=9999-12-31", 422),
        ("from=9999-12-31&to=9999-12-31", 200),
        ("from=0001-01-01", 200),
        ("from=2026-11-20&to=2027-05-18", 200),
        ("from=2026-11-20&to=2027-05-19", 422),
        ("from=2026-11-20&to=2026-11-19", 422),
        ("from=0001-01-01&to=9999-12-31", 422),
        ("from=2026-13-40", 422),
        ("from=20261125", 422),
        ("from=", 422),
        ("to=2026-11-19", 422),
        ("to=soon", 422),
    ],
)
def test_the_span_of_a_reading(anonymous: Browser, query: str, status: int) -> None:
    answer = anonymous.get(f"{API}?{query}")
    if status == 200:
        assert answer.status_code == 200
    else:
        is_problem(answer, status)


@pytest.mark.parametrize(
    "day", ["2026-13-40", "20261125", str(TODAY - timedelta(days=1)), str(TODAY + timedelta(days=91))]
)
def test_clearing_a_day_that_cannot_be(world: World, alice: Browser, day: object) -> None:
    with nothing_stored(world):
        is_problem(alice.call("DELETE", f"{API}/{day}"), 422)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"include_available": "yes"}, "include_available must be true or false"),
        ({"include_maybe": 1}, "include_maybe must be true or false"),
        ({"include_late_joiners": None}, "include_late_joiners must be true or false"),
        ({"dry_run": "false"}, "dry_run must be true or false"),
        ({"start": 21}, "start must be a text"),
        ({"start": None}, "start must be a text"),
        ({"start": "soon"}, "not a time"),
        ({"start": ""}, "not a time"),
        ({"start": "21+01"}, "not a time"),
        ({"start": "T2100"}, "not a time"),
        ({"start": "٢١:٠٠"}, "not a time"),
        ({"start": "19:29"}, "60 minutes ago"),
    ],
    ids=str,
)
def test_a_campaign_that_makes_no_sense(world: World, bob: Browser, body: dict[str, object], words: str) -> None:
    world.says("erik", Status.LOOKING)
    with nothing_stored(world):
        answer = bob.call("POST", CAMPAIGNS, body)
    assert words in is_problem(answer, 422)


def test_promoting_without_the_right(world: World, alice: Browser) -> None:
    world.says("erik", Status.LOOKING)
    with nothing_stored(world):
        assert "Only promoters" in is_problem(alice.call("POST", CAMPAIGNS, {}), 403)
        assert "Only promoters" in is_problem(alice.get(f"{API}/promotions/preview"), 403)
        assert "Only promoters" in is_problem(alice.call("POST", f"{CAMPAIGNS}/1/cancel"), 403)


def test_nobody_to_ask_and_too_late_are_422(world: World, bob: Browser) -> None:
    with nothing_stored(world):
        assert "Nobody to notify yet" in is_problem(bob.call("POST", CAMPAIGNS, {}), 422)
    world.says("erik", Status.LOOKING)
    world.clock.forward(timedelta(minutes=90, seconds=1))
    with nothing_stored(world):
        assert "60 minutes ago" in is_problem(bob.call("POST", CAMPAIGNS, {}), 422)


def test_a_second_campaign_is_409_and_names_the_other_promoter(world: World, browse: Browse) -> None:
    world.says("erik", Status.LOOKING)
    assert browse("bob").call("POST", CAMPAIGNS, {}).status_code == 201
    for browser in (browse("dora"), browse("bob")):
        with nothing_stored(world):
            assert "Bob" in is_problem(browser.call("POST", CAMPAIGNS, {}), 409)


def test_somebody_elses_campaign_is_404_to_cancel(world: World, browse: Browse) -> None:
    world.says("erik", Status.LOOKING)
    made = browse("dora").call("POST", CAMPAIGNS, {}).get_json()["campaign_id"]
    bob = browse("bob")
    with nothing_stored(world):
        for campaign in (made, "999999999", str(10**30)):
            is_problem(bob.call("POST", f"{CAMPAIGNS}/{campaign}/cancel"), 404)


def test_an_endless_idempotency_key_is_refused(world: World, bob: Browser) -> None:
    world.says("erik", Status.LOOKING)
    with nothing_stored(world):
        answer = bob.call("POST", CAMPAIGNS, {}, **{"Idempotency-Key": "k" * 201})
    assert "200 characters" in is_problem(answer, 422)


@pytest.mark.parametrize("path", ["/api/nowhere", f"{API}/promotions/nothing", "/api/"])
def test_an_unknown_call_is_404(anonymous: Browser, path: str) -> None:
    is_problem(anonymous.get(path), 404)


@pytest.mark.parametrize(("method", "path"), [("PUT", API), ("GET", CAMPAIGNS), ("POST", f"{API}/access")])
def test_a_wrong_method_is_405(bob: Browser, method: str, path: str) -> None:
    answer = bob.call(method, path, {})
    is_problem(answer, 405)
    assert answer.headers["Allow"]
