"""One-time codes: a player is shown a code and sends it from the chat to be linked."""

import hashlib
import math
import secrets
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from slomix.config.settings import Settings
from slomix.contacts import service
from slomix.contacts.encryption import AddressVault, CannotDecrypt, vault_from_settings
from slomix.contacts.models import Contact, LinkCode
from slomix.contacts.rules import CHANNEL_NAMES, ChannelName
from slomix.database import session as db
from slomix.errors import Conflict, NotFound, TooSoon, Unavailable
from slomix.i18n import N_, _


class CodeTooSoon(TooSoon):
    """The last code was made only a moment ago."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(
            _("You got a code a moment ago, and it still works. You can get another in {seconds} s.").format(
                seconds=math.ceil(retry_after.total_seconds())
            ),
            retry_after,
        )


class CodeNotValid(NotFound):
    """Unknown, too old, for another channel, or used already: it does not say which."""

    sentence = N_("This code is not valid: it may be too old, or used already. Get a new one on your preferences page.")


class NothingAsked(Conflict):
    """The chat says yes or no, and no question is open there."""

    sentence = N_("There is no question open here: it may be too old, or answered. Get a new code under Preferences.")


class AddressTaken(Conflict):
    """The address belongs to another player."""

    def __init__(self, channel: ChannelName) -> None:
        super().__init__(
            _("This {channel} account belongs to another player here. They have to unlink it first.").format(
                channel=CHANNEL_NAMES[channel]
            )
        )


class ChannelOff(Unavailable):
    """The channel is not used by this installation."""

    def __init__(self, channel: ChannelName) -> None:
        super().__init__(_("{channel} is switched off here.").format(channel=CHANNEL_NAMES[channel]))


class NoKey(Unavailable):
    """Without a key no address can be stored."""

    sentence = N_("This installation keeps no addresses, so Telegram and Signal cannot be linked here.")


def vault_for_channel(channel: ChannelName, settings: Settings) -> AddressVault:
    """Return the vault for addresses of this channel. Raise ChannelOff or NoKey where it cannot be linked."""
    if not (settings.telegram_enabled if channel is ChannelName.TELEGRAM else settings.signal_enabled):
        raise ChannelOff(channel)
    vault = vault_from_settings(settings)
    if vault is None:
        raise NoKey
    return vault


def new_code(
    session: Session,
    player_id: int,
    channel: ChannelName,
    *,
    lifetime: timedelta,
    settings: Settings,
    now: datetime,
) -> tuple[str, datetime]:
    """Make a code of 192 bits, which voids the last one, and return it with its end; a working link stays.

    Only its hash is stored. Raise CodeTooSoon, ChannelOff or NoKey.
    """
    vault_for_channel(channel, settings)
    code, expires_at = secrets.token_urlsafe(24), now + lifetime
    pause = timedelta(seconds=settings.link_code_interval_seconds)
    values = {"code_hash": _hash(code), "chat_hash": None, "requested_at": now, "expires_at": expires_at}
    written = session.scalars(
        insert(LinkCode)
        .values(player_id=player_id, channel=channel, **values)
        .on_conflict_do_update(
            index_elements=[LinkCode.player_id, LinkCode.channel],
            set_=values,
            # A moment in the future is from before the clock was set back.
            where=(LinkCode.requested_at <= now - pause) | (LinkCode.requested_at > now),
        )
        .returning(LinkCode.player_id)
    ).one_or_none()
    if written is None:
        asked_at = session.scalars(
            select(LinkCode.requested_at).where(LinkCode.player_id == player_id, LinkCode.channel == channel)
        ).one()
        raise CodeTooSoon(asked_at + pause - now)
    return code, expires_at


def open_codes(session: Session, player_id: int, *, now: datetime) -> dict[ChannelName, bool]:
    """Return the channels on which this player has a code in time, and whether it was sent and waits for a yes."""
    rows = session.execute(
        select(LinkCode.channel, LinkCode.chat_hash.is_not(None).label("was_sent")).where(
            LinkCode.player_id == player_id, LinkCode.expires_at > now
        )
    )
    return {row.channel: row.was_sent for row in rows}


def spend_code(
    session: Session, channel: ChannelName, code: str, address: str, *, settings: Settings, now: datetime
) -> int:
    """Bind a code to the chat that sent it, which has to say yes; return the player who was shown it.

    From another chat it is worth nothing then, and an earlier question in this one is void.
    Raise CodeNotValid, or AddressTaken when the chat is another player's.
    """
    hashes = vault_for_channel(channel, settings).hashes(channel, address)
    asked_here = (LinkCode.channel == channel) & LinkCode.chat_hash.in_(hashes)
    session.execute(delete(LinkCode).where(asked_here, LinkCode.code_hash != _hash(code)))
    player_id = session.scalars(
        update(LinkCode)
        .where(
            LinkCode.code_hash == _hash(code),
            LinkCode.channel == channel,
            LinkCode.expires_at > now,
            LinkCode.chat_hash.is_(None) | LinkCode.chat_hash.in_(hashes),  # sent twice, it is asked about twice
        )
        .values(chat_hash=hashes[0])
        .returning(LinkCode.player_id)
    ).one_or_none()
    if player_id is None:
        raise CodeNotValid
    _check_free(session, player_id, channel, address, settings=settings)
    db.notify(session, db.LIVE_CHANNEL, "contacts")
    return player_id


def confirm_chat(
    session: Session,
    channel: ChannelName,
    address: str,
    *,
    about: int | None = None,
    settings: Settings,
    now: datetime,
) -> int:
    """Link a chat that was asked and says yes; return the player. Raise NothingAsked, or AddressTaken.

    A yes that is `about` a player answers no question about another.
    """
    player_id = _end_question(session, channel, address, about=about, settings=settings, now=now)
    _link(session, player_id, channel, address, settings=settings, now=now)
    return player_id


def decline_chat(
    session: Session,
    channel: ChannelName,
    address: str,
    *,
    about: int | None = None,
    settings: Settings,
    now: datetime,
) -> None:
    """Link nothing to a chat that was asked and says no. Raise NothingAsked."""
    _end_question(session, channel, address, about=about, settings=settings, now=now)


def _end_question(
    session: Session, channel: ChannelName, address: str, *, about: int | None, settings: Settings, now: datetime
) -> int:
    """Delete what this chat is asked, and return the player whom it is about. Raise NothingAsked."""
    hashes = vault_for_channel(channel, settings).hashes(channel, address)
    asked_here = (LinkCode.channel == channel) & LinkCode.chat_hash.in_(hashes) & (LinkCode.expires_at > now)
    player_id = session.scalars(
        delete(LinkCode)
        .where(asked_here, *([LinkCode.player_id == about] if about is not None else []))
        .returning(LinkCode.player_id)
    ).one_or_none()
    if player_id is None:
        raise NothingAsked
    db.notify(session, db.LIVE_CHANNEL, "contacts")
    return player_id


def confirm_code(
    session: Session, channel: ChannelName, code: str, address: str, *, settings: Settings, now: datetime
) -> int:
    """Link the address that a bridge says this code came from to the player who was shown it, and return the player.

    The bridge has asked at that address already. A code works once and in time.
    Raise CodeNotValid, or AddressTaken when the address is another player's.
    """
    vault_for_channel(channel, settings)
    player_id = session.scalars(
        delete(LinkCode)
        .where(
            LinkCode.code_hash == _hash(code),
            LinkCode.channel == channel,
            LinkCode.expires_at > now,
            LinkCode.chat_hash.is_(None),
        )
        .returning(LinkCode.player_id)
    ).one_or_none()
    if player_id is None:
        raise CodeNotValid
    _link(session, player_id, channel, address, settings=settings, now=now)
    return player_id


def _link(
    session: Session, player_id: int, channel: ChannelName, address: str, *, settings: Settings, now: datetime
) -> None:
    _check_free(session, player_id, channel, address, settings=settings)
    sealed = vault_for_channel(channel, settings).seal(channel, address)
    try:
        with session.begin_nested():
            service.add_sealed(session, player_id, channel, sealed.text, sealed.address_hash, now=now)
    except IntegrityError as error:  # another player's code came from there at this moment
        raise AddressTaken(channel) from error


def _check_free(session: Session, player_id: int, channel: ChannelName, address: str, *, settings: Settings) -> None:
    """Raise AddressTaken when the address is another player's."""
    if player_of_address(session, channel, address, settings=settings) not in {None, player_id}:
        raise AddressTaken(channel)


