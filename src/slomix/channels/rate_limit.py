"""Keeps the rate limits of Discord and Telegram across all processes: so many requests a second, and pauses.

Redis keeps the time for all processes, and one script checks and takes a slot. Without Redis each process keeps to a
share. After a refusal that concerns all requests, such as a ban, everything stops: one request at a time leaves as a
probe, and the first that gets through releases the others.
"""

import hashlib
import secrets
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import redis
import structlog

from slomix.channels.base import RateLimited, TokenRefused
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

# The longest pause between two probes.
MAX_PROBE_INTERVAL = timedelta(hours=1)
# How long a stop is remembered without a probe.
STOP_LIFETIME = timedelta(days=1)

# Slots by the moment, in microseconds, until which they count. A stop is a hash: its reason, and from when on the next
# probe may leave. Returns a result, how long until it is worth asking again, and the reason of a stop. Without a pause
# or a stop that is until the first slot ends, but at most a window, as the first request may have left already.
_PROBE, _GRANTED, _LATER, _BLOCKED = 2, 1, 0, -1
_ACQUIRE = """
local limit, begun, slot, window = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local held = math.max(redis.call('PTTL', KEYS[2]), redis.call('PTTL', KEYS[3]))
if held > 0 then return {-1, held * 1000, ''} end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local probed = {}
for i = 4, 5 do
  local stop = redis.call('HMGET', KEYS[i], 'probe_at', 'reason', 'interval')
  if stop[1] then
    if tonumber(stop[1]) > now then return {-1, tonumber(stop[1]) - now, stop[2]} end
    probed[KEYS[i]] = now + tonumber(stop[3])
  end
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) < limit then
  redis.call('ZADD', KEYS[1], now + begun, slot)
  redis.call('PEXPIRE', KEYS[1], math.ceil(begun / 1000) + 1000)
  for key, at in pairs(probed) do redis.call('HSET', key, 'probe_at', string.format('%.0f', at)) end
  return {next(probed) and 2 or 1, 0, ''}
end
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return {0, math.min(math.max(tonumber(first[2]) - now, 1000), window), ''}
"""
_MARK_SENT = """
local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], 'XX', time[1] * 1000000 + time[2] + tonumber(ARGV[1]), ARGV[2])
"""
# A later and shorter pause must not end a longer one: answers overtake each other.
_HOLD = """
local pause = tonumber(ARGV[1])
if redis.call('PTTL', KEYS[1]) < pause then redis.call('SET', KEYS[1], 1, 'PX', pause) end
"""
# Begins a stop, or prolongs one whose probe was refused; requests that had left before it say nothing new. Returns
# whether it is a new one, and how long until the next probe.
_STOP = """
local reason, least, grows, is_probe = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1', ARGV[4] == '1'
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local stop = redis.call('HMGET', KEYS[1], 'interval', 'probe_at')
if stop[1] and not is_probe then return {0, math.max(tonumber(stop[2]) - now, 0)} end
local interval = least
if stop[1] and grows then interval = math.max(math.min(stop[1] * 2, tonumber(ARGV[5])), least) end
local at = string.format('%.0f', now + interval)
redis.call('HSET', KEYS[1], 'reason', reason, 'interval', string.format('%.0f', interval), 'probe_at', at)
redis.call('PEXPIRE', KEYS[1], math.ceil(interval / 1000) + tonumber(ARGV[6]))
return {stop[1] and 0 or 1, interval}
"""


@dataclass(frozen=True)
class Slot:
    """The leave to send one request. A probe is sent to see whether a stop is over."""

    id: str
    is_probe: bool = False


@dataclass(frozen=True)
class RateLimitHold:
    """How long no request may leave: on one route, or at all.

    With a `reason` it is a stop: it ends when a request gets through. One probe leaves each `duration`, which doubles
    with every refused probe if it `grows`.
    """

    duration: timedelta
    is_route_only: bool = False
    reason: Reason | None = None
    grows: bool = False


class RateLimiter(Protocol):
    """Decides when the next request may leave."""

    def acquire(self, route: str) -> Slot:
        """Return a slot when a request on this route may leave. Raise RateLimited if that takes too long."""

    def mark_sent(self, slot: Slot) -> None:
        """Record that the request of this slot has left just now."""

    def record_response(self, route: str, headers: Mapping[str, str], slot: Slot) -> None:
        """Learn from the headers of Discord's own answer; a probe that got one ends the stop."""

    def hold(self, route: str, hold: RateLimitHold, slot: Slot) -> timedelta:
        """Keep requests back after a refusal; return for how long."""


def parse_hold(headers: Mapping[str, str]) -> RateLimitHold | None:
    """Read the pause that Discord's headers ask for; None when the route has room left.

    https://discord.com/developers/docs/topics/rate-limits
    """
    if headers.get("X-RateLimit-Remaining") != "0":
        return None
    try:
        seconds = float(headers.get("X-RateLimit-Reset-After", ""))
    except ValueError:
        return None
    return RateLimitHold(timedelta(seconds=min(seconds, 3600)), is_route_only=True) if seconds > 0 else None


