"""Statuses that wait until their Discord account has chosen its player.

Revision: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    statuses = ("LOOKING", "AVAILABLE", "MAYBE", "NOT_PLAYING")
    status = sa.Enum(*statuses, name="status", native_enum=False, create_constraint=True, length=32)
    op.create_table(
        "waiting_statuses",
        sa.Column("discord_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("status", status, nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("discord_id", name="pk_waiting_statuses"),
    )
    op.create_index("ix_waiting_statuses_said_at", "waiting_statuses", ["said_at"])


def downgrade() -> None:
    op.drop_table("waiting_statuses")