def player_of_address(session: Session, channel: ChannelName, address: str, *, settings: Settings) -> int | None:
    """Return whose address this is, or None."""
    return session.scalars(select(Contact.player_id).where(is_at(channel, address, settings=settings))).first()


def is_at(channel: ChannelName, address: str, *, settings: Settings) -> ColumnElement[bool]:
    """Return the condition that a contact is this address, under any key. Raise ChannelOff or NoKey."""
    # The unique index knows only the hash under the newest key.
    hashes = vault_for_channel(channel, settings).hashes(channel, address)
    return (Contact.channel == channel) & Contact.address_hash.in_(hashes)


def replace_number(session: Session, channel: ChannelName, number: str, account: str, *, settings: Settings) -> None:
    """Store the account's id for a contact that was linked by its number, which its owner may hide one day."""
    vault = vault_for_channel(channel, settings)
    if player_of_address(session, channel, account, settings=settings) is None:
        sealed = vault.seal(channel, account)
        session.execute(
            update(Contact)
            .where(Contact.channel == channel, Contact.address_hash.in_(vault.hashes(channel, number)))
            .values(sealed=sealed.text, address_hash=sealed.address_hash)
        )


def mark_working(session: Session, channel: ChannelName, address: str, *, settings: Settings) -> None:
    """Use an address again that was given up: its owner has written from there."""
    is_broken = is_at(channel, address, settings=settings) & Contact.unusable_since.is_not(None)
    session.execute(
        update(Contact)
        .where(is_broken)
        .values(unusable_since=None, unusable_reason=None)
        .execution_options(synchronize_session=False)
    )


def reseal_addresses(session: Session, settings: Settings) -> tuple[int, int]:
    """Seal every address anew with the first key; return how many were, and how many no key of ours can read.

    An unreadable address stays as it is: its key may turn up again.
    """
    vault = vault_from_settings(settings)
    if vault is None:
        raise NoKey
    sealed = lost = 0
    rows = select(Contact).where(Contact.sealed.is_not(None)).order_by(Contact.id).with_for_update()
    for contact in session.scalars(rows):
        try:
            fresh = vault.seal(contact.channel, vault.unseal(contact.sealed or ""))
        except CannotDecrypt:
            lost += 1
            continue
        contact.sealed, contact.address_hash = fresh.text, fresh.address_hash
        if contact.unusable_reason == service.UNREADABLE:
            contact.unusable_since = contact.unusable_reason = None
        sealed += 1
    return sealed, lost


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
