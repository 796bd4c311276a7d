"""Stores what a player wants to hear and when not, and the sound of their browser."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from slomix.clock import parse_typed_time
from slomix.contacts.models import StoredPreferences
from slomix.contacts.rules import KINDS, TICKS, MessageKind, PreferredChannel, QuietHours, ReadySound
from slomix.errors import Invalid
from slomix.i18n import N_


class NoSuchTime(Invalid):
    sentence = N_("That is not a time of day. A time looks like 22:30.")


def read_quiet_hours(start: object, end: object) -> QuietHours:
    """Read two texts such as 22:30. Raise NoSuchTime or EmptyQuietHours."""
    try:
        times = [parse_typed_time(text if isinstance(text, str) else "") for text in (start, end)]
    except ValueError:
        raise NoSuchTime from None
    return QuietHours(*times)


@dataclass(frozen=True)
class Preferences:
    """All that a player decides; by default they are sent nothing."""

    zone: ZoneInfo
    # The kinds that are just on or off. MessageKind.LOOKING has its number instead, 0 for off.
    ticked: frozenset[MessageKind] = frozenset()
    looking_threshold: int = 0
    preferred_channel: PreferredChannel = PreferredChannel.ANY
    quiet_hours: QuietHours | None = None
    sound: ReadySound = field(default_factory=ReadySound)

    @property
    def allows(self) -> frozenset[MessageKind]:
        """Return the kinds of messages that are switched on."""
        return self.ticked | {MessageKind.LOOKING} if self.looking_threshold else self.ticked

    def value_of(self, kind: MessageKind) -> bool | int:
        """Return whether this kind is on, or its number."""
        return self.looking_threshold if kind is MessageKind.LOOKING else kind in self.ticked

    @property
    def switched_on(self) -> frozenset[str]:
        """Return a name for each thing that is on; another threshold counts as another thing."""
        others = {f"looking_threshold={self.looking_threshold}": self.looking_threshold, "sound": self.sound.is_on}
        return self.ticked | {name for name, is_on in others.items() if is_on}

    @property
    def columns(self) -> dict[str, Any]:
        """Return the values to store, by column of `StoredPreferences`."""
        return {
            **{column: kind in self.ticked for kind, column in TICKS.items()},
            "looking_threshold": self.looking_threshold,
            "timezone": self.zone.key,
            "preferred_channel": self.preferred_channel,
            **quiet_columns(self.quiet_hours),
            "sound_enabled": self.sound.is_on,
            "sound_cooldown_seconds": int(self.sound.cooldown.total_seconds()),
        }


# Stands for all kinds of messages in `unsubscribed_kind`.
ALL_KINDS = "all"


def quiet_columns(quiet: QuietHours | None) -> dict[str, time | None]:
    """Return the columns that store quiet hours."""
    return {"quiet_start": quiet.start if quiet else None, "quiet_end": quiet.end if quiet else None}


def read(stored: StoredPreferences | None, *, zone: ZoneInfo) -> Preferences:
    """Read stored preferences; `zone` is for players who have chosen none yet."""
    if stored is None:
        return Preferences(zone)
    is_quiet = stored.quiet_start is not None and stored.quiet_end is not None
    return Preferences(
        zone=ZoneInfo(stored.timezone),
        ticked=frozenset(kind for kind, column in TICKS.items() if getattr(stored, column)),
        looking_threshold=stored.looking_threshold,
        preferred_channel=stored.preferred_channel,
        quiet_hours=QuietHours(stored.quiet_start, stored.quiet_end) if is_quiet else None,  # type: ignore[arg-type]
        sound=ReadySound(stored.sound_enabled, timedelta(seconds=stored.sound_cooldown_seconds)),
    )


def preferences_of(session: Session, player_id: int | None, *, zone: ZoneInfo) -> Preferences:
    """Return this player's preferences, fresh from the database."""
    stored = session.get(StoredPreferences, player_id, populate_existing=True) if player_id is not None else None
    return read(stored, zone=zone)


def has_preferences(session: Session, player_id: int) -> bool:
    """Tell whether this player has ever decided, even if for nothing."""
    return session.get(StoredPreferences, player_id) is not None


def sound_cooldown(player_id: InstrumentedAttribute[Any]) -> ColumnElement[int | None]:
    """Select a player's pause between two ready sounds as a column, in seconds; NULL while the sound is off."""
    seconds = select(StoredPreferences.sound_cooldown_seconds)
    return seconds.where(StoredPreferences.player_id == player_id, StoredPreferences.sound_enabled).scalar_subquery()


def save_preferences(session: Session, player_id: int, wishes: Preferences, *, now: datetime) -> None:
    """Store all preferences of this player."""
    change_preferences(session, player_id, wishes.columns, zone=wishes.zone, now=now)


def import_preferences(session: Session, player_id: int, wishes: Preferences, *, now: datetime) -> bool:
    """Store what this player once decided elsewhere; return False when they have decided here, which stays."""
    new = insert(StoredPreferences).values(player_id=player_id, **wishes.columns, updated_at=now)
    return session.scalar(new.on_conflict_do_nothing().returning(StoredPreferences.player_id)) is not None


def change_preferences(
    session: Session, player_id: int, columns: Mapping[str, Any], *, zone: ZoneInfo, now: datetime
) -> None:
    """Change only these columns, so that concurrent changes of others are not undone."""
    changed = {**columns, "updated_at": now}
    session.execute(
        insert(StoredPreferences)
        .values(player_id=player_id, **({"timezone": zone.key} | changed))
        .on_conflict_do_update(index_elements=[StoredPreferences.player_id], set_=changed)
    )


def switch_off_by_link(
    session: Session, player_id: int, kind: MessageKind | None, *, zone: ZoneInfo, now: datetime
) -> None:
    """Send no more messages of this kind, or of any, and remember to tell the owner that a link did it."""
    switch_kinds(session, player_id, values_for_off(kind), zone=zone, now=now)
    told = {"unsubscribed_at": now, "unsubscribed_kind": kind.value if kind is not None else ALL_KINDS}
    change_preferences(session, player_id, told, zone=zone, now=now)


def values_for_off(kind: MessageKind | None) -> dict[MessageKind, bool | int]:
    """Return what `switch_kinds` takes to switch off this kind, or all kinds."""
    return {each: KINDS[each].off for each in ([kind] if kind is not None else MessageKind)}


def switch_kinds(
    session: Session, player_id: int, values: Mapping[MessageKind, bool | int], *, zone: ZoneInfo, now: datetime
) -> None:
    """Switch these kinds of messages on or off, and leave all else: what a chat, a button or a link asks for."""
    columns = {KINDS[kind].column: value for kind, value in values.items()}
    change_preferences(session, player_id, columns, zone=zone, now=now)


def mark_told(session: Session, player_id: int) -> None:
    """Record that the owner has seen what a link switched off."""
    session.execute(
        update(StoredPreferences)
        .where(StoredPreferences.player_id == player_id)
        .values(unsubscribed_at=None, unsubscribed_kind=None)
    )


def unsubscribed(player_id: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    """Select what a link switched off and the owner has not seen, as a column: a moment and a kind, in JSON."""
    pair = func.jsonb_build_array(StoredPreferences.unsubscribed_at, StoredPreferences.unsubscribed_kind)
    is_new = StoredPreferences.unsubscribed_at.is_not(None)
    return select(pair).where(StoredPreferences.player_id == player_id, is_new).scalar_subquery()
