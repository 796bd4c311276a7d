"""Durations of requests, labelled with the route and never with the address itself."""

import time

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Histogram

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
STREAM = "text/event-stream"
NO_ROUTE = "none"


def install(app: Flask, registry: CollectorRegistry) -> None:
    """Measure this app's requests from before any other hook; streams have no duration."""
    took = Histogram(
        "slomix_http_request_duration_seconds",
        "From a request to its answer, without streams.",
        ("method", "route", "status"),
        registry=registry,
        buckets=BUCKETS,
    )

    @app.before_request
    def begin() -> None:
        g.request_began = time.perf_counter()

    @app.after_request
    def end(answer: Response) -> Response:
        began = g.get("request_began")
        if began is not None and answer.mimetype != STREAM:
            route = request.url_rule.rule if request.url_rule is not None else NO_ROUTE
            method = request.method if request.method in METHODS else "other"
            took.labels(method, route, f"{answer.status_code // 100}xx").observe(time.perf_counter() - began)
        return answer
