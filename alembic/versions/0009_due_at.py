"""When a job was promised for, beside when it is tried next: how late it was can be told after a retry too.

Nullable, so that processes of the version before, which do not write it, go on while they are replaced.

Revision: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("jobs", "due_at")
