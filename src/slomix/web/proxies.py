"""Finds the real client of requests that come through trusted proxies."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


# A flood asks for the same one again and again.
@lru_cache(maxsize=4096)
def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address, an IPv4 one also as a socket of both kinds writes it: `::ffff:10.0.0.1`."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


@lru_cache(maxsize=4096)
def client_of(address: str) -> str:
    """Return whom limits count under this address: an IPv4 address, or the /64 that one IPv6 customer is given."""
    found = parse_address(address)
    return str(IPv6Network((found, 64), strict=False)) if isinstance(found, IPv6Address) else str(found or "nowhere")


class TrustedProxies:
    """Takes address, scheme and host of a request from `X-Forwarded-*`, but only as far as trusted proxies wrote them.

    The list of addresses is walked from the right, where our own proxy writes; the first that is no proxy of ours is
    the client's. Headers of a client that reaches us directly are not read.
    """

    def __init__(self, app: "WSGIApplication", trusted: Sequence[IPv4Network | IPv6Network]) -> None:
        self._app, self._trusted = app, trusted

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if self._is_trusted(environ.get("REMOTE_ADDR", "")):
            self._believe(environ)
        return self._app(environ, start_response)

    def _believe(self, environ: "WSGIEnvironment") -> None:
        for address in reversed(_listed(environ, "HTTP_X_FORWARDED_FOR")):
            environ["REMOTE_ADDR"] = address
            if not self._is_trusted(address):
                break
        scheme = _listed(environ, "HTTP_X_FORWARDED_PROTO")[-1:]
        if scheme and scheme[0] in {"http", "https"}:
            environ["wsgi.url_scheme"] = scheme[0]
        host = _listed(environ, "HTTP_X_FORWARDED_HOST")[-1:]
        if host:
            environ["HTTP_HOST"] = host[0]

    def _is_trusted(self, address: str) -> bool:
        found = parse_address(address)
        return found is not None and any(found in network for network in self._trusted)


def _listed(environ: "WSGIEnvironment", name: str) -> list[str]:
    return [part.strip() for part in environ.get(name, "").split(",") if part.strip()]
