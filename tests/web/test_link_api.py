"""Codes over the API, and the operator's bridge that confirms them (W52, W53, W54)."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from werkzeug.test import TestResponse

from slomix.contacts import service as contacts
from slomix.contacts.encryption import vault_from_settings
from slomix.contacts.models import LinkCode
from slomix.contacts.rules import ChannelName
from tests.web.conftest import (
    Browse,
    Browser,
    browser_of,
    is_problem,
    make_app,
    nothing_stored,
    with_settings,
)
from tests.world import World

API = "/api/availability"
SECRET = "the-bridge-of-the-tests-and-of-nothing-else"
TELEGRAM, SIGNAL = ChannelName.TELEGRAM, ChannelName.SIGNAL


@pytest.fixture
def bridged(world: World) -> World:
    return with_settings(world, internal_api_secret=SecretStr(SECRET))


@pytest.fixture
def bridge(bridged: World) -> Browser:
    """The operator's bridge: it has no cookie, no token of a form and no page."""
    return browser_of(make_app(bridged.runtime), bridged, None)


def confirm(bridge: Browser, body: Any, *, secret: str | None = SECRET) -> TestResponse:
    headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
    return bridge.client.post(f"{API}/link-confirm", json=body, headers=headers)


def says(code: str, address: str = "4242", channel: str = "telegram") -> dict[str, str]:
    return {"channel_type": channel, "token": code, "channel_address": address}


def token(browser: Browser, channel: str = "telegram", **body: object) -> str:
    answer = browser.call("POST", f"{API}/link-token", {"channel_type": channel} | body)
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["token"])


def addresses(world: World, name: str) -> dict[str, str]:
    """The addresses of a player on Telegram and Signal, in the clear."""
    vault = vault_from_settings(world.runtime.settings)
    assert vault is not None
    with world.session() as session:
        session.expire_all()
        found = contacts.contacts_of(session, world.players[name])
        return {channel.value: vault.unseal(one.sealed) for channel, one in found.items() if one.sealed}


# A code


def test_a_code_is_shown_once_and_only_its_hash_stays(world: World, alice: Browser) -> None:
    answer = alice.call("POST", f"{API}/link-token", {"channel_type": "telegram"})
    body = answer.get_json()
    assert answer.status_code == 201
    assert set(body) == {"token", "channel_type", "expires_at"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert len(body["token"]) == 32, "192 bits"
    assert datetime.fromisoformat(body["expires_at"]) == world.clock.now() + timedelta(minutes=30)
    with world.session() as session:
        [stored] = session.scalars(select(LinkCode))
    assert stored.code_hash == hashlib.sha256(body["token"].encode()).hexdigest()


@pytest.mark.parametrize("minutes", [5, 120])
def test_a_code_may_live_shorter_or_longer(world: World, alice: Browser, minutes: int) -> None:
    body = {"channel_type": "signal", "ttl_minutes": minutes}
    expires_at = alice.call("POST", f"{API}/link-token", body).get_json()["expires_at"]
    assert datetime.fromisoformat(expires_at) == world.clock.now() + timedelta(minutes=minutes)


WRONG_MINUTES: list[Any] = [4, 121, -1, 10**30, "30", True, 5.5, []]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"channel_type": "discord"},
        {"channel_type": "pigeon"},
        {"channel_type": ["telegram"]},
        {"channel_type": None},
        *[{"channel_type": "telegram", "ttl_minutes": wrong} for wrong in WRONG_MINUTES],
    ],
    ids=str,
)
def test_a_call_for_a_code_that_makes_no_sense(world: World, alice: Browser, body: dict[str, Any]) -> None:
    with nothing_stored(world):
        is_problem(alice.call("POST", f"{API}/link-token", body), 422)


def test_codes_come_half_a_minute_apart(world: World, alice: Browser) -> None:
    token(alice)
    with nothing_stored(world):
        answer = alice.call("POST", f"{API}/link-token", {"channel_type": "telegram"})
        is_problem(answer, 429)
        assert answer.headers["Retry-After"] == "30"
    world.clock.forward(timedelta(seconds=30))
    token(alice)


