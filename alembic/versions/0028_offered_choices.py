"""What a number means in a chat that has no buttons.

Revision: 0028
Revises: 0027
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    channel = sa.Enum(
        "discord", "telegram", "signal", name="channelname", native_enum=False, create_constraint=True, length=32
    )
    op.create_table(
        "offered_choices",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("channel", channel, nullable=False),
        sa.Column("chat_hash", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("choices", JSONB(), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("has_arrived", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_offered_choices"),
        sa.UniqueConstraint("nonce", name="uq_offered_choices_nonce"),
    )
    op.create_index("ix_offered_choices_chat", "offered_choices", ["channel", "chat_hash"])
    op.create_index("ix_offered_choices_offered_at", "offered_choices", ["offered_at"])


def downgrade() -> None:
    op.drop_table("offered_choices")
