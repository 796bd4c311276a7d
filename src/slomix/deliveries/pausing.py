"""The one switch that stops all sending, at once and without a restart."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix.database import session as db
from slomix.deliveries.models import Pause

SWITCH_ID = 1


def pause(session: Session, *, by: str, now: datetime) -> bool:
    """Send nothing from now on; False when it was so already. What is due waits, until its deadline."""
    write = insert(Pause).values(id=SWITCH_ID, since=now, by=by).on_conflict_do_nothing().returning(Pause.id)
    is_new = session.scalar(write) is not None
    _notify_pages(session)
    return is_new


def resume(session: Session) -> bool:
    """Send again; False when nothing was paused."""
    was_paused = session.scalar(delete(Pause).returning(Pause.id)) is not None
    _notify_pages(session)
    return was_paused


def current_pause(session: Session) -> Pause | None:
    """Since when, and by whom; None while messages go out."""
    return session.scalars(select(Pause)).one_or_none()


def _notify_pages(session: Session) -> None:
    db.notify(session, db.JOBS_CHANNEL)
    db.notify(session, db.LIVE_CHANNEL, "campaign")
