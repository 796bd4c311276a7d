"""Jobs of an evening that was called together go before all others.

Revision: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_OF_CAMPAIGNS = """
UPDATE jobs SET is_urgent = true
WHERE status IN ('pending', 'running') AND (
    kind IN ('send_reminder_2045', 'send_start_2100', 'voice_check_2100', 'voice_summary', 'campaign_watch')
    OR kind = 'delivery' AND subject IN (
        SELECT id::text FROM notifications_ledger
        WHERE subject LIKE 'campaign:%' AND notice NOT LIKE 'dry\\_run.%'
    )
)
"""


def upgrade() -> None:
    op.add_column("jobs", sa.Column("is_urgent", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute(_OF_CAMPAIGNS)


def downgrade() -> None:
    op.drop_column("jobs", "is_urgent")
