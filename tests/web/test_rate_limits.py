"""How often the same person may ask, and that nobody asks in another's name."""

from ipaddress import ip_network

import pytest

from tests.web.conftest import (
    Browse,
    Browser,
    browser_of,
    is_fragment,
    is_page,
    is_problem,
    make_app,
    nothing_stored,
    with_settings,
)
from tests.world import World

BRIDGE = "/api/availability/link-confirm"
PROXY = "10.0.0.7"


def status_from(browser: Browser, path: str, address: str, forwarded: str | None = None) -> int:
    """Ask from this address, as the socket shows it."""
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return browser.client.get(path, headers=headers, environ_base={"REMOTE_ADDR": address}).status_code


def seconds_to_wait(headers: object) -> int:
    return int(headers["Retry-After"])  # type: ignore[index]


def test_searches_are_limited_by_person_and_say_when_to_come_back(browse: Browse) -> None:
    alice, also_alice, bob = browse("alice"), browse("alice"), browse("bob")
    for number in range(30):
        browser = alice if number % 2 else also_alice
        assert browser.get("/profile?q=spare").status_code == 200, number
    refused = also_alice.get("/profile?q=spare")
    assert "often" in is_page(refused, 429)
    assert 1 <= seconds_to_wait(refused.headers) <= 60
    assert bob.get("/profile?q=spare").status_code == 200, "behind the same address"


def test_a_person_is_the_same_from_every_address(browse: Browse) -> None:
    alice = browse("alice")
    statuses = [status_from(alice, "/profile", f"198.51.100.{number}") for number in range(31)]
    assert statuses == [200] * 30 + [429]


def test_claims_are_limited_by_person(browse: Browse) -> None:
    charlie = browse("charlie")
    for _ in range(10):
        assert charlie.post("/profile/claim", {"guid": "nobody"}).status_code == 404
    assert "often" in is_page(charlie.post("/profile/claim", {"guid": "nobody"}), 429)
    assert "often" in is_fragment(charlie.post("/profile/claim", {"guid": "nobody"}, htmx=True), 429)
    assert browse("bob").post("/profile/claim", {"guid": "nobody"}).status_code == 404


def test_guessing_the_bridges_secret_or_a_code_is_limited_by_address(world: World, anonymous: Browser) -> None:
    def guess(address: str) -> object:
        return anonymous.client.post(BRIDGE, json={}, environ_base={"REMOTE_ADDR": address})

    statuses = [guess("198.51.100.1").status_code for _ in range(60)]  # type: ignore[attr-defined]
    assert set(statuses) == {503}, "no secret is set here"
    refused = guess("198.51.100.1")
    assert "often" in is_problem(refused, 429)  # type: ignore[arg-type]
    assert seconds_to_wait(refused.headers) >= 1  # type: ignore[attr-defined]
    assert guess("198.51.100.2").status_code == 503  # type: ignore[attr-defined]


def test_guessing_stop_links_is_limited_by_address(anonymous: Browser) -> None:
    statuses = [status_from(anonymous, f"/stop/1.campaigns.x{number}", "198.51.100.1") for number in range(61)]
    assert statuses == [404] * 60 + [429]
    assert status_from(anonymous, "/stop/1.campaigns.x", "198.51.100.2") == 404


def test_pages_that_everybody_needs_are_not_limited(browse: Browse) -> None:
    alice = browse("alice")
    assert {alice.get("/board").status_code for _ in range(80)} == {200}


# Behind a proxy


@pytest.fixture
def proxied(world: World) -> Browser:
    """A stranger, where our proxy is one of 10.0.0.0/24."""
    behind = with_settings(world, trusted_proxies=(ip_network("10.0.0.0/24"),))
    return browser_of(make_app(behind.runtime), behind, None)


def use_up(browser: Browser, address: str, forwarded: str | None = None) -> None:
    statuses = [status_from(browser, "/stop/1.campaigns.x", address, forwarded) for _ in range(61)]
    assert statuses == [404] * 60 + [429]


def test_behind_a_trusted_proxy_everybody_is_counted_by_themselves(proxied: Browser) -> None:
    """W61: all of them shared one limit there."""
    use_up(proxied, PROXY, "203.0.113.1")
    assert status_from(proxied, "/stop/1.campaigns.x", PROXY, "203.0.113.2") == 404
    assert status_from(proxied, "/stop/1.campaigns.x", PROXY, "203.0.113.1") == 429


@pytest.mark.parametrize("listed", ["203.0.113.9, 203.0.113.1", "x, , 203.0.113.1", "203.0.113.1, 10.0.0.8"])
def test_what_somebody_wrote_before_our_proxy_did_is_not_believed(proxied: Browser, listed: str) -> None:
    use_up(proxied, PROXY, "203.0.113.1")
    assert status_from(proxied, "/stop/1.campaigns.x", PROXY, listed) == 429


def test_a_forwarded_address_from_somebody_who_is_no_proxy_of_ours_does_not_help(proxied: Browser) -> None:
    for number in range(60):
        assert status_from(proxied, "/stop/1.campaigns.x", "198.51.100.1", f"203.0.113.{number}") == 404
    assert status_from(proxied, "/stop/1.campaigns.x", "198.51.100.1", "203.0.113.200") == 429
    assert status_from(proxied, "/stop/1.campaigns.x", PROXY, "203.0.113.1") == 404, "nor does it harm others"


def test_without_a_trusted_proxy_no_forwarded_address_is_believed(anonymous: Browser) -> None:
    for number in range(60):
        assert status_from(anonymous, "/stop/1.campaigns.x", "198.51.100.1", f"203.0.113.{number}") == 404
    assert status_from(anonymous, "/stop/1.campaigns.x", "198.51.100.1", "203.0.113.200") == 429


def few_logins(world: World, **settings: object) -> Browser:
    """A stranger, where three logins a minute are enough for anybody."""
    strict = with_settings(world, oauth_limit=3, **settings)
    return browser_of(make_app(strict.runtime), strict, None)


@pytest.mark.parametrize("path", ["/auth/login", "/auth/callback?state=x&code=y"])
def test_logins_are_limited_by_address_with_a_friendly_page(world: World, path: str) -> None:
    browser = few_logins(world)
    first = [status_from(browser, path, "198.51.100.1") for _ in range(3)]
    assert 429 not in first
    refused = browser.client.get(path, environ_base={"REMOTE_ADDR": "198.51.100.1"})
    assert "often" in is_page(refused, 429)
    assert 1 <= seconds_to_wait(refused.headers) <= 60
    assert status_from(browser, path, "198.51.100.2") == first[0]


def test_behind_a_trusted_proxy_everybody_logs_in_by_themselves(world: World) -> None:
    """W61: one bucket of 40 for all."""
    browser = few_logins(world, trusted_proxies=(ip_network("10.0.0.0/24"),))
    for number in range(10):
        assert status_from(browser, "/auth/login", PROXY, f"203.0.113.{number}") == 302
    assert [status_from(browser, "/auth/login", PROXY, "203.0.113.1") for _ in range(3)] == [302, 302, 429]


def test_a_login_that_was_refused_for_haste_stores_nothing(world: World) -> None:
    browser = few_logins(world)
    for _ in range(3):
        browser.get("/auth/login")
    with nothing_stored(world):
        assert browser.get("/auth/login").status_code == 429
