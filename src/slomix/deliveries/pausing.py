"""The one switch that stops all sending, at once and without a restart."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix.accounts import service as accounts
from slomix.accounts.rules import LinkAction
from slomix.database import session as db
from slomix.deliveries.models import Pause

SWITCH_ID = 1


def pause(session: Session, *, by: str, now: datetime) -> bool:
    """Pause all sending; return False if it was paused already. Due messages wait, until their deadline."""
    write = insert(Pause).values(id=SWITCH_ID, since=now, by=by).on_conflict_do_nothing().returning(Pause.id)
    is_new = session.scalar(write) is not None
    if is_new:
        accounts.record_action(session, LinkAction.SENDING_PAUSED, actor=by, now=now, old="on", new="paused")
    _notify_pages(session)
    return is_new


def resume(session: Session, *, by: str, now: datetime) -> bool:
    """Resume sending; return False if it was not paused."""
    was_paused = session.scalar(delete(Pause).returning(Pause.id)) is not None
    if was_paused:
        accounts.record_action(session, LinkAction.SENDING_RESUMED, actor=by, now=now, old="paused", new="on")
    _notify_pages(session)
    return was_paused


def current_pause(session: Session) -> Pause | None:
    """Return since when sending is paused, and by whom; None if it is not."""
    return session.scalars(select(Pause)).one_or_none()


def _notify_pages(session: Session) -> None:
    db.notify(session, db.JOBS_CHANNEL)
    db.notify(session, db.LIVE_CHANNEL, "campaign")
