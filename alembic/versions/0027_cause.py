"""What went wrong in a partial campaign, for when its messages are deleted.

Versions before neither write nor read it. What was deleted until now has none, and reads "not all reached" as before.

Revision: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

CAMPAIGNS = "availability_promotion_campaigns"
STATES = (
    *("scheduled", "running", "called", "over", "partial", "unreached"),
    *("check_failed", "summary_failed", "sent", "cancelled"),
)


def upgrade() -> None:
    state = sa.Enum(*STATES, name="campaignstate", native_enum=False, create_constraint=True, length=32)
    op.add_column(CAMPAIGNS, sa.Column("cause", state, nullable=True))


def downgrade() -> None:
    op.drop_column(CAMPAIGNS, "cause")
