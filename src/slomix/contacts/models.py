"""Verified addresses, codes that prove an address, and what players allow."""

from datetime import datetime, time

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from slomix.contacts.rules import ChannelName, ContactRoute, PreferredChannel
from slomix.database.session import Base
from slomix.reasons.column import Explained, known


class Contact(Base):
    """A player's verified address on a channel. An address belongs to one player.

    On Discord it is the Discord id of the player's user; elsewhere it is sealed (see `encryption`).
    """

    __tablename__ = "contacts"
    __table_args__ = (
        UniqueConstraint("player_id", "channel", name="uq_contacts_player_channel"),
        UniqueConstraint("channel", "address_hash", name="uq_contacts_channel_address_hash"),
        CheckConstraint("(channel = 'discord') = (sealed IS NULL)", name="sealed_unless_discord"),
        CheckConstraint("(sealed IS NULL) = (address_hash IS NULL)", name="sealed_with_hash"),
        known("unusable_reason"),
        known("last_error"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"))
    channel: Mapped[ChannelName]
    sealed: Mapped[str | None]
    address_hash: Mapped[str | None]
    # What the provider told us, so as not to ask again: the DM channel's id on Discord.
    learned: Mapped[str | None]
    verified_at: Mapped[datetime]
    unusable_since: Mapped[datetime | None]
    unusable_reason: Mapped[Explained | None]
    last_success_at: Mapped[datetime | None]
    last_error: Mapped[Explained | None]
    last_error_at: Mapped[datetime | None]

    @property
    def route(self) -> ContactRoute:
        """Return it as a way to reach its player."""
        return ContactRoute(
            self.id, self.channel, self.sealed, self.learned, self.unusable_since is None, self.verified_at
        )


class LinkCode(Base):
    """A code that a player was shown; deleted when its chat is linked.

    Sent from a chat, the code is spent, and the row is that chat's alone until it says yes or no.
    """

    __tablename__ = "contact_link_codes"
    __table_args__ = (UniqueConstraint("channel", "chat_hash", name="uq_contact_link_codes_chat"),)

    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"), primary_key=True)
    channel: Mapped[ChannelName] = mapped_column(primary_key=True)
    code_hash: Mapped[str] = mapped_column(unique=True)
    # That of the chat that sent it.
    chat_hash: Mapped[str | None]
    requested_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class StoredPreferences(Base):
    """What a player allows; a player without a row allows nothing, and was not asked yet."""

    __tablename__ = "subscription_preferences"
    __table_args__ = (
        CheckConstraint("(quiet_start IS NULL) = (quiet_end IS NULL)", name="quiet_hours_whole"),
        CheckConstraint("quiet_start <> quiet_end", name="quiet_hours_some"),
        CheckConstraint("sound_cooldown_seconds BETWEEN 30 AND 3600", name="sound_cooldown_sane"),
        CheckConstraint("looking_threshold BETWEEN 0 AND 99", name="looking_threshold_sane"),
    )

    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"), primary_key=True)
    allow_promotions: Mapped[bool] = mapped_column(default=False)
    session_ready: Mapped[bool] = mapped_column(default=False)
    daily_reminder: Mapped[bool] = mapped_column(default=False)
    # "Tell me when tonight's room needs more players."
    more_needed: Mapped[bool] = mapped_column(default=False)
    # "Tell me when N are looking"; 0 is off.
    looking_threshold: Mapped[int] = mapped_column(default=0)
    preferred_channel: Mapped[PreferredChannel] = mapped_column(default=PreferredChannel.ANY)
    quiet_start: Mapped[time | None]
    quiet_end: Mapped[time | None]
    timezone: Mapped[str]
    sound_enabled: Mapped[bool] = mapped_column(default=False)
    sound_cooldown_seconds: Mapped[int] = mapped_column(default=480)
    updated_at: Mapped[datetime]
    # When a link in a message last switched something off, which kind, and until its owner has seen that.
    unsubscribed_at: Mapped[datetime | None]
    unsubscribed_kind: Mapped[str | None]
