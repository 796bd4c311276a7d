"""Until when a campaign's messages were kept, and since when it has been in danger.

Revision: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLE = "availability_promotion_campaigns"


def upgrade() -> None:
    for name in ("ledger_pruned_at", "endangered_since"):
        op.add_column(TABLE, sa.Column(name, sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for name in ("endangered_since", "ledger_pruned_at"):
        op.drop_column(TABLE, name)
