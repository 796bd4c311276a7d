"""A page belongs to the viewer it was made for: what another viewer's browser sends from it is refused, and it reloads.

Every page names its viewer, in a header of what its scripts send and in a field of its forms. Without that, a login in
another tab would bring the new viewer's parts, and their form token, into the old viewer's page.
"""

from flask import Flask, request
from werkzeug.wrappers import Response

from slomix.errors import Conflict
from slomix.i18n import N_
from slomix.web import gates, responses

HEADER, FIELD = "X-Viewer", "viewer"
STRANGER = "0"


class OtherViewer(Conflict):
    """Raised when a page was made for a viewer other than who is logged in now."""

    sentence = N_("This page was made for another login than yours now. Nothing was changed; open the page again.")


def page_owner() -> str:
    """Return the mark that pages for this request's viewer carry."""
    who = gates.viewer()
    return str(who.user_id) if isinstance(who, gates.Viewer) else STRANGER


def install(app: Flask) -> None:
    """Check what pages send: a write before it is done, and a fragment once its own reading has found the viewer."""
    app.before_request(_check_write)
    app.after_request(_check_fragment)


def _check_write() -> Response | None:
    made_for = request.headers.get(HEADER)
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return None
    if made_for is None and request.mimetype in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        made_for = request.form.get(FIELD)
    # A stranger is refused as such, with the way to log in.
    if made_for is None or page_owner() in {made_for, STRANGER}:
        return None
    return _refusal()


def _check_fragment(answer: Response) -> Response:
    made_for = request.headers.get(HEADER)
    is_fragment = made_for is not None and request.method == "GET" and answer.status_code < 500
    if not is_fragment or made_for == page_owner():
        return answer
    answer.close()  # gives back what it holds, such as the place of a stream
    return _refusal()


def _refusal() -> Response:
    refusal = responses.problem_response(responses.http_status(OtherViewer()), str(OtherViewer()))
    refusal.headers["HX-Refresh"] = "true"
    return refusal
