"""The page behind the link in every message: why it came, and a button to unsubscribe."""

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from slomix.contacts import preferences, unsubscribe
from slomix.web import current, gates, rate_limits
from slomix.web.reading import reading

# Its forms need no session token: the link itself is the permission, and works without cookies.
blueprint = Blueprint("stop", __name__)


@blueprint.get("/stop/<token>")
@rate_limits.stops
def ask(token: str) -> str:
    """Ask, and change nothing, because mail scanners, previews and crawlers open links."""
    with reading() as session:
        gates.viewer()
        found = unsubscribe.read_token(session, token, settings=current.runtime().settings)
    return render_template("contacts/stop.html", stop=found, token=token, is_done=False)


@blueprint.post("/stop/<token>")
@rate_limits.stops
def stop(token: str) -> str:
    """Send no more messages of this kind, or of any."""
    settings, now = current.runtime().settings, current.now()
    with current.runtime().transaction() as session:
        found = unsubscribe.read_token(session, token, settings=settings)
        kind = None if request.form.get("what") == "all" else found.kind
        preferences.switch_off_by_link(session, found.player_id, kind, zone=settings.zone, now=now)
    return render_template("contacts/stop.html", stop=found, token=token, is_done=True, is_all=kind is None)


@blueprint.after_request
def keep_to_ourselves(answer: Response) -> Response:
    """Keep the link, which is a permission, from other sites, caches and search engines."""
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer
