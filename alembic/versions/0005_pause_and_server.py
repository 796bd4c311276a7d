"""One switch that stops all sending; lanes of jobs; and who was on the game server when the voice check looked.

Revision: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sending_pauses",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_sending_pauses_one_switch")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sending_pauses")),
    )
    op.add_column("jobs", sa.Column("lane", sa.Text(), nullable=True))
    op.execute("UPDATE jobs SET lane = 'general'")
    op.execute(
        "UPDATE jobs SET lane = notifications_ledger.channel FROM notifications_ledger"
        " WHERE jobs.kind = 'delivery' AND jobs.subject = notifications_ledger.id::text"
    )
    op.alter_column("jobs", "lane", nullable=False)
    op.add_column("campaign_recipients", sa.Column("on_server", sa.Boolean(), nullable=True))


def downgrade() -> None:
    op.drop_column("campaign_recipients", "on_server")
    op.drop_column("jobs", "lane")
    op.drop_table("sending_pauses")
