"""Player profiles, website users with their Discord account, logins in progress, and the log of links."""

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from slomix.db import Base


class Player(Base):
    """A profile of the community's stats, filled by an operator; the unit that plays, is asked and is told."""

    __tablename__ = "players"

    id: Mapped[int] = mapped_column(primary_key=True)
    guid: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    aliases: Mapped[list[str]]
    created_at: Mapped[datetime]


class User(Base):
    """Somebody who logged in: one Discord account, at most one player."""

    __tablename__ = "website_users"
    __table_args__ = (CheckConstraint("discord_id ~ '^[0-9]{1,20}$'", name="discord_id_is_snowflake"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    discord_id: Mapped[str] = mapped_column(unique=True)
    discord_username: Mapped[str]
    display_name: Mapped[str]
    player_id: Mapped[int | None] = mapped_column(ForeignKey("players.id", ondelete="SET NULL"), unique=True)
    # What the session cookie holds; a new one ends every session of this user.
    session_key: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    last_login_at: Mapped[datetime]

    player: Mapped[Player | None] = relationship(lazy="joined")


class LoginAttempt(Base):
    """A login that was sent to Discord and has not come back; deleted when it does, so it is accepted once."""

    __tablename__ = "login_attempts"

    state_hash: Mapped[str] = mapped_column(primary_key=True)
    browser_hash: Mapped[str]
    code_verifier: Mapped[str]
    next_path: Mapped[str]
    expires_at: Mapped[datetime]


class LinkAction(enum.StrEnum):
    """What happened to a link."""

    DISCORD_LINKED = "discord_linked"
    DISCORD_UNLINKED = "discord_unlinked"
    PLAYER_LINKED = "player_linked"
    PLAYER_CHANGED = "player_changed"
    PLAYER_UNLINKED = "player_unlinked"


class LinkEvent(Base):
    """The audit log of links. No foreign keys: the history outlives what it tells of."""

    __tablename__ = "account_link_audit_log"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int]
    discord_id: Mapped[str]
    action: Mapped[LinkAction]
    details: Mapped[dict[str, str]] = mapped_column(JSONB)
    at: Mapped[datetime]
