"""Gives every request a name, times it, and logs those that changed something, failed or were slow."""

import hashlib
import hmac
import time
from contextlib import ExitStack

import structlog
from flask import Flask, Response, current_app, g, request

from slomix.runtime import logs
from slomix.web import current
from slomix.web.proxies import client_of

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
            "web.request",
            method=request.method,
            rule=route_rule(),
            status=response.status_code,
            ms=round(took * 1000),
            who=_who(),
        )
    return response


def _who() -> str:
    """Return the account, or a stranger's address as a hash that is another one tomorrow.

    So a client that does harm can be told apart on the day, and no person can be found by their address later.
    """
    viewer = g.get("_login_user")
    if getattr(viewer, "user_id", None):
        return f"user:{viewer.user_id}"
    key = f"{current_app.config['SECRET_KEY']}:{current.today(current.now())}".encode()
    return hmac.new(key, client_of(request.remote_addr or "").encode(), hashlib.sha256).hexdigest()[:10]


def route_rule() -> str | None:
    """Return what may be logged of the address: the rule that it fits, because some addresses are secrets."""
    return request.url_rule.rule if request.url_rule is not None else None


def _forget(_error: BaseException | None) -> None:
    context = g.pop("log_context", None)
    if context is not None:
        context.close()
