"""What set a job off, for the logs; until when a campaign's messages were kept; and room beside rows that change.

Revision: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Rows that live through several states, or are renewed every few seconds: a new version fits beside the old one.
REWRITTEN = ("jobs", "notifications_ledger", "contacts", "heartbeats", "presence_observations", "voice_states")


def upgrade() -> None:
    op.add_column("jobs", sa.Column("trace", sa.Text(), nullable=True))
    op.add_column(
        "availability_promotion_campaigns", sa.Column("ledger_pruned_at", sa.DateTime(timezone=True), nullable=True)
    )
    for table in REWRITTEN:
        op.execute(f"ALTER TABLE {table} SET (fillfactor = 80)")


def downgrade() -> None:
    for table in REWRITTEN:
        op.execute(f"ALTER TABLE {table} RESET (fillfactor)")
    op.drop_column("availability_promotion_campaigns", "ledger_pruned_at")
    op.drop_column("jobs", "trace")
