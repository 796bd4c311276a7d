"""What browsers, search engines and those who found a hole look for at fixed addresses."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, render_template
from werkzeug.wrappers import Response as BaseResponse

from slomix import i18n
from slomix.availability import service as availability
from slomix.campaigns import queries as campaigns
from slomix.i18n import _
from slomix.web import current
from slomix.web.assets import asset_url
from slomix.web.gates import Anonymous
from slomix.web.reading import look_as

blueprint = Blueprint("site", __name__)

GROUND = "#0e1513"
# RFC 9116 wants a date after which it is not to be trusted, less than a year away.
TRUSTED_FOR = timedelta(days=180)
KEPT_SECONDS = 3600


@blueprint.get("/manifest.webmanifest")
def manifest() -> Response:
    """Describe the site to a phone that puts it on its home screen."""
    name = current.runtime().settings.community_name
    described: dict[str, Any] = {
        "id": "/",
        "name": _("{community} game nights").format(community=name),
        "short_name": name,
        "description": _("Say when you’ll play, and game night gets started."),
        "lang": i18n.language(),
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": GROUND,
        "theme_color": GROUND,
        "icons": [
            {"src": asset_url("img/icon-192.png"), "sizes": "192x192", "type": "image/png"},
            {"src": asset_url("img/icon-512.png"), "sizes": "512x512", "type": "image/png"},
            {
                "src": asset_url("img/icon-maskable-512.png"),
                "sizes": "512x512",
                "type": "image/png",
                "purpose": "maskable",
            },
        ],
    }
    answer = jsonify(described)
    answer.mimetype = "application/manifest+json"
    return _kept(answer)


@blueprint.get("/favicon.ico")
def favicon() -> BaseResponse:
    """Send the icon where browsers look for it without reading the page."""
    return current_app.send_static_file("img/favicon.ico")


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Tell search engines which pages say the same to everybody."""
    return _kept(Response(render_template("robots.txt"), mimetype="text/plain"))


@blueprint.get("/.well-known/security.txt")
def security() -> Response:
    """Say whom to tell of a hole (RFC 9116)."""
    expires = (current.now() + TRUSTED_FOR).replace(hour=0, minute=0, second=0, microsecond=0)
    text = render_template("security.txt", expires=f"{expires:%Y-%m-%dT%H:%M:%SZ}")
    return _kept(Response(text, mimetype="text/plain"))


@blueprint.get("/sw.js")
def service_worker() -> BaseResponse:
    """Send the script that shows the last board without network; from here it may see to all pages."""
    answer = current_app.send_static_file("sw.js")
    answer.cache_control.clear()
    answer.cache_control.no_cache = True  # a new version takes over at once
    return answer


@blueprint.get("/offline")
def offline() -> BaseResponse:
    """Show tonight and tomorrow as a stranger sees them, for a browser to keep: whoever asks, it names no player."""
    now = current.now()
    today = current.today(now)
    with current.runtime().transaction() as session:
        days = availability.list_days(session, today, today + timedelta(days=1), viewer=None)
        called = campaigns.called_campaign(session, today)
    look_as(Anonymous())
    shown = render_template(
        "board/offline.html", days=days, now=now, start_at=called.start_at if called is not None else None
    )
    return Response(shown)


def _kept(answer: Response) -> Response:
    answer.cache_control.public, answer.cache_control.max_age = True, KEPT_SECONDS
    return answer
