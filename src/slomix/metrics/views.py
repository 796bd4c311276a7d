"""`/metrics`: for a monitor on this machine, or one with the token."""

import functools
import hmac
import importlib.metadata
import platform
import time
from collections.abc import Iterator
from typing import cast

import prometheus_client
import redis
import structlog
from flask import Blueprint, Flask, Response, current_app, request
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from slomix.clock import local_day, wall_now
from slomix.errors import NotAllowed
from slomix.health.probes import Probe
from slomix.health.views import ANSWER_WITHIN, Probes
from slomix.i18n import N_
from slomix.metrics import families, readings, requests
from slomix.metrics.families import gauge
from slomix.metrics.readings import Readings
from slomix.runtime.context import Runtime
from slomix.web import current
from slomix.web.live import EventHub
from slomix.web.proxies import parse_address

log = structlog.get_logger()
blueprint = Blueprint("metrics", __name__)

# Requests through a proxy carry one of these headers; direct requests on this machine carry none.
FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip")


class MetricsForbidden(NotAllowed):
    sentence = N_("Metrics are for this machine itself, and for callers with the token.")


def install(app: Flask, runtime: Runtime) -> None:
    """Measure this app and register its collector. Call after the request log, the hub and the probes."""
    prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    requests.install(app, registry)
    registry.register(SlomixCollector(runtime, app.extensions["slomix_hub"], app.extensions["slomix_probes"]))
    app.extensions["slomix_metrics"] = registry


@blueprint.get("/metrics")
def show() -> Response:
    if not (_has_the_token() or _is_from_here()):
        raise MetricsForbidden
    registry = cast(CollectorRegistry, current_app.extensions["slomix_metrics"])
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _has_the_token() -> bool:
    ours = current.runtime().settings.metrics_token.get_secret_value()
    scheme, _, theirs = request.headers.get("Authorization", "").partition(" ")
    return bool(ours) and scheme.lower() == "bearer" and hmac.compare_digest(theirs.strip().encode(), ours.encode())


def _is_from_here() -> bool:
    """Check whether this machine asks; requests through a local proxy that we don't know of look like that too."""
    if any(name in request.headers for name in FORWARDED):
        return False
    address = parse_address(request.remote_addr or "")
    return address is not None and address.is_loopback


class SlomixCollector(Collector):
    """Collects what this process knows, and what the database knows if it answers in time."""

    def __init__(self, runtime: Runtime, hub: EventHub, probes: Probes) -> None:
        self._runtime, self._hub, self._redis = runtime, hub, probes.redis
        self._proofs = probes.proofs
        self._readings: Probe[Readings] = Probe(self._read)

    def describe(self) -> list[Metric]:
        """Return nothing: describing would query the database while the app is created."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from list(self._process())  # before our own query takes a connection
        until = time.monotonic() + ANSWER_WITHIN
        asked, pong = self._readings.submit(), self._redis.submit()
        found: Readings | None = None
        try:
            found = asked.result(max(0.0, until - time.monotonic()))
        except (SQLAlchemyError, TimeoutError) as error:
            log.warning("metrics.no_readings", error=type(error).__name__)
        is_up = True
        try:
            pong.result(max(0.0, until - time.monotonic()))
        except (redis.RedisError, TimeoutError):
            is_up = False
        yield gauge("redis_up", "Whether a nudge of this process comes back from Redis.", is_up)
        yield from families.proof_families(self._proofs, wait=max(0.0, until - time.monotonic()))
        yield gauge("database_up", "Whether the database answers this process.", found is not None)
        if found is not None:
            yield from families.metric_families(found)

    def _process(self) -> Iterator[Metric]:
        yield InfoMetricFamily("slomix_build", "Which version runs, on which Python.", value=_build())
        yield gauge("live_streams", "Open pages that listen for changes, in this process.", self._hub.open_streams())
        pool, most = self._runtime.database.engine.pool, self._runtime.database.max_connections
        if isinstance(pool, QueuePool):
            yield gauge("database_pool_size", "Connections that this process keeps.", pool.size())
            yield gauge("database_pool_most", "Connections that this process may have, in a rush.", most)
            yield gauge("database_pool_checked_out", "Connections that are in use.", pool.checkedout())
            yield gauge("database_pool_overflow", "Connections beyond those it keeps.", max(0, pool.overflow()))

    def _read(self) -> Readings:
        runtime = self._runtime
        now, settings = runtime.clock.now(), runtime.settings
        today = local_day(now, settings.zone, settings.day_starts_at)
        with runtime.transaction() as session:
            return readings.take_readings(session, today=today, settings=settings, now=now, wall=wall_now())


@functools.cache
def _build() -> dict[str, str]:
    try:
        version = importlib.metadata.version("slomix")
    except importlib.metadata.PackageNotFoundError:
        version = "unknown"
    return {"version": version, "python": platform.python_version()}
