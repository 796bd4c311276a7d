"""Reads and changes how players may be reached."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix.accounts.models import Player, User
from slomix.contacts.models import Contact, Preferences
from slomix.contacts.rules import ChannelName, QuietHours, Reach, Sound


def reach_of(session: Session, player_ids: Iterable[int], *, zone: ZoneInfo) -> dict[int, Reach]:
    """How these players may be reached, in one query. `zone` is for those who chose none."""
    rows = session.execute(
        select(
            Player.id,
            User.discord_id,
            Preferences.allow_promotions,
            Preferences.quiet_start,
            Preferences.quiet_end,
            Preferences.timezone,
            Contact.id.label("contact_id"),
            Contact.address,
            Contact.learned,
        )
        .outerjoin(User, User.player_id == Player.id)
        .outerjoin(Preferences, Preferences.player_id == Player.id)
        .outerjoin(
            Contact,
            (Contact.player_id == Player.id)
            & (Contact.channel == ChannelName.DISCORD)
            & Contact.unusable_since.is_(None),
        )
        .where(Player.id.in_(list(player_ids)))
    )
    return {
        row.id: Reach(
            player_id=row.id,
            discord_id=row.discord_id,
            allows_promotions=bool(row.allow_promotions),
            quiet_hours=QuietHours(row.quiet_start, row.quiet_end) if row.quiet_start is not None else None,
            zone=ZoneInfo(row.timezone) if row.timezone else zone,
            contact_id=row.contact_id,
            channel=ChannelName.DISCORD,
            address=row.address,
            learned=row.learned,
        )
        for row in rows
    }


def add_discord(session: Session, player_id: int, discord_id: str, *, now: datetime) -> None:
    """A login proved this Discord account; from now on its player may be reached there, if they allow it."""
    session.execute(delete(Contact).where(Contact.channel == ChannelName.DISCORD, Contact.address == discord_id))
    session.execute(
        insert(Contact)
        .values(player_id=player_id, channel=ChannelName.DISCORD, address=discord_id, verified_at=now)
        .on_conflict_do_update(
            constraint="uq_contacts_player_channel",
            set_={
                "address": discord_id,
                "verified_at": now,
                "learned": None,
                "unusable_since": None,
                "unusable_reason": None,
            },
        )
    )


def remove_all(session: Session, player_id: int) -> None:
    """Forget every address and every permission of this player."""
    session.execute(delete(Contact).where(Contact.player_id == player_id))
    session.execute(delete(Preferences).where(Preferences.player_id == player_id))


def contact_of(session: Session, player_id: int) -> Contact | None:
    """The player's own Discord contact, also when it is unusable."""
    return session.scalars(select(Contact).where(Contact.player_id == player_id)).one_or_none()


def preferences_of(session: Session, player_id: int) -> Preferences | None:
    return session.get(Preferences, player_id)


def set_preferences(
    session: Session,
    player_id: int,
    *,
    allow_promotions: bool,
    quiet_hours: QuietHours | None,
    zone: ZoneInfo,
    now: datetime,
) -> None:
    """Replace what the player allows."""
    values = {
        "allow_promotions": allow_promotions,
        "quiet_start": quiet_hours.start if quiet_hours else None,
        "quiet_end": quiet_hours.end if quiet_hours else None,
        "timezone": zone.key,
        "updated_at": now,
    }
    session.execute(
        insert(Preferences)
        .values(player_id=player_id, **values)
        .on_conflict_do_update(index_elements=[Preferences.player_id], set_=values)
    )


def sound_of(session: Session, player_id: int) -> Sound:
    """How this player wants the ready sound."""
    stored = preferences_of(session, player_id)
    if stored is None:
        return Sound()
    return Sound(stored.sound_enabled, timedelta(seconds=stored.sound_cooldown_seconds))


def set_sound(session: Session, player_id: int, sound: Sound, *, zone: ZoneInfo, now: datetime) -> None:
    """Change the ready sound alone; `zone` is for who chose none yet."""
    values = {
        "sound_enabled": sound.is_on,
        "sound_cooldown_seconds": int(sound.cooldown.total_seconds()),
        "updated_at": now,
    }
    session.execute(
        insert(Preferences)
        .values(player_id=player_id, timezone=zone.key, **values)
        .on_conflict_do_update(index_elements=[Preferences.player_id], set_=values)
    )


def set_zone(session: Session, player_id: int, zone: ZoneInfo, *, now: datetime) -> None:
    """Change the zone that this player's times are meant in."""
    values = {"timezone": zone.key, "updated_at": now}
    session.execute(
        insert(Preferences)
        .values(player_id=player_id, **values)
        .on_conflict_do_update(index_elements=[Preferences.player_id], set_=values)
    )


def learn(session: Session, contact_id: int, learned: str) -> None:
    """Keep what a receipt told about an address."""
    session.execute(update(Contact).where(Contact.id == contact_id).values(learned=learned))


def mark_unusable(session: Session, contact_id: int, reason: str, *, now: datetime) -> None:
    """This address will never work: stop using it, and tell its owner on their next visit."""
    session.execute(
        update(Contact)
        .where(Contact.id == contact_id, Contact.unusable_since.is_(None))
        .values(unusable_since=now, unusable_reason=reason)
    )


def try_again(session: Session, player_id: int) -> None:
    """The owner says that their addresses work again, so they are used again."""
    session.execute(
        update(Contact)
        .where(Contact.player_id == player_id, Contact.unusable_since.is_not(None))
        .values(unusable_since=None, unusable_reason=None, learned=None)
    )
