"""The ledger and its attempts."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from slomix.channels.base import Button
from slomix.contacts.rules import ChannelName
from slomix.database.session import Base
from slomix.deliveries.rules import LIVE_STATUSES, AttemptEvent, DeliveryStatus
from slomix.reasons.column import Explained, known


class Delivery(Base):
    """One notice to one player, or to one room, on one channel. The row exists before the message leaves."""

    __tablename__ = "notifications_ledger"
    __table_args__ = (
        # Null players are not distinct, so that a room has one row too.
        UniqueConstraint(
            "player_id",
            "event_key",
            "channel",
            name="uq_ledger_player_event_channel",
            postgresql_nulls_not_distinct=True,
        ),
        Index(
            "uq_ledger_live_player_event",
            "player_id",
            "event_key",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=f"status IN ({', '.join(repr(status.value) for status in LIVE_STATUSES)})",
        ),
        CheckConstraint("num_nonnulls(player_id, destination) = 1", name="player_or_room"),
        CheckConstraint("(status = 'skipped') <= (reason IS NOT NULL)", name="skipped_with_reason"),
        CheckConstraint("(status IN ('sending', 'sent')) <= (text IS NOT NULL)", name="words_before_sending"),
        known("reason"),
        Index("ix_ledger_subject_notice", "subject", "notice"),
        Index("ix_ledger_created_at", "created_at"),
        Index("ix_ledger_budget", "player_id", "budget_day", postgresql_where="budget_day IS NOT NULL"),
        # For the foreign key, when old rows are deleted.
        Index("ix_ledger_told_in", "told_in", postgresql_where="told_in IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int | None] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    destination: Mapped[str | None]
    event_key: Mapped[str]
    channel: Mapped[ChannelName]
    # The name of the notice, which writes the words, and what it is about.
    notice: Mapped[str]
    subject: Mapped[str]
    status: Mapped[DeliveryStatus] = mapped_column(default=DeliveryStatus.PENDING)
    reason: Mapped[Explained | None]
    # The next channel, tried because this one failed; this row no longer says whether the player was told.
    fell_back_to: Mapped[str | None]
    nonce: Mapped[str]
    text: Mapped[str | None]
    deadline_at: Mapped[datetime | None]
    # Wall time, since when the provider remembers the nonce.
    first_tried_at: Mapped[datetime | None]
    message_id: Mapped[str | None]
    # The day among whose messages to this player it counts, or for which it was held back as one too many.
    budget_day: Mapped[date | None]
    # The later message that said what was still true of this one, which was held back.
    told_in: Mapped[int | None] = mapped_column(ForeignKey("notifications_ledger.id", ondelete="SET NULL"))
    # What the message says since it was edited, in a form of its notice; None while it says what it said when it left.
    edition: Mapped[str | None]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class OfferedChoices(Base):
    """What a chat without buttons was offered to choose from by number, until a later message offers something else.

    The chat is a hash. Of a message that may have arrived or not it is not known what its reader sees.
    """

    __tablename__ = "offered_choices"
    __table_args__ = (Index("ix_offered_choices_chat", "channel", "chat_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[ChannelName]
    chat_hash: Mapped[str]
    # That of the message.
    nonce: Mapped[str] = mapped_column(unique=True)
    # Pairs of a label and what the button would send, in the order of their numbers.
    choices: Mapped[list[list[str]]] = mapped_column(JSONB)
    offered_at: Mapped[datetime] = mapped_column(index=True)
    has_arrived: Mapped[bool] = mapped_column(default=False)

    @property
    def buttons(self) -> list[Button]:
        return [Button(label, value) for label, value in self.choices]


class Attempt(Base):
    """One half of a try. Rows are only ever added."""

    __tablename__ = "delivery_attempts"
    __table_args__ = (
        UniqueConstraint("delivery_id", "claim", "event", name="uq_delivery_attempts_claim_event"),
        known("error"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("notifications_ledger.id", ondelete="CASCADE"))
    # The job's claim under which it was made.
    claim: Mapped[int]
    event: Mapped[AttemptEvent]
    status: Mapped[DeliveryStatus]
    error: Mapped[Explained | None]
    at: Mapped[datetime]
    wall_at: Mapped[datetime]


class Pause(Base):
    """The one switch that stops all sending: sending is paused while there is a row."""

    __tablename__ = "sending_pauses"
    __table_args__ = (CheckConstraint("id = 1", name="one_switch"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    since: Mapped[datetime]
    by: Mapped[str]
