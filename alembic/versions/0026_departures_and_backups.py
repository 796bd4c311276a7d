"""Which processes were asked to end, since when each is known, and the last backup.

Versions before write neither and read on.

Revision: 0026
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("heartbeats", sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("heartbeats", sa.Column("left_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "backups",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_backups"),
    )


def downgrade() -> None:
    op.drop_table("backups")
    op.drop_column("heartbeats", "left_at")
    op.drop_column("heartbeats", "first_seen_at")
