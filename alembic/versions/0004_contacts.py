"""Contacts on three channels: addresses sealed at rest, codes to link them, each kind of message by itself.

A Discord contact keeps no address of its own any more: it is the account of the player's user.

Revision: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CHANNELS = ("discord", "telegram", "signal")
PREFERENCES = "subscription_preferences"
LEDGER = "notifications_ledger"


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def _allow(table: str, channels: tuple[str, ...]) -> None:
    op.drop_constraint(op.f(f"ck_{table}_channelname"), table, type_="check")
    listed = ", ".join(f"'{channel}'" for channel in channels)
    op.create_check_constraint(op.f(f"ck_{table}_channelname"), table, f"channel IN ({listed})")


def upgrade() -> None:
    _allow("contacts", CHANNELS)
    _allow(LEDGER, CHANNELS)
    op.add_column(LEDGER, sa.Column("fell_back_to", sa.Text(), nullable=True))
    op.drop_constraint("uq_contacts_channel_address", "contacts", type_="unique")
    op.drop_column("contacts", "address")
    op.add_column("contacts", sa.Column("sealed", sa.Text(), nullable=True))
    op.add_column("contacts", sa.Column("address_hash", sa.Text(), nullable=True))
    op.add_column("contacts", sa.Column("last_success_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("contacts", sa.Column("last_error", sa.Text(), nullable=True))
    op.add_column("contacts", sa.Column("last_error_at", sa.DateTime(timezone=True), nullable=True))
    op.create_unique_constraint("uq_contacts_channel_address_hash", "contacts", ["channel", "address_hash"])
    op.create_check_constraint("sealed_unless_discord", "contacts", "(channel = 'discord') = (sealed IS NULL)")
    op.create_check_constraint("sealed_with_hash", "contacts", "(sealed IS NULL) = (address_hash IS NULL)")
    op.create_table(
        "contact_link_codes",
        sa.Column("player_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", _choice("channelname", *CHANNELS), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["player_id"], ["players.id"], name=op.f("fk_contact_link_codes_player_id_players"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("player_id", "channel", name=op.f("pk_contact_link_codes")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_contact_link_codes_code_hash")),
    )
    op.add_column(PREFERENCES, sa.Column("session_ready", sa.Boolean(), nullable=True))
    op.add_column(PREFERENCES, sa.Column("daily_reminder", sa.Boolean(), nullable=True))
    op.add_column(PREFERENCES, sa.Column("looking_threshold", sa.BigInteger(), nullable=True))
    op.add_column(
        PREFERENCES,
        sa.Column("preferred_channel", _choice("preferred", "any", "discord", "telegram", "signal"), nullable=True),
    )
    op.execute(
        "UPDATE subscription_preferences SET session_ready = FALSE, daily_reminder = FALSE, looking_threshold = 0,"
        " preferred_channel = 'any'"
    )
    for column in ("session_ready", "daily_reminder", "looking_threshold", "preferred_channel"):
        op.alter_column(PREFERENCES, column, nullable=False)
    op.create_check_constraint("looking_threshold_sane", PREFERENCES, "looking_threshold BETWEEN 0 AND 99")
    op.create_table(
        "inbox_positions",
        sa.Column("channel", _choice("channelname", *CHANNELS), nullable=False),
        sa.Column("next_update", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_inbox_positions")),
    )


def downgrade() -> None:
    """What was told on Telegram or Signal goes with those channels: for tonight it may be told once more on Discord."""
    op.drop_table("inbox_positions")
    op.drop_constraint(op.f(f"ck_{PREFERENCES}_looking_threshold_sane"), PREFERENCES, type_="check")
    for column in ("preferred_channel", "looking_threshold", "daily_reminder", "session_ready"):
        op.drop_column(PREFERENCES, column)
    op.drop_table("contact_link_codes")
    op.execute("DELETE FROM contacts WHERE channel <> 'discord'")
    op.drop_constraint(op.f("ck_contacts_sealed_with_hash"), "contacts", type_="check")
    op.drop_constraint(op.f("ck_contacts_sealed_unless_discord"), "contacts", type_="check")
    op.drop_constraint("uq_contacts_channel_address_hash", "contacts", type_="unique")
    for column in ("last_error_at", "last_error", "last_success_at", "address_hash", "sealed"):
        op.drop_column("contacts", column)
    op.add_column("contacts", sa.Column("address", sa.Text(), nullable=True))
    op.execute(
        "UPDATE contacts SET address = website_users.discord_id FROM website_users"
        " WHERE website_users.player_id = contacts.player_id"
    )
    op.execute("DELETE FROM contacts WHERE address IS NULL")
    op.alter_column("contacts", "address", nullable=False)
    op.create_unique_constraint("uq_contacts_channel_address", "contacts", ["channel", "address"])
    op.drop_column(LEDGER, "fell_back_to")
    op.execute("DELETE FROM notifications_ledger WHERE channel <> 'discord'")
    _allow(LEDGER, ("discord",))
    _allow("contacts", ("discord",))
