"""The planning room; since when a player is committed; a rating; and the wish to hear that more are needed.

Revision: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _side() -> sa.Enum:
    return sa.Enum("A", "B", name="side", native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "planning_sessions",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("first_pick", _side(), nullable=True),
        sa.Column("side_size", sa.BigInteger(), nullable=True),
        sa.Column("turn_seconds", sa.BigInteger(), nullable=True),
        sa.Column("turn_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("turn_of", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("side_size BETWEEN 1 AND 32", name=op.f("ck_planning_sessions_side_size_sane")),
        sa.CheckConstraint("turn_seconds BETWEEN 15 AND 300", name=op.f("ck_planning_sessions_turn_seconds_sane")),
        sa.CheckConstraint(
            "turn_until IS NULL OR first_pick IS NOT NULL", name=op.f("ck_planning_sessions_clock_while_drafting")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["players.id"], name=op.f("fk_planning_sessions_created_by_players"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["players.id"], name=op.f("fk_planning_sessions_owner_id_players"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["turn_of"], ["players.id"], name=op.f("fk_planning_sessions_turn_of_players"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_planning_sessions")),
        sa.UniqueConstraint("day", name="uq_planning_sessions_day"),
    )
    op.create_table(
        "planning_team_members",
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("player_id", sa.BigInteger(), nullable=False),
        sa.Column("side", _side(), nullable=False),
        sa.Column("is_captain", sa.Boolean(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("committed_since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["player_id"], ["players.id"], name=op.f("fk_planning_team_members_player_id_players"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["planning_sessions.id"],
            name=op.f("fk_planning_team_members_session_id_planning_sessions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", "player_id", name=op.f("pk_planning_team_members")),
    )
    op.create_index(
        "uq_planning_team_members_captain",
        "planning_team_members",
        ["session_id", "side"],
        unique=True,
        postgresql_where="is_captain",
    )
    op.create_table(
        "planning_team_names",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("suggested_by", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["planning_sessions.id"],
            name=op.f("fk_planning_team_names_session_id_planning_sessions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["suggested_by"],
            ["players.id"],
            name=op.f("fk_planning_team_names_suggested_by_players"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_planning_team_names")),
        sa.UniqueConstraint("session_id", "id", name="uq_planning_team_names_session_id"),
        sa.UniqueConstraint("session_id", "name_key", name="uq_planning_team_names_session_key"),
    )
    op.create_table(
        "planning_threads",
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("thread_id", sa.Text(), nullable=True),
        sa.Column("members", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["planning_sessions.id"],
            name=op.f("fk_planning_threads_session_id_planning_sessions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_planning_threads")),
    )
    op.create_table(
        "planning_undo",
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("player_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "change",
            sa.Enum(
                "pick",
                "place",
                "captain",
                "teams",
                "draft",
                name="change",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["player_id"], ["players.id"], name=op.f("fk_planning_undo_player_id_players"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["planning_sessions.id"],
            name=op.f("fk_planning_undo_session_id_planning_sessions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", "number", name=op.f("pk_planning_undo")),
    )
    op.create_table(
        "planning_votes",
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("player_id", sa.BigInteger(), nullable=False),
        sa.Column("team_name_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["player_id"], ["players.id"], name=op.f("fk_planning_votes_player_id_players"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["session_id", "team_name_id"],
            ["planning_team_names.session_id", "planning_team_names.id"],
            name="fk_planning_votes_team_name",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["planning_sessions.id"],
            name=op.f("fk_planning_votes_session_id_planning_sessions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", "player_id", name=op.f("pk_planning_votes")),
    )
    op.add_column("availability_entries", sa.Column("committed_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("players", sa.Column("rating", sa.Double(), nullable=True))
    op.execute(
        "UPDATE availability_entries SET committed_since = coalesce(looking_since, updated_at)"
        " WHERE status IN ('LOOKING', 'AVAILABLE')"
    )
    op.create_check_constraint(
        "committed_since_when_committed",
        "availability_entries",
        "(status IN ('LOOKING', 'AVAILABLE')) = (committed_since IS NOT NULL)",
    )
    op.add_column("subscription_preferences", sa.Column("more_needed", sa.Boolean(), nullable=True))
    op.execute("UPDATE subscription_preferences SET more_needed = false")
    op.alter_column("subscription_preferences", "more_needed", nullable=False)


def downgrade() -> None:
    # Rooms that come again begin with the same ids, and nobody knows these kinds of jobs any more.
    op.execute("DELETE FROM jobs WHERE kind IN ('planning_turn', 'planning_thread')")
    op.execute(
        "DELETE FROM jobs WHERE kind = 'delivery'"
        " AND subject IN (SELECT id::text FROM notifications_ledger WHERE notice = 'planning_ask')"
    )
    op.execute("DELETE FROM notifications_ledger WHERE notice = 'planning_ask'")
    op.drop_column("subscription_preferences", "more_needed")
    op.drop_column("players", "rating")
    op.drop_constraint("committed_since_when_committed", "availability_entries", type_="check")
    op.drop_column("availability_entries", "committed_since")
    op.drop_table("planning_votes")
    op.drop_table("planning_undo")
    op.drop_table("planning_threads")
    op.drop_table("planning_team_names")
    op.drop_index("uq_planning_team_members_captain", table_name="planning_team_members", postgresql_where="is_captain")
    op.drop_table("planning_team_members")
    op.drop_table("planning_sessions")