@pytest.mark.parametrize(
    "settings", [{"telegram_enabled": False}, {"contact_encryption_key": SecretStr("")}], ids=["off", "no key"]
)
def test_where_a_channel_cannot_be_linked_there_is_no_code(world: World, settings: dict[str, object]) -> None:
    here = with_settings(world, **settings)
    alice = browser_of(make_app(here.runtime), here, "alice")
    with nothing_stored(world):
        is_problem(alice.call("POST", f"{API}/link-token", {"channel_type": "telegram"}), 503)


@pytest.mark.parametrize(("who", "status"), [("charlie", 403), (None, 401)], ids=["charlie", "a stranger"])
def test_who_is_not_linked_gets_no_code(world: World, browse: Browse, who: str | None, status: int) -> None:
    browser = browse(who)
    with nothing_stored(world):
        is_problem(browser.call("POST", f"{API}/link-token", {"channel_type": "telegram"}), status)


@pytest.mark.parametrize(
    "headers", [{"X-Requested-With": "", "Origin": "http://localhost"}, {"Origin": "https://evil"}]
)
def test_a_foreign_page_gets_no_code(world: World, alice: Browser, headers: dict[str, str]) -> None:
    with nothing_stored(world):
        is_problem(alice.call("POST", f"{API}/link-token", {"channel_type": "telegram"}, **headers), 403)


# The bridge


def test_the_bridge_confirms_an_address_with_its_secret_and_nothing_else(
    bridged: World, alice: Browser, bridge: Browser
) -> None:
    answer = confirm(bridge, says(token(alice)))
    assert (answer.status_code, answer.get_json()) == (200, {"channel_type": "telegram", "verified": True})
    assert addresses(bridged, "alice") == {"telegram": "4242"}
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "given", [None, "", "wrong", SECRET[:-1], SECRET + "x", SECRET.upper(), "ünï"], ids=["none", *"abcdef"]
)
def test_who_does_not_know_the_secret_confirms_nothing(
    bridged: World, alice: Browser, bridge: Browser, given: str | None
) -> None:
    code = token(alice)
    with nothing_stored(bridged):
        is_problem(confirm(bridge, says(code), secret=given), 401)
    assert confirm(bridge, says(code)).status_code == 200, "and the code is not used up"


def test_a_session_is_no_secret(bridged: World, bridge: Browser) -> None:
    dora = browser_of(bridge.client.application, bridged, "dora")
    with nothing_stored(bridged):
        is_problem(dora.call("POST", f"{API}/link-confirm", says("x" * 32)), 401)


@pytest.mark.parametrize("secret", ["", SECRET, None])
def test_without_a_secret_there_is_no_bridge(world: World, alice: Browser, anonymous: Browser, secret: str) -> None:
    code = token(alice)
    with nothing_stored(world):
        is_problem(confirm(anonymous, says(code), secret=secret), 503)


@pytest.mark.parametrize("body", [[], "x", 1, None, [says("x" * 32)]], ids=str)
def test_what_is_no_object_is_not_understood(bridged: World, bridge: Browser, body: Any) -> None:
    with nothing_stored(bridged):
        is_problem(confirm(bridge, body), 400)


def test_a_code_counts_once(bridged: World, alice: Browser, bridge: Browser) -> None:
    """W52: whoever saw a code could send it again from elsewhere, and the last address won."""
    code = token(alice)
    assert confirm(bridge, says(code)).status_code == 200
    with nothing_stored(bridged):
        is_problem(confirm(bridge, says(code, "6666")), 404)
    assert addresses(bridged, "alice") == {"telegram": "4242"}


def test_a_code_counts_for_its_channel_and_its_time(bridged: World, alice: Browser, bridge: Browser) -> None:
    code = token(alice, ttl_minutes=5)
    with nothing_stored(bridged):
        is_problem(confirm(bridge, says(code, "+38640123456", "signal")), 404)
        is_problem(confirm(bridge, says("x" * 32)), 404)
        bridged.clock.forward(timedelta(minutes=5))
        is_problem(confirm(bridge, says(code)), 404)


