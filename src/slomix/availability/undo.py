"""Takes back a change of a status for ten seconds, and then nothing has happened: not even to the place in the queue.

What the change was is signed into the form that takes it back, so nothing is stored for it.
"""

from dataclasses import dataclass
from datetime import date, datetime

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix.availability import rules
from slomix.availability.models import Entry
from slomix.availability.rules import Status
from slomix.availability.triggers import UNDO_FOR
from slomix.config.settings import Settings
from slomix.database import session as db
from slomix.errors import Conflict
from slomix.i18n import N_


class TooLateToUndo(Conflict):
    """Raised after ten seconds, or when the status was changed again meanwhile."""

    sentence = N_("That can’t be undone any more: ten seconds are over, or it was changed again.")


@dataclass(frozen=True)
class EntryState:
    """All that an entry holds."""

    status: Status
    looking_since: datetime | None
    committed_since: datetime | None
    updated_at: datetime
    late_until: datetime | None = None


@dataclass(frozen=True)
class StatusChange:
    """What an entry was before a change and after it; None is no entry."""

    player_id: int
    day: date
    before: EntryState | None
    after: EntryState | None
    at: datetime

    @property
    def is_one(self) -> bool:
        """Return whether anything has changed."""
        return self.before != self.after


def lock_entry(session: Session, player_id: int, day: date) -> EntryState | None:
    """Lock and read a player's entry for a day."""
    columns = (Entry.status, Entry.looking_since, Entry.committed_since, Entry.updated_at, Entry.late_until)
    theirs = select(*columns).where(Entry.player_id == player_id, Entry.day == day)
    row = session.execute(theirs.with_for_update()).one_or_none()
    return None if row is None else EntryState(*row)


def sign(change: StatusChange, settings: Settings) -> str:
    """Write a change into a token, for the form that takes it back."""
    states = [_as_plain(state) for state in (change.before, change.after)]
    return _signer(settings).dumps([change.player_id, change.day.isoformat(), change.at.isoformat(), *states])


def undo(
    session: Session, token: str, player_id: int, day: date, *, settings: Settings, today: date, now: datetime
) -> None:
    """Put the entry back as it was. Raise TooLateToUndo unless the change is this player's last one, of just now."""
    change = _read(token, settings)
    if (
        change is None
        or (change.player_id, change.day) != (player_id, day)
        or not change.at <= now <= change.at + UNDO_FOR
    ):
        raise TooLateToUndo
    rules.check_day_open(day, today)
    current = lock_entry(session, player_id, day)
    if current == change.before:
        return  # pressed twice
    if current != change.after:
        raise TooLateToUndo
    if change.before is None:
        session.execute(delete(Entry).where(Entry.player_id == player_id, Entry.day == day))
    else:
        values = vars(change.before)
        restored = insert(Entry).values(player_id=player_id, day=day, **values)
        session.execute(restored.on_conflict_do_update(constraint="uq_availability_entries_player_day", set_=values))
    db.notify(session, db.LIVE_CHANNEL, "board")


def _signer(settings: Settings) -> URLSafeSerializer:
    return URLSafeSerializer(settings.session_secret.get_secret_value(), salt="undo a status")


def _as_plain(state: EntryState | None) -> list[str | None] | None:
    if state is None:
        return None
    moments = (state.looking_since, state.committed_since, state.updated_at, state.late_until)
    return [state.status.value, *(moment.isoformat() if moment else None for moment in moments)]


def _state(plain: list[str | None] | None) -> EntryState | None:
    if plain is None:
        return None
    status, *moments = plain
    looking, committed, updated, late = (datetime.fromisoformat(moment) if moment else None for moment in moments)
    assert status is not None
    assert updated is not None
    return EntryState(Status(status), looking, committed, updated, late)


def _read(token: str, settings: Settings) -> StatusChange | None:
    try:
        player_id, day, at, before, after = _signer(settings).loads(token)
    except BadSignature:
        return None
    return StatusChange(player_id, date.fromisoformat(day), _state(before), _state(after), datetime.fromisoformat(at))
