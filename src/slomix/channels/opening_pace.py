"""Spaces out the opening of DM channels over all processes: a bot that opens many quickly is kept from opening any.

https://docs.discord.com/developers/resources/user#create-dm
"""

import threading
from datetime import timedelta
from typing import Protocol

import redis
import structlog

from slomix.channels.base import RateLimited
from slomix.clock import wall_now
from slomix.reasons.codes import Reason

log = structlog.get_logger()

INTERVAL = timedelta(seconds=1)
# How long nothing is opened after Discord has refused without naming a time.
PAUSE = timedelta(minutes=2)
# While Redis is away each process keeps to its share: five workers together stay within the interval.
SHARE = 5

_QUEUE, _LAST, _PAUSED = (f"slomix:discord:opening:{name}" for name in ("queue", "last", "paused"))

# The queue has accounts by the moment, in microseconds, of their turn; one that stays away for sixty turns loses it.
# Returns how long until it is worth asking again; 0 if the channel may be opened now.
_ACQUIRE = """
local paused = redis.call('PTTL', KEYS[3])
if paused > 0 then
  redis.call('DEL', KEYS[1])
  return paused * 1000
end
local account, interval = ARGV[1], tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 60 * interval)
local wait = math.max(redis.call('PTTL', KEYS[2]), 0) * 1000
local turn = tonumber(redis.call('ZSCORE', KEYS[1], account) or false)
if not turn then
  local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
  turn = math.max(now + wait, (tonumber(last[2]) or 0) + interval)
end
if turn <= now and wait == 0 then
  redis.call('ZREM', KEYS[1], account)
  redis.call('SET', KEYS[2], 1, 'PX', math.ceil(interval / 1000))
  return 0
end
redis.call('ZADD', KEYS[1], string.format('%.0f', turn), account)
redis.call('PEXPIRE', KEYS[1], 3600000)
return math.max(turn - now, wait)
"""


class OpeningPace(Protocol):
    """Decides when the next DM channel may be opened."""

    def acquire(self, account: str) -> None:
        """Return if this account's channel may be opened now; raise RateLimited with the time until its turn."""

    def pause(self) -> None:
        """Open nothing for a while."""


class SharedOpeningPace:
    """The pace of all processes at one Redis. Thread-safe."""

    def __init__(self, redis_url: str) -> None:
        self._redis = redis.Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=0.5)
        self._ask = self._redis.register_script(_ACQUIRE)
        self._alone = LocalOpeningPace()

    def acquire(self, account: str) -> None:
        try:
            wait = int(self._ask(keys=[_QUEUE, _LAST, _PAUSED], args=[account, INTERVAL // timedelta(microseconds=1)]))
        except redis.RedisError as error:
            log.warning("pace.redis_away", error=type(error).__name__)
            return self._alone.acquire(account)
        if wait > 0:
            raise RateLimited(Reason.DISCORD_IS_BUSY, retry_after=timedelta(microseconds=wait))
        return None

    def pause(self) -> None:
        self._alone.pause()
        try:
            self._redis.set(_PAUSED, 1, px=PAUSE)
        except redis.RedisError as error:
            log.warning("pace.redis_away", error=type(error).__name__)


class LocalOpeningPace:
    """The pace of a single process. Thread-safe."""

    def __init__(self) -> None:
        self._next = wall_now()
        self._lock = threading.Lock()

    def acquire(self, _account: str) -> None:
        with self._lock:
            now = wall_now()
            if now < self._next:
                raise RateLimited(Reason.DISCORD_IS_BUSY, retry_after=self._next - now)
            self._next = now + SHARE * INTERVAL

    def pause(self) -> None:
        with self._lock:
            self._next = max(self._next, wall_now() + PAUSE)
