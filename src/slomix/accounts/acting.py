"""Transactions in which the viewer acts as a player; an unlink waits for them and clears what they wrote."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy.orm import Session

from slomix.accounts import logins, service
from slomix.i18n import N_
from slomix.web import current, gates


class FreshLoginNeeded(gates.LoginNeeded):
    """The login of this browser is too old for what cannot be undone."""

    sentence = N_("For this, log in once more: your login here is a while old. Then come back and try again.")


@contextmanager
def as_player() -> Iterator[tuple[Session, int]]:
    """Open a transaction that holds the viewer's link. Raise LoginNeeded, LinkNeeded, or LinkEnded."""
    player_id = gates.require_player()
    with current.runtime().transaction() as session:
        service.lock_link(session, gates.require_user().user_id, player_id)
        yield session, player_id


def as_promoter() -> AbstractContextManager[tuple[Session, int]]:
    """Act as `as_player` does, for promoters only. Raise PromoterNeeded."""
    gates.require_promoter()
    return as_player()


@contextmanager
def as_profile() -> Iterator[tuple[Session, int | None]]:
    """Like `as_player`, also for players who left our server; yield None for an account without a profile."""
    who = gates.require_user()
    with current.runtime().transaction() as session:
        if who.profile_id is not None:
            service.lock_link(session, who.user_id, who.profile_id, as_member=False)
        yield session, who.profile_id


def check_fresh_login(session: Session) -> None:
    """Let a viewer go on who has logged in a moment ago. Raise LoginNeeded or FreshLoginNeeded.

    What follows shows or ends all at once, or hands on a right; a cookie that was taken is not enough for it.
    """
    if not logins.is_fresh(session, gates.require_user().session_key, now=current.now()):
        raise FreshLoginNeeded
