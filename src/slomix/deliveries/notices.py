"""The interface by which a capability writes its messages, and skips those that are no longer wanted."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from slomix.channels.base import Message
from slomix.clock import local_day
from slomix.contacts.rules import ChannelName, MessageKind, Reachability
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import Budget, Skip
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

    @property
    def today(self) -> date:
        settings = self.runtime.settings
        return local_day(self.now, settings.zone, settings.day_starts_at)


class Notice(ABC):
    """A kind of message; it is asked for its words at the moment of sending."""

    # Its name in the ledger.
    name: str
    # What the player must have switched on; None for a message they just asked for, or a warning.
    kind: MessageKind | None = None
    # How it counts towards a player's messages of a day; a post to a room is in nobody's budget.
    budget: Budget
    heeds_quiet_hours: bool = True
    # Whether it goes only over the channel it was planned for.
    keeps_channel: bool = False

    @property
    def mutes(self) -> str | None:
        """Return the kind that the button Mute under it switches off; None where there is nothing to switch off."""
        return self.kind

    @abstractmethod
    def compose(self, occasion: Occasion, /) -> Message | Skip | Postpone:
        """Return the message in words that are true now, or why it should no longer leave, or not yet."""

    def still_true(self, _occasion: Occasion, /) -> str | None:
        """Return in one sentence what is still true of a message that was held back, if anything."""
        return None


class EditedNotice(Notice):
    """A kind of message that is edited when what it says is no longer true."""

    @abstractmethod
    def edition(self, session: Session, subject: str, /) -> str | None:
        """Return what its messages should say by now, in a short form; None if they say what they said at first."""

    @abstractmethod
    def edited(self, occasion: Occasion, /) -> Message:
        """Return what a message that was sent says from now on."""
