"""Which providers are out: one row each, shared by all workers; and more of Telegram's permanent refusals.

Revision: 0019
Revises: 0018
"""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

NEW = ("telegram_deactivated", "telegram_not_started", "telegram_is_a_bot", "telegram_no_such_chat")
SAID = '"telegram_said"'
KNOWN = (
    ("contacts", "unusable_reason"),
    ("contacts", "last_error"),
    ("jobs", "reason"),
    ("jobs", "last_error"),
    ("notifications_ledger", "reason"),
    ("delivery_attempts", "error"),
    ("planning_threads", "error"),
)


def upgrade() -> None:
    op.create_table(
        "outages",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", postgresql.JSONB(), nullable=False),
        sa.Column("is_confirmed", sa.Boolean(), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("probe_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("probe_every", sa.Interval(), nullable=False),
        sa.Column("trial_job_id", sa.BigInteger()),
        sa.PrimaryKeyConstraint("channel", name="pk_outages"),
    )
    for table, column in KNOWN:
        _know(table, column, SAID, ", ".join((SAID, *map(json.dumps, NEW))))
    op.create_check_constraint("reason_known", "outages", _known("jobs", "reason"))


def downgrade() -> None:
    op.drop_table("outages")
    for table, column in KNOWN:
        reason = sa.column(column, postgresql.JSONB())
        rows = sa.table(table, reason)
        blocked = sa.func.jsonb_set(reason, ["code"], sa.cast("telegram_blocked", postgresql.JSONB()))
        op.execute(rows.update().where(reason["code"].astext.in_(NEW)).values({column: blocked}))
        _know(table, column, "".join(f", {json.dumps(code)}" for code in NEW), "")


def _known(table: str, column: str) -> str:
    """Return the condition that every code in a column is known."""
    query = sa.text("SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conname = :name")
    return str(op.get_bind().execute(query, {"name": f"ck_{table}_{column}_known"}).scalar_one())


def _know(table: str, column: str, old: str, new: str) -> None:
    """Replace a part of the list of known codes."""
    condition = _known(table, column)
    op.drop_constraint(f"{column}_known", table, type_="check")
    op.create_check_constraint(f"{column}_known", table, condition.replace(old, new))
