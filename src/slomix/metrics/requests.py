"""Durations of requests, labelled with the route and never with the address itself."""

from flask import Flask, Response, request
from prometheus_client import CollectorRegistry, Histogram

from slomix.web import request_log

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
STREAM = "text/event-stream"
NO_ROUTE = "none"


def install(app: Flask, registry: CollectorRegistry) -> None:
    """Count how long requests take, as `request_log` times them. A stream is no duration."""
    took = Histogram(
        "slomix_http_request_duration_seconds",
        "From a request to its answer, without streams.",
        ("method", "route", "status"),
        registry=registry,
        buckets=BUCKETS,
    )

    @app.after_request
    def end(answer: Response) -> Response:
        seconds = request_log.seconds()
        if seconds is not None and answer.mimetype != STREAM:
            route = request_log.route_rule() or NO_ROUTE
            method = request.method if request.method in METHODS else "other"
            took.labels(method, route, f"{answer.status_code // 100}xx").observe(seconds)
        return answer
