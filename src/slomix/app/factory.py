"""Composes the web process: pages, error mapping, headers, the viewer."""

import math
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_compress import Compress
from flask_login import LoginManager
from flask_wtf.csrf import CSRFError, CSRFProtect
from htmx_flask import Htmx
from itsdangerous import BadSignature
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, NotFound, SecurityError
from werkzeug.routing import IntegerConverter, Map
from werkzeug.wrappers import Response as BaseResponse

from slomix.accounts import views as accounts_views
from slomix.accounts.rules import SESSION_LIFETIME
from slomix.admin import views as admin_views
from slomix.app import jinja
from slomix.app.viewers import Viewers
from slomix.availability import api as availability_api
from slomix.availability import views as availability_views
from slomix.board import appearance as appearance_views
from slomix.board import days as days_views
from slomix.board import feed as feed_views
from slomix.board import profile as profile_views
from slomix.board import site as site_views
from slomix.board import views as board_views
from slomix.campaigns import api as campaigns_api
from slomix.campaigns import views as campaigns_views
from slomix.chat import views as inbox_views
from slomix.config.checks import settings_for_start
from slomix.config.settings import Settings
from slomix.contacts import api as contacts_api
from slomix.contacts import link_views as addresses_views
from slomix.contacts import unsubscribe_views as stop_views
from slomix.contacts import views as contacts_views
from slomix.database import migrations
from slomix.database.session import ROOT
from slomix.deliveries import views as deliveries_views
from slomix.errors import DomainError
from slomix.health import views as health_views
from slomix.i18n import _
from slomix.interactions import views as interactions_views
from slomix.metrics import views as metrics_views
from slomix.planning import api as planning_api
from slomix.planning import buttons as planning_buttons
from slomix.planning import views as planning_views
from slomix.privacy import export as my_data_views
from slomix.privacy import views as privacy_views
from slomix.runtime import logs
from slomix.runtime.clock_watch import watch_clock
from slomix.runtime.context import Runtime
from slomix.runtime.factory import make_runtime
from slomix.web import (
    assets,
    fairness,
    gates,
    languages,
    live,
    page_owner,
    questions,
    rate_limits,
    reading,
    request_log,
    responses,
)
from slomix.web.gates import Anonymous, Viewer
from slomix.web.openapi import views as openapi_views
from slomix.web.proxies import TrustedProxies
from slomix.web.questions import Unconfirmed
from slomix.web.refusals import REFUSALS

log = structlog.get_logger()

MAX_BODY = 64 * 1024

PAGES = (
    accounts_views,
    addresses_views,
    admin_views,
    appearance_views,
    availability_views,
    board_views,
    campaigns_views,
    contacts_views,
    days_views,
    deliveries_views,
    feed_views,
    health_views,
    inbox_views,
    interactions_views,
    live,
    metrics_views,
    my_data_views,
    openapi_views,
    planning_buttons,
    planning_views,
    privacy_views,
    profile_views,
    site_views,
    stop_views,
)
# Callers of these show a permission in each call and have no session that a foreign page could ride on.
WITHOUT_SESSION = (inbox_views, interactions_views, stop_views)
APIS = (availability_api, campaigns_api, contacts_api, planning_api)

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; manifest-src 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class RowId(IntegerConverter):
    """An id in an address: what no column can hold is no page."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, min=1, max=responses.LARGEST_ID)


class SessionCookies(SecureCookieSessionInterface):
    """Believes a cookie whatever the clock said of the machine that signed it: the database knows until when it holds.

    Flask takes one that another machine signed a second ahead of us for none, which logs its owner out.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        serializer = self.get_signing_serializer(app)
        value = request.cookies.get(self.get_cookie_name(app))
        try:
            return self.session_class(serializer.loads(value) if serializer and value else None)
        except BadSignature:
            return self.session_class()


