"""The language that an account chose.

Revision: 0035
Revises: 0034
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("website_users", sa.Column("language", sa.Text()))


def downgrade() -> None:
    op.drop_column("website_users", "language")
