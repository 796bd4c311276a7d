"""Logging in: whoever asks properly gets a person, and nobody else gets anything."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from slomix.channels.discord import USER_AGENT
from slomix.dev.simulator.people import CLIENT_ID, CLIENT_SECRET, environment
from tests.simulators import CAST, Simulator

AGENT = {"User-Agent": USER_AGENT}
VERIFIER = "a-verifier-that-is-long-enough-for-the-specification-0123456789"


def challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def login(simulator: Simulator, **changed: str) -> dict[str, str]:
    return {
        "client_id": CLIENT_ID,
        "redirect_uri": environment(simulator.port)["DISCORD_REDIRECT_URI"],
        "response_type": "code",
        "scope": "identify",
        "state": "a state & more",
        "code_challenge": challenge(VERIFIER),
        "code_challenge_method": "S256",
    } | changed


def answer(response: httpx2.Response) -> dict[str, str]:
    assert response.status_code == 302
    return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["Location"]).query).items()}


def code_for(simulator: Simulator, name: str) -> str:
    with simulator.client() as browser:
        form = login(simulator) | {"user_id": CAST[name].id}
        return answer(browser.post("/oauth2/authorize", data=form))["code"]


def exchange(
    simulator: Simulator, code: str, *, auth: Any = (CLIENT_ID, CLIENT_SECRET), **changed: str
) -> httpx2.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": environment(simulator.port)["DISCORD_REDIRECT_URI"],
        "code_verifier": VERIFIER,
    } | changed
    return httpx2.post(environment(simulator.port)["DISCORD_TOKEN_URL"], data=form, auth=auth, headers=AGENT)


def test_the_page_has_a_button_for_everybody_and_one_to_deny(simulator: Simulator) -> None:
    page = simulator.client().get("/oauth2/authorize", params=login(simulator))
    assert page.status_code == 200
    assert all(f"Continue as {name}</button>" in page.text for name in CAST)
    assert ">Deny</button>" in page.text
    assert "not Discord" in page.text


def test_alice_logs_in_and_is_alice(simulator: Simulator) -> None:
    with simulator.client() as browser:
        response = browser.post("/oauth2/authorize", data=login(simulator) | {"user_id": CAST["Alice"].id})
    assert response.headers["Location"].startswith(environment(simulator.port)["DISCORD_REDIRECT_URI"] + "?")
    assert answer(response)["state"] == "a state & more"
    token = exchange(simulator, answer(response)["code"])
    assert token.status_code == 200
    assert token.json()["token_type"] == "Bearer"
    bearer = {"Authorization": f"Bearer {token.json()['access_token']}"}
    me = simulator.client().get("/api/v10/users/@me", headers=bearer).json()
    assert (me["id"], me["username"], me["global_name"]) == (CAST["Alice"].id, "alice.et", "Alice")
    assert (me["discriminator"], me["avatar"]) == ("0", None)


def test_the_secret_may_stand_in_the_form_and_the_address_without_its_version(simulator: Simulator) -> None:
    form = {
        "grant_type": "authorization_code",
        "code": code_for(simulator, "Bob"),
        "redirect_uri": environment(simulator.port)["DISCORD_REDIRECT_URI"],
        "code_verifier": VERIFIER,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }
    assert simulator.client().post("/api/oauth2/token", data=form).status_code == 200


def test_a_wrong_verifier_gets_nothing_and_uses_the_code_up(simulator: Simulator) -> None:
    code = code_for(simulator, "Alice")
    refused = exchange(simulator, code, code_verifier="another" * 8)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert exchange(simulator, code).status_code == 400


def test_a_code_is_good_for_one_token(simulator: Simulator) -> None:
    code = code_for(simulator, "Alice")
    assert exchange(simulator, code).status_code == 200
    assert exchange(simulator, code).json()["error"] == "invalid_grant"


def test_a_code_belongs_to_its_redirect_uri(simulator: Simulator) -> None:
    code = code_for(simulator, "Alice")
    assert exchange(simulator, code, redirect_uri="http://127.0.0.1:1/auth/callback").status_code == 400


def test_a_wrong_secret_is_401(simulator: Simulator) -> None:
    refused = exchange(simulator, code_for(simulator, "Alice"), auth=(CLIENT_ID, "wrong"))
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


def test_deny_goes_back_without_a_code(simulator: Simulator) -> None:
    with simulator.client() as browser:
        back = answer(browser.post("/oauth2/authorize", data=login(simulator) | {"deny": "1"}))
    assert (back["error"], back["state"]) == ("access_denied", "a state & more")
    assert "code" not in back


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "1"},
        {"redirect_uri": "http://evil.example/auth/callback"},
        {"response_type": "token"},
        {"scope": "guilds"},
        {"scope": "identify bot.everything"},
        {"state": ""},
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
    ],
    ids=str,
)
def test_a_request_that_is_not_in_order_is_sent_nowhere(simulator: Simulator, changed: dict[str, str]) -> None:
    asked = login(simulator, **changed)
    with simulator.client() as browser:
        assert browser.get("/oauth2/authorize", params=asked).status_code == 400
        assert browser.post("/oauth2/authorize", data=asked | {"user_id": CAST["Alice"].id}).status_code == 400


def test_a_revoked_token_speaks_for_nobody(simulator: Simulator) -> None:
    token = exchange(simulator, code_for(simulator, "Dora")).json()["access_token"]
    auth = (CLIENT_ID, CLIENT_SECRET)
    assert simulator.client().post("/api/v10/oauth2/token/revoke", data={"token": token}, auth=auth).status_code == 200
    bearer = {"Authorization": f"Bearer {token}"}
    assert simulator.client().get("/api/v10/users/@me", headers=bearer).status_code == 401


@pytest.mark.parametrize("agent", ["python-httpx2/2.16.2", "Mozilla/5.0", "DiscordBot", ""])
@pytest.mark.parametrize(
    "path", ["/api/v10/users/@me", "/api/v10/gateway", "/api/oauth2/token", "/api/v10/oauth2/token"]
)
def test_who_does_not_name_themselves_as_discord_demands_is_not_heard(
    simulator: Simulator, path: str, agent: str
) -> None:
    with simulator.client() as client:
        method = "POST" if path.endswith("token") else "GET"
        answer = client.request(method, path, headers={"User-Agent": agent})
    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "text/html; charset=utf-8")


def test_a_client_may_have_a_token_of_its_own(simulator: Simulator) -> None:
    token = exchange(simulator, "", grant_type="client_credentials", scope="identify")
    assert token.json()["scope"] == "identify"
    assert exchange(simulator, "", grant_type="client_credentials", scope="everything").json()["error"] == (
        "invalid_scope"
    )


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"fault": "status", "code": 503}, 503),
        ({"fault": "rate_limit", "retry_after": 7}, 429),
        ({"fault": "login", "answer": "invalid_client"}, 401),
        ({"fault": "login", "answer": "html"}, 403),
        ({"fault": "login", "answer": "malformed"}, 400),
    ],
    ids=str,
)
def test_the_token_endpoint_can_be_broken(simulator: Simulator, fault: dict[str, Any], status: int) -> None:
    code = code_for(simulator, "Alice")
    simulator.client().post("/control/faults", json={"provider": "discord", **fault}).raise_for_status()
    assert exchange(simulator, code).status_code == status
    simulator.client().delete("/control/faults")
    assert exchange(simulator, code).status_code == 200, "the code is still good"
