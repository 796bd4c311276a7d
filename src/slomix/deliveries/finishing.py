"""Finishes a message as it leaves or is edited: what every message has, whatever its notice says."""

from dataclasses import replace

from slomix.channels.base import Message
from slomix.contacts import unsubscribe
from slomix.contacts.rules import Reachability
from slomix.deliveries.marks import with_mark
from slomix.deliveries.mute import with_mute
from slomix.deliveries.notices import Notice, Occasion
from slomix.runtime.context import Runtime


def with_buttons(message: Message, notice: Notice, occasion: Occasion) -> Message:
    """Add the button Mute to a message to a player, and the delivery's mark."""
    message = with_mute(message, notice, occasion)
    return with_mark(occasion.runtime, message, occasion.delivery.nonce, occasion.channel)


def with_stop_link(runtime: Runtime, message: Message, reach: Reachability | None, notice: Notice) -> Message:
    """Fill in the recipient's own link that stops such messages."""
    if reach is None or notice.kind is None:
        return message
    return replace(message, text=unsubscribe.fill_link(message.text, reach, notice.kind, settings=runtime.settings))
