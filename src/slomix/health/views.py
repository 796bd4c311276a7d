"""`/health`: each part with its age, 200 when all live and 503 when one is dead."""

import functools

import redis
from flask import Blueprint, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from slomix import web
from slomix.clock import wall_now
from slomix.health import rules, service
from slomix.health.rules import PartHealth
from slomix.runtime import Runtime

blueprint = Blueprint("health", __name__)


@functools.lru_cache(maxsize=4)
def _redis(url: str) -> "redis.Redis":
    return redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)


@blueprint.get("/health")
def health() -> tuple[Response, int]:
    parts = check(web.runtime())
    is_well = all(part.ok for part in parts)
    body = {
        "status": "ok" if is_well else "unwell",
        "parts": {part.part: {"ok": part.ok, "age_seconds": part.age_seconds, "reason": part.reason} for part in parts},
    }
    return jsonify(body), 200 if is_well else 503


def check(runtime: Runtime) -> list[PartHealth]:
    """Ask the database and Redis, and read when the others were last seen."""
    expected = [rules.SCHEDULER, rules.WORKER]
    if runtime.settings.discord_bot_token.get_secret_value():
        expected.append(rules.DISCORD)
    if runtime.settings.channels_on - {"discord"}:
        expected.append(rules.INBOX)
    parts = [_check_redis(runtime.settings.redis_url.get_secret_value())]
    try:
        with runtime.transaction() as session:
            session.execute(text("SELECT 1"))
            parts += service.parts(session, expected, wall=wall_now())
        return [PartHealth("database", ok=True), *parts]
    except SQLAlchemyError:
        unknown = [PartHealth(part, ok=False, reason="not known while the database is away") for part in expected]
        return [PartHealth("database", ok=False, reason="does not answer"), *parts, *unknown]


def _check_redis(url: str) -> PartHealth:
    try:
        _redis(url).ping()
    except redis.RedisError:
        return PartHealth("redis", ok=False, reason="does not answer")
    return PartHealth("redis", ok=True)
