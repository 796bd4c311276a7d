"""The audit log knows accounts by an id that outlives them, holds what admins do, and can only be added to.

Links to stop messages are signed with something of the link itself. Sessions know their last use and their browser.

Revision: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

LOG, USERS, SESSIONS, WISHES = "account_link_audit_log", "website_users", "website_sessions", "subscription_preferences"
BEFORE = (
    *("discord_linked", "discord_unlinked", "player_linked", "player_changed", "player_unlinked", "player_claimed"),
    *("claim_refused", "role_granted", "role_revoked", "signed_out_everywhere", "left_guild", "came_back"),
    *("players_imported", "moved_in"),
)
NEW = (
    *("links_seen", "sending_paused", "sending_resumed", "job_retried", "job_cancelled"),
    *("campaign_retried", "campaign_cancelled"),
)
# Their rows are only ever added; old ones are removed by the owner.
APPEND_ONLY = (LOG, "delivery_attempts")
_WHERE_THERE_IS_ONE = """
DO $$
BEGIN
    IF current_user <> 'website_app' AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'website_app') THEN
        {}
    END IF;
END
$$
"""


def _allow(actions: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_account_link_audit_log_linkaction"), LOG, type_="check")
    listed = ", ".join(f"'{action}'" for action in actions)
    op.create_check_constraint(op.f("ck_account_link_audit_log_linkaction"), LOG, f"action IN ({listed})")


def upgrade() -> None:
    _allow(BEFORE + NEW)
    op.execute(
        "UPDATE account_link_audit_log AS log SET actor = coalesce("
        "(SELECT id::text FROM website_users WHERE discord_id = log.actor),"
        " CASE WHEN actor = 'command line' THEN actor ELSE 'deleted' END) WHERE actor IS NOT NULL"
    )
    op.execute(
        "UPDATE account_link_audit_log SET actor = CASE WHEN action IN ('left_guild', 'came_back') THEN 'discord'"
        " ELSE 'command line' END"
        " WHERE actor IS NULL"
        " AND action IN ('role_granted', 'role_revoked', 'players_imported', 'left_guild', 'came_back')"
    )
    op.execute(
        "UPDATE account_link_audit_log AS log SET user_id = person.id FROM website_users AS person"
        " WHERE log.user_id IS NULL AND person.discord_id = log.discord_id"
    )
    op.drop_column(LOG, "discord_id")
    op.execute(
        "UPDATE account_link_audit_log SET details = details - 'role' || CASE action WHEN 'role_granted'"
        " THEN jsonb_build_object('old', NULL, 'new', details->'role')"
        " ELSE jsonb_build_object('old', details->'role', 'new', NULL) END WHERE details ? 'role'"
    )
    op.execute(
        "UPDATE sending_pauses AS pause SET by = person.id::text"
        " FROM website_users AS person WHERE person.discord_id = pause.by"
    )
    op.alter_column("campaign_recipients", "status", nullable=True)
    # Accounts that are linked to nobody are not written down any more.
    op.execute(
        "DELETE FROM voice_states WHERE discord_id NOT IN"
        " (SELECT discord_id FROM website_users WHERE player_id IS NOT NULL)"
    )
    op.add_column("granted_roles", sa.Column("number", sa.BigInteger(), sa.Identity(), nullable=False))
    op.create_unique_constraint(op.f("uq_granted_roles_number"), "granted_roles", ["number"])
    op.add_column(USERS, sa.Column("must_ask_since", sa.DateTime(timezone=True)))
    op.add_column(USERS, sa.Column("unsubscribe_salt", sa.Text(), server_default="", nullable=False))
    op.execute("UPDATE website_users SET unsubscribe_salt = gen_random_uuid()::text")
    op.alter_column(USERS, "unsubscribe_salt", server_default=None)
    op.add_column(SESSIONS, sa.Column("last_used_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE website_sessions SET last_used_at = created_at")
    op.alter_column(SESSIONS, "last_used_at", nullable=False)
    op.add_column(SESSIONS, sa.Column("browser", sa.Text(), server_default="", nullable=False))
    op.alter_column(SESSIONS, "browser", server_default=None)
    op.add_column(WISHES, sa.Column("unsubscribed_at", sa.DateTime(timezone=True)))
    op.add_column(WISHES, sa.Column("unsubscribed_kind", sa.Text()))
    # What stands in messages that are already gone is no permission any more.
    op.execute(
        "UPDATE notifications_ledger SET text = regexp_replace(text,"
        " '/stop/[0-9]+[.][a-z_]+[.][A-Za-z0-9_-]+', '/stop/…', 'g')"
        " WHERE text LIKE '%/stop/%'"
    )
    op.execute(
        _WHERE_THERE_IS_ONE.format(
            "\n".join(f"REVOKE UPDATE, DELETE ON {table} FROM website_app;" for table in APPEND_ONLY)
        )
    )


def downgrade() -> None:
    op.execute("UPDATE campaign_recipients SET status = 'LOOKING' WHERE status IS NULL")
    op.alter_column("campaign_recipients", "status", nullable=False)
    op.execute(
        _WHERE_THERE_IS_ONE.format(
            "\n".join(f"GRANT UPDATE, DELETE ON {table} TO website_app;" for table in APPEND_ONLY)
        )
    )
    op.drop_column(WISHES, "unsubscribed_kind")
    op.drop_column(WISHES, "unsubscribed_at")
    op.drop_column(SESSIONS, "browser")
    op.drop_column(SESSIONS, "last_used_at")
    op.drop_column(USERS, "unsubscribe_salt")
    op.drop_column(USERS, "must_ask_since")
    op.drop_constraint(op.f("uq_granted_roles_number"), "granted_roles", type_="unique")
    op.drop_column("granted_roles", "number")
    op.execute(
        "UPDATE sending_pauses AS pause SET by = person.discord_id"
        " FROM website_users AS person WHERE person.id::text = pause.by"
    )
    op.add_column(LOG, sa.Column("discord_id", sa.Text(), server_default="", nullable=False))
    op.alter_column(LOG, "discord_id", server_default=None)
    for action in NEW:
        op.execute(sa.text("DELETE FROM account_link_audit_log WHERE action = :action").bindparams(action=action))
    op.execute(
        "UPDATE account_link_audit_log AS log SET discord_id = person.discord_id"
        " FROM website_users AS person WHERE person.id = log.user_id"
    )
    op.execute(
        "UPDATE account_link_audit_log SET details = details - 'old' - 'new' - 'grant'"
        " || jsonb_build_object('role', coalesce(details->>'new', details->>'old'))"
        " WHERE action IN ('role_granted', 'role_revoked')"
    )
    op.execute(
        "UPDATE account_link_audit_log AS log SET actor = coalesce((SELECT discord_id FROM website_users"
        " WHERE id::text = log.actor),"
        " CASE WHEN actor = 'command line' THEN actor ELSE '' END) WHERE actor IS NOT NULL"
    )
    _allow(BEFORE)
