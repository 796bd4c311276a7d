"""What is known of an evening's message and of its event on Discord."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from slomix.channels.base import EventStatus
from slomix.database.session import Base
from slomix.reasons.column import Explained, known


class EveningMessage(Base):
    """The one message of an evening in the announcement room: what stands there, and what is under way."""

    __tablename__ = "evening_messages"
    __table_args__ = (
        known("problem"),
        CheckConstraint("message_id IS NULL OR tried_at IS NULL", name="tried_until_it_is_there"),
    )

    day: Mapped[date] = mapped_column(primary_key=True)
    room: Mapped[str]
    # Its nonce, by which it is also found again: it stands in the link of a button, and in what the others send.
    mark: Mapped[str]
    message_id: Mapped[str | None]
    # Since when, in wall time, a post of ours may stand there whose answer was not seen.
    tried_at: Mapped[datetime | None]
    posted_at: Mapped[datetime | None]
    # A hash of its text as we know it, without names; None if that is not known.
    fingerprint: Mapped[str | None]
    # Wall time, as Discord counts edits.
    edited_at: Mapped[datetime | None]
    # Until then, in wall time, it is left alone.
    held_until: Mapped[datetime | None]
    # When it was last looked how far it has scrolled away.
    looked_at: Mapped[datetime | None]
    # Whether it was made anew already, which happens once: it was deleted, or had scrolled away.
    is_second: Mapped[bool] = mapped_column(default=False, server_default=false())
    # The first one, which is still to be removed.
    surplus_id: Mapped[str | None]
    problem: Mapped[Explained | None]

    @property
    def may_stand(self) -> bool:
        """Return whether it stands there, as far as we know."""
        return self.message_id is not None or self.tried_at is not None


class EveningEvent(Base):
    """The scheduled event of an evening's campaign."""

    __tablename__ = "evening_events"
    __table_args__ = (known("problem"),)

    day: Mapped[date] = mapped_column(primary_key=True)
    # Of which campaign it is, or was: for one that is over, or that somebody deleted, no other is made.
    campaign_id: Mapped[int]
    # Stands in its description, so that it is found again.
    mark: Mapped[str]
    event_id: Mapped[str | None]
    # Since when, in wall time, one of ours may stand there whose answer was not seen.
    tried_at: Mapped[datetime | None]
    # The number of its EventStatus, as far as we know.
    status: Mapped[int | None]
    # A hash of what it says as we know it; None if that is not known.
    fingerprint: Mapped[str | None]
    # Until then, in wall time, it is left alone.
    held_until: Mapped[datetime | None]
    problem: Mapped[Explained | None]

    @property
    def is_over(self) -> bool:
        return self.status is not None and EventStatus(self.status).is_over
