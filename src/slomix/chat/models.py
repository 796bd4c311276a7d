"""How far each channel has been read, what was answered already, and statuses that wait for their player."""

from datetime import date, datetime

from sqlalchemy.orm import Mapped, mapped_column

from slomix.availability.rules import Status
from slomix.contacts.rules import ChannelName
from slomix.database.session import Base


class InboxPosition(Base):
    """The number of the next update of a channel, moved in the transaction that answers the last."""

    __tablename__ = "inbox_positions"

    channel: Mapped[ChannelName] = mapped_column(primary_key=True)
    next_update: Mapped[int]
    moved_at: Mapped[datetime]


class ClaimedMessage(Base):
    """A message that an inbox has answered, by a hash of its sender, time and text."""

    __tablename__ = "claimed_messages"

    key: Mapped[str] = mapped_column(primary_key=True)
    claimed_at: Mapped[datetime] = mapped_column(index=True)


class WaitingStatus(Base):
    """What a Discord account without a player said for a day; it is saved when the account chooses its player."""

    __tablename__ = "waiting_statuses"

    discord_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date]
    status: Mapped[Status]
    said_at: Mapped[datetime] = mapped_column(index=True)
