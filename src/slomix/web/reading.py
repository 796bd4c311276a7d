"""The one transaction in which a GET request reads its page, its frame and its viewer."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime

from flask import Flask, current_app, g
from flask_login import AnonymousUserMixin, UserMixin
from sqlalchemy.orm import Session

from slomix.reasons.codes import Explanation
from slomix.web import languages


@dataclass(frozen=True)
class BrokenContact:
    """An address of the viewer's that does not work any more."""

    channel: str
    reason: Explanation


@dataclass(frozen=True)
class Frame:
    """What stands around every page for this viewer."""

    broken_contacts: Sequence[BrokenContact] = ()
    # The kind of messages that a link in one of them switched off, unless the viewer has seen that; and when.
    unsubscribed: tuple[str, datetime] | None = None
    # The shortest pause in seconds between two ready sounds; None while the viewer has them off.
    sound_cooldown: int | None = None
    # Claims and links that wait for the viewer, who is an admin.
    waiting: int = 0


@dataclass(frozen=True)
class _Reading:
    session: Session
    stack: ExitStack


def install(app: Flask) -> None:
    """End what a request has begun to read, however the request ends."""
    app.teardown_request(end)


def begin() -> Session:
    """Begin the request's transaction, or join it. It takes no connection before its first statement."""
    session = current()
    if session is None:
        stack = ExitStack()
        session = stack.enter_context(current_app.extensions["slomix"].transaction())
        g.reading = _Reading(session, stack)
    return session


def current() -> Session | None:
    """Return the session of the request's transaction while it is open."""
    found: _Reading | None = g.get("reading")
    return None if found is None else found.session


def end(error: BaseException | None = None) -> None:
    """Commit the request's transaction, or roll it back because of an error."""
    found: _Reading | None = g.pop("reading", None)
    if found is not None:
        found.stack.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)


def look_as(viewer: UserMixin | AnonymousUserMixin) -> None:
    """Answer the rest of this request as this viewer, without reading the viewer."""
    g._login_user = viewer
    languages.follow(viewer)


@contextmanager
def reading() -> Iterator[Session]:
    """Read a page in one transaction, and end it before the page is rendered.

    Gates and `viewer()` belong inside: the viewer is then read in the same transaction.
    """
    session = begin()
    try:
        yield session
    except BaseException as error:
        end(error)
        raise
    end()
