"""Campaigns and their recipients."""

from datetime import date, datetime

from sqlalchemy import ColumnElement, ForeignKey, Index, Text, UniqueConstraint, cast, literal
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from slomix.availability.rules import Status
from slomix.campaigns.rules import SUBJECT, Audience, CampaignState, CampaignStatus, subject_of
from slomix.database.session import Base
from slomix.presence.rules import VoiceStatus

PER_PROMOTER = "uq_campaign_promoter_day"
PER_DAY = "uq_campaign_exclusive_on"
PER_SUBMIT = "uq_campaign_promoter_key"


def subject_column(campaign_id: InstrumentedAttribute[int]) -> ColumnElement[str]:
    """Write `subject_of` in SQL."""
    return literal(SUBJECT) + cast(campaign_id, Text)


class Campaign(Base):
    """One evening called together by one promoter."""

    __tablename__ = "availability_promotion_campaigns"
    __table_args__ = (
        UniqueConstraint("promoter_id", "idempotency_key", name=PER_SUBMIT),
        Index(
            PER_PROMOTER,
            "promoter_id",
            "day",
            unique=True,
            postgresql_where="NOT dry_run AND status <> 'cancelled'",
        ),
        Index(PER_DAY, "exclusive_on", unique=True, postgresql_where="status <> 'cancelled'"),
        Index("ix_campaign_day", "day"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date]
    promoter_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="RESTRICT"))
    include_available: Mapped[bool]
    include_maybe: Mapped[bool]
    include_late_joiners: Mapped[bool]
    dry_run: Mapped[bool]
    # The day, if the global cooldown was on at creation and this is no dry run: only one such campaign a day.
    exclusive_on: Mapped[date | None]
    idempotency_key: Mapped[str]
    status: Mapped[CampaignStatus] = mapped_column(default=CampaignStatus.SCHEDULED)
    # The start that people are told; the start notice itself may leave later.
    start_at: Mapped[datetime]
    joiners_added_at: Mapped[datetime | None]
    judged_at: Mapped[datetime | None]
    # How many came to voice, of how many who were told: by the voice check and, since `counted_at`, for good.
    came: Mapped[int | None]
    counted: Mapped[int | None]
    counted_at: Mapped[datetime | None]
    # When its messages were deleted; from then on its status is final.
    ledger_pruned_at: Mapped[datetime | None]
    # How many players it told something; stored when its messages were deleted.
    told: Mapped[int | None]
    # What went wrong, if it is partial; stored at the same moment.
    cause: Mapped[CampaignState | None]
    # Since when every look of the risk monitor has found something wrong. Wall time, as it is about processes.
    endangered_since: Mapped[datetime | None]
    created_at: Mapped[datetime]

    @property
    def audience(self) -> Audience:
        return Audience(self.include_available, self.include_maybe)

    @property
    def subject(self) -> str:
        """Return how jobs and the ledger name this campaign."""
        return subject_of(self.id)


class Recipient(Base):
    """A player whom a campaign asks: chosen at creation; late joiners are added only if the promoter ticked it."""

    __tablename__ = "campaign_recipients"

    campaign_id: Mapped[int] = mapped_column(
        ForeignKey("availability_promotion_campaigns.id", ondelete="CASCADE"), primary_key=True
    )
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"), primary_key=True)
    # What they had said about the day; None once they deleted their account.
    status: Mapped[Status | None]
    added_at: Mapped[datetime]
    # Where the voice check found them.
    whereabouts: Mapped[VoiceStatus | None]
    # Whether they were on the game server then; None if it was not asked, or did not answer.
    on_server: Mapped[bool | None]
    # When they were first seen in a gaming room, between the start and the voice check's deadline.
    seen_at: Mapped[datetime | None]
    # Whether they were counted as present; None if they are in no count, as they were never told.
    came: Mapped[bool | None]
