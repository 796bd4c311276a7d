"""How far each channel has been read, and the messages that an inbox has claimed."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

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
