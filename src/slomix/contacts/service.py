"""Reads and changes the addresses of players, and puts together how each may be reached."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix import db, words
from slomix.accounts.models import Player, User
from slomix.accounts.rules import Membership
from slomix.contacts.models import Contact, LinkCode, Preferences
from slomix.contacts.rules import ORDER, ChannelName, Kind, Preferred, QuietHours, Reach, Way
from slomix.contacts.vault import Unreadable, vault_of
from slomix.settings import Settings


def reach_of(session: Session, player_ids: Iterable[int], *, settings: Settings) -> dict[int, Reach]:
    """How these players may be reached, in one query: on channels that are switched on here."""
    rows = session.execute(
        select(Player.id, User.discord_id, User.membership, Preferences, Contact)
        .outerjoin(User, User.player_id == Player.id)
        .outerjoin(Preferences, Preferences.player_id == Player.id)
        .outerjoin(Contact, (Contact.player_id == Player.id) & Contact.channel.in_(settings.channels_on))
        .where(Player.id.in_(list(player_ids)))
        .order_by(Player.id)
        .execution_options(populate_existing=True)
    ).all()
    found: dict[int, Reach] = {}
    contacts: dict[int, list[Contact]] = {}
    for row in rows:
        if row.Contact is not None:
            contacts.setdefault(row.id, []).append(row.Contact)
    for row in rows:
        if row.id not in found:
            found[row.id] = _reach(row.id, row.discord_id, row.membership, row.Preferences, contacts, settings)
    return found


def _reach(
    player_id: int,
    discord_id: str | None,
    membership: Membership | None,
    stored: Preferences | None,
    contacts: dict[int, list[Contact]],
    settings: Settings,
) -> Reach:
    order = ORDER[stored.preferred_channel if stored else Preferred.ANY]
    return Reach(
        player_id=player_id,
        discord_id=discord_id,
        has_left=membership is Membership.LEFT,
        allows=_allowed(stored),
        quiet_hours=_quiet_hours(stored),
        zone=ZoneInfo(stored.timezone) if stored else settings.zone,
        known=tuple(one.way for one in sorted(contacts.get(player_id, ()), key=lambda one: order.index(one.channel))),
    )


def _allowed(stored: Preferences | None) -> frozenset[Kind]:
    if stored is None:
        return frozenset()
    switches = {
        Kind.CAMPAIGNS: stored.allow_promotions,
        Kind.SESSION_READY: stored.session_ready,
        Kind.DAILY_REMINDER: stored.daily_reminder,
        Kind.LOOKING: stored.looking_threshold > 0,
    }
    return frozenset(kind for kind, is_on in switches.items() if is_on)


def _quiet_hours(stored: Preferences | None) -> QuietHours | None:
    if stored is None or stored.quiet_start is None or stored.quiet_end is None:
        return None
    return QuietHours(stored.quiet_start, stored.quiet_end)


def address_of(way: Way, discord_id: str, settings: Settings) -> str:
    """Where to write to. Raise Unreadable when the address is sealed with a key that we do not have any more."""
    if way.sealed is None:
        return discord_id
    vault = vault_of(settings)
    if vault is None:
        raise Unreadable
    return vault.open(way.sealed)


def add_discord(session: Session, player_id: int, *, now: datetime) -> None:
    """A login proved this player's Discord account; from now on they may be reached there, if they allow it."""
    _put(session, player_id, ChannelName.DISCORD, None, None, now=now)


def add_sealed(
    session: Session, player_id: int, channel: ChannelName, sealed: str, address_hash: str, *, now: datetime
) -> None:
    """A code from there proved this address. It replaces an earlier one of the player on the same channel."""
    _put(session, player_id, channel, sealed, address_hash, now=now)


def _put(
    session: Session,
    player_id: int,
    channel: ChannelName,
    sealed: str | None,
    address_hash: str | None,
    *,
    now: datetime,
) -> None:
    fresh: dict[str, object] = {
        "sealed": sealed,
        "address_hash": address_hash,
        "verified_at": now,
        "learned": None,
        "unusable_since": None,
        "unusable_reason": None,
        "last_success_at": None,
        "last_error": None,
        "last_error_at": None,
    }
    session.execute(
        insert(Contact)
        .values(player_id=player_id, channel=channel, **fresh)
        .on_conflict_do_update(constraint="uq_contacts_player_channel", set_=fresh)
    )
    db.notify(session, db.LIVE, "contacts")


def remove(session: Session, player_id: int, channel: ChannelName) -> bool:
    """Forget this address and any code on its way; False when there was none."""
    session.execute(delete(LinkCode).where(LinkCode.player_id == player_id, LinkCode.channel == channel))
    gone = session.scalars(
        delete(Contact).where(Contact.player_id == player_id, Contact.channel == channel).returning(Contact.id)
    ).one_or_none()
    db.notify(session, db.LIVE, "contacts")
    return gone is not None


def remove_all(session: Session, player_id: int) -> None:
    """Forget every address, every code and every permission of this player."""
    session.execute(delete(LinkCode).where(LinkCode.player_id == player_id))
    session.execute(delete(Contact).where(Contact.player_id == player_id))
    session.execute(delete(Preferences).where(Preferences.player_id == player_id))


def contacts_of(session: Session, player_id: int) -> dict[ChannelName, Contact]:
    """The player's own contacts, also those that do not work."""
    return {one.channel: one for one in session.scalars(select(Contact).where(Contact.player_id == player_id))}


def broken_contacts(session: Session, player_id: int) -> list[Contact]:
    """Those that their owner should hear of."""
    broken = (Contact.player_id == player_id) & Contact.unusable_since.is_not(None)
    return list(session.scalars(select(Contact).where(broken).order_by(Contact.channel)))


def worked(session: Session, way: Way, *, learned: str | None, now: datetime) -> None:
    """The provider took a message for this address: it works, and its receipt may have told something about it."""
    session.execute(
        update(Contact)
        .where(_still(way))
        .values(learned=learned, last_success_at=now, unusable_since=None, unusable_reason=None)
    )


def failed(session: Session, way: Way, reason: str, *, is_permanent: bool, now: datetime) -> None:
    """The provider did not. When it never will: stop using the address, and tell its owner on their next visit."""
    session.execute(update(Contact).where(_still(way)).values(last_error=reason, last_error_at=now))
    if is_permanent:
        session.execute(
            update(Contact)
            .where(_still(way), Contact.unusable_since.is_(None))
            .values(unusable_since=now, unusable_reason=reason)
        )


def _still(way: Way) -> ColumnElement[bool]:
    """This contact, as long as it stands for the address of then: its owner may have linked another meanwhile."""
    return (Contact.id == way.contact_id) & (Contact.verified_at == way.verified_at)


def try_again(session: Session, player_id: int) -> None:
    """The owner says that their addresses work again, so they are used again."""
    session.execute(
        update(Contact)
        .where(
            Contact.player_id == player_id,
            Contact.unusable_since.is_not(None),
            Contact.unusable_reason.is_distinct_from(words.UNREADABLE),
        )
        .values(unusable_since=None, unusable_reason=None, learned=None)
    )
