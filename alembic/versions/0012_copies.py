"""Heartbeats by copy, so that one dead worker of three is seen. Nothing was released that knows one row a kind.

Revision: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLE = "heartbeats"


def upgrade() -> None:
    _begin_anew()
    op.add_column(TABLE, sa.Column("copy", sa.Text(), nullable=False))
    op.create_primary_key("pk_heartbeats", TABLE, ["part", "copy"])


def downgrade() -> None:
    _begin_anew()
    op.drop_column(TABLE, "copy")
    op.create_primary_key("pk_heartbeats", TABLE, ["part"])


def _begin_anew() -> None:
    """Whoever lives says so again within seconds."""
    op.execute("DELETE FROM heartbeats")
    op.drop_constraint("pk_heartbeats", TABLE, type_="primary")
