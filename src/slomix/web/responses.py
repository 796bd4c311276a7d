"""What views share: who is looking, the gates, and the one way to answer a form, a fragment or an API call."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, cast
from urllib.parse import urlsplit

from flask import Response, current_app, flash, g, jsonify, make_response, redirect, render_template, request
from flask_login import AnonymousUserMixin, UserMixin, current_user
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.wrappers import Response as BaseResponse

from slomix import logs, words
from slomix.clock import local_day
from slomix.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound, TooSoon, Unavailable
from slomix.parsing import parse_int
from slomix.runtime.context import Runtime
from slomix.web.reading import Frame

# What a column for ids can hold.
LARGEST_ID = 2**63 - 1

THEME_COOKIE = "theme"
THEMES = frozenset({"light", "dark"})


class LoginNeeded(NotAllowed):
    def __init__(self) -> None:
        super().__init__(words.PLEASE_LOG_IN)


class LinkNeeded(NotAllowed):
    def __init__(self) -> None:
        super().__init__(words.PLEASE_LINK)


class LeftGuild(LinkNeeded):
    """They were linked, and left our server."""

    def __init__(self) -> None:
        NotAllowed.__init__(self, words.YOU_LEFT)


class PromoterNeeded(NotAllowed):
    def __init__(self) -> None:
        super().__init__(words.ONLY_PROMOTERS)


class AdminNeeded(NotAllowed):
    def __init__(self) -> None:
        super().__init__(words.ONLY_ADMINS)


class ForeignWrite(NotAllowed):
    """A write that did not come from one of our pages."""

    def __init__(self) -> None:
        super().__init__(words.NOT_FROM_OUR_PAGE)


class NotAnObject(DomainError):
    """A JSON body that is no object; the one error that is about form alone, so it is a 400."""

    def __init__(self) -> None:
        super().__init__(words.SEND_AN_OBJECT)


@dataclass(frozen=True)
class Viewer(UserMixin):
    """Somebody logged in, with the rights the database and the settings give at this request."""

    user_id: int
    session_key: str
    discord_id: str
    display_name: str
    # The profile they are linked to, also when they left our server and may do nothing with it but give it up.
    profile_id: int | None
    player_name: str | None
    has_left: bool = False
    is_admin: bool = False
    is_promoter: bool = False
    frame: Frame = field(default_factory=Frame)

    def get_id(self) -> str:
        return self.session_key

    @property
    def player_id(self) -> int | None:
        """The player they act as."""
        return None if self.has_left else self.profile_id

    @property
    def is_linked(self) -> bool:
        return self.player_id is not None

    @property
    def can_promote(self) -> bool:
        return self.is_linked and (self.is_promoter or self.is_admin)


class Anonymous(AnonymousUserMixin):
    """Somebody who is not logged in."""

    player_id = None
    profile_id = None
    player_name = None
    has_left = False
    is_linked = False
    is_admin = False
    can_promote = False
    frame = Frame()


def runtime() -> Runtime:
    """The runtime of the app that answers this request."""
    return cast(Runtime, current_app.extensions["slomix"])


def viewer() -> Viewer | Anonymous:
    """Who is looking."""
    return cast("Viewer | Anonymous", current_user._get_current_object())


def now() -> datetime:
    """System time, for a view to read once and hand on."""
    return runtime().clock.now()


def today(moment: datetime) -> date:
    """The community's day at `moment`."""
    settings = runtime().settings
    return local_day(moment, settings.zone, settings.day_starts_at)


def require_user() -> Viewer:
    """The viewer, who must be logged in."""
    who = viewer()
    if not isinstance(who, Viewer):
        raise LoginNeeded
    return who


def require_player() -> int:
    """The viewer's player, who must be linked."""
    player_id = require_user().player_id
    if player_id is None:
        raise LeftGuild if viewer().has_left else LinkNeeded
    return player_id


def check_may_switch_on(before: frozenset[str], after: frozenset[str]) -> None:
    """Switching something off is for everybody logged in; switching on is for linked players. Raise LinkNeeded."""
    if not viewer().is_linked and not after <= before:
        raise LinkNeeded


def require_promoter() -> int:
    """The viewer's player, who must be a promoter."""
    player_id = require_player()
    if not viewer().can_promote:
        raise PromoterNeeded
    return player_id


def require_admin() -> Viewer:
    """The viewer, who must be an admin; linked or not."""
    who = require_user()
    if not who.is_admin:
        raise AdminNeeded
    return who


def check_write() -> None:
    """The gate of JSON writes: somebody logged in, and a script of ours, as header and origin show.

    Raise LoginNeeded or ForeignWrite.
    """
    request.get_data()  # who asks is settled when all of it is here, not while they hold the rest back
    require_user()
    origin = request.headers.get("Origin") or request.headers.get("Referer")
    is_ours = origin is not None and urlsplit(origin)[:2] == urlsplit(request.host_url)[:2]
    if request.headers.get("X-Requested-With", "").lower() != "xmlhttprequest" or not is_ours:
        raise ForeignWrite


def json_object() -> Mapping[str, Any]:
    """The body of an API call. Raise NoObject for anything but a JSON object."""
    try:
        body = request.get_json(force=True, silent=True)
    except RecursionError:  # brackets in brackets in brackets
        raise NotAnObject from None
    if not isinstance(body, dict):
        raise NotAnObject
    return body


def parse_id(text: str) -> int | None:
    """Read an id that some row could have; return None for anything else."""
    return parse_int(text, 0, LARGEST_ID)


def theme() -> str:
    """The appearance that this browser chose; empty for that of its system."""
    chosen = request.cookies.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else ""


def is_htmx() -> bool:
    """Whether a part of a page asks, rather than a browser for a whole one."""
    return bool(cast(Any, request).htmx)


def respond(partial: str, *, otherwise: str, done: str = "", **context: Any) -> BaseResponse:
    """Answer a form post: the partial for htmx, a redirect (with `done` to read there) for a plain browser."""
    if is_htmx():
        return make_response(render_template(partial, **context))
    if done:
        flash(done, "done")
    return redirect(otherwise, code=303)


def live_part(html: str) -> BaseResponse:
    """The part of an open page that changes; 304 when the page that asks has just this.

    The form token is made anew every second, so it is no part of what is compared.
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


PROBLEM = "application/problem+json"


class Problem(BaseModel):
    """An error as a person can read it (RFC 9457): a title and a status by its kind, and a sentence to show."""

    model_config = ConfigDict(extra="forbid")
    title: str = Field(min_length=1)
    status: int = Field(ge=400, le=599)
    detail: str = Field(min_length=1)


def http_status(error: DomainError) -> int:
    """The HTTP status of a domain error."""
    return next(status for kind, status in _STATUS.items() if isinstance(error, kind))


def problem_response(status: int, sentence: str) -> BaseResponse:
    """An error as its reader can use it: problem+json for the API, a flash for htmx, else a page."""
    title = words.TITLES.get(status, words.ANY_OTHER_TITLE)
    if request.path.startswith("/api/"):
        answer: Response = jsonify(Problem(title=title, status=status, detail=sentence).model_dump())
        answer.status_code = status
        answer.mimetype = PROBLEM
        return answer
    if is_htmx():
        fragment = make_response(
            render_template("_flash.html", messages=[("problem", sentence)], needs_login=status == 401), status
        )
        fragment.headers["HX-Retarget"] = "#flash"
        fragment.headers["HX-Reswap"] = "outerHTML"
        return fragment
    return make_response(
        render_template("error.html", title=title, status=status, sentence=sentence, trace=logs.current_trace()), status
    )