class SharedRateLimiter:
    """The pace of all processes at one Redis. Thread-safe. A stop ends with the `token` that it was about.

    `share` is the limit of this process while Redis is away.
    """

    def __init__(
        self,
        redis_url: str,
        token: str = "",
        *,
        provider: str = "discord",
        limit: int = LIMIT,
        share: int = MAX_REQUESTS,
        busy: Reason = Reason.DISCORD_IS_BUSY,
    ) -> None:
        self._provider, self._limit, self._busy = provider, limit, busy
        self._redis = redis.Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=0.5)
        self._take, self._left = self._redis.register_script(_ACQUIRE), self._redis.register_script(_MARK_SENT)
        self._hold, self._stop = self._redis.register_script(_HOLD), self._redis.register_script(_STOP)
        self._slots, self._held = f"slomix:{provider}:slots", f"slomix:{provider}:held"
        self._stopped = f"slomix:{provider}:stopped:{hashlib.sha256(token.encode()).hexdigest()[:16]}"
        self._alone = LocalRateLimiter(share, busy=busy)
        # One thread asks for the next slot, the others wait behind it.
        self._asking = threading.Lock()

    def acquire(self, route: str) -> Slot:
        slot, until = secrets.token_hex(8), wall_now() + MAX_WAIT
        if not self._asking.acquire(timeout=MAX_WAIT.total_seconds()):
            raise RateLimited(self._busy, retry_after=WINDOW)
        try:
            while True:
                came_to, delay, reason = self._ask(slot, route)
                if came_to in (_GRANTED, _PROBE):
                    return Slot(slot, is_probe=came_to == _PROBE)
                # Don't wait out a pause that Discord asks for: all other threads would wait behind it.
                if came_to == _BLOCKED or wall_now() + delay > until:
                    kind = TokenRefused if reason is Reason.DISCORD_TOKEN_REFUSED else RateLimited
                    raise kind(reason, retry_after=delay)
                nap(delay.total_seconds())
        except redis.RedisError as error:
            log.warning("pace.redis_away", error=type(error).__name__)
            return self._alone.acquire(route)
        finally:
            self._asking.release()

    def mark_sent(self, slot: Slot) -> None:
        try:
            self._left(keys=[self._slots], args=[_microseconds(WINDOW), slot.id])
        except redis.RedisError as error:
            log.warning("pace.redis_away", error=type(error).__name__)

    def record_response(self, route: str, headers: Mapping[str, str], slot: Slot) -> None:
        hold = parse_hold(headers)
        try:
            if slot.is_probe and self._redis.delete(*self._stops(route)):
                log.info(f"{self._provider}.resumed", route=route)
            if hold is not None:
                self._hold(keys=[self._key_of(route)], args=[_milliseconds(hold.duration)])
        except redis.RedisError as error:
            log.warning("pace.redis_away", error=type(error).__name__)

    def hold(self, route: str, hold: RateLimitHold, slot: Slot) -> timedelta:
        try:
            if hold.reason is not None:
                return self._begin_stop(route, hold, hold.reason, slot)
            self._hold(keys=[self._key_of(route if hold.is_route_only else None)], args=[_milliseconds(hold.duration)])
        except redis.RedisError as error:
            log.warning("pace.redis_away", error=type(error).__name__)
        return hold.duration

    def _begin_stop(self, route: str, hold: RateLimitHold, reason: Reason, slot: Slot) -> timedelta:
        """Stop the route, or everything, and say so once."""
        everything, this_route = self._stops(route)
        is_new, delay = self._stop(
            keys=[this_route if hold.is_route_only else everything],
            args=[
                reason.value,
                _microseconds(hold.duration),
                int(hold.grows),
                int(slot.is_probe),
                _microseconds(MAX_PROBE_INTERVAL),
                _milliseconds(STOP_LIFETIME),
            ],
        )
        if is_new:
            log.error(f"{self._provider}.stopped", reason=reason.value, route=route if hold.is_route_only else "all")
        return timedelta(microseconds=int(delay))

    def _stops(self, route: str) -> tuple[str, str]:
        """Return the keys of the stop of everything, and of the route's."""
        return self._stopped, f"{self._stopped}:{route}"

    def _ask(self, slot: str, route: str) -> tuple[int, timedelta, Reason]:
        keys = [self._slots, self._key_of(None), self._key_of(route), *self._stops(route)]
        args: list[int | str] = [self._limit, _microseconds(SLOT_LIFETIME), slot, _microseconds(WINDOW)]
        came_to, delay, reason = self._take(keys=keys, args=args)
        known = Reason(reason.decode()) if reason else self._busy
        return int(came_to), timedelta(microseconds=int(delay)), known

    def _key_of(self, route: str | None) -> str:
        """Return the key that lives for as long as the route is held, or everything."""
        return self._held if route is None else f"{self._held}:{route}"


class LocalRateLimiter:
    """The pace of a single process. Thread-safe."""

    def __init__(self, limit: int = MAX_REQUESTS, *, busy: Reason = Reason.DISCORD_IS_BUSY) -> None:
        self._busy = busy
        self._granted: deque[float] = deque([0.0] * limit, maxlen=limit)
        self._lock = threading.Lock()

    def acquire(self, _route: str) -> Slot:
        with self._lock:
            now = wall_now().timestamp()
            at = max(now, self._granted[0] + WINDOW.total_seconds())
            if at - now > MAX_WAIT.total_seconds():
                raise RateLimited(self._busy, retry_after=timedelta(seconds=at - now))
            self._granted.append(at)
        nap(at - now)
        return Slot("")

    def mark_sent(self, slot: Slot) -> None:
        """No-op: a process-local limiter counts when it grants."""

    def record_response(self, route: str, headers: Mapping[str, str], slot: Slot) -> None:
        """No-op: a process-local limiter doesn't track pauses."""

    def hold(self, _route: str, hold: RateLimitHold, _slot: Slot) -> timedelta:
        """Hold no other process back: a process-local limiter doesn't track pauses."""
        return hold.duration


def _microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _milliseconds(span: timedelta) -> int:
    return max(1, span // timedelta(milliseconds=1))
