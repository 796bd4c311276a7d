"""Until when a player who is looking has said to be late.

Versions before neither write nor read it.

Revision: 0032
Revises: 0031
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

ENTRIES = "availability_entries"


def upgrade() -> None:
    op.add_column(ENTRIES, sa.Column("late_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column(ENTRIES, "late_until")
