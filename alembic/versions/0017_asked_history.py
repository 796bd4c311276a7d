"""A message whose answer was lost is looked for in Discord's history, and each look is logged with the tries.

Revision: 0017
Revises: 0016
"""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

NEW = "discord_hides_room"
COLUMNS = (
    ("jobs", "reason"),
    ("jobs", "last_error"),
    ("notifications_ledger", "reason"),
    ("delivery_attempts", "error"),
    ("contacts", "unusable_reason"),
    ("contacts", "last_error"),
    ("planning_threads", "error"),
)
EVENT, EVENTS = "attemptevent", ("begun", "ended")


def upgrade() -> None:
    known = _known_codes()
    _replace_known([*known, NEW])
    _replace_events((*EVENTS, "asked"))


def downgrade() -> None:
    op.execute("DELETE FROM delivery_attempts WHERE event = 'asked'")
    for table, column in COLUMNS:
        stored = sa.column(column, JSONB)
        text = sa.cast(stored, sa.Text)
        # The nearest that an older version can say.
        older = sa.cast(sa.func.replace(text, f'"{NEW}"', '"discord_too_slow"'), JSONB)
        op.execute(sa.update(sa.table(table, stored)).values({column: older}).where(text.contains(f'"{NEW}"')))
    _replace_known([code for code in _known_codes() if code != NEW])
    _replace_events(EVENTS)


def _known_codes() -> list[str]:
    """Read the codes from the constraint as it stands, which earlier migrations may have changed."""
    query = sa.text(
        "SELECT substring(pg_get_constraintdef(oid) from '''(\\[\"[^'']*\\])''') FROM pg_constraint"
        " WHERE conname = 'ck_jobs_reason_known'"
    )
    found: list[str] = json.loads(op.get_bind().scalar(query))
    return found


def _replace_known(codes: list[str]) -> None:
    for table, column in COLUMNS:
        known = (
            f"jsonb_path_exists({column}, '$.code')"
            f" AND jsonb_path_query_array({column}, '$.**.code') <@ '{json.dumps(codes)}'"
        )
        op.drop_constraint(f"{column}_known", table, type_="check")
        op.create_check_constraint(f"{column}_known", table, known)


def _replace_events(events: tuple[str, ...]) -> None:
    op.drop_constraint(EVENT, "delivery_attempts", type_="check")
    op.create_check_constraint(EVENT, "delivery_attempts", f"event IN ({', '.join(map(repr, events))})")
