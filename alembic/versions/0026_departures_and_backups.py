"""Which processes were asked to end, since when each is known, and the last backup.

Versions before write neither and read on.

Revision: 0026
Revises: 0025
"""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


LOG, CHECK = "account_link_audit_log", "ck_account_link_audit_log_linkaction"
DISMISSED = "process_dismissed"


def upgrade() -> None:
    _know(lambda condition: condition.replace("ARRAY[", f"ARRAY['{DISMISSED}'::character varying, ", 1))
    op.add_column("heartbeats", sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("heartbeats", sa.Column("left_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "backups",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_backups"),
    )


def _know(change: Callable[[str], str]) -> None:
    """Change the list of what the log may hold."""
    query = sa.text("SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conname = :name")
    condition = str(op.get_bind().execute(query, {"name": CHECK}).scalar_one())
    op.drop_constraint(op.f(CHECK), LOG, type_="check")
    op.create_check_constraint(op.f(CHECK), LOG, change(condition))


def downgrade() -> None:
    op.execute(f"DELETE FROM {LOG} WHERE action = '{DISMISSED}'")  # noqa: S608
    _know(lambda condition: condition.replace(f"'{DISMISSED}'::character varying, ", ""))
    op.drop_table("backups")
    op.drop_column("heartbeats", "left_at")
    op.drop_column("heartbeats", "first_seen_at")
