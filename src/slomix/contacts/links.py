"""One-time codes: a player is shown one and sends it from the chat that is to be theirs."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from slomix import words
from slomix.config.settings import Settings
from slomix.contacts import service
from slomix.contacts.encryption import AddressVault, CannotDecrypt, vault_from_settings
from slomix.contacts.models import Contact, LinkCode
from slomix.contacts.rules import ChannelName
from slomix.errors import Conflict, NotFound, TooSoon, Unavailable


class CodeTooSoon(TooSoon):
    """The last code is only a moment old."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(words.CODE_TOO_SOON, retry_after)


class CodeNotValid(NotFound):
    """Unknown, too old, for another channel, or used already: it does not say which."""

    def __init__(self) -> None:
        super().__init__(words.CODE_NOT_VALID)


class AddressTaken(Conflict):
    """An address belongs to one player."""

    def __init__(self, channel: ChannelName) -> None:
        super().__init__(words.ADDRESS_TAKEN.format(channel=words.CHANNELS[channel]))


class ChannelOff(Unavailable):
    """Refuse a channel that this installation does not use."""

    def __init__(self, channel: ChannelName) -> None:
        super().__init__(words.CHANNEL_OFF.format(channel=words.CHANNELS[channel]))


class NoKey(Unavailable):
    """Without a key no address can be kept."""

    def __init__(self) -> None:
        super().__init__(words.NO_KEY)


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
    """Make a code of 192 bits and return it with its end; the one before is void from now on, a working link stays.

    Only its hash is kept. Raise CodeTooSoon, ChannelOff or NoKey.
    """
    vault_for_channel(channel, settings)
    code, expires_at = secrets.token_urlsafe(24), now + lifetime
    pause = timedelta(seconds=settings.link_code_interval_seconds)
    values = {"code_hash": _hash(code), "requested_at": now, "expires_at": expires_at}
    written = session.scalars(
        insert(LinkCode)
        .values(player_id=player_id, channel=channel, **values)
        .on_conflict_do_update(
            index_elements=[LinkCode.player_id, LinkCode.channel],
            set_=values,
            # After the clock was set back it is not waited for.
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


def channels_awaiting_code(session: Session, player_id: int, *, now: datetime) -> frozenset[ChannelName]:
    """Return the channels whose code was shown to this player and can still be used."""
    open_codes = (LinkCode.player_id == player_id) & (LinkCode.expires_at > now)
    return frozenset(session.scalars(select(LinkCode.channel).where(open_codes)))


def confirm_code(
    session: Session, channel: ChannelName, code: str, address: str, *, settings: Settings, now: datetime
) -> int:
    """Give the address that this code came from to the player who was shown it, once and in time; return the player.

    Raise CodeNotValid, and AddressTaken when the address is another player's.
    """
    vault = vault_for_channel(channel, settings)
    player_id = session.scalars(
        delete(LinkCode)
        .where(LinkCode.code_hash == _hash(code), LinkCode.channel == channel, LinkCode.expires_at > now)
        .returning(LinkCode.player_id)
    ).one_or_none()
    if player_id is None:
        raise CodeNotValid
    owner = player_of_address(session, channel, address, settings=settings)
    if owner is not None and owner != player_id:
        raise AddressTaken(channel)
    sealed = vault.seal(channel, address)
    try:
        with session.begin_nested():
            service.add_sealed(session, player_id, channel, sealed.text, sealed.address_hash, now=now)
    except IntegrityError as error:  # another player's code came from there at this moment
        raise AddressTaken(channel) from error
    return player_id


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


def reseal_addresses(session: Session, settings: Settings) -> tuple[int, int]:
    """Seal every address anew with the first key; how many were, and how many no key of ours can read.

    What cannot be read stays as it is: the key may turn up again.
    """
    vault = vault_from_settings(settings)
    if vault is None:
        raise NoKey
    sealed = lost = 0
    rows = select(Contact).where(Contact.sealed.is_not(None)).order_by(Contact.id).with_for_update()
    for contact in session.scalars(rows):
        fresh = _sealed_anew(vault, contact)
        if fresh is None:
            lost += 1
        else:
            contact.sealed, contact.address_hash = fresh
            if contact.unusable_reason == service.UNREADABLE:
                contact.unusable_since = contact.unusable_reason = None
            sealed += 1
    return sealed, lost


def _sealed_anew(vault: AddressVault, contact: Contact) -> tuple[str, str] | None:
    try:
        address = vault.unseal(contact.sealed or "")
    except CannotDecrypt:
        return None
    fresh = vault.seal(contact.channel, address)
    return fresh.text, fresh.address_hash


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
