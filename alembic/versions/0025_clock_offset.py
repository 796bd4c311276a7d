"""How far the clock of each process's machine is off.

Revision: 0025
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("heartbeats", sa.Column("clock_offset", sa.Float(), nullable=True))


def downgrade() -> None:
    op.drop_column("heartbeats", "clock_offset")
