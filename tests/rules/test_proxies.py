"""Who really asks, behind proxies of ours and behind none; and who only says so."""

from ipaddress import ip_network
from typing import Any

import pytest

from slomix.web.proxies import TrustedProxies

PROXY, INNER, SIX = "10.0.0.1", "172.16.3.4", "fd00::1"
TRUSTED = tuple(ip_network(one) for one in (PROXY, "172.16.0.0/12", "fd00::/8"))
VISITOR, LIAR = "203.0.113.7", "198.51.100.66"


def seen(peer: str, *, trusted: Any = TRUSTED, **forwarded: str) -> dict[str, Any]:
    """What the application is told about a request that `peer` sent with these `X-Forwarded-*` headers."""
    told: dict[str, Any] = {}

    def app(environ: dict[str, Any], _start: Any) -> list[bytes]:
        told.update(environ)
        return []

    environ = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", "HTTP_HOST": "slomix:7000"}
    headers = {f"HTTP_X_FORWARDED_{name.removesuffix('_').upper()}": value for name, value in forwarded.items()}
    TrustedProxies(app, trusted)(environ | headers, lambda *_: None)  # type: ignore[arg-type]
    return told


def address(peer: str, forwarded: str, **more: Any) -> str:
    return str(seen(peer, for_=forwarded, **more)["REMOTE_ADDR"])


def test_behind_a_proxy_of_ours_who_asks_is_whom_it_names() -> None:
    told = seen(PROXY, for_=VISITOR, proto="https", host="slomix.example")
    assert (told["REMOTE_ADDR"], told["wsgi.url_scheme"], told["HTTP_HOST"]) == (VISITOR, "https", "slomix.example")


def test_who_comes_directly_may_write_there_what_they_like() -> None:
    told = seen(LIAR, for_=VISITOR, proto="https", host="evil.example")
    assert (told["REMOTE_ADDR"], told["wsgi.url_scheme"], told["HTTP_HOST"]) == (LIAR, "http", "slomix:7000")


def test_without_proxies_of_ours_nobody_is_believed() -> None:
    told = seen("127.0.0.1", trusted=(), for_=VISITOR, proto="https", host="evil.example")
    assert (told["REMOTE_ADDR"], told["wsgi.url_scheme"], told["HTTP_HOST"]) == ("127.0.0.1", "http", "slomix:7000")


@pytest.mark.parametrize(
    ("forwarded", "who"),
    [
        (VISITOR, VISITOR),
        # A visitor who sends the header themselves: our proxy adds whom it saw behind it.
        (f"{LIAR}, {VISITOR}", VISITOR),
        (f"127.0.0.1, {VISITOR}", VISITOR),
        (f"{PROXY}, {VISITOR}", VISITOR),
        (f"{VISITOR}, {PROXY}, {LIAR}", LIAR),
        # A chain of ours.
        (f"{VISITOR}, {INNER}", VISITOR),
        (f"{LIAR}, {VISITOR}, {INNER}, {PROXY}", VISITOR),
        (f"{VISITOR},{INNER} ,  {PROXY}", VISITOR),
        (f"{LIAR}, {VISITOR}, {SIX}", VISITOR),
        # Nobody but us on the way: one of our machines asks.
        (f"{INNER}, {PROXY}", INNER),
    ],
)
def test_of_a_chain_the_last_that_is_none_of_ours_is_who_asks(forwarded: str, who: str) -> None:
    assert address(PROXY, forwarded) == who


@pytest.mark.parametrize(
    ("peer", "forwarded", "who"),
    [
        (SIX, "2001:db8::7", "2001:db8::7"),
        ("fdff:1:2::3", "2001:db8::66, 2001:db8::7", "2001:db8::7"),
        ("fe80::1", "2001:db8::7", "fe80::1"),
        ("2001:db8::66", "2001:db8::7", "2001:db8::66"),
        (SIX, f"{VISITOR}, FD00:0:0::2", VISITOR),
    ],
)
def test_addresses_of_the_new_kind_are_addresses_too(peer: str, forwarded: str, who: str) -> None:
    assert address(peer, forwarded) == who


def test_a_proxy_of_ours_that_reaches_a_socket_of_both_kinds_is_known_by_its_old_address() -> None:
    assert address(f"::ffff:{PROXY}", VISITOR) == VISITOR


@pytest.mark.parametrize("peer", ["", "unix:", "not an address", "10.0.0.1.evil.example", "10.0.0.1:80"])
def test_what_is_no_address_is_not_trusted(peer: str) -> None:
    assert address(peer, VISITOR) == peer


@pytest.mark.parametrize("forwarded", ["", " ", ",", " , ,"])
def test_a_proxy_that_names_nobody_asks_for_itself(forwarded: str) -> None:
    assert address(PROXY, forwarded) == PROXY
    assert seen(PROXY)["REMOTE_ADDR"] == PROXY


@pytest.mark.parametrize(
    ("proto", "scheme"),
    [
        ("https", "https"),
        ("http", "http"),
        # What stands before was written by whoever asked.
        ("http, https", "https"),
        ("https, http", "http"),
        ("", "http"),
        ("javascript", "http"),
        ("HTTPS\nX: y", "http"),
    ],
)
def test_the_scheme_is_what_our_proxy_says_last(proto: str, scheme: str) -> None:
    assert seen(PROXY, for_=VISITOR, proto=proto)["wsgi.url_scheme"] == scheme


@pytest.mark.parametrize(
    ("host", "name"),
    [("slomix.example", "slomix.example"), ("evil.example, slomix.example", "slomix.example"), ("", "slomix:7000")],
)
def test_the_host_is_what_our_proxy_says_last(host: str, name: str) -> None:
    assert seen(PROXY, for_=VISITOR, host=host)["HTTP_HOST"] == name
