"""The ready sound: who wants it, and how often at most.

It is a player's own setting, off until switched on.

Revision: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table = "subscription_preferences"
    op.add_column(table, sa.Column("sound_enabled", sa.Boolean(), nullable=True))
    op.add_column(table, sa.Column("sound_cooldown_seconds", sa.BigInteger(), nullable=True))
    op.execute("UPDATE subscription_preferences SET sound_enabled = FALSE, sound_cooldown_seconds = 480")
    op.alter_column(table, "sound_enabled", nullable=False)
    op.alter_column(table, "sound_cooldown_seconds", nullable=False)
    op.create_check_constraint("sound_cooldown_sane", table, "sound_cooldown_seconds BETWEEN 30 AND 3600")


def downgrade() -> None:
    table = "subscription_preferences"
    op.drop_constraint(op.f("ck_subscription_preferences_sound_cooldown_sane"), table, type_="check")
    op.drop_column(table, "sound_cooldown_seconds")
    op.drop_column(table, "sound_enabled")
