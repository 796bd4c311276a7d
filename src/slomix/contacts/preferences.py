"""What a player wants to hear, when not, and how their browser sounds. What is not named stays as it was."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix import words
from slomix.clock import parse_time
from slomix.contacts.models import Preferences
from slomix.contacts.rules import Kind, Preferred, QuietHours, Sound
from slomix.errors import Invalid


class NoSuchTime(Invalid):
    def __init__(self) -> None:
        super().__init__(words.NO_SUCH_TIME)


def read_quiet_hours(start: object, end: object) -> QuietHours:
    """Two texts such as 22:30. Raise NoSuchTime or EmptyQuietHours."""
    try:
        times = [parse_time(text if isinstance(text, str) else "") for text in (start, end)]
    except ValueError:
        raise NoSuchTime from None
    return QuietHours(*times)


@dataclass(frozen=True)
class Wishes:
    """All that a player decides. Who decided nothing is told nothing."""

    zone: ZoneInfo
    allow_promotions: bool = False
    session_ready: bool = False
    daily_reminder: bool = False
    more_needed: bool = False
    looking_threshold: int = 0
    preferred_channel: Preferred = Preferred.ANY
    quiet_hours: QuietHours | None = None
    sound: Sound = field(default_factory=Sound)

    def wants(self, kind: Kind) -> bool:
        """Whether messages of this kind are switched on."""
        return {
            Kind.CAMPAIGNS: self.allow_promotions,
            Kind.SESSION_READY: self.session_ready,
            Kind.DAILY_REMINDER: self.daily_reminder,
            Kind.LOOKING: self.looking_threshold > 0,
            Kind.MORE_NEEDED: self.more_needed,
        }[kind]

    @property
    def switched_on(self) -> frozenset[str]:
        """What is on, by name: a threshold that was changed is another one."""
        named = {
            "allow_promotions": self.allow_promotions,
            "session_ready": self.session_ready,
            "daily_reminder": self.daily_reminder,
            "more_needed": self.more_needed,
            f"looking_threshold={self.looking_threshold}": self.looking_threshold > 0,
            "sound": self.sound.is_on,
        }
        return frozenset(name for name, is_on in named.items() if is_on)

    @property
    def wants_nothing(self) -> bool:
        return not any(self.wants(kind) for kind in Kind)


def of(session: Session, player_id: int | None, *, zone: ZoneInfo) -> Wishes:
    """What this player wants; `zone` is for who chose none yet."""
    stored = session.get(Preferences, player_id, populate_existing=True) if player_id is not None else None
    if stored is None:
        return Wishes(zone)
    is_quiet = stored.quiet_start is not None and stored.quiet_end is not None
    return Wishes(
        zone=ZoneInfo(stored.timezone),
        allow_promotions=stored.allow_promotions,
        session_ready=stored.session_ready,
        daily_reminder=stored.daily_reminder,
        more_needed=stored.more_needed,
        looking_threshold=stored.looking_threshold,
        preferred_channel=stored.preferred_channel,
        quiet_hours=QuietHours(stored.quiet_start, stored.quiet_end) if is_quiet else None,  # type: ignore[arg-type]
        sound=Sound(stored.sound_enabled, timedelta(seconds=stored.sound_cooldown_seconds)),
    )


def were_asked(session: Session, player_id: int) -> bool:
    """Whether this player has ever decided, were it for nothing."""
    return session.get(Preferences, player_id) is not None


def save(session: Session, player_id: int, wishes: Wishes, *, now: datetime) -> None:
    """Keep all of it."""
    values = _columns(wishes) | {"updated_at": now}
    session.execute(
        insert(Preferences)
        .values(player_id=player_id, **values)
        .on_conflict_do_update(index_elements=[Preferences.player_id], set_=values)
    )


def adopt(session: Session, player_id: int, wishes: Wishes, *, now: datetime) -> bool:
    """Keep what this player once decided elsewhere; False when they have decided here, which stays."""
    new = insert(Preferences).values(player_id=player_id, **_columns(wishes), updated_at=now)
    return session.scalar(new.on_conflict_do_nothing().returning(Preferences.player_id)) is not None


def change(session: Session, player_id: int, changes: Mapping[str, Any], *, zone: ZoneInfo, now: datetime) -> None:
    """Change the named fields of `Wishes` alone, so that two who change different ones do not undo each other."""
    merged = Wishes(**({"zone": zone} | dict(changes)))
    all_columns = _columns(merged)
    named = {name for field in changes for name in _COLUMNS[field]}
    values = all_columns | {"updated_at": now}
    session.execute(
        insert(Preferences)
        .values(player_id=player_id, **values)
        .on_conflict_do_update(
            index_elements=[Preferences.player_id],
            set_={name: value for name, value in values.items() if name in named or name == "updated_at"},
        )
    )


_SWITCHED_OFF: dict[Kind, dict[str, Any]] = {
    Kind.CAMPAIGNS: {"allow_promotions": False},
    Kind.SESSION_READY: {"session_ready": False},
    Kind.DAILY_REMINDER: {"daily_reminder": False},
    Kind.LOOKING: {"looking_threshold": 0},
    Kind.MORE_NEEDED: {"more_needed": False},
}


def switch_off(session: Session, player_id: int, kinds: list[Kind], *, zone: ZoneInfo, now: datetime) -> None:
    """No more messages of these kinds."""
    changes: dict[str, Any] = {}
    for kind in kinds:
        changes |= _SWITCHED_OFF[kind]
    change(session, player_id, changes, zone=zone, now=now)


# Which columns keep a field of `Wishes`.
_COLUMNS: dict[str, tuple[str, ...]] = {
    "zone": ("timezone",),
    "allow_promotions": ("allow_promotions",),
    "session_ready": ("session_ready",),
    "daily_reminder": ("daily_reminder",),
    "more_needed": ("more_needed",),
    "looking_threshold": ("looking_threshold",),
    "preferred_channel": ("preferred_channel",),
    "quiet_hours": ("quiet_start", "quiet_end"),
    "sound": ("sound_enabled", "sound_cooldown_seconds"),
}


def _columns(wishes: Wishes) -> dict[str, Any]:
    quiet = wishes.quiet_hours
    return {
        "timezone": wishes.zone.key,
        "allow_promotions": wishes.allow_promotions,
        "session_ready": wishes.session_ready,
        "daily_reminder": wishes.daily_reminder,
        "more_needed": wishes.more_needed,
        "looking_threshold": wishes.looking_threshold,
        "preferred_channel": wishes.preferred_channel,
        "quiet_start": quiet.start if quiet else None,
        "quiet_end": quiet.end if quiet else None,
        "sound_enabled": wishes.sound.is_on,
        "sound_cooldown_seconds": int(wishes.sound.cooldown.total_seconds()),
    }
