"""The whole dance with Discord, played against the simulator: consent, refusal, forgery, lateness, and Discord away."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import urlencode

import pytest
import structlog
from sqlalchemy import delete, func, select, update

from slomix.accounts import service as accounts
from slomix.accounts.models import LoginAttempt, LoginSession, User
from slomix.dev.simulator.people import CLIENT_SECRET, environment
from tests.simulators import CAST, NOBODY, Simulator
from tests.web.conftest import browser_of, is_page, lands, nothing_stored
from tests.web.steps import ALICE, Dance, dance_of
from tests.world import World


def test_slomix_asks_for_who_one_is_and_nothing_else_with_a_challenge(dance: Dance, simulator: Simulator) -> None:
    asked = dance.leave()
    assert asked["scope"] == "identify"
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == environment(simulator.port)["DISCORD_REDIRECT_URI"]
    assert len(asked["state"]) >= 30
    assert dance.leave()["state"] != asked["state"]
    assert dance.leave()["code_challenge"] != asked["code_challenge"]


def test_alice_logs_in_for_the_first_time_and_picks_her_profile_next(dance: Dance) -> None:
    before = dance.users()
    assert lands(dance.log_in("/auth/login?next=/calendar")) == "/profile?next=/calendar"
    assert dance.is_in()
    assert dance.users() == before + 1
    assert "Alice" in dance.browser.page("/profile").words
    with dance.world.session() as session:
        user = session.scalars(select(User).where(User.discord_id == ALICE.id)).one()
        assert (user.discord_username, user.display_name, user.player_id) == ("alice.et", "Alice", None)
        assert session.scalar(select(func.count()).select_from(LoginAttempt)) == 0


def test_who_is_linked_is_led_where_they_wanted_to_go(dance: Dance) -> None:
    dance.log_in()
    with dance.world.session() as session:
        user = session.scalars(select(User).where(User.discord_id == ALICE.id)).one()
        accounts.link_player(session, user, "guid-spare", now=dance.world.clock.now())
    dance.browser.post("/auth/logout")
    assert lands(dance.log_in("/auth/login?next=/day/2026-11-25")) == "/day/2026-11-25"
    assert dance.users() == 8


def test_a_verifier_that_does_not_fit_is_refused_by_discord(dance: Dance) -> None:
    back = dance.consent(dance.leave())
    with dance.world.session() as session:
        session.execute(update(LoginAttempt).values(code_verifier="another" * 8))
    assert "did not accept" in is_page(dance.browser.get(back), 422)
    assert not dance.is_in()


def test_denying_leads_back_with_a_friendly_note(dance: Dance) -> None:
    before = dance.users()
    answer = dance.browser.get(dance.deny(dance.leave("/auth/login?next=/calendar")))
    assert lands(answer) == "/calendar"
    assert "You did not log in, and nothing was shared." in dance.browser.page("/calendar").by_id("flash").words
    assert not dance.is_in()
    assert dance.users() == before


def test_a_state_is_accepted_once(dance: Dance) -> None:
    back = dance.deny(dance.leave())
    assert dance.browser.get(back).status_code == 303
    with nothing_stored(dance.world):
        assert "no longer valid" in is_page(dance.browser.get(back), 422)
    back = dance.consent(dance.leave())
    assert dance.browser.get(back).status_code == 303
    with nothing_stored(dance.world):
        assert lands(dance.browser.get(back)) == "/", "it was pressed twice, and the first press has done it"
    assert "logged in already" in dance.browser.page("/profile").by_id("flash").words
    assert dance.is_in(), "the login that was good stays good"


def test_a_login_that_somebody_else_began_is_refused(dance: Dance) -> None:
    other = browser_of(dance.browser.client.application, dance.world, None)
    other.get("/auth/login")
    back = dance.consent(dance.leave())
    with nothing_stored(dance.world):
        is_page(other.get(back), 422)
        is_page(browser_of(dance.browser.client.application, dance.world, None).get(back), 422)
    assert lands(dance.browser.get(back)) == "/profile?next=/", "its own browser may still come back"


def test_a_forged_state_is_refused(dance: Dance) -> None:
    asked = dance.leave()
    back = dance.consent(asked).replace(urlencode({"state": asked["state"]}), "state=forged")
    with nothing_stored(dance.world):
        is_page(dance.browser.get(back), 422)


@pytest.mark.parametrize(("seconds", "is_accepted"), [(600, True), (601, False)])
def test_a_state_lives_ten_minutes(dance: Dance, seconds: int, is_accepted: bool) -> None:
    back = dance.consent(dance.leave())
    dance.world.clock.forward(timedelta(seconds=seconds))
    answer = dance.browser.get(back)
    if is_accepted:
        lands(answer)
    else:
        assert "too long" in is_page(answer, 422)
    assert dance.is_in() == is_accepted


def test_logins_that_never_came_back_are_forgotten(dance: Dance) -> None:
    for _ in range(3):
        dance.leave()
    dance.world.clock.forward(timedelta(seconds=601))
    dance.leave()
    with dance.world.session() as session:
        assert session.scalar(select(func.count()).select_from(LoginAttempt)) == 1


def test_two_tabs_may_log_in_at_once(dance: Dance) -> None:
    first, second = dance.leave(), dance.leave()
    dance.browser.get(dance.deny(second))
    assert lands(dance.browser.get(dance.consent(first))) == "/profile?next=/"


def test_who_logs_in_in_two_tabs_ends_where_each_wanted_to_go(dance: Dance) -> None:
    first = dance.leave("/auth/login?next=/calendar")
    second = dance.consent(dance.leave("/auth/login?next=/day/2026-11-25"))
    assert lands(dance.browser.get(dance.consent(first))) == "/profile?next=/calendar"
    assert lands(dance.browser.get(second)) == "/day/2026-11-25"
    assert dance.is_in()


@pytest.mark.parametrize("broken", ["discord_token_url", "discord_api_base_url"])
def test_when_discord_is_down_a_page_says_so(world: World, simulator: Simulator, broken: str) -> None:
    dance = dance_of(world, simulator, **{broken: f"http://127.0.0.1:{NOBODY}/api"})
    assert "Discord does not answer" in is_page(dance.log_in(), 503)
    assert not dance.is_in()


@dataclass
class WrongAnswer:
    """What a server answers to everything, until a test changes it."""

    status: int = 200
    kind: str = ""
    body: bytes = b""


@contextmanager
def answering(wrong: WrongAnswer) -> Iterator[tuple[str, WrongAnswer]]:
    class Wrong(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(wrong.status)
            self.send_header("Content-Type", wrong.kind)
            self.send_header("Content-Length", str(len(wrong.body)))
            self.end_headers()
            self.wfile.write(wrong.body)

        do_GET = do_POST = answer  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Wrong) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api", wrong
        server.shutdown()


JSON, HTML = "application/json", "text/html"
DISCORD_S, OPERATORS, PLAYERS = (503, "Discord does not answer"), (503, "tell an admin"), (422, "did not accept")
LIMITED = b'{"message": "You are being rate limited.", "retry_after": 300.57, "global": false}'


def oauth_error(error: str, description: str = "") -> bytes:
    return json.dumps({"error": error, "error_description": description}).encode()


# Where it was asked, what was answered, and whose fault that is.
ANSWERS = [
    *(
        (endpoint, *answer, DISCORD_S)
        for endpoint in ("discord_token_url", "discord_api_base_url")
        for answer in (
            (429, JSON, LIMITED),
            (429, HTML, b"<html>error code: 1015</html>"),
            (500, JSON, b'{"message": "500: Internal Server Error", "code": 0}'),
            (500, JSON, oauth_error("invalid_client")),
            (502, HTML, b""),
            (503, HTML, b"<html>"),
            (401, JSON, b'{"message": "401: Unauthorized", "code": 0}'),
            (403, HTML, b"<html>error code: 1010</html>"),
            (404, JSON, b'{"message": "404: Not Found", "code": 0}'),
            (404, HTML, b"<html>nginx</html>"),
            (200, HTML, b"<html>Just a moment</html>"),
            (200, JSON, b"[]"),
            (200, JSON, b"{}"),
            (200, JSON, b"null"),
            (400, HTML, b"<html>"),
        )
    ),
    ("discord_token_url", 400, JSON, oauth_error("temporarily_unavailable"), DISCORD_S),
    ("discord_token_url", 400, JSON, oauth_error("invalid_grant", 'Invalid "code" in request.'), PLAYERS),
    ("discord_token_url", 400, JSON, oauth_error("invalid_grant", 'Invalid "code_verifier" in request.'), PLAYERS),
    ("discord_token_url", 400, JSON, oauth_error("invalid_grant", 'Invalid "redirect_uri" in request.'), OPERATORS),
    ("discord_token_url", 400, JSON, oauth_error("invalid_request", 'Invalid "redirect_uri" in request.'), OPERATORS),
    ("discord_token_url", 401, JSON, oauth_error("invalid_client"), OPERATORS),
    ("discord_token_url", 400, JSON, oauth_error("invalid_client"), OPERATORS),
    ("discord_token_url", 400, JSON, oauth_error("unauthorized_client"), OPERATORS),
    ("discord_token_url", 400, JSON, oauth_error("invalid_scope"), OPERATORS),
    ("discord_token_url", 400, JSON, b'{"client_id": ["Value \\"slomix\\" is not snowflake."]}', OPERATORS),
]


@pytest.mark.parametrize("broken", ["discord_token_url", "discord_api_base_url"])
def test_each_answer_of_discord_is_told_as_whose_fault_it_is(world: World, simulator: Simulator, broken: str) -> None:
    told = {}
    expected = {(status, kind, body): fault for endpoint, status, kind, body, fault in ANSWERS if endpoint == broken}
    with answering(WrongAnswer()) as (url, wrong):
        dance = dance_of(world, simulator, **{broken: url})
        for wrong.status, wrong.kind, wrong.body in expected:
            answer = dance.log_in()
            sentence = is_page(answer, answer.status_code)
            fault = next((fault for fault in (DISCORD_S, OPERATORS, PLAYERS) if fault[1] in sentence), sentence)
            told[wrong.status, wrong.kind, wrong.body] = fault if answer.status_code == fault[0] else answer.status_code
            # Our own limit of logins never asks for more than a minute.
            assert (int(answer.headers["Retry-After"]) > 60) == (wrong.body == LIMITED)
        assert not dance.is_in()
    assert told == expected


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        ("server_error", DISCORD_S),
        ("temporarily_unavailable", DISCORD_S),
        ("invalid_scope", OPERATORS),
        ("unauthorized_client", OPERATORS),
        ("unsupported_response_type", OPERATORS),
        ("invalid_request", OPERATORS),
        ("made_up_by_a_browser", PLAYERS),
        ("", PLAYERS),
    ],
)
def test_each_error_that_a_browser_brings_back_is_told_as_whose_fault_it_is(
    dance: Dance, error: str, fault: tuple[int, str]
) -> None:
    state = dance.leave()["state"]
    answer = dance.browser.client.get("/auth/callback", query_string={"state": state, "error": error})
    assert fault[1] in is_page(answer, fault[0])


@pytest.mark.parametrize("query", [{}, {"code": ""}], ids=str)
def test_who_comes_back_with_nothing_starts_again_and_discord_is_not_asked(
    dance: Dance, simulator: Simulator, query: dict[str, str]
) -> None:
    answer = dance.browser.client.get("/auth/callback", query_string={"state": dance.leave()["state"], **query})
    assert "did not accept" in is_page(answer, 422)
    assert simulator.client().get("/control/exchanges").json() == []


def test_an_operator_is_told_what_discord_says_and_no_secret(world: World, simulator: Simulator) -> None:
    dance = dance_of(world, simulator)
    with structlog.testing.capture_logs() as logged:
        simulator.client().post(
            "/control/faults", json={"provider": "discord", "fault": "login", "answer": "redirect_uri"}
        ).raise_for_status()
        is_page(dance.log_in(), 503)
    [told] = [line for line in logged if line["event"] == "login.set_up_wrongly"]
    assert (told["log_level"], told["said"]) == ("error", 'invalid_grant: Invalid "redirect_uri" in request.')
    assert CLIENT_SECRET not in str(logged)


def test_a_code_that_discord_never_gave_is_refused(dance: Dance) -> None:
    state = dance.leave()["state"]
    answer = dance.browser.client.get("/auth/callback", query_string={"state": state, "code": "made up"})
    assert "did not accept" in is_page(answer, 422)


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "evil",
        "/auth/login",
        "/auth/callback?state=x",
        "/auth/logout",
    ],
)
def test_next_leads_to_our_own_pages_only(dance: Dance, elsewhere: str) -> None:
    for start in ("/auth/login", "/auth/link/start"):
        where = f"{start}?{urlencode({'next': elsewhere})}"
        if start == "/auth/link/start":
            where = lands(dance.browser.get(where))
        assert lands(dance.browser.get(dance.deny(dance.leave(where)))) == "/"


def test_the_session_is_renewed_at_login_and_holds_an_id_and_nothing_else(dance: Dance) -> None:
    client = dance.browser.client
    token = dance.browser.csrf()
    with client.session_transaction() as cookie:
        cookie["left_behind"] = "by whoever sat here before"
    dance.log_in()
    with client.session_transaction() as cookie:
        assert set(cookie) <= {"_user_id", "_fresh", "_id", "_permanent"}
        assert ALICE.id not in str(dict(cookie))
    assert dance.browser.csrf() != token
    refused = client.post("/profile/link", data={"csrf_token": token, "guid": "guid-spare"})
    assert refused.status_code == 403


def test_logging_out_ends_it_here(dance: Dance) -> None:
    dance.log_in()
    assert lands(dance.browser.post("/auth/logout")) == "/"
    assert "logged out" in dance.browser.page("/").by_id("flash").words
    assert not dance.is_in()
    assert dance.browser.get("/profile").status_code == 401
    with dance.browser.client.session_transaction() as cookie:
        assert "_user_id" not in cookie


def test_a_session_that_was_ended_in_the_database_is_nobodys(dance: Dance) -> None:
    dance.log_in()
    with dance.world.session() as session:
        mine = select(User.id).where(User.discord_id == ALICE.id).scalar_subquery()
        session.execute(delete(LoginSession).where(LoginSession.user_id == mine))
    assert not dance.is_in()
    assert dance.browser.get("/").status_code == 200


def test_logging_in_as_somebody_else_leaves_nothing_of_the_first(dance: Dance) -> None:
    dance.log_in()
    dance.log_in(person=CAST["Charlie"].id)
    words = dance.browser.page("/profile").words
    assert "Charlie" in words
    assert "Alice" not in words
