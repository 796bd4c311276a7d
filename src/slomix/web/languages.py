"""The language of a request: what the viewer chose, else what the browser asks for, else the community's.

The choice is kept with the account, and in the browser too, where it holds before a login.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import flask_babel
from babel import Locale
from flask import Flask, Response, request
from flask_login import AnonymousUserMixin, UserMixin

from slomix import i18n
from slomix.web import current

COOKIE = "language"
# What has sentences for people in it.
SPOKEN = {"text/html", "application/problem+json", "application/manifest+json"}


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


def chosen_by(viewer: UserMixin | AnonymousUserMixin | None) -> str | None:
    """Return the language that this viewer's account chose, if it is still offered."""
    return _offered(getattr(viewer, "language", None))


def chosen_here() -> str | None:
    """Return the language that was chosen in this browser, if it is still offered."""
    return _offered(request.cookies.get(COOKIE))


def follow(viewer: UserMixin | AnonymousUserMixin | None) -> None:
    """Go on in the language that this viewer chose, if any."""
    chosen = chosen_by(viewer)
    if chosen is not None and chosen != i18n.language():
        i18n.speak(chosen)
        flask_babel.refresh()


@contextmanager
def of_the_community() -> Iterator[None]:
    """Speak the community's language inside the block, for what nobody knows who will read."""
    with i18n.speaking(current.runtime().settings.languages[0]):
        flask_babel.refresh()
        yield
    flask_babel.refresh()


def _offered(language: str | None) -> str | None:
    return language if language in current.runtime().settings.languages else None


def _begin() -> None:
    languages = current.runtime().settings.languages
    i18n.speak(chosen_here() or request.accept_languages.best_match(languages, languages[0]))


def _name(answer: Response) -> Response:
    if answer.mimetype in SPOKEN:
        answer.headers.setdefault("Content-Language", i18n.language())
        answer.vary.update(["Accept-Language", "Cookie"])
    return answer


def _end(_error: BaseException | None) -> None:
    i18n.speak(i18n.SOURCE)
