"""What operators look for: deliveries by their day.

Revision: 0011
Revises: 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_ledger_created_at", "notifications_ledger", ["created_at"])


def downgrade() -> None:
    # Nobody knows these any more.
    op.execute("DELETE FROM jobs WHERE kind = 'campaign_watch'")
    op.execute(
        "DELETE FROM jobs WHERE kind = 'delivery'"
        " AND subject IN (SELECT id::text FROM notifications_ledger WHERE notice = 'at_risk')"
    )
    op.execute("DELETE FROM notifications_ledger WHERE notice = 'at_risk'")
    op.drop_index("ix_ledger_created_at", table_name="notifications_ledger")
