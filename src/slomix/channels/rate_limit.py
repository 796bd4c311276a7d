"""Keeps the rate limits of Discord and Telegram across all processes: so many requests a second, and pauses.

Redis keeps the time for all processes, and one script checks and takes a slot. Without Redis each process keeps to a
share.
"""

import secrets
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import redis
import structlog

from slomix.channels.base import RateLimited
from slomix.clock import nap, wall_now
from slomix.reasons.codes import Reason

log = structlog.get_logger()

# Discord takes 50 in any second. Fewer in a longer window here: it counts arrivals, this counts departures.
LIMIT, WINDOW = 48, timedelta(milliseconds=1020)
# Telegram takes 30 messages a second (https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this).
TELEGRAM_LIMIT, TELEGRAM_SHARE = 28, 5
# The limit of one process while Redis is away: five workers together stay below Discord's.
MAX_REQUESTS = 9
# A sender that would have to wait longer gets RateLimited, which frees its thread. At least two windows: otherwise the
# third wave would be refused just before its turn.
MAX_WAIT = 2.5 * WINDOW
# How long a request counts if its sender never reports that it has left.
SLOT_LIFETIME = timedelta(seconds=10)

_SLOTS, _ALL, _ROUTE = "slomix:{provider}:slots", "slomix:{provider}:held", "slomix:{provider}:held:{route}"

# Slots by the moment, in microseconds, until which they count. Returns a result, and how long until it is worth asking
# again: until the first slot ends, but at most a window, as the first request may have left already.
_GRANTED, _LATER, _BLOCKED = 1, 0, -1
_ACQUIRE = """
local limit, begun = tonumber(ARGV[1]), tonumber(ARGV[2])
local held = math.max(redis.call('PTTL', KEYS[2]), redis.call('PTTL', KEYS[3]))
if held > 0 then return {-1, held * 1000} end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) < limit then
  redis.call('ZADD', KEYS[1], now + begun, ARGV[3])
  redis.call('PEXPIRE', KEYS[1], math.ceil(begun / 1000) + 1000)
  return {1, 0}
end
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return {0, math.min(math.max(tonumber(first[2]) - now, 1000), tonumber(ARGV[4]))}
"""
_MARK_SENT = """
local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], 'XX', time[1] * 1000000 + time[2] + tonumber(ARGV[1]), ARGV[2])
"""


class RateLimiter(Protocol):
    """Decides when the next request may leave."""

    def acquire(self, route: str) -> str:
        """Return a slot when a request on this route may leave. Raise RateLimited if that takes too long."""

    def mark_sent(self, slot: str) -> None:
        """Record that the request of this slot has left just now."""

    def record_response(self, route: str, headers: Mapping[str, str], *, refused_for: timedelta | None = None) -> None:
        """Learn from an answer's headers, and from a refusal for coming too early."""


@dataclass(frozen=True)
class RateLimitHold:
    """How long no request may leave: on one route, or at all."""

    duration: timedelta
    is_global: bool


def parse_hold(headers: Mapping[str, str], refused_for: timedelta | None) -> RateLimitHold | None:
    """Read the pause that Discord's headers ask for; None when the route has room left.

    https://discord.com/developers/docs/topics/rate-limits
    """
    if refused_for is not None:
        return RateLimitHold(refused_for, is_global=headers.get("X-RateLimit-Global", "").lower() == "true")
    if headers.get("X-RateLimit-Remaining") != "0":
        return None
    try:
        seconds = float(headers.get("X-RateLimit-Reset-After", ""))
    except ValueError:
        return None
    return RateLimitHold(timedelta(seconds=min(seconds, 3600)), is_global=False) if seconds > 0 else None


class SharedRateLimiter:
    """The pace of all processes at one Redis. Thread-safe.

    `share` is the limit of this process while Redis is away.
    """

    def __init__(
        self,
        redis_url: str,
        *,
        provider: str = "discord",
        limit: int = LIMIT,
        share: int = MAX_REQUESTS,
        busy: Reason = Reason.DISCORD_IS_BUSY,
    ) -> None:
        self._provider, self._limit, self._busy = provider, limit, busy
        self._redis = redis.Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=0.5)
        self._take, self._left = self._redis.register_script(_ACQUIRE), self._redis.register_script(_MARK_SENT)
        self._alone = LocalRateLimiter(share, busy=busy)
        # One thread asks for the next slot, the others wait behind it.
        self._asking = threading.Lock()

    def acquire(self, route: str) -> str:
        slot, until = secrets.token_hex(8), wall_now() + MAX_WAIT
        if not self._asking.acquire(timeout=MAX_WAIT.total_seconds()):
            raise RateLimited(self._busy, retry_after=WINDOW)
        try:
            while True:
                came_to, delay = self._ask(slot, route)
                if came_to == _GRANTED:
                    return slot
                # Don't wait out a pause that Discord asks for: all other threads would wait behind it.
                if came_to == _BLOCKED or wall_now() + delay > until:
                    raise RateLimited(self._busy, retry_after=delay)
                nap(delay.total_seconds())
        except redis.RedisError as error:
            log.warning("pace.redis_away", error=type(error).__name__)
            return self._alone.acquire(route)
        finally:
            self._asking.release()

    def mark_sent(self, slot: str) -> None:
        try:
            self._left(keys=[self._key(_SLOTS)], args=[_microseconds(WINDOW), slot])
        except redis.RedisError as error:
            log.warning("pace.redis_away", error=type(error).__name__)

    def record_response(self, route: str, headers: Mapping[str, str], *, refused_for: timedelta | None = None) -> None:
        hold = parse_hold(headers, refused_for)
        if hold is None:
            return
        key = self._key(_ALL if hold.is_global else _ROUTE, route)
        try:
            self._redis.set(key, 1, px=max(1, int(hold.duration.total_seconds() * 1000)))
        except redis.RedisError as error:
            log.warning("pace.redis_away", error=type(error).__name__)

    def _ask(self, slot: str, route: str) -> tuple[int, timedelta]:
        keys = [self._key(name, route) for name in (_SLOTS, _ALL, _ROUTE)]
        args: list[int | str] = [self._limit, _microseconds(SLOT_LIFETIME), slot, _microseconds(WINDOW)]
        came_to, delay = self._take(keys=keys, args=args)
        return int(came_to), timedelta(microseconds=int(delay))

    def _key(self, name: str, route: str = "") -> str:
        return name.format(provider=self._provider, route=route)


class LocalRateLimiter:
    """The pace of a single process. Thread-safe."""

    def __init__(self, limit: int = MAX_REQUESTS, *, busy: Reason = Reason.DISCORD_IS_BUSY) -> None:
        self._busy = busy
        self._granted: deque[float] = deque([0.0] * limit, maxlen=limit)
        self._lock = threading.Lock()

    def acquire(self, _route: str) -> str:
        with self._lock:
            now = wall_now().timestamp()
            at = max(now, self._granted[0] + WINDOW.total_seconds())
            if at - now > MAX_WAIT.total_seconds():
                raise RateLimited(self._busy, retry_after=timedelta(seconds=at - now))
            self._granted.append(at)
        nap(at - now)
        return ""

    def mark_sent(self, slot: str) -> None:
        """No-op: a process-local limiter counts when it grants."""

    def record_response(self, route: str, headers: Mapping[str, str], *, refused_for: timedelta | None = None) -> None:
        """No-op: a process-local limiter doesn't track pauses."""


def _microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)
