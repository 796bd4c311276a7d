"""Gives every request a name, times it, and logs those that changed something, failed or were slow."""

import time
from contextlib import ExitStack

import structlog
from flask import Flask, Response, g, request

from slomix import logs

log = structlog.get_logger()

HEADER = "X-Request-ID"
SLOW_SECONDS = 1.0


def install(app: Flask) -> None:
    """Name and time every request from here on; the name is ours, not the caller's: it stands in logs, and on jobs."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_forget)


def _begin() -> None:
    g.began = time.perf_counter()
    g.log_context = ExitStack()
    g.log_context.enter_context(logs.log_context(trace=logs.new_trace()))


def seconds() -> float | None:
    """Return how long this request has taken so far, or None if it was refused before it began."""
    began: float | None = g.get("began")
    return None if began is None else time.perf_counter() - began


def _end(response: Response) -> Response:
    name, took = logs.current_trace(), seconds()
    if name is None or took is None:
        return response
    response.headers[HEADER] = name
    is_failure = response.status_code >= 400 and request.blueprint != "health"  # whose answer is the report itself
    if request.method not in {"GET", "HEAD"} or is_failure or took > SLOW_SECONDS:
        log.info(
            "web.request", method=request.method, rule=route_rule(), status=response.status_code, ms=round(took * 1000)
        )
    return response


def route_rule() -> str | None:
    """Return what may be logged of the address: the rule that it fits, because some addresses are secrets."""
    return request.url_rule.rule if request.url_rule is not None else None


def _forget(_error: BaseException | None) -> None:
    context = g.pop("log_context", None)
    if context is not None:
        context.close()
