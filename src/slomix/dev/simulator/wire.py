"""Answers: JSON as Discord labels it, the faults of any provider, and no access for foreign pages."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from slomix.dev.simulator.world import World

WORLD: web.AppKey[World] = web.AppKey("world", World)

SILENCE_SECONDS = 60.0

LOOPBACK = {"127.0.0.1", "localhost", "::1"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class DiscordError(Exception):
    """A refusal with Discord's own error code."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code

    def response(self, headers: Mapping[str, str] | None = None) -> web.Response:
        return discord_json({"message": str(self), "code": self.code}, status=self.status, headers=headers)


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
    if (status := faults.status(provider)) is not None:
        return refuse(status, f"{status}: a fault of the simulator")
    return None


def lost_answer(request: web.Request, provider: str, refuse: Callable[[int, str], web.Response]) -> web.Response | None:
    """Return what comes instead of the answer to a message that was taken, or None; `refuse` as above."""
    faults = request.app[WORLD].faults
    if faults.cuts(provider):
        return drop_connection(request)
    if (error := faults.error_after_accept(provider)) is None:
        return None
    code = int(error["code"])
    if error["html"]:
        page = f"<html><body><h1>{code}</h1><p>A proxy between you and the service.</p></body></html>"
        return web.Response(text=page, status=code, content_type="text/html")
    return refuse(code, f"{code}: a fault of the simulator, after the message was taken")


async def add_latency(request: web.Request, provider: str) -> None:
    """Wait for the provider's simulated latency."""
    if (latency := request.app[WORLD].faults.latency(provider)) > 0:
        await asyncio.sleep(latency)


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
