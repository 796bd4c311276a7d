"""How often the same person may ask: counted in Redis for all web processes, and by each alone while Redis is away."""

from flask import Flask, request
from flask_limiter import Limiter

from slomix.config.settings import Settings
from slomix.web import current, gates


def _address() -> str:
    return request.remote_addr or "nowhere"


def _account() -> str:
    """Return the account behind the request, or a stranger's address."""
    who = gates.viewer()
    return f"user:{who.user_id}" if isinstance(who, gates.Viewer) else _address()


def _logins() -> str:
    settings = current.runtime().settings
    return f"{settings.oauth_limit} per {settings.oauth_limit_seconds} second"


limiter = Limiter(key_func=_address, headers_enabled=True, strategy="moving-window")

# One decorator for each thing that is limited.
logins = limiter.limit(_logins)
searches = limiter.limit("30 per minute", key_func=_account)
profile_requests = limiter.limit("10 per hour", key_func=_account)
confirmations = limiter.limit("60 per minute")
stops = limiter.limit("60 per minute")


def install(app: Flask, settings: Settings) -> None:
    """Count the requests of this app."""
    app.config.update(
        RATELIMIT_STORAGE_URI=_storage(settings.redis_url.get_secret_value()),
        RATELIMIT_STORAGE_OPTIONS=_patience(settings.redis_url.get_secret_value()),
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_KEY_PREFIX="slomix",
    )
    limiter.init_app(app)


def _storage(redis_url: str) -> str:
    """Return the address as the library writes it."""
    if not redis_url:
        return "memory://"
    return f"redis+{redis_url}" if redis_url.startswith("unix://") else redis_url


def _patience(redis_url: str) -> dict[str, float]:
    return {"socket_timeout": 1, "socket_connect_timeout": 1} if redis_url else {}
