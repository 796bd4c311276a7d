"""Reads and changes the addresses of players, and finds how players may be reached."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Update, bindparam, case, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from slomix.accounts.models import Player, User
from slomix.accounts.rules import Membership
from slomix.config.settings import Settings
from slomix.contacts import preferences
from slomix.contacts.encryption import CannotDecrypt, vault_from_settings
from slomix.contacts.models import Contact, LinkCode, StoredPreferences
from slomix.contacts.rules import CHANNEL_ORDER, ChannelName, ContactRoute, Reachability
from slomix.database import session as db
from slomix.jobs import service as jobs
from slomix.jobs.service import NewJob
from slomix.reasons.codes import Explanation, Reason

# The kind of job that `deliveries` carries out.
INTRODUCE = "introduce"
# A DM channel that is not known yet, and not known to be closed.
UNOPENED_DM = (Contact.channel == ChannelName.DISCORD) & Contact.learned.is_(None) & Contact.unusable_since.is_(None)

# The key is missing, so the owner cannot repair it by saying that the address works.
UNREADABLE = Explanation(Reason.UNREADABLE)


def reachability_of(session: Session, player_ids: Iterable[int], *, settings: Settings) -> dict[int, Reachability]:
    """Find how these players may be reached, in one query, on channels that are switched on here."""
    query = with_reachability(select(Player.name), Player.id, settings.channels_on).where(
        Player.id.in_(list(player_ids))
    )
    rows = session.execute(query.order_by(Player.id).execution_options(populate_existing=True)).all()
    return read_reachabilities(rows, settings)


def with_reachability(query: Select[Any], player: InstrumentedAttribute[Any], channels: Collection[str]) -> Select[Any]:
    """Add to `query` what `read_reachabilities` reads, on these channels: a row for each contact of a player."""
    return (
        query.add_columns(player.label("reached"), User.discord_id, User.membership)
        .add_columns(User.unsubscribe_salt, User.language)
        .add_columns(StoredPreferences, Contact)
        .outerjoin(User, User.player_id == player)
        .outerjoin(StoredPreferences, StoredPreferences.player_id == player)
        .outerjoin(Contact, (Contact.player_id == player) & Contact.channel.in_(channels))
    )


def read_reachabilities(rows: Sequence[Row[Any]], settings: Settings) -> dict[int, Reachability]:
    """Read how players may be reached from the rows of a query `with_reachability`."""
    found: dict[int, Reachability] = {}
    contacts: dict[int, list[Contact]] = {}
    for row in rows:
        if row.Contact is not None:
            contacts.setdefault(row.reached, []).append(row.Contact)
    for row in rows:
        if row.reached not in found:
            found[row.reached] = replace(
                _reach(row.reached, row.discord_id, row.membership, row.StoredPreferences, contacts, settings),
                unsubscribe_salt=row.unsubscribe_salt or "",
                language=row.language,
            )
    return found


def _reach(
    player_id: int,
    discord_id: str | None,
    membership: Membership | None,
    stored: StoredPreferences | None,
    contacts: dict[int, list[Contact]],
    settings: Settings,
) -> Reachability:
    wishes = preferences.read(stored, zone=settings.zone)
    order = CHANNEL_ORDER[wishes.preferred_channel]
    return Reachability(
        player_id=player_id,
        discord_id=discord_id,
        has_left=membership is Membership.LEFT,
        allows=wishes.allows,
        quiet_hours=wishes.quiet_hours,
        zone=wishes.zone,
        all_routes=tuple(
            contact.route
            for contact in sorted(contacts.get(player_id, ()), key=lambda contact: order.index(contact.channel))
        ),
    )


def address_of_route(route: ContactRoute, discord_id: str, settings: Settings) -> str:
    """Return the address to write to. Raise CannotDecrypt when it is sealed with a key that is gone."""
    if route.sealed is None:
        return discord_id
    vault = vault_from_settings(settings)
    if vault is None:
        raise CannotDecrypt
    return vault.unseal(route.sealed)


def add_discord(session: Session, player_id: int, *, now: datetime) -> None:
    """Add the Discord account that a login proved; players are reached there if they allow it."""
    add_sealed(session, player_id, ChannelName.DISCORD, None, None, now=now)


def add_sealed(
    session: Session,
    player_id: int,
    channel: ChannelName,
    sealed: str | None,
    address_hash: str | None,
    *,
    now: datetime,
) -> None:
    """Add a proved address, None on Discord; it replaces the player's earlier address on this channel."""
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
    db.notify(session, db.LIVE_CHANNEL, "contacts")


