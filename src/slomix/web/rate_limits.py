"""How often the same client or account may do something: counted in Redis, and by each process while Redis is away.

How much of a process one client may take in all is decided before, in `fairness`.
"""

import functools
import hmac
import math
import time

import redis
from flask import Flask, request
from flask_limiter import Limiter
from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter, RateLimiter
from werkzeug.exceptions import TooManyRequests

from slomix.config.settings import Settings
from slomix.web import current, gates
from slomix.web.proxies import client_of

WRITES = RateLimitItemPerMinute(60, 1, "writes")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def client() -> str:
    """Return whom limits of strangers count: an IPv4 address, or an IPv6 /64."""
    return client_of(request.remote_addr or "")


def account() -> str:
    """Return the account behind the request, or a stranger's client."""
    who = gates.viewer()
    return f"user:{who.user_id}" if isinstance(who, gates.Viewer) else client()


def _logins() -> str:
    settings = current.runtime().settings
    return f"{settings.oauth_limit} per {settings.oauth_limit_seconds} second"


def _guesser() -> str:
    """Return the client, or the bridge itself, which strangers behind the same proxy must not use up."""
    secret = current.runtime().settings.internal_api_secret.get_secret_value()
    given = request.headers.get("Authorization", "")
    is_bridge = bool(secret) and hmac.compare_digest(given.encode(), f"Bearer {secret}".encode())
    return "bridge" if is_bridge else client()


limiter = Limiter(key_func=client, headers_enabled=True, strategy="moving-window")

# One decorator for each thing that is limited.
logins = limiter.limit(_logins)
searches = limiter.limit("30 per minute", key_func=account)
profile_requests = limiter.limit("10 per hour", key_func=account)
confirmations = limiter.limit("60 per minute", key_func=_guesser)
stops = limiter.limit("60 per minute")
calendars = limiter.limit("60 per minute")
pictures = limiter.limit("60 per minute")


def install(app: Flask, settings: Settings) -> None:
    """Count the requests of this app."""
    app.config.update(
        RATELIMIT_STORAGE_URI=_storage(settings.redis_url.get_secret_value()),
        RATELIMIT_STORAGE_OPTIONS=_patience(settings.redis_url.get_secret_value()),
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_KEY_PREFIX="slomix",
    )
    limiter.init_app(app)
    app.before_request(_count_write)


def _count_write() -> None:
    """Raise TooManyRequests for a member who writes more than a person does; strangers have limits of their own."""
    if request.method in SAFE or gates.is_stranger():
        return
    request.get_data()  # before the viewer is read: a body that takes its time does not outlive a logout
    if not gates.viewer().is_authenticated:
        return
    seconds = seconds_until_write(account())
    if seconds:
        raise TooManyRequests(retry_after=seconds)


def seconds_until_write(who: str) -> int:
    """Count a write of this account, and return how long it has to wait for it; 0 if it may write now."""
    try:
        return _hit(limiter.limiter, who)
    except (redis.RedisError, StorageError):
        return _hit(_while_redis_is_away(), who)


def _hit(strategy: RateLimiter, who: str) -> int:
    if strategy.hit(WRITES, who):
        return 0
    return max(1, math.ceil(strategy.get_window_stats(WRITES, who)[0] - time.time()))


@functools.cache
def _while_redis_is_away() -> MovingWindowRateLimiter:
    """Make it when first needed: its storage starts a thread, and gunicorn forks after the import."""
    return MovingWindowRateLimiter(MemoryStorage())


def _storage(redis_url: str) -> str:
    """Return the address as the library writes it."""
    if not redis_url:
        return "memory://"
    return f"redis+{redis_url}" if redis_url.startswith("unix://") else redis_url


def _patience(redis_url: str) -> dict[str, float]:
    return {"socket_timeout": 1, "socket_connect_timeout": 1} if redis_url else {}
