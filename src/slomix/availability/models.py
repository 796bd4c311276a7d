"""One status per player and day, and the calendars that read them."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from slomix.availability.rules import Status
from slomix.database.session import Base


class Entry(Base):
    """A player's status for a day; no row means that nothing was said."""

    __tablename__ = "availability_entries"
    __table_args__ = (
        UniqueConstraint("player_id", "day", name="uq_availability_entries_player_day"),
        CheckConstraint("(status = 'LOOKING') = (looking_since IS NOT NULL)", name="looking_since_when_looking"),
        CheckConstraint(
            "(status IN ('LOOKING', 'AVAILABLE')) = (committed_since IS NOT NULL)",
            name="committed_since_when_committed",
        ),
        Index("ix_availability_entries_day", "day"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    day: Mapped[date]
    status: Mapped[Status]
    # When the player last became LOOKING: the place in the queue.
    looking_since: Mapped[datetime | None]
    # When they last began to be LOOKING or AVAILABLE, without a break since.
    committed_since: Mapped[datetime | None]
    # Until when they have said to be late; over once that moment has passed.
    late_until: Mapped[datetime | None]
    updated_at: Mapped[datetime]


class CalendarFeed(Base):
    """The secret address under which a calendar reads a player's evenings; it ends with the player's link."""

    __tablename__ = "calendar_feeds"

    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"), primary_key=True)
    secret_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
