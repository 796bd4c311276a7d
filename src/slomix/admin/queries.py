"""Queries of the admins' pages over accounts, their links and their contacts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Text, func, or_, select, true
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session

from slomix.accounts import service as accounts
from slomix.accounts.models import GrantedRole, LinkEvent, Player, User
from slomix.accounts.rules import LINK_ACTIONS, LinkAction, Membership, canonical_guid
from slomix.config.settings import Settings
from slomix.contacts.models import Contact
from slomix.contacts.rules import CHANNEL_NAMES, ChannelName
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.errors import NotFound
from slomix.i18n import N_, _
from slomix.parsing import parse_int
from slomix.reasons.codes import Explanation
from slomix.web import times

PAGE = 50


class NoSuchAccount(NotFound):
    sentence = N_("There is no such account.")


@dataclass(frozen=True)
class PlayerCounts:
    """Counts of players and accounts."""

    players: int
    linked: int
    left: int


@dataclass(frozen=True)
class ChannelState:
    """How a channel does over all its contacts, without any owner or address."""

    name: str
    # Why the channel is off; empty when it is on.
    problem: str
    contacts: int
    unusable: int
    last_success_at: datetime | None
    last_error_at: datetime | None
    last_error: Explanation | None

    @property
    def history(self) -> str:
        """Say when a message last arrived, and when one last did not."""
        said = _("No messages yet.")
        if self.last_success_at is not None:
            said = _("Last arrival: {time}.").format(time=times.moment(self.last_success_at))
        if self.last_error_at is None:
            return said
        at = times.moment(self.last_error_at)
        return " ".join([said, _("Last failure: {time}, {error}.").format(time=at, error=self.last_error)])


@dataclass(frozen=True)
class LinkedAccount:
    """An account with its player."""

    user: User
    linked_at: datetime | None
    is_new: bool


@dataclass(frozen=True)
class LinkedPage:
    """One page of a longer list."""

    rows: list[LinkedAccount]
    number: int
    has_more: bool


def get_account(session: Session, user_id: int) -> User:
    """Find an account. Raise NoSuchAccount."""
    user = session.get(User, user_id)
    if user is None:
        raise NoSuchAccount
    return user


def count_players(session: Session) -> PlayerCounts:
    has_left = User.membership == Membership.LEFT
    row = session.execute(select(func.count(User.player_id), func.count().filter(has_left)).select_from(User)).one()
    return PlayerCounts(session.scalar(select(func.count()).select_from(Player)) or 0, row[0], row[1])


def channel_states(session: Session, settings: Settings) -> list[ChannelState]:
    """Describe every channel, also those that are off here."""
    counted = {
        row.channel: row
        for row in session.execute(
            select(
                Contact.channel,
                func.count().label("contacts"),
                func.count(Contact.unusable_since).label("unusable"),
                func.max(Contact.last_success_at).label("last_success_at"),
            ).group_by(Contact.channel)
        )
    }
    latest = func.row_number().over(partition_by=Contact.channel, order_by=Contact.last_error_at.desc())
    failed = (
        select(Contact.channel, Contact.last_error, Contact.last_error_at, latest.label("number"))
        .where(Contact.last_error_at.is_not(None))
        .subquery()
    )
    errors = {row.channel: row for row in session.execute(select(failed).where(failed.c.number == 1))}
    sent = _last_sent(session)
    return [
        ChannelState(
            name=CHANNEL_NAMES[channel],
            problem=_problem(channel, settings),
            contacts=counted[channel].contacts if channel in counted else 0,
            unusable=counted[channel].unusable if channel in counted else 0,
            last_success_at=max(
                filter(None, [sent.get(channel), counted[channel].last_success_at if channel in counted else None]),
                default=None,
            ),
            last_error_at=errors[channel].last_error_at if channel in errors else None,
            last_error=errors[channel].last_error if channel in errors else None,
        )
        for channel in ChannelName
    ]


def _last_sent(session: Session) -> dict[ChannelName, datetime]:
    """Return when a message last arrived on each channel: the ledger knows it also after a player has unlinked."""
    arrived = select(Delivery.channel, func.max(Delivery.settled_at)).where(Delivery.status == DeliveryStatus.SENT)
    return {channel: at for channel, at in session.execute(arrived.group_by(Delivery.channel)) if at is not None}


def _problem(channel: ChannelName, settings: Settings) -> str:
    if channel is ChannelName.DISCORD:
        return (
            ""
            if settings.discord_bot_token.get_secret_value()
            else _("Nothing can be sent: DISCORD_BOT_TOKEN isn’t set.")
        )
    is_enabled = settings.telegram_enabled if channel is ChannelName.TELEGRAM else settings.signal_enabled
    if not is_enabled:
        return _("Switched off: {setting} isn’t on.").format(setting=f"AVAILABILITY_{channel.name}_ENABLED")
    return "" if settings.contact_keys else _("Switched off: CONTACT_DATA_ENCRYPTION_KEY isn’t set.")


def linked_accounts(
    session: Session, text: str = "", *, seen_by: User | None = None, number: int = 1, limit: int = PAGE
) -> LinkedPage:
    """List linked accounts, newest link first, whose Discord name, id or player matches `text`."""
    last, is_by_others = func.max(LinkEvent.at), LinkEvent.actor.is_distinct_from(str(seen_by.id) if seen_by else "")
    when = (
        select(LinkEvent.user_id, last.label("at"), last.filter(is_by_others).label("by_others_at"))
        .where(LinkEvent.action.in_(LINK_ACTIONS))
        .group_by(LinkEvent.user_id)
        .subquery()
    )
    found = session.execute(
        select(User, when.c.at, when.c.by_others_at)
        .join(Player, Player.id == User.player_id)
        .outerjoin(when, when.c.user_id == User.id)
        .where(_named(text, with_player=True))
        .order_by(when.c.at.desc().nulls_last(), User.id)
        .limit(limit + 1)
        .offset((number - 1) * limit)
    ).all()
    seen_at = seen_by.links_seen_at if seen_by else None
    rows = [
        LinkedAccount(
            row.User, row.at, row.by_others_at is not None and (seen_at is None or row.by_others_at > seen_at)
        )
        for row in found[:limit]
    ]
    return LinkedPage(rows, number, has_more=len(found) > limit)


def _named(text: str, *, with_player: bool = False) -> ColumnElement[bool]:
    """Match accounts by `text`; all of them when it is empty."""
    if not text:
        return true()
    ways = [User.discord_id == text, accounts.is_named(User.name_keys, text)]
    if with_player:
        ways.append(accounts.is_named(Player.name_keys, text))
    return or_(*ways)


def audit_events(
    session: Session, *, action: LinkAction | None = None, text: str = "", before_id: int | None = None
) -> tuple[list[LinkEvent], int | None]:
    """Return a page of the audit log, newest first, and the id before which the next page begins, or None."""
    query = select(LinkEvent).order_by(LinkEvent.id.desc()).limit(PAGE + 1)
    if action is not None:
        query = query.where(LinkEvent.action == action)
    if text:
        meant = select(User.id).where(_named(text))
        actors = select(sql_cast(User.id, Text)).where(_named(text))
        number = parse_int(text.removeprefix("#"), 1, 2**63 - 1)
        ways = [
            LinkEvent.actor == text.removeprefix("#"),
            LinkEvent.user_id.in_(meant),
            LinkEvent.actor.in_(actors),
        ]
        if number is not None:  # else it would find all that is about no account
            ways.append(LinkEvent.user_id == number)
        query = query.where(or_(*ways))
    if before_id is not None:
        query = query.where(LinkEvent.id < before_id)
    found = list(session.scalars(query))
    return found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None


def accounts_by_discord_id(session: Session, discord_ids: Iterable[str]) -> dict[str, User]:
    """Return the accounts with these Discord ids that have logged in here."""
    return {
        user.discord_id: user for user in session.scalars(select(User).where(User.discord_id.in_(set(discord_ids))))
    }


def accounts_by_id(session: Session, ids: Iterable[object]) -> dict[str, User]:
    """Return the accounts with these ids, of which some may be words, that are still there."""
    numbers = {number for one in ids if (number := parse_int(str(one), 1, 2**63 - 1)) is not None}
    return {str(user.id): user for user in session.scalars(select(User).where(User.id.in_(numbers)))}


def discord_ids_of_grants(session: Session, numbers: Iterable[int]) -> dict[int, str]:
    """Return whom these grants are for, as long as they hold."""
    rows = session.execute(
        select(GrantedRole.number, GrantedRole.discord_id).where(GrantedRole.number.in_(set(numbers)))
    )
    return {row.number: row.discord_id for row in rows}


def player_names_by_guid(session: Session, guids: Iterable[str]) -> dict[str, str]:
    """Return the players' names by these guids, as the log spells them."""
    spelled = set(guids)
    rows = session.execute(select(Player.guid, Player.name).where(Player.guid.in_(spelled)))
    names = {row.guid: row.name for row in rows}
    return {guid: names[canonical_guid(guid)] for guid in spelled if canonical_guid(guid) in names}


def owners_of_players(session: Session, player_ids: Iterable[int]) -> dict[int, User]:
    """Return the accounts that own these profiles."""
    found = session.scalars(select(User).where(User.player_id.in_(set(player_ids))))
    return {user.player_id: user for user in found if user.player_id is not None}
