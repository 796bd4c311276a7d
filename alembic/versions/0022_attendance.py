"""Who came is counted, and then stays as it was counted.

Revision: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

CAMPAIGNS, RECIPIENTS = "availability_promotion_campaigns", "campaign_recipients"


def upgrade() -> None:
    op.add_column(CAMPAIGNS, sa.Column("came", sa.BigInteger()))
    op.add_column(CAMPAIGNS, sa.Column("counted", sa.BigInteger()))
    op.add_column(CAMPAIGNS, sa.Column("told", sa.BigInteger()))
    op.add_column(CAMPAIGNS, sa.Column("counted_at", sa.DateTime(timezone=True)))
    op.add_column(RECIPIENTS, sa.Column("seen_at", sa.DateTime(timezone=True)))
    op.add_column(RECIPIENTS, sa.Column("came", sa.Boolean()))
    # Where the ledger is gone already, all recipients pass for told, as was said until now.
    op.execute(
        """
        UPDATE availability_promotion_campaigns c SET told = (
            SELECT count(*) FROM campaign_recipients r WHERE r.campaign_id = c.id
        ) WHERE c.ledger_pruned_at IS NOT NULL
        """
    )
    # Of earlier evenings only the voice check's look is known; players whom the start never reached are in no count.
    op.execute(
        """
        UPDATE campaign_recipients r
        SET seen_at = CASE WHEN r.whereabouts = 'here' THEN c.judged_at END,
            came = CASE WHEN r.whereabouts = 'here' THEN true WHEN EXISTS (
                SELECT FROM notifications_ledger d
                WHERE d.player_id = r.player_id AND d.event_key = 'PROMOTE:T0:' || c.day
                  AND d.status IN ('sent', 'unknown') AND d.fell_back_to IS NULL
            ) THEN false END
        FROM availability_promotion_campaigns c
        WHERE c.id = r.campaign_id AND c.judged_at IS NOT NULL AND r.whereabouts <> 'unknown'
        """
    )
    op.execute(
        """
        UPDATE availability_promotion_campaigns c
        SET came = n.came, counted = n.counted, counted_at = c.judged_at
        FROM (
            SELECT campaign_id, count(*) FILTER (WHERE came) AS came, count(came) AS counted,
                   bool_or(whereabouts = 'unknown') AS is_unknown
            FROM campaign_recipients GROUP BY campaign_id
        ) n
        WHERE n.campaign_id = c.id AND c.judged_at IS NOT NULL AND NOT c.dry_run AND n.is_unknown IS NOT true
        """
    )


def downgrade() -> None:
    for column in ("came", "seen_at"):
        op.drop_column(RECIPIENTS, column)
    for column in ("counted_at", "told", "counted", "came"):
        op.drop_column(CAMPAIGNS, column)
