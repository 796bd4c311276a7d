"""The language of a request: what the viewer chose, else what the browser asks for, else the community's.

The choice is kept with the account, and in the browser too, where it holds before a login.
"""

from typing import Any

import flask_babel
from babel import Locale
from flask import Flask, Response, request
from flask_login import AnonymousUserMixin, UserMixin

from slomix import i18n
from slomix.web import current

COOKIE = "language"


def install(app: Flask) -> None:
    """Speak each request's language, in the code and in its templates."""
    flask_babel.Babel(
        app, default_translation_directories=str(i18n.TRANSLATIONS), locale_selector=i18n.language, date_formats={}
    )
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.before_request(_begin)
    app.after_request(_name)
    app.teardown_request(_end)


def offered() -> dict[str, str]:
    """Return the languages to choose from, each by its own name."""
    return {code: str(Locale(code).display_name).capitalize() for code in current.runtime().settings.languages}


def follow(viewer: UserMixin | AnonymousUserMixin | None) -> None:
    """Go on in the language that this viewer chose, if any."""
    chosen: Any = getattr(viewer, "language", None)
    if chosen in current.runtime().settings.languages and chosen != i18n.language():
        i18n.speak(chosen)
        flask_babel.refresh()


def _begin() -> None:
    languages = current.runtime().settings.languages
    chosen = request.cookies.get(COOKIE)
    i18n.speak(chosen if chosen in languages else request.accept_languages.best_match(languages, languages[0]))


def _name(answer: Response) -> Response:
    if answer.mimetype == "text/html":
        answer.headers.setdefault("Content-Language", i18n.language())
        answer.vary.add("Accept-Language")
    return answer


def _end(_error: BaseException | None) -> None:
    i18n.speak(i18n.SOURCE)
