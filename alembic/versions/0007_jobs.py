"""What set a job off, for the logs; when it was promised for, whatever was tried since; room beside rows that change.

New columns may be empty, so that processes of the version before go on while they are replaced. Of the tables that are
written all the time each migration locks one: with two it might wait for somebody who waits for it.

Revision: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Rows that live through several states, or are renewed every few seconds: a new version fits beside the old one. This
# is a lock that stands in nobody's way.
REWRITTEN = ("jobs", "notifications_ledger", "contacts", "heartbeats", "presence_observations", "voice_states")


def upgrade() -> None:
    for table in REWRITTEN:
        op.execute(f"ALTER TABLE {table} SET (fillfactor = 80)")
    op.add_column("jobs", sa.Column("trace", sa.Text(), nullable=True))
    op.add_column("jobs", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for table in REWRITTEN:
        op.execute(f"ALTER TABLE {table} RESET (fillfactor)")
    op.execute("DELETE FROM jobs WHERE kind = 'retention'")  # nobody knows it any more
    op.drop_column("jobs", "due_at")
    op.drop_column("jobs", "trace")
