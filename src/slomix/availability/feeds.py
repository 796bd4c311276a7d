"""The secret address under which a calendar reads one player's evenings: only its hash is stored."""

import hashlib
import secrets
from datetime import date, datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix.accounts.models import User
from slomix.accounts.rules import Membership
from slomix.availability.models import CalendarFeed, Entry
from slomix.availability.rules import Status


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def renew_feed(session: Session, player_id: int, *, now: datetime) -> str:
    """Make a new secret for the player's calendar and return it; the one before is worth nothing from here on."""
    secret = secrets.token_urlsafe(24)
    values = {"secret_hash": _hash(secret), "created_at": now}
    session.execute(
        insert(CalendarFeed)
        .values(player_id=player_id, **values)
        .on_conflict_do_update(index_elements=[CalendarFeed.player_id], set_=values)
    )
    return secret


def close_feed(session: Session, player_id: int) -> None:
    """Let no calendar read the player's evenings any more."""
    session.execute(delete(CalendarFeed).where(CalendarFeed.player_id == player_id))


def open_since(session: Session, player_id: int) -> datetime | None:
    """Return when the player's address was made; None if there is none."""
    return session.scalar(select(CalendarFeed.created_at).where(CalendarFeed.player_id == player_id))


def reader_of(session: Session, secret: str) -> tuple[int, str | None] | None:
    """Return the player with this secret and the language of their account; None if there is none any more."""
    found = session.execute(
        select(CalendarFeed.player_id, User.language)
        .join(User, User.player_id == CalendarFeed.player_id)
        .where(CalendarFeed.secret_hash == _hash(secret), User.membership != Membership.LEFT)
    ).one_or_none()
    return (found.player_id, found.language) if found is not None else None


def evenings_of(session: Session, player_id: int, first: date, last: date) -> list[Entry]:
    """Return the days in this span on which the player plays, or may."""
    playing = Entry.status != Status.NOT_PLAYING
    query = select(Entry).where(Entry.player_id == player_id, Entry.day.between(first, last), playing)
    return list(session.scalars(query.order_by(Entry.day)))
