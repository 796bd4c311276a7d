"""Tries whether Redis does what it is needed for: it takes a nudge, and gives it back."""

import secrets
from contextlib import suppress

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from slomix.i18n import later

# A script, as the rate limits are kept by some.
_PUSH = "redis.call('rpush', KEYS[1], ARGV[1]) return redis.call('pexpire', KEYS[1], 5000)"
KEEPS_ALL = "noeviction"


class NudgeLost(redis.RedisError):
    """Raised when what was written did not come back."""


def open_client(url: str, *, timeout: float) -> "redis.Redis":
    """Connect for trials, each of which is one attempt."""
    return redis.Redis.from_url(
        url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=Retry(NoBackoff(), 0), decode_responses=True
    )


def send_trial_nudge(client: "redis.Redis") -> str | None:
    """Send a nudge and receive it; return what an operator should know although it came back. Raise RedisError."""
    key, token = f"slomix:trial:{secrets.token_hex(8)}", secrets.token_hex(8)
    client.eval(_PUSH, 1, key, token)
    if client.lpop(key) != token:
        raise NudgeLost
    with suppress(redis.ResponseError):
        memory = client.info("memory")
        policy = memory.get("maxmemory_policy", KEEPS_ALL)
        if memory.get("maxmemory") and policy != KEEPS_ALL:
            return later(
                "may throw nudges away when its memory is full: maxmemory-policy is {policy}, not noeviction",
                policy=policy,
            )
    return None


def describe_failure(error: redis.RedisError) -> str:
    """Say why Redis carries no nudges."""
    if isinstance(error, NudgeLost):
        return later("answers, and loses the nudges it took")
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        return later("does not answer")
    return later("answers, and takes no nudges: {error}", error=str(error) or type(error).__name__)
