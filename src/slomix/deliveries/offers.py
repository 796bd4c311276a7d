"""Remembers what a number means in a chat where a message can have no buttons.

A number answers the last message with choices that is known to have arrived. What was offered is written before the
message leaves, so that a number never answers another message than the one its reader sees.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from slomix.channels.base import Button, Receipt, SendError, Unanswered
from slomix.config.settings import Settings
from slomix.contacts.links import vault_for_channel
from slomix.contacts.rules import ChannelName
from slomix.deliveries.models import OfferedChoices

# Where choices have numbers instead of buttons.
BY_NUMBER = frozenset({ChannelName.SIGNAL})
KEPT_FOR = timedelta(days=7)


def offer(
    session: Session,
    channel: ChannelName,
    address: str,
    choices: Iterable[Button],
    *,
    nonce: str,
    settings: Settings,
    now: datetime,
) -> None:
    """Write what a message is about to offer; no-op for one without choices, and where buttons can be pressed."""
    offered = [[button.label, button.value] for button in choices]
    if not offered or channel not in BY_NUMBER:
        return
    chat = vault_for_channel(channel, settings).hashes(channel, address)[0]
    session.execute(delete(OfferedChoices).where(OfferedChoices.nonce == nonce))  # of an earlier try
    session.add(OfferedChoices(channel=channel, chat_hash=chat, nonce=nonce, choices=offered, offered_at=now))
    session.flush()


def settle(session: Session, channel: ChannelName, nonce: str, answer: Receipt | SendError | None) -> None:
    """Write whether the message has arrived; what was refused offers nothing."""
    if channel not in BY_NUMBER or isinstance(answer, Unanswered):
        return
    this = OfferedChoices.nonce == nonce
    has_arrived = update(OfferedChoices).where(this).values(has_arrived=True)
    session.execute(has_arrived if isinstance(answer, Receipt) else delete(OfferedChoices).where(this))


def last_offer(
    session: Session, channel: ChannelName, addresses: Iterable[str], *, settings: Settings
) -> OfferedChoices | None:
    """Return what the last message with choices offered in the chat that has one of these addresses."""
    vault = vault_for_channel(channel, settings)
    hashes = [hashed for address in addresses for hashed in vault.hashes(channel, address)]
    there = (OfferedChoices.channel == channel) & OfferedChoices.chat_hash.in_(hashes)
    newest = select(OfferedChoices).where(there).order_by(OfferedChoices.id.desc()).limit(1)
    return session.scalars(newest.execution_options(populate_existing=True)).one_or_none()
