"""What is known of an evening's message on Discord."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

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
