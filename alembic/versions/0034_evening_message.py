"""The evening's message in the announcement room and the event of its campaign, and what stands on Discord.

Revision: 0034
Revises: 0033
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "evening_messages",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("room", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text()),
        sa.Column("tried_at", sa.DateTime(timezone=True)),
        sa.Column("posted_at", sa.DateTime(timezone=True)),
        sa.Column("fingerprint", sa.Text()),
        sa.Column("edited_at", sa.DateTime(timezone=True)),
        sa.Column("held_until", sa.DateTime(timezone=True)),
        sa.Column("looked_at", sa.DateTime(timezone=True)),
        sa.Column("is_second", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("surplus_id", sa.Text()),
        sa.Column("problem", postgresql.JSONB()),
        sa.CheckConstraint("message_id IS NULL OR tried_at IS NULL", name="tried_until_it_is_there"),
        sa.PrimaryKeyConstraint("day", name="pk_evening_messages"),
    )
    op.create_table(
        "evening_events",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text()),
        sa.Column("tried_at", sa.DateTime(timezone=True)),
        sa.Column("status", sa.BigInteger()),
        sa.Column("fingerprint", sa.Text()),
        sa.Column("held_until", sa.DateTime(timezone=True)),
        sa.Column("problem", postgresql.JSONB()),
        sa.PrimaryKeyConstraint("day", name="pk_evening_events"),
    )
    for table in ("evening_messages", "evening_events"):
        op.create_check_constraint("problem_known", table, _known())


def downgrade() -> None:
    op.drop_table("evening_events")
    op.drop_table("evening_messages")
    op.execute("DELETE FROM jobs WHERE kind IN ('evening_message', 'scheduled_event')")


def _known() -> str:
    """Return the condition that every code in the column is known."""
    query = sa.text("SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conname = 'ck_jobs_reason_known'")
    return str(op.get_bind().execute(query).scalar_one()).replace("reason,", "problem,")
