"""The answers of views: to a form post, to an open page that asks for its changing part, and to an error."""

import hashlib
from typing import Any, cast

from flask import flash, g, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from slomix.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound, TooSoon, Unavailable
from slomix.i18n import gettext
from slomix.parsing import parse_int
from slomix.runtime import logs
from slomix.web.gates import LoginNeeded
from slomix.web.json import NotAnObject, json_problem
from slomix.web.refusals import TITLES, UNTITLED

# What a column for ids can hold.
LARGEST_ID = 2**63 - 1

FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
# Of a form whose content is shown again with the error.
LONGEST_SHOWN = 16 * 1024

THEME_COOKIE = "theme"
THEMES = frozenset({"light", "dark"})


def parse_id(text: str) -> int | None:
    """Read an id that some row could have; return None for anything else."""
    return parse_int(text, 0, LARGEST_ID)


def theme() -> str:
    """Return the appearance this browser chose; empty for its system's."""
    chosen = request.cookies.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else ""


def is_htmx() -> bool:
    """Check whether htmx asks for a fragment, rather than a browser for a page."""
    return bool(cast(Any, request).htmx)


def respond(partial: str, *, otherwise: str, done: str = "", **context: Any) -> Response:
    """Answer a form post: with the partial for htmx, with a redirect for a plain browser, which shows `done` there."""
    return make_response(render_template(partial, **context)) if is_htmx() else redirected(otherwise, done=done)


def redirected(to: str, *, done: str = "", kind: str = "done") -> Response:
    """Redirect a browser after a form post; the next page shows `done`."""
    if done:
        flash(done, kind)
    return redirect(to, code=303)


def live_part(html: str) -> Response:
    """Answer with the changing part of an open page, or 304 when that page shows it already.

    The form token changes every second, so it is left out of the comparison.
    """
    answer = make_response(html)
    answer.set_etag(hashlib.sha256(html.replace(g.get("csrf_token") or "\0", "").encode()).hexdigest()[:20], weak=True)
    return answer.make_conditional(request)


_STATUS: dict[type[DomainError], int] = {
    NotAnObject: 400,
    LoginNeeded: 401,
    NotFound: 404,
    NotAllowed: 403,
    Conflict: 409,
    Invalid: 422,
    TooSoon: 429,
    Unavailable: 503,
}


def http_status(error: DomainError) -> int:
    """Return the HTTP status of a domain error."""
    return next(status for kind, status in _STATUS.items() if isinstance(error, kind))


def problem_response(status: int, sentence: str) -> Response:
    """Answer with an error: problem+json for a call, a flash for htmx, else a page."""
    title = TITLES.get(status, UNTITLED)
    if request.path.startswith("/api/"):
        return json_problem(title, status, sentence)
    if is_htmx():
        fragment = make_response(
            render_template("_flash.html", messages=[("problem", sentence)], needs_login=status == 401), status
        )
        fragment.headers["HX-Retarget"] = "#flash"
        fragment.headers["HX-Reswap"] = "outerHTML"
        return fragment
    return make_response(
        render_template(
            "error.html",
            title=gettext(title),
            status=status,
            sentence=sentence,
            typed=_typed(),
            trace=logs.current_trace(),
        ),
        status,
    )


# The fields in which people type what they would not like to type again.
TYPED_FIELDS = ("name", "note", "discord_id", "start")


def _typed() -> list[str]:
    """Return what the viewer typed into the form that was refused."""
    if request.method != "POST" or request.mimetype not in FORMS:
        return []
    if request.content_length is None or request.content_length > LONGEST_SHOWN:
        return []
    return [text.replace("\0", "") for name in TYPED_FIELDS if (text := request.form.get(name, ""))]
