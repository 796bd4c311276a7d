"""Accounts grown up: a row for each session, granted roles, claims to a profile, membership of the server.

The sessions of before end with this step: everybody logs in once more.

Revision: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LOG = "account_link_audit_log"
ACTIONS_BEFORE = ("discord_linked", "discord_unlinked", "player_linked", "player_changed", "player_unlinked")
ACTIONS = (
    *ACTIONS_BEFORE,
    "player_claimed",
    "claim_refused",
    "role_granted",
    "role_revoked",
    "signed_out_everywhere",
    "left_guild",
    "came_back",
    "players_imported",
)


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def _allow(actions: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_account_link_audit_log_linkaction"), LOG, type_="check")
    listed = ", ".join(f"'{action}'" for action in actions)
    op.create_check_constraint(op.f("ck_account_link_audit_log_linkaction"), LOG, f"action IN ({listed})")


def upgrade() -> None:
    op.drop_column("website_users", "session_key")
    op.add_column("website_users", sa.Column("membership", _choice("membership", "unknown", "member", "left")))
    op.execute("UPDATE website_users SET membership = 'unknown'")
    op.alter_column("website_users", "membership", nullable=False)
    op.add_column("website_users", sa.Column("membership_seen_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("website_users", sa.Column("links_seen_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "website_sessions",
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["website_users.id"],
            name=op.f("fk_website_sessions_user_id_website_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_website_sessions")),
    )
    op.create_index(op.f("ix_website_sessions_user_id"), "website_sessions", ["user_id"])
    op.create_table(
        "granted_roles",
        sa.Column("discord_id", sa.Text(), nullable=False),
        sa.Column("role", _choice("role", "promoter", "admin"), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("discord_id", "role", name=op.f("pk_granted_roles")),
    )
    op.create_table(
        "player_claims",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("player_id", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("was_granted", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["website_users.id"], name=op.f("fk_player_claims_user_id_website_users"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["player_id"], ["players.id"], name=op.f("fk_player_claims_player_id_players"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_player_claims")),
    )
    op.create_index(
        "uq_player_claims_open_user",
        "player_claims",
        ["user_id"],
        unique=True,
        postgresql_where="settled_at IS NULL",
    )
    op.add_column(LOG, sa.Column("actor", sa.Text(), nullable=True))
    op.alter_column(LOG, "user_id", nullable=True)
    _allow(ACTIONS)


def downgrade() -> None:
    log = sa.table(LOG, sa.column("user_id"), sa.column("action"))
    op.execute(sa.delete(log).where(log.c.user_id.is_(None) | log.c.action.not_in(ACTIONS_BEFORE)))
    _allow(ACTIONS_BEFORE)
    op.alter_column(LOG, "user_id", nullable=False)
    op.drop_column(LOG, "actor")
    op.drop_table("player_claims")
    op.drop_table("granted_roles")
    op.drop_table("website_sessions")
    op.drop_column("website_users", "links_seen_at")
    op.drop_column("website_users", "membership_seen_at")
    op.drop_column("website_users", "membership")
    op.add_column("website_users", sa.Column("session_key", sa.Text(), nullable=True))
    op.execute("UPDATE website_users SET session_key = md5(random()::text || id::text)")
    op.alter_column("website_users", "session_key", nullable=False)
    op.create_unique_constraint(op.f("uq_website_users_session_key"), "website_users", ["session_key"])