def remove_contact(session: Session, player_id: int, channel: ChannelName) -> bool:
    """Delete this address and any open code for it; return False if there was no address."""
    session.execute(delete(LinkCode).where(LinkCode.player_id == player_id, LinkCode.channel == channel))
    gone = session.scalars(
        delete(Contact).where(Contact.player_id == player_id, Contact.channel == channel).returning(Contact.id)
    ).one_or_none()
    db.notify(session, db.LIVE_CHANNEL, "contacts")
    return gone is not None


def delete_contacts_and_preferences(session: Session, player_id: int) -> None:
    """Delete every address, code and preference of this player."""
    session.execute(delete(LinkCode).where(LinkCode.player_id == player_id))
    session.execute(delete(Contact).where(Contact.player_id == player_id))
    session.execute(delete(StoredPreferences).where(StoredPreferences.player_id == player_id))


def contacts_of(session: Session, player_id: int) -> dict[ChannelName, Contact]:
    """Return the player's own contacts, also those that do not work."""
    contacts = session.scalars(select(Contact).where(Contact.player_id == player_id))
    return {contact.channel: contact for contact in contacts}


def broken_contacts(player_id: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    """Select a player's broken contacts as a column: pairs of a channel and why it cannot be used, in JSON."""
    pair = func.jsonb_build_array(Contact.channel, Contact.unusable_reason)
    pairs = select(func.jsonb_agg(aggregate_order_by(pair, Contact.channel)))
    return pairs.where(Contact.player_id == player_id, Contact.unusable_since.is_not(None)).scalar_subquery()


@dataclass(frozen=True)
class ContactUpdate:
    """What an attempt showed about a contact: a statement with its values, to be executed with others."""

    statement: Update
    values: Mapping[str, object]


# Built once. Match a contact only while it has the address of that attempt: its owner may have linked another since.
_OF_ROUTE = update(Contact).where(
    Contact.id == bindparam("attempt_contact"), Contact.verified_at == bindparam("attempt_verified_at")
)
_WORKED = _OF_ROUTE.values(
    learned=bindparam("attempt_learned"),
    last_success_at=bindparam("attempt_now"),
    unusable_since=None,
    unusable_reason=None,
)
_OPENED = _OF_ROUTE.values(learned=bindparam("attempt_learned"))
_REASON = bindparam("attempt_reason", type_=Contact.unusable_reason.type)
_FAILED = _OF_ROUTE.values(last_error=_REASON, last_error_at=bindparam("attempt_now"))
_NEVER_WORKS = _FAILED.values(
    unusable_since=func.coalesce(Contact.unusable_since, bindparam("attempt_now")),
    unusable_reason=case((Contact.unusable_since.is_(None), _REASON), else_=Contact.unusable_reason),
)


def after_success(route: ContactRoute, *, learned: str | None, now: datetime) -> ContactUpdate:
    """Record that the provider took a message for this address; `learned` is what the receipt told about it."""
    return ContactUpdate(_WORKED, _values(route, now) | {"attempt_learned": learned})


def after_opening(route: ContactRoute, learned: str) -> ContactUpdate:
    """Record the DM channel that was opened for this address."""
    values = {"attempt_contact": route.contact_id, "attempt_verified_at": route.verified_at}
    return ContactUpdate(_OPENED, values | {"attempt_learned": learned})


def after_failure(route: ContactRoute, reason: Explanation, *, is_permanent: bool, now: datetime) -> ContactUpdate:
    """Record that the provider did not; if it never will, stop using the address, and tell its owner."""
    return ContactUpdate(_NEVER_WORKS if is_permanent else _FAILED, _values(route, now) | {"attempt_reason": reason})


def _values(route: ContactRoute, now: datetime) -> dict[str, object]:
    return {"attempt_contact": route.contact_id, "attempt_verified_at": route.verified_at, "attempt_now": now}


def apply_update(session: Session, change: ContactUpdate) -> None:
    """Execute an update by itself."""
    session.execute(change.statement, dict(change.values))


def plan_introduction(session: Session, player_id: int, *, now: datetime) -> None:
    """Introduce ourselves on Discord to a player who may have switched messages on, unless we know the way there."""
    if session.scalar(select(exists().where(Contact.player_id == player_id, UNOPENED_DM))):
        jobs.schedule(session, [NewJob(INTRODUCE, str(player_id), now)], now=now)
        jobs.reopen(session, INTRODUCE, [str(player_id)], run_at=now, deadline_at=None)


def retry_contacts(session: Session, player_id: int) -> None:
    """Use the player's broken addresses again, because the player says that they work."""
    session.execute(
        update(Contact)
        .where(
            Contact.player_id == player_id,
            Contact.unusable_since.is_not(None),
            Contact.unusable_reason.is_distinct_from(UNREADABLE),
        )
        .values(unusable_since=None, unusable_reason=None, learned=None)
    )
