"""The tables of an evening: players, statuses, campaigns, jobs and the ledger.

Every promise of one is a constraint here: one status per player and day, one player per account, one campaign per
promoter and day and one per day under the global cooldown, one job per type and campaign, one ledger row per player,
event and channel.

Revision: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

# An ALTER waits for every open transaction on its table, and everybody else waits behind it: keep steps small.

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_link_audit_log",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("discord_id", sa.Text(), nullable=False),
        sa.Column(
            "action",
            sa.Enum(
                "discord_linked",
                "discord_unlinked",
                "player_linked",
                "player_changed",
                "player_unlinked",
                name="linkaction",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_link_audit_log")),
    )
    op.create_table(
        "heartbeats",
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("part", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "running",
                "sent",
                "skipped",
                "failed",
                name="jobstatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("max_attempts", sa.BigInteger(), nullable=False),
        sa.Column("claims", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wait_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("nudge_again_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("nudges", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'running') = (lease_until IS NOT NULL)", name=op.f("ck_jobs_lease_while_running")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("kind", "subject", name="uq_jobs_kind_subject"),
    )
    op.create_index("ix_jobs_due", "jobs", ["run_at"], unique=False, postgresql_where="status = 'pending'")
    op.create_index("ix_jobs_leases", "jobs", ["lease_until"], unique=False, postgresql_where="status = 'running'")
    op.create_table(
        "login_attempts",
        sa.Column("state_hash", sa.Text(), nullable=False),
        sa.Column("browser_hash", sa.Text(), nullable=False),
        sa.Column("code_verifier", sa.Text(), nullable=False),
        sa.Column("next_path", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_login_attempts")),
    )
    op.create_table(
        "players",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("guid", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("aliases", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_players")),
        sa.UniqueConstraint("guid", name=op.f("uq_players_guid")),
    )
    op.create_table(
        "presence_observations",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_presence_observations")),
    )
    op.create_table(
        "voice_states",
        sa.Column("discord_id", sa.Text(), nullable=False),
        sa.Column("voice_channel_id", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("discord_id", name=op.f("pk_voice_states")),
    )
    op.create_table(
        "availability_entries",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("player_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "LOOKING",
                "AVAILABLE",
                "MAYBE",
                "NOT_PLAYING",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("looking_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(status = 'LOOKING') = (looking_since IS NOT NULL)",
            name=op.f("ck_availability_entries_looking_since_when_looking"),
        ),
        sa.ForeignKeyConstraint(
            ["player_id"], ["players.id"], name=op.f("fk_availability_entries_player_id_players"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_availability_entries")),
        sa.UniqueConstraint("player_id", "day", name="uq_availability_entries_player_day"),
    )
    op.create_index("ix_availability_entries_day", "availability_entries", ["day"], unique=False)
    op.create_table(
        "availability_promotion_campaigns",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("promoter_id", sa.BigInteger(), nullable=False),
        sa.Column("include_available", sa.Boolean(), nullable=False),
        sa.Column("include_maybe", sa.Boolean(), nullable=False),
        sa.Column("include_late_joiners", sa.Boolean(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("exclusive_on", sa.Date(), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "scheduled",
                "running",
                "sent",
                "partial",
                "failed",
                "followup_sent",
                "cancelled",
                name="campaignstatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("joiners_added_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["promoter_id"],
            ["players.id"],
            name=op.f("fk_availability_promotion_campaigns_promoter_id_players"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_availability_promotion_campaigns")),
        sa.UniqueConstraint("promoter_id", "idempotency_key", name="uq_campaign_promoter_key"),
    )
    op.create_index("ix_campaign_day", "availability_promotion_campaigns", ["day"], unique=False)
    op.create_index(
        "uq_campaign_exclusive_on",
        "availability_promotion_campaigns",
        ["exclusive_on"],
        unique=True,
        postgresql_where="status <> 'cancelled'",
    )
    op.create_index(
        "uq_campaign_promoter_day",
        "availability_promotion_campaigns",
        ["promoter_id", "day"],
        unique=True,
        postgresql_where="NOT dry_run AND status <> 'cancelled'",
    )
    op.create_table(
        "contacts",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("player_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum("discord", name="channelname", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("learned", sa.Text(), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("unusable_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unusable_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["player_id"], ["players.id"], name=op.f("fk_contacts_player_id_players"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
        sa.UniqueConstraint("channel", "address", name="uq_contacts_channel_address"),
        sa.UniqueConstraint("player_id", "channel", name="uq_contacts_player_channel"),
    )
    op.create_table(
        "notifications_ledger",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("player_id", sa.BigInteger(), nullable=True),
        sa.Column("destination", sa.Text(), nullable=True),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum("discord", name="channelname", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "sending",
                "sent",
                "skipped",
                "failed",
                "unknown",
                name="deliverystatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'skipped') <= (reason IS NOT NULL)", name=op.f("ck_notifications_ledger_skipped_with_reason")
        ),
        sa.CheckConstraint(
            "(status IN ('sending', 'sent')) <= (text IS NOT NULL)",
            name=op.f("ck_notifications_ledger_words_before_sending"),
        ),
        sa.CheckConstraint(
            "num_nonnulls(player_id, destination) = 1", name=op.f("ck_notifications_ledger_player_or_room")
        ),
        sa.ForeignKeyConstraint(
            ["player_id"], ["players.id"], name=op.f("fk_notifications_ledger_player_id_players"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications_ledger")),
        sa.UniqueConstraint(
            "player_id",
            "event_key",
            "channel",
            name="uq_ledger_player_event_channel",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index("ix_ledger_subject_notice", "notifications_ledger", ["subject", "notice"], unique=False)
    op.create_index(
        "uq_ledger_live_player_event",
        "notifications_ledger",
        ["player_id", "event_key"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where="status IN ('pending', 'sending', 'sent', 'unknown')",
    )
    op.create_table(
        "subscription_preferences",
        sa.Column("player_id", sa.BigInteger(), nullable=False),
        sa.Column("allow_promotions", sa.Boolean(), nullable=False),
        sa.Column("quiet_start", sa.Time(), nullable=True),
        sa.Column("quiet_end", sa.Time(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(quiet_start IS NULL) = (quiet_end IS NULL)", name=op.f("ck_subscription_preferences_quiet_hours_whole")
        ),
        sa.CheckConstraint("quiet_start <> quiet_end", name=op.f("ck_subscription_preferences_quiet_hours_some")),
        sa.ForeignKeyConstraint(
            ["player_id"],
            ["players.id"],
            name=op.f("fk_subscription_preferences_player_id_players"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("player_id", name=op.f("pk_subscription_preferences")),
    )
    op.create_table(
        "website_users",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("discord_id", sa.Text(), nullable=False),
        sa.Column("discord_username", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("player_id", sa.BigInteger(), nullable=True),
        sa.Column("session_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("discord_id ~ '^[0-9]{1,20}$'", name=op.f("ck_website_users_discord_id_is_snowflake")),
        sa.ForeignKeyConstraint(
            ["player_id"], ["players.id"], name=op.f("fk_website_users_player_id_players"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_website_users")),
        sa.UniqueConstraint("discord_id", name=op.f("uq_website_users_discord_id")),
        sa.UniqueConstraint("player_id", name=op.f("uq_website_users_player_id")),
        sa.UniqueConstraint("session_key", name=op.f("uq_website_users_session_key")),
    )
    op.create_table(
        "campaign_recipients",
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("player_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "LOOKING",
                "AVAILABLE",
                "MAYBE",
                "NOT_PLAYING",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "whereabouts",
            sa.Enum(
                "here",
                "elsewhere",
                "missing",
                "unknown",
                name="whereabouts",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["availability_promotion_campaigns.id"],
            name=op.f("fk_campaign_recipients_campaign_id_availability_promotion_campaigns"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["player_id"], ["players.id"], name=op.f("fk_campaign_recipients_player_id_players"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("campaign_id", "player_id", name=op.f("pk_campaign_recipients")),
    )
    op.create_table(
        "delivery_attempts",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("claim", sa.BigInteger(), nullable=False),
        sa.Column(
            "event",
            sa.Enum("begun", "ended", name="attemptevent", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "sending",
                "sent",
                "skipped",
                "failed",
                "unknown",
                name="deliverystatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wall_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["notifications_ledger.id"],
            name=op.f("fk_delivery_attempts_delivery_id_notifications_ledger"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_attempts")),
        sa.UniqueConstraint("delivery_id", "claim", "event", name="uq_delivery_attempts_claim_event"),
    )


def downgrade() -> None:
    op.drop_table("delivery_attempts")
    op.drop_table("campaign_recipients")
    op.drop_table("website_users")
    op.drop_table("subscription_preferences")
    op.drop_index(
        "uq_ledger_live_player_event",
        table_name="notifications_ledger",
        postgresql_nulls_not_distinct=True,
        postgresql_where="status IN ('pending', 'sending', 'sent', 'unknown')",
    )
    op.drop_index("ix_ledger_subject_notice", table_name="notifications_ledger")
    op.drop_table("notifications_ledger")
    op.drop_table("contacts")
    op.drop_index(
        "uq_campaign_promoter_day",
        table_name="availability_promotion_campaigns",
        postgresql_where="NOT dry_run AND status <> 'cancelled'",
    )
    op.drop_index(
        "uq_campaign_exclusive_on",
        table_name="availability_promotion_campaigns",
        postgresql_where="status <> 'cancelled'",
    )
    op.drop_index("ix_campaign_day", table_name="availability_promotion_campaigns")
    op.drop_table("availability_promotion_campaigns")
    op.drop_index("ix_availability_entries_day", table_name="availability_entries")
    op.drop_table("availability_entries")
    op.drop_table("voice_states")
    op.drop_table("presence_observations")
    op.drop_table("players")
    op.drop_table("login_attempts")
    op.drop_index("ix_jobs_leases", table_name="jobs", postgresql_where="status = 'running'")
    op.drop_index("ix_jobs_due", table_name="jobs", postgresql_where="status = 'pending'")
    op.drop_table("jobs")
    op.drop_table("heartbeats")
    op.drop_table("account_link_audit_log")
