"""What a stranger pressed before they logged in.

Versions before neither write nor read it; logins that are on their way while the version changes have none.

Revision: 0031
Revises: 0028
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("login_attempts", sa.Column("pressed", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("login_attempts", "pressed")
