"""A night's planning room: its names and votes, its teams and their history, and its thread on Discord."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from slomix.database.session import Base
from slomix.planning.rules import Change, Side
from slomix.presence.name_column import Name
from slomix.reasons.column import Explained, known

ONE_A_DAY = "uq_planning_sessions_day"
ONE_OF_A_NAME = "uq_planning_team_names_session_key"


class Room(Base):
    """A day's only room. A draft is under way while `first_pick` says which side picked first."""

    __tablename__ = "planning_sessions"
    __table_args__ = (
        UniqueConstraint("day", name=ONE_A_DAY),
        CheckConstraint("turn_until IS NULL OR first_pick IS NOT NULL", name="clock_while_drafting"),
        CheckConstraint("side_size BETWEEN 1 AND 32", name="side_size_sane"),
        CheckConstraint("turn_seconds BETWEEN 15 AND 300", name="turn_seconds_sane"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("players.id", ondelete="SET NULL"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("players.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
    # Counts the changes to the teams: pages and turn clocks name the version they were made for.
    version: Mapped[int] = mapped_column(default=0)
    first_pick: Mapped[Side | None]
    # Players a side, captain included; None for as many as there are.
    side_size: Mapped[int | None]
    # How long a pick may take; None without a clock.
    turn_seconds: Mapped[int | None]
    turn_until: Mapped[datetime | None]
    # The captain whose time that is: when a player leaves, it may be the other captain's turn.
    turn_of: Mapped[int | None] = mapped_column(ForeignKey("players.id", ondelete="SET NULL"))
    # When the room last asked for more players.
    asked_at: Mapped[datetime | None]

    @property
    def subject(self) -> str:
        """Return the name of this room in jobs and the ledger."""
        return f"planning:{self.id}"


class TeamMember(Base):
    """A player on a side, for as long as they stay committed without a break.

    `committed_since` is what their entry said when they were placed. Leaving for the night, by whatever way, leaves the
    team too; a player who comes back starts anew.
    """

    __tablename__ = "planning_team_members"
    __table_args__ = (
        Index("uq_planning_team_members_captain", "session_id", "side", unique=True, postgresql_where="is_captain"),
    )

    session_id: Mapped[int] = mapped_column(ForeignKey("planning_sessions.id", ondelete="CASCADE"), primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"), primary_key=True)
    side: Mapped[Side]
    is_captain: Mapped[bool]
    # The order on the side, which is that of the picks.
    place: Mapped[int]
    committed_since: Mapped[datetime]


class TeamName(Base):
    """A player's suggestion for a team's name. Names of one key are the same."""

    __tablename__ = "planning_team_names"
    __table_args__ = (
        UniqueConstraint("session_id", "name_key", name=ONE_OF_A_NAME),
        UniqueConstraint("session_id", "id", name="uq_planning_team_names_session_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("planning_sessions.id", ondelete="CASCADE"))
    suggested_by: Mapped[int | None] = mapped_column(ForeignKey("players.id", ondelete="SET NULL"))
    name: Mapped[Name]
    name_key: Mapped[str]
    created_at: Mapped[datetime]


class Vote(Base):
    """A player's only vote, for a name of the same room."""

    __tablename__ = "planning_votes"
    __table_args__ = (
        ForeignKeyConstraint(
            ["session_id", "team_name_id"],
            ["planning_team_names.session_id", "planning_team_names.id"],
            name="fk_planning_votes_team_name",
            ondelete="CASCADE",
        ),
    )

    session_id: Mapped[int] = mapped_column(ForeignKey("planning_sessions.id", ondelete="CASCADE"), primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id", ondelete="CASCADE"), primary_key=True)
    team_name_id: Mapped[int]


class Undo(Base):
    """The teams before a change, newest number last; undoing removes the newest."""

    __tablename__ = "planning_undo"

    session_id: Mapped[int] = mapped_column(ForeignKey("planning_sessions.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int | None] = mapped_column(ForeignKey("players.id", ondelete="SET NULL"))
    change: Mapped[Change]
    before: Mapped[dict[str, Any]] = mapped_column(JSONB)


class RoomThread(Base):
    """The room's private thread on Discord, as last known."""

    __tablename__ = "planning_threads"
    __table_args__ = (known("error"),)

    session_id: Mapped[int] = mapped_column(ForeignKey("planning_sessions.id", ondelete="CASCADE"), primary_key=True)
    thread_id: Mapped[str | None]
    # Discord accounts that were added.
    members: Mapped[list[str]]
    # The message with the teams, and its text.
    message_id: Mapped[str | None]
    said: Mapped[str | None]
    error: Mapped[Explained | None]
    # Accounts that Discord refused to add or to remove, each with its explanation.
    refused: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
