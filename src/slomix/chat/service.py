"""Knows who asks in a chat, and what was answered already."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix.accounts.models import User
from slomix.accounts.rules import Membership
from slomix.chat.models import ClaimedMessage, InboxPosition
from slomix.config.settings import Settings
from slomix.contacts import links
from slomix.contacts.models import Contact
from slomix.contacts.rules import ChannelName
from slomix.errors import DomainError, NotAllowed
from slomix.i18n import _

# After a week without updates Telegram goes on with any number (https://core.telegram.org/bots/api#update).
POSITION_VALID_FOR = timedelta(days=6)


@dataclass(frozen=True)
class Asker:
    """Who asks, on a channel: an account on Discord, else the address of a private chat."""

    channel: ChannelName
    address: str


@dataclass(frozen=True)
class IncomingMessage(Asker):
    """A private message to us, or a press of a button that we sent there."""

    text: str
    # Tells it from the sender's other messages, where several processes may receive it.
    mark: str | None = None
    # The sender's phone number, where it is known and not the address.
    number: str | None = None
    # What a pressed button sends; then `text` is what its message says.
    pressed: str | None = None


class ChatNotLinked(NotAllowed):
    """The chat belongs to no player who may act in it."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            _("This chat is not linked to a player. Get a code under Preferences: {link}").format(
                link=settings.base_url + "/preferences"
            )
        )


def language_of(session: Session, asker: Asker, *, settings: Settings) -> str | None:
    """Return the language that the asker chose, if any."""
    try:
        return session.scalar(select(User.language).where(_is_of(asker, settings)))
    except DomainError:  # the channel is switched off
        return None


def as_player(session: Session, asker: Asker, *, settings: Settings) -> int:
    """Return the player who asks, and hold their link until the transaction ends. Raise ChatNotLinked."""
    return _hold(session, asker, settings, User.membership != Membership.LEFT)


def as_owner(session: Session, asker: Asker, *, settings: Settings) -> int:
    """Act as `as_player` does, also for a player who left our server. Raise ChatNotLinked."""
    return _hold(session, asker, settings)


def _hold(session: Session, asker: Asker, settings: Settings, *conditions: ColumnElement[bool]) -> int:
    owner = select(User.player_id).where(User.player_id.is_not(None), _is_of(asker, settings), *conditions)
    # One statement: after waiting for an unlink PostgreSQL checks the user's row anew, and finds no player in it.
    player_id = session.scalar(owner.with_for_update(read=True, key_share=True, of=User))
    if player_id is None:
        raise ChatNotLinked(settings)
    return player_id


def _is_of(asker: Asker, settings: Settings) -> ColumnElement[bool]:
    """Return the condition that a user is the asker. Raise ChannelOff or NoKey."""
    if asker.channel is ChannelName.DISCORD:
        return User.discord_id == asker.address
    theirs = select(Contact.player_id).where(links.is_at(asker.channel, asker.address, settings=settings))
    return User.player_id.in_(theirs)


def next_update(session: Session, channel: ChannelName, *, now: datetime) -> int:
    """Return the number of the next update, or 0 after so long a silence that Telegram may number anew."""
    found = session.get(InboxPosition, channel, populate_existing=True)
    return found.next_update if found is not None and found.moved_at > now - POSITION_VALID_FOR else 0


def claim_message(session: Session, message: IncomingMessage, *, now: datetime) -> bool:
    """Claim a message and return whether to answer it; of several processes that received it, only the first may."""
    return message.mark is None or claim(session, f"{message.channel}:{message.address}:{message.mark}", now=now)


def claim(session: Session, name: str, *, now: datetime) -> bool:
    """Claim what has this name, and return False if it was claimed before. Only a hash of the name is stored."""
    key = hashlib.sha256(name.encode()).hexdigest()
    new = insert(ClaimedMessage).values(key=key, claimed_at=now).on_conflict_do_nothing()
    return session.scalars(new.returning(ClaimedMessage.key)).one_or_none() is not None


def advance_position(session: Session, channel: ChannelName, number: int, *, now: datetime) -> bool:
    """Mark an update and all before it as answered; return False if it was already.

    Of several processes that take the same update at once, only the first gets True.
    """
    is_old = InboxPosition.moved_at <= now - POSITION_VALID_FOR
    values = {"next_update": number + 1, "moved_at": now}
    taken = session.scalars(
        insert(InboxPosition)
        .values(channel=channel, **values)
        .on_conflict_do_update(
            index_elements=[InboxPosition.channel],
            set_=values,
            where=(InboxPosition.next_update <= number) | is_old,
        )
        .returning(InboxPosition.next_update)
    ).one_or_none()
    return taken is not None
