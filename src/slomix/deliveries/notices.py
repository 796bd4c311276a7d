"""What a capability says of its own messages: whether each is still wanted as it leaves, and its words."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from slomix.channels.base import Message
from slomix.contacts.rules import ChannelName, MessageKind, Reachability
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import Skip
from slomix.runtime.context import Runtime


@dataclass(frozen=True)
class Occasion:
    """A delivery that is about to leave: its player's reachability (None for a room), its channel and the moment."""

    runtime: Runtime
    session: Session
    delivery: Delivery
    reach: Reachability | None
    channel: ChannelName
    now: datetime


class Notice(ABC):
    """Describe one kind of message; the ledger asks at the moment of sending."""

    # The name under which the ledger stores it.
    name: str
    # What the player has to have switched on; None for what was asked for just now, or for a warning.
    kind: MessageKind | None = None
    heeds_quiet_hours: bool = True
    # Whether it goes over the channel it was planned for, or not at all.
    keeps_channel: bool = False

    @abstractmethod
    def compose(self, occasion: Occasion, /) -> Message | Skip:
        """Return the message in words that are true now, or why it should not leave any more."""
