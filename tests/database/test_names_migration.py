"""Names from before get their keys, and guids that differ only in case hold up no update and lose nobody."""

from alembic import command
from sqlalchemy import create_engine, text

from slomix.database import migrations
from slomix.presence.game_names import name_keys

PLAYERS = [
    (1, "ABCDEF0123", "^1Go^7ran", ["PanzerGoran"]),
    (2, "abcdef0123", "PanzerGoran", []),
    (3, "AbCdEf0123", "Škrjanc", []),
    (4, "FFFF", "\u200b", ["\u3164"]),
    (5, "guid-five", "x" * 5000, []),
]


def test_a_database_from_before_is_brought_over_whole(empty_database_url: str) -> None:
    command.upgrade(migrations.configuration(empty_database_url), "0019")
    engine = create_engine(empty_database_url)
    with engine.begin() as connection:
        for number, guid, name, aliases in PLAYERS:
            connection.execute(
                text(
                    "INSERT INTO players (id, guid, name, aliases, created_at) VALUES (:id, :guid, :name, :also, now())"
                ),
                {"id": number, "guid": guid, "name": name, "also": aliases},
            )
        connection.execute(
            text(
                "INSERT INTO website_users (id, discord_id, discord_username, display_name, player_id, created_at,"
                " last_login_at, membership) VALUES (1, '1', 'goran', 'Göran', 2, now(), now(), 'member')"
            )
        )
    command.upgrade(migrations.configuration(empty_database_url), "0020")
    with engine.connect() as connection:
        after = connection.execute(text("SELECT id, guid, name, name_keys FROM players ORDER BY id")).all()
        keys = connection.scalar(text("SELECT name_keys FROM website_users"))
    assert [row.guid for row in after] == ["abcdef0123#2", "abcdef0123", "abcdef0123#3", "ffff", "guid-five"]
    assert [row.name for row in after] == [name for _, _, name, _ in PLAYERS], "names stay as they are"
    assert [row.name_keys for row in after] == [name_keys([name, *also]) for _, _, name, also in PLAYERS]
    assert keys == ["goran"]
    command.downgrade(migrations.configuration(empty_database_url), "0019")
    engine.dispose()
