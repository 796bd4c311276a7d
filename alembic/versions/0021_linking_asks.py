"""A code that was sent from a chat waits there for a yes.

Revision: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("contact_link_codes", sa.Column("chat_hash", sa.Text()))
    op.create_unique_constraint("uq_contact_link_codes_chat", "contact_link_codes", ["channel", "chat_hash"])


def downgrade() -> None:
    op.execute("DELETE FROM contact_link_codes WHERE chat_hash IS NOT NULL")
    op.drop_column("contact_link_codes", "chat_hash")
