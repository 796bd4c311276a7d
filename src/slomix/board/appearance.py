"""Light, dark, or what the system says: remembered in the browser, so that it holds before a login."""

from flask import Blueprint, current_app, redirect, request
from werkzeug.wrappers import Response

from slomix import words
from slomix.accounts.rules import local_path
from slomix.errors import Invalid
from slomix.web import responses
from slomix.web.responses import THEMES

blueprint = Blueprint("appearance", __name__)

A_YEAR = 365 * 24 * 3600


class NoSuchTheme(Invalid):
    sentence = words.NO_SUCH_APPEARANCE


@blueprint.post("/appearance")
def choose() -> Response:
    theme = request.form.get("theme", "nothing")
    if theme and theme not in THEMES:
        raise NoSuchTheme
    answer = Response(status=204) if responses.is_htmx() else redirect(local_path(request.form.get("next")), code=303)
    if theme:
        answer.set_cookie(
            responses.THEME_COOKIE,
            theme,
            max_age=A_YEAR,
            httponly=True,
            samesite="Lax",
            secure=request.is_secure or current_app.config["SESSION_COOKIE_SECURE"],
        )
    else:
        answer.delete_cookie(responses.THEME_COOKIE)
    return answer
