"""`/health`: each part with its age; `/health/live` and `/health/ready` for balancers. None of them hangs."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import redis
from flask import Blueprint, Flask, current_app, jsonify, request
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import QueuePool
from werkzeug.wrappers import Response

from slomix import clock
from slomix.clock import wall_now
from slomix.health import nudging, rules, service
from slomix.health.probes import Probe
from slomix.health.proofs import Proof, identify, make_proofs
from slomix.health.rules import PartHealth
from slomix.i18n import later
from slomix.runtime.context import Runtime
from slomix.web import current

# Balancers and monitors wait five seconds or more; `slomix up` waits three.
ANSWER_WITHIN = 2.0
# Longer than callers wait, so that a hanging Redis is never taken for one that refuses.
GIVE_UP_AFTER = 4.0
_CHALLENGE = re.compile(r"[0-9a-f]{32}")

blueprint = Blueprint("health", __name__)


@dataclass(frozen=True)
class Probes:
    """The questions that this process asks about the system's health."""

    parts: Probe[list[PartHealth]]
    revision: Probe[str | None]
    # What should be known of Redis although it carries nudges.
    redis: Probe[str | None]
    proofs: Sequence[Proof]
    # The migrations that this version knows, newest first.
    revisions: Callable[[], Sequence[str]]


def install(app: Flask, runtime: Runtime, revisions: Callable[[], Sequence[str]]) -> None:
    """Register the health probes of this app."""
    client = nudging.open_client(runtime.settings.redis_url.get_secret_value() or "redis://", timeout=GIVE_UP_AFTER)

    def parts() -> list[PartHealth]:
        with runtime.transaction() as session:
            return [
                *service.part_healths(session, service.expected_parts(runtime.settings), wall=wall_now()),
                *service.outage_healths(session, runtime.settings),
            ]

    def revision() -> str | None:
        with runtime.transaction() as session:
            return service.schema_revision(session)

    app.extensions["slomix_probes"] = Probes(
        Probe(parts),
        Probe(revision),
        Probe(lambda: nudging.send_trial_nudge(client)),
        make_proofs(runtime.settings, runtime.database),
        revisions,
    )


def probes() -> Probes:
    """Return the probes of the app that answers this request."""
    return cast(Probes, current_app.extensions["slomix_probes"])


@blueprint.get("/health")
def health() -> tuple[Response, int]:
    parts = check_health(current.runtime(), probes())
    is_well = all(part.ok for part in parts if part.is_vital)
    has_nothing_to_do = all(part.ok for part in parts)
    body = {
        "status": "ok" if has_nothing_to_do else "attention" if is_well else "unwell",
        "parts": {
            part.part: {
                "ok": part.ok,
                "age_seconds": part.age_seconds,
                "reason": part.reason,
                "clock_offset_seconds": round(part.clock_offset, 3),
            }
            for part in parts
        },
        # Of this web process.
        "clock_offset_seconds": round(clock.offset().total_seconds(), 3),
    }
    return jsonify(body), 200 if is_well else 503


@blueprint.get("/health/live")
def live() -> Response:
    """Answer that this process is alive, even without a database: a restart would not bring that back.

    A challenge is answered, so that an installation that asks at its own PUBLIC_URL knows itself.
    """
    challenge = request.args.get("challenge", "")
    if not _CHALLENGE.fullmatch(challenge):
        return jsonify(status="ok")
    secret = current.runtime().settings.session_secret.get_secret_value()
    return jsonify(status="ok", identity=identify(secret, challenge))


@blueprint.get("/health/ready")
def ready() -> tuple[Response, int]:
    """Answer whether requests may be sent to this process.

    It needs only the database, with a schema that it knows: without workers or Discord, players can still say that they
    play, and withholding the pages would mend nothing.
    """
    reason = _why_not_ready(current.runtime(), probes())
    body = {"status": "ok" if reason is None else "unready", "reason": reason}
    return jsonify(body), 200 if reason is None else 503


def check_health(runtime: Runtime, probes: Probes) -> list[PartHealth]:
    """Try the database and Redis at once, and read the heartbeats of the other parts."""
    until = time.monotonic() + ANSWER_WITHIN
    parts, nudge = probes.parts.submit(), probes.redis.submit()
    try:
        others = parts.result(max(0.0, until - time.monotonic()))
        database = PartHealth("database", ok=True, age_seconds=0.0)
    except (SQLAlchemyError, TimeoutError) as error:
        database = _unhealthy("database", probes.parts, database_problem(runtime, error))
        expected = service.expected_parts(runtime.settings)
        others = [PartHealth(part, ok=False, reason=later("not known while the database is away")) for part in expected]
    try:
        note = nudge.result(max(0.0, until - time.monotonic()))
        its_redis = PartHealth("redis", ok=True, age_seconds=0.0, reason=note)
    except TimeoutError:
        its_redis = _unhealthy(
            "redis", probes.redis, later("does not answer within {seconds} s", seconds=round(ANSWER_WITHIN))
        )
    except redis.RedisError as error:
        its_redis = _unhealthy("redis", probes.redis, nudging.describe_failure(error))
    proven = [part for proof in probes.proofs for part in proof.health(wait=max(0.0, until - time.monotonic()))]
    return [database, its_redis, *others, *proven]


def _unhealthy(part: str, probe: Probe[Any], reason: str) -> PartHealth:
    silence = probe.seconds_silent
    return PartHealth(part, ok=False, age_seconds=None if silence is None else round(silence, 1), reason=reason)


def database_problem(runtime: Runtime, error: Exception) -> str:
    """Explain why the database gave no answer."""
    if isinstance(error, DBAPIError) and not isinstance(error, OperationalError):
        return later("refuses to answer ({error})", error=type(error.orig).__name__)
    if not isinstance(error, TimeoutError):
        return later("does not answer")
    reason = later("does not answer within {seconds} s", seconds=round(ANSWER_WITHIN))
    pool = runtime.database.engine.pool
    most = runtime.database.max_connections
    if isinstance(pool, QueuePool) and pool.checkedout() >= most:
        in_use = later("all {most} connections of this process are in use", most=most)
        reason = later("{one}; {other}", one=reason, other=in_use)
    return reason


def _why_not_ready(runtime: Runtime, probes: Probes) -> str | None:
    try:
        found = probes.revision.submit().result(ANSWER_WITHIN)
    except (SQLAlchemyError, TimeoutError) as error:
        return later("the database {reason}", reason=database_problem(runtime, error))
    return rules.schema_problem(found, probes.revisions())