def create_app(runtime: Runtime | None = None) -> Flask:
    """Make the web application; without a runtime, with the real one from the environment."""
    if runtime is None:
        logs.configure("web")
        runtime = make_runtime(settings_for_start(), connections=10, pool_size=10)
        watch_clock(runtime.database)
    app = Flask("slomix", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static"))
    app.session_interface = SessionCookies()
    app.config.update(
        SECRET_KEY=runtime.settings.session_secret.get_secret_value(),
        MAX_CONTENT_LENGTH=MAX_BODY,
        SESSION_COOKIE_NAME=_cookie_name(runtime.settings),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=runtime.settings.base_url.startswith("https://"),
        PERMANENT_SESSION_LIFETIME=SESSION_LIFETIME,
        SESSION_REFRESH_EACH_REQUEST=False,  # else every answer would set the cookie anew
        TRUSTED_HOSTS=_hosts(runtime.settings),
        WTF_CSRF_TIME_LIMIT=None,
        # Over https it would also ask for a Referer, which some browsers and our own stop pages leave out.
        WTF_CSRF_SSL_STRICT=False,
        SEND_FILE_MAX_AGE_DEFAULT=31_536_000,
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_ALGORITHM_STREAMING=["br", "gzip"],
        COMPRESS_EVALUATE_CONDITIONAL_REQUEST=False,  # live parts do it themselves, assets change their address
        TEMPLATES_AUTO_RELOAD=runtime.settings.reloads,
    )
    app.url_map.converters["id"] = RowId
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.extensions["slomix"] = runtime
    app.extensions["slomix_hub"] = live.EventHub(
        runtime.settings.database_url.get_secret_value() or runtime.database.url,
        processes=runtime.settings.web_processes,
    )
    viewers = Viewers(runtime)
    app.extensions["slomix_tonight"] = board_views.shared_board(runtime, viewers.read)
    health_views.install(app, runtime, migrations.revisions)
    request_log.install(app)  # before all that looks at requests
    metrics_views.install(app, runtime)
    app.extensions["slomix_shares"] = shares = fairness.FairShare(app, app.wsgi_app)
    app.wsgi_app = TrustedProxies(shares, runtime.settings.trusted_proxies)  # type: ignore[method-assign]
    assets.install(app, reloads=runtime.settings.reloads)
    Compress(app)
    Htmx(app)
    languages.install(app)
    reading.install(app)
    rate_limits.install(app, runtime.settings)
    page_owner.install(app)  # after compression, as it may answer in place of a view, and before the form tokens
    csrf = CSRFProtect(app)
    for module in PAGES:
        app.register_blueprint(module.blueprint)
    for module in WITHOUT_SESSION:
        csrf.exempt(module.blueprint)
    for module in APIS:
        app.register_blueprint(module.blueprint)
        csrf.exempt(module.blueprint)  # its writes have a gate of their own
    jinja.install(app)
    _load_viewers(app, viewers)
    _map_errors(app)
    app.after_request(_add_headers)
    return app


def _cookie_name(settings: Settings) -> str:
    """Name the cookie the same in all web processes behind a proxy, and differently in two copies on one machine.

    With `__Host-` a browser takes it from this very host over https alone, so no neighbouring domain can plant one.
    """
    if settings.is_development:
        return f"slomix_{settings.port}"
    return "__Host-slomix" if settings.base_url.startswith("https://") else "slomix"


def _hosts(settings: Settings) -> list[str]:
    """Return the host names under which we answer; any other is a foreign name that points at us."""
    return [urlsplit(settings.base_url).hostname or "", "127.0.0.1", "localhost", "[::1]"]


def _load_viewers(app: Flask, viewers: Viewers) -> None:
    manager = LoginManager()
    # Not by init_app: it looks for a "remember me" cookie after every answer, and so makes assets vary by cookie.
    app.login_manager = manager  # type: ignore[attr-defined]
    manager.anonymous_user = Anonymous
    manager.session_protection = None

    @manager.user_loader
    def load(session_key: str) -> Viewer | None:
        found = viewers.load(session_key)
        languages.follow(found)
        return found


def _map_errors(app: Flask) -> None:
    answers: dict[type[Exception], Callable[[Any], BaseResponse]] = {
        DomainError: _refuse,
        Unconfirmed: questions.ask,
        CSRFError: _refuse_form,
        DataError: _refuse_unstorable,
        OperationalError: _miss_database,
        PoolTimeout: _miss_database,
        SecurityError: _refuse_host,
        HTTPException: _answer_http_error,
        Exception: _answer_failure,
    }
    for error, answer in answers.items():
        app.register_error_handler(error, answer)


def _refuse(error: DomainError) -> BaseResponse:
    answer = responses.problem_response(responses.http_status(error), str(error))
    if error.retry_after is not None:
        answer.headers["Retry-After"] = str(math.ceil(error.retry_after.total_seconds()))
    return answer


def _refuse_form(_error: CSRFError) -> BaseResponse:
    if not gates.viewer().is_authenticated:  # the form was from before a logout, here or in another tab
        return responses.problem_response(
            401, _("You are not logged in any more, so nothing was changed. Log in and try again.")
        )
    return responses.problem_response(403, str(gates.ForeignWrite()))


def _refuse_unstorable(error: DataError) -> BaseResponse:
    log.warning("web.unstorable", rule=request_log.route_rule(), error=str(error.orig).strip())
    return responses.problem_response(
        422, _("Some of what you sent cannot be stored, such as a zero byte. Nothing was changed.")
    )


def _miss_database(error: OperationalError | PoolTimeout) -> BaseResponse:
    log.error("web.database_away", error=str(getattr(error, "orig", error)).strip())
    _render_as_stranger()
    return responses.problem_response(
        503, _("Our database does not answer right now. Nothing was changed; try again in a moment.")
    )


def _refuse_host(_error: SecurityError) -> BaseResponse:
    # Under a name that is none of ours no page can be put together.
    return BaseResponse(_("There is no Slomix at this address."), 400, mimetype="text/plain")


def _answer_http_error(error: HTTPException) -> BaseResponse:
    if isinstance(error, NotFound):
        return responses.problem_response(404, _("There is no such page."))
    if error.response is not None or error.code is None or error.code < 400:
        return BaseResponse.force_type(error.get_response(request.environ))
    answer = responses.problem_response(error.code, REFUSALS.get(error.code, _("That did not work.")))
    answer.allow.update(getattr(error, "valid_methods", None) or [])
    if error.code == 429:
        answer.headers.setdefault("Retry-After", "60")
    return answer


def _answer_failure(error: Exception) -> BaseResponse:
    log.error("web.error", rule=request_log.route_rule(), exc_info=error)
    _render_as_stranger()
    return responses.problem_response(500, _("That is our mistake, not yours. Nothing was changed; please try again."))


def _render_as_stranger() -> None:
    """Show the error as to a stranger: the database that knows the viewer may be what is broken."""
    reading.look_as(Anonymous())


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Vary", "Cookie, HX-Request")
    return response
