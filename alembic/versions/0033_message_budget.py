"""How many messages a player got on a day, which were held back, and what a message says since it was edited.

Also the reason of those held back, added to the codes that the constraints know, whichever these are. Going back, a row
keeps the nearest reason of before. Messages of before the migration count towards no day.

Revision: 0033
Revises: 0032
"""

import json
import re
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

LEDGER = "notifications_ledger"
CODE, NEAREST = "enough_for_today", "quiet_hours"
COLUMNS = (
    ("contacts", "unusable_reason"),
    ("contacts", "last_error"),
    ("jobs", "reason"),
    ("jobs", "last_error"),
    (LEDGER, "reason"),
    ("delivery_attempts", "error"),
    ("planning_threads", "error"),
    ("outages", "reason"),
)


def upgrade() -> None:
    _change_codes(lambda codes: [*codes, CODE])
    op.add_column(LEDGER, sa.Column("budget_day", sa.Date(), nullable=True))
    op.add_column(LEDGER, sa.Column("told_in", sa.BigInteger(), nullable=True))
    op.add_column(LEDGER, sa.Column("edition", sa.Text(), nullable=True))
    op.create_foreign_key(
        op.f("fk_notifications_ledger_told_in_notifications_ledger"),
        *(LEDGER, LEDGER),
        *(["told_in"], ["id"]),
        ondelete="SET NULL",
    )
    has_day = sa.text("budget_day IS NOT NULL")
    op.create_index("ix_ledger_budget", LEDGER, ["player_id", "budget_day"], postgresql_where=has_day)
    op.create_index("ix_ledger_told_in", LEDGER, ["told_in"], postgresql_where=sa.text("told_in IS NOT NULL"))


def downgrade() -> None:
    op.drop_index("ix_ledger_told_in", table_name=LEDGER)
    op.drop_index("ix_ledger_budget", table_name=LEDGER)
    for column in ("edition", "told_in", "budget_day"):
        op.drop_column(LEDGER, column)
    for table, column in COLUMNS:
        nearest = f"""replace({column}::text, '"code": "{CODE}"', '"code": "{NEAREST}"')::jsonb"""
        has_it = f"""jsonb_path_query_array({column}, '$.**.code') ? '{CODE}'"""
        op.get_bind().exec_driver_sql(f"UPDATE {table} SET {column} = {nearest} WHERE {has_it}")  # noqa: S608
    _change_codes(lambda codes: [code for code in codes if code != CODE])


def _change_codes(change: Callable[[list[str]], list[str]]) -> None:
    connection = op.get_bind()
    for table, column in COLUMNS:
        known = connection.scalar(
            sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name"),
            {"name": f"ck_{table}_{column}_known"},
        )
        found = re.search(r"'(\[.*?\])'", known)
        assert found is not None
        codes = json.dumps(change(json.loads(found.group(1))))
        op.drop_constraint(f"{column}_known", table, type_="check")
        op.create_check_constraint(
            f"{column}_known",
            table,
            f"jsonb_path_exists({column}, '$.code') AND jsonb_path_query_array({column}, '$.**.code') <@ '{codes}'",
        )
