"""Names have keys by which they are compared and searched, and a guid stands in one case.

Of profiles whose guids differ only in case, the one that somebody is linked to (else the oldest) keeps the guid; `#2`
and so on is put behind that of the others, so that nothing is lost and no update is held up. `slomix players check`
lists them, and names that would not be taken in today; those stay as they are.

Revision: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

from slomix.presence.game_names import name_keys

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

PLAYERS = sa.table("players", *map(sa.column, ("id", "name", "aliases", "name_keys")))
USERS = sa.table("website_users", *map(sa.column, ("id", "display_name", "discord_username", "name_keys")))


def upgrade() -> None:
    connection = op.get_bind()
    for table in (PLAYERS, USERS):
        # With a default that is taken away again: rows are there already.
        op.add_column(table.name, sa.Column("name_keys", sa.ARRAY(sa.Text()), nullable=False, server_default="{}"))
        op.alter_column(table.name, "name_keys", server_default=None)
    for player in connection.execute(sa.select(PLAYERS)).all():
        _set(PLAYERS, player.id, [player.name, *player.aliases])
    for user in connection.execute(sa.select(USERS)).all():
        _set(USERS, user.id, [user.display_name, user.discord_username])
    op.execute(
        "UPDATE players SET guid = lower(players.guid) || CASE ranked.place WHEN 1 THEN '' ELSE '#' || ranked.place END"
        " FROM (SELECT p.id, row_number() OVER (PARTITION BY lower(p.guid) ORDER BY (u.id IS NULL), p.id) AS place"
        " FROM players p LEFT JOIN website_users u ON u.player_id = p.id) AS ranked"
        " WHERE ranked.id = players.id AND (ranked.place > 1 OR players.guid <> lower(players.guid))"
    )
    op.create_check_constraint("guid_in_one_case", "players", "guid = lower(guid)")


def _set(table: sa.TableClause, row: int, names: list[str]) -> None:
    op.execute(
        sa.update(table).where(table.c.id == row).values(name_keys=sa.cast(name_keys(names), sa.ARRAY(sa.Text())))
    )


def downgrade() -> None:
    """Guids stay in lower case; the version before compares them as they are written."""
    op.drop_constraint("guid_in_one_case", "players", type_="check")
    for table in (PLAYERS, USERS):
        op.drop_column(table.name, "name_keys")
