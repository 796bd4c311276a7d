"""The audit log knows who moved in from the earlier site.

Revision: 0008
Revises: 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

LOG = "account_link_audit_log"
ACTIONS_BEFORE = (
    "discord_linked",
    "discord_unlinked",
    "player_linked",
    "player_changed",
    "player_unlinked",
    "player_claimed",
    "claim_refused",
    "role_granted",
    "role_revoked",
    "signed_out_everywhere",
    "left_guild",
    "came_back",
    "players_imported",
)


def _allow(actions: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_account_link_audit_log_linkaction"), LOG, type_="check")
    listed = ", ".join(f"'{action}'" for action in actions)
    op.create_check_constraint(op.f("ck_account_link_audit_log_linkaction"), LOG, f"action IN ({listed})")


def upgrade() -> None:
    _allow((*ACTIONS_BEFORE, "moved_in"))


def downgrade() -> None:
    op.execute(f"DELETE FROM {LOG} WHERE action = 'moved_in'")  # noqa: S608
    _allow(ACTIONS_BEFORE)