def test_an_address_belongs_to_one_player(bridged: World, alice: Browser, bridge: Browser) -> None:
    """W34: two could link one chat."""
    bridged.has("bob", TELEGRAM, "4242")
    code = token(alice)
    with nothing_stored(bridged):
        assert "another player" in is_problem(confirm(bridge, says(code)), 409)
    assert confirm(bridge, says(code, "5353")).status_code == 200, "from one's own chat it still works"


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        *[("telegram", one) for one in ("-1001234567890", "0", "@alice", "", "42\n42", "9" * 20, "٤٢", "+4242")],
        *[
            ("signal", one)
            for one in (
                "-gGROUP",
                "--help",
                "38640123456",
                "+0123456789",
                "+3864012345678901",
                "+386 40",
                "group.x",
                "",
            )
        ],
    ],
)
def test_what_is_no_private_address_is_refused(
    bridged: World, alice: Browser, bridge: Browser, channel: str, address: str
) -> None:
    """W54: an option of the command line came through as an address."""
    code = token(alice, channel)
    with nothing_stored(bridged):
        is_problem(confirm(bridge, says(code, address, channel)), 422)


@pytest.mark.parametrize("address", ["+38640123456", "9f1c5a52-7c0e-5e4b-8f0b-0a1b2c3d4e5f"])
def test_on_signal_an_account_is_an_address_and_so_is_a_number(
    bridged: World, alice: Browser, bridge: Browser, address: str
) -> None:
    assert confirm(bridge, says(token(alice, "signal"), address, "signal")).status_code == 200
    assert addresses(bridged, "alice") == {"signal": address}


# Giving an address up, and asking in other people's names


def test_unsubscribing_forgets_ones_own_address_and_can_be_said_again(bridged: World, alice: Browser) -> None:
    bridged.has("alice", TELEGRAM, "4242")
    bridged.has("bob", TELEGRAM, "5353")
    for is_there in (True, False):
        answer = alice.call("DELETE", f"{API}/subscriptions/telegram")
        assert (answer.status_code, answer.get_json()["removed"]) == (200, is_there)
    assert (addresses(bridged, "alice"), addresses(bridged, "bob")) == ({}, {"telegram": "5353"})


@pytest.mark.parametrize(
    ("who", "channel", "status"),
    [("alice", "discord", 422), ("alice", "pigeon", 422), (None, "telegram", 401), ("charlie", "telegram", 200)],
)
def test_nothing_else_is_given_up(world: World, browse: Browse, who: str | None, channel: str, status: int) -> None:
    browser = browse(who)
    world.has("bob", TELEGRAM, "5353")
    with nothing_stored(world):
        assert browser.call("DELETE", f"{API}/subscriptions/{channel}").status_code == status


def test_there_is_no_way_to_name_an_address_instead_of_proving_it(world: World, alice: Browser) -> None:
    """W53: after one verification any address could be stored as verified."""
    world.has("alice", TELEGRAM, "4242")
    body = {"enabled": True, "channel_address": "VICTIM", "verified": True}
    with nothing_stored(world):
        assert alice.call("POST", f"{API}/subscriptions/telegram", body).status_code == 405
        assert alice.call("PUT", f"{API}/subscriptions/telegram", body).status_code == 405


def test_fields_that_name_somebody_else_are_ignored(bridged: World, alice: Browser, bridge: Browser) -> None:
    theirs = {"player_id": bridged.players["bob"], "user_id": bridged.users["bob"], "verified": True}
    forged: dict[str, Any] = theirs | {
        "channel_address": "6666",
        "token": "chosen",
        "address_hash": "x",
        "unusable_since": None,
    }
    code = token(alice, **forged)
    assert code != "chosen"
    assert (addresses(bridged, "alice"), addresses(bridged, "bob")) == ({}, {})
    assert confirm(bridge, says(code) | theirs).status_code == 200
    assert (addresses(bridged, "alice"), addresses(bridged, "bob")) == ({"telegram": "4242"}, {})
    before = addresses(bridged, "alice")
    for path in ("promotion-preferences", "settings"):
        body = forged | {"telegram_handle": "@victim", "channel_type": "telegram"}
        assert alice.call("POST", f"{API}/{path}", body).status_code == 200
    assert (addresses(bridged, "alice"), addresses(bridged, "bob")) == (before, {})
