"""Answers: JSON as Discord labels it, the faults of any provider, and no access for foreign pages."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from slomix.dev.simulator.faults import CLOUDFLARE_PAGES, Fault
from slomix.dev.simulator.world import Exchange, World

WORLD: web.AppKey[World] = web.AppKey("world", World)

SILENCE_SECONDS = 60.0

LOOPBACK = {"127.0.0.1", "localhost", "::1"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class DiscordError(Exception):
    """A refusal with Discord's own error code."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        errors: dict[str, Any] | None = None,
        *,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.errors, self.retry_after = status, code, errors, retry_after

    def response(self, headers: Mapping[str, str] | None = None) -> web.Response:
        body = {"message": str(self), "code": self.code} | ({"errors": self.errors} if self.errors else {})
        if self.retry_after is None:
            return discord_json(body, status=self.status, headers=headers)
        body |= {"retry_after": round(self.retry_after, 3), "global": False}
        # discord.py takes a 429 without Via for a ban by Cloudflare and gives up.
        limited = {"Via": "1.1 sim", "Retry-After": f"{self.retry_after:.3f}", "X-RateLimit-Scope": "shared"}
        return discord_json(body, status=self.status, headers={**(headers or {}), **limited})


def invalid_form(complaint: str, *path: str, code: str = "BASE_TYPE_BAD_VALUE") -> DiscordError:
    """Make the refusal of a body whose field at `path` is wrong; only `errors` says which, and why.

    https://discord.com/developers/docs/reference#error-messages
    """
    errors: dict[str, Any] = {"_errors": [{"code": code, "message": complaint}]}
    for name in reversed(path):
        errors = {name: errors}
    return DiscordError(400, 50035, "Invalid Form Body", errors)


def cloudflare_page(page: int) -> web.Response:
    """Answer as Cloudflare does in Discord's place: without its headers, and without a time to wait."""
    text = f"<!DOCTYPE html><html><head><title>Access denied | discord.com</title></head>error code: {page}</html>"
    return web.Response(
        text=text, status=CLOUDFLARE_PAGES[page], content_type="text/html", headers={"Server": "cloudflare"}
    )


def discord_json(data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer JSON with the exact type `application/json`, as discord.py reads no other body."""
    typed = {**(headers or {}), "Content-Type": "application/json"}
    return web.Response(body=json.dumps(data).encode(), status=status, headers=typed)


def drop_connection(request: web.Request) -> web.Response:
    """End the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def fault_response(
    request: web.Request, provider: str, refuse: Callable[[int, str], web.Response]
) -> web.Response | None:
    """Return the answer of a broken provider, or None; `refuse` writes an error in the provider's format."""
    faults = request.app[WORLD].faults
    if faults.is_silent(provider):
        await asyncio.sleep(SILENCE_SECONDS)
        return drop_connection(request)
    if (error := faults.status(provider)) is not None:
        return _error(error, "a fault of the simulator", refuse)
    return None


def lost_answer(request: web.Request, provider: str, refuse: Callable[[int, str], web.Response]) -> web.Response | None:
    """Return what comes instead of the answer to a message that was taken, or None; `refuse` as above."""
    faults = request.app[WORLD].faults
    if faults.cuts(provider):
        return drop_connection(request)
    if (error := faults.error_after_accept(provider)) is None:
        return None
    return _error(error, "a fault of the simulator, after the message was taken", refuse)


def _error(error: Fault, description: str, refuse: Callable[[int, str], web.Response]) -> web.Response:
    code = int(error["code"])
    if error["html"]:
        page = f"<html><body><h1>{code}</h1><p>A proxy between you and the service.</p></body></html>"
        return web.Response(text=page, status=code, content_type="text/html")
    return refuse(code, f"{code}: {description}")


async def add_latency(request: web.Request, provider: str) -> None:
    """Wait for the provider's simulated latency."""
    if (latency := request.app[WORLD].faults.latency(provider)) > 0:
        await asyncio.sleep(latency)


# https://discord.com/developers/docs/reference#user-agent
_USER_AGENT = re.compile(r"DiscordBot \([^\s,]+,? [^\s)]+\)")


@web.middleware
async def refuse_unnamed_clients(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse clients of Discord's API that do not name themselves as it demands, as Cloudflare does before it."""
    if request.path.startswith("/api/") and not _USER_AGENT.match(request.headers.get("User-Agent", "")):
        return web.Response(text="<html>error code: 1010</html>", content_type="text/html", status=403)
    return await handler(request)


@web.middleware
async def record_exchange(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keep what Discord's API is asked and what it answers."""
    if not request.path.startswith("/api/"):
        return await handler(request)
    sent = await request.read()
    response = await handler(request)
    body = response.body if isinstance(response, web.Response) and isinstance(response.body, bytes) else b""
    request.app[WORLD].exchanges.append(
        Exchange(
            request.method, request.path, dict(request.query), dict(request.headers), sent,
            response.status, response.headers.get("Content-Type", ""), body,
        )
    )  # fmt: skip
    return response


@web.middleware
async def refuse_foreign_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse pages of other origins, and host names that only point here."""
    host = request.headers.get("Host", "")
    origin = request.headers.get("Origin")
    if _hostname(host) not in LOOPBACK:
        return web.json_response({"detail": f"The simulator is not at {host!r}, only on this machine."}, status=403)
    if origin is not None and origin != f"http://{host}":
        return web.json_response({"detail": f"A page of {origin!r} may not drive the simulator."}, status=403)
    return await handler(request)


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
