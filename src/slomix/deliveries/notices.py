"""The interface by which a capability writes its messages, and skips those that are no longer wanted."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from slomix.channels.base import Message
from slomix.contacts.rules import ChannelName, MessageKind, Reachability
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import Skip
from slomix.jobs.rules import Postpone
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
    """A kind of message; it is asked for its words at the moment of sending."""

    # Its name in the ledger.
    name: str
    # What the player must have switched on; None for a message they just asked for, or a warning.
    kind: MessageKind | None = None
    heeds_quiet_hours: bool = True
    # Whether it goes only over the channel it was planned for.
    keeps_channel: bool = False

    @abstractmethod
    def compose(self, occasion: Occasion, /) -> Message | Skip | Postpone:
        """Return the message in words that are true now, or why it should no longer leave, or not yet."""
