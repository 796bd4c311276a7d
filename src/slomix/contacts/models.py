"""Verified addresses and what their owners allow."""

from datetime import datetime, time

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from slomix.contacts.rules import ChannelName
from slomix.db import Base


class Contact(Base):
    """A player's verified address on a channel. An address belongs to one player."""

    __tablename__ = "contacts"
    __table_args__ = (
        UniqueConstraint("player_id", "channel", name="uq_contacts_player_channel"),
        UniqueConstraint("channel", "address", name="uq_contacts_channel_address"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    channel: Mapped[ChannelName]
    address: Mapped[str]
    # What the provider told us that saves asking again: the DM channel's id on Discord.
    learned: Mapped[str | None]
    verified_at: Mapped[datetime]
    unusable_since: Mapped[datetime | None]
    unusable_reason: Mapped[str | None]


class Preferences(Base):
    """What a player allows; who has no row allows nothing."""

    __tablename__ = "subscription_preferences"
    __table_args__ = (
        CheckConstraint("(quiet_start IS NULL) = (quiet_end IS NULL)", name="quiet_hours_whole"),
        CheckConstraint("quiet_start <> quiet_end", name="quiet_hours_some"),
        CheckConstraint("sound_cooldown_seconds BETWEEN 30 AND 3600", name="sound_cooldown_sane"),
    )

    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"), primary_key=True)
    allow_promotions: Mapped[bool] = mapped_column(default=False)
    quiet_start: Mapped[time | None]
    quiet_end: Mapped[time | None]
    timezone: Mapped[str]
    sound_enabled: Mapped[bool] = mapped_column(default=False)
    sound_cooldown_seconds: Mapped[int] = mapped_column(default=480)
    updated_at: Mapped[datetime]
