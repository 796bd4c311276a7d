"""Three more reasons, and whom Discord refused in a planning room's thread.

The codes are added to those that the constraints know, whichever these are. Going back, a row keeps the nearest reason
of before.

Revision: 0018
Revises: 0017
"""

import json
import re
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

COLUMNS = {
    "contacts": ("unusable_reason", "last_error"),
    "jobs": ("reason", "last_error"),
    "notifications_ledger": ("reason",),
    "delivery_attempts": ("error",),
    "planning_threads": ("error",),
}
# Each with what was said before.
ADDED = {
    "discord_blocks_us": "discord_is_busy",
    "discord_token_refused": "discord_is_busy",
    "no_mutual_server": "dms_closed",
}


def upgrade() -> None:
    _change_codes(lambda codes: [*codes, *(code for code in ADDED if code not in codes)])
    op.add_column("planning_threads", sa.Column("refused", JSONB()))
    op.execute("UPDATE planning_threads SET refused = '{}'")
    op.alter_column("planning_threads", "refused", nullable=False)


def downgrade() -> None:
    op.drop_column("planning_threads", "refused")
    for table, columns in COLUMNS.items():
        for column in columns:
            for code, before in ADDED.items():
                nearest = f"""replace({column}::text, '"code": "{code}"', '"code": "{before}"')::jsonb"""
                has_it = f"""jsonb_path_query_array({column}, '$.**.code') ? '{code}'"""
                op.get_bind().exec_driver_sql(f"UPDATE {table} SET {column} = {nearest} WHERE {has_it}")  # noqa: S608
    _change_codes(lambda codes: [code for code in codes if code not in ADDED])


def _change_codes(change: Callable[[list[str]], list[str]]) -> None:
    connection = op.get_bind()
    for table, columns in COLUMNS.items():
        for column in columns:
            name = f"ck_{table}_{column}_known"
            known = connection.scalar(
                sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name"), {"name": name}
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
