"""Which messages from Signal were claimed: every inbox receives each, and one answers it.

Revision: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "claimed_messages",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_claimed_messages"),
    )
    op.create_index("ix_claimed_messages_claimed_at", "claimed_messages", ["claimed_at"])


def downgrade() -> None:
    op.drop_table("claimed_messages")
