"""The appearance, light, dark or as the system says, and the language: the browser remembers both before a login."""

from flask import Blueprint, current_app, redirect, request
from werkzeug.wrappers import Response

from slomix.accounts import logins
from slomix.accounts.rules import local_path
from slomix.errors import Invalid
from slomix.i18n import N_
from slomix.web import current, gates, languages, responses
from slomix.web.responses import THEMES

blueprint = Blueprint("appearance", __name__)

A_YEAR = 365 * 24 * 3600


class NoSuchLanguage(Invalid):
    sentence = N_("There is no such language here.")


class NoSuchTheme(Invalid):
    sentence = N_("There is no such appearance. Pick System, Light or Dark.")


@blueprint.post("/appearance")
def choose() -> Response:
    theme = request.form.get("theme", "nothing")
    if theme and theme not in THEMES:
        raise NoSuchTheme
    answer = Response(status=204) if responses.is_htmx() else redirect(local_path(request.form.get("next")), code=303)
    if theme:
        _remember(answer, responses.THEME_COOKIE, theme)
    else:
        answer.delete_cookie(responses.THEME_COOKIE)
    return answer


@blueprint.post("/language")
def choose_language() -> Response:
    """Speak another language from the next page on: in this browser, and in all pages and messages of its account."""
    chosen = request.form.get("language", "")
    if chosen not in current.runtime().settings.languages:
        raise NoSuchLanguage
    with current.runtime().transaction() as session:
        if isinstance(who := gates.viewer(), gates.Viewer):
            logins.choose_language(session, who.user_id, chosen)
    answer = redirect(local_path(request.form.get("next")), code=303)
    _remember(answer, languages.COOKIE, chosen)
    return answer


def _remember(answer: Response, name: str, value: str) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=A_YEAR,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure or current_app.config["SESSION_COOKIE_SECURE"],
    )
