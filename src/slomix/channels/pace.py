"""Keeps Discord's limits across all processes that share the bot: 50 requests in any second, and those of a route.

Redis knows the time for everybody, and one script asks and takes at once. Without Redis each process keeps to a share.
"""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import redis
import structlog

from slomix import words
from slomix.channels.base import SlowDown
from slomix.clock import nap, wall_now

log = structlog.get_logger()

# Discord takes 50 in any second. What leaves in order may arrive a little closer together: hence fewer, in longer.
LIMIT, WINDOW = 48, timedelta(milliseconds=1060)
# What one process may do while nobody can count for all: five workers together stay below the limit.
SHARE = 9
# Who would have to wait longer is told so, and frees its thread for somebody else.
PATIENCE = timedelta(seconds=2)

_GRANTS, _ALL, _ROUTE = "slomix:discord:grants", "slomix:discord:held", "slomix:discord:held:{route}"

# Grants are the moments, in microseconds, at which requests may leave, the latest first; the one that lies LIMIT back
# has to be a window ago. Answers whether a moment was taken, and how long until then, or until one should ask again.
_TAKE = """
local limit, window, patience = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local held = math.max(redis.call('PTTL', KEYS[2]), redis.call('PTTL', KEYS[3]))
if held > 0 then return {0, held * 1000} end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local at, first = now, redis.call('LINDEX', KEYS[1], limit - 1)
if first and tonumber(first) + window > at then at = tonumber(first) + window end
if at - now > patience then return {0, at - now} end
redis.call('LPUSH', KEYS[1], string.format('%.0f', at))
redis.call('LTRIM', KEYS[1], 0, limit - 1)
redis.call('PEXPIRE', KEYS[1], math.ceil((window + patience) / 1000) + 1000)
return {1, at - now}
"""


class Pace(Protocol):
    """When the next request may leave."""

    def wait(self, route: str) -> None:
        """Return when a request on this route may leave. Raise SlowDown when that is too far away to wait for."""

    def heed(self, route: str, headers: Mapping[str, str], *, refused_for: timedelta | None = None) -> None:
        """Learn from an answer: what it says of its route, and whether the request was refused for being too early."""


@dataclass(frozen=True)
class Hold:
    """For how long nothing may leave: on one route, or at all."""

    lasts: timedelta
    is_global: bool


def read_hold(headers: Mapping[str, str], refused_for: timedelta | None) -> Hold | None:
    """What Discord's headers ask for; None when the route has room left.

    https://discord.com/developers/docs/topics/rate-limits
    """
    if refused_for is not None:
        return Hold(refused_for, is_global=headers.get("X-RateLimit-Global", "").lower() == "true")
    if headers.get("X-RateLimit-Remaining") != "0":
        return None
    try:
        seconds = float(headers.get("X-RateLimit-Reset-After", ""))
    except ValueError:
        return None
    return Hold(timedelta(seconds=min(seconds, 3600)), is_global=False) if seconds > 0 else None


class SharedPace:
    """The pace of all processes at one Redis. Thread-safe."""

    def __init__(self, redis_url: str) -> None:
        self._redis = redis.Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=0.5)
        self._take = self._redis.register_script(_TAKE)
        self._alone = OwnPace()

    def wait(self, route: str) -> None:
        until = wall_now() + PATIENCE
        while True:
            granted, delay = self._ask(route)
            if not granted and wall_now() + delay > until:
                raise SlowDown(words.DISCORD_IS_BUSY, retry_after=delay)
            nap(delay.total_seconds())
            if granted:
                return

    def heed(self, route: str, headers: Mapping[str, str], *, refused_for: timedelta | None = None) -> None:
        hold = read_hold(headers, refused_for)
        if hold is None:
            return
        key = _ALL if hold.is_global else _ROUTE.format(route=route)
        try:
            self._redis.set(key, 1, px=max(1, int(hold.lasts.total_seconds() * 1000)))
        except redis.RedisError as error:
            log.warning("pace.redis_away", error=type(error).__name__)

    def _ask(self, route: str) -> tuple[bool, timedelta]:
        keys = [_GRANTS, _ALL, _ROUTE.format(route=route)]
        try:
            granted, delay = self._take(keys=keys, args=[LIMIT, _microseconds(WINDOW), _microseconds(PATIENCE)])
        except redis.RedisError as error:
            log.warning("pace.redis_away", error=type(error).__name__)
            self._alone.wait(route)
            return True, timedelta(0)
        return bool(granted), timedelta(microseconds=int(delay))


class OwnPace:
    """The pace of one process that knows of no other. Thread-safe."""

    def __init__(self, limit: int = SHARE) -> None:
        self._granted: deque[float] = deque([0.0] * limit, maxlen=limit)
        self._lock = threading.Lock()

    def wait(self, route: str) -> None:
        with self._lock:
            now = wall_now().timestamp()
            at = max(now, self._granted[0] + WINDOW.total_seconds())
            if at - now > PATIENCE.total_seconds():
                raise SlowDown(words.DISCORD_IS_BUSY, retry_after=timedelta(seconds=at - now))
            self._granted.append(at)
        nap(at - now)

    def heed(self, route: str, headers: Mapping[str, str], *, refused_for: timedelta | None = None) -> None:
        """Who knows of no other waits for nothing that others are told."""


def _microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)
