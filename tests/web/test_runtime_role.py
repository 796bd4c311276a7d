"""W48: these tests run as the role that Slomix runs as, which may make no table; each page does without."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from slomix.database import grants
from slomix.database.session import Base
from tests.world import World


def test_these_tests_run_as_the_role_that_owns_nothing(world: World) -> None:
    with world.session() as session:
        who = session.execute(
            text(
                "SELECT current_user, session_user, rolsuper, rolcreatedb, rolcreaterole, rolbypassrls"
                " FROM pg_roles WHERE rolname = current_user"
            )
        ).one()
        owned = session.scalar(
            text("SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = :role"), {"role": grants.ROLE}
        )
    assert tuple(who) == (grants.ROLE, grants.ROLE, False, False, False, False)
    assert owned == 0


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE anything (id int)",
        "CREATE TEMPORARY TABLE anything (id int)",
        "CREATE SCHEMA anything",
        "CREATE INDEX anything ON players (guid)",
        "CREATE FUNCTION anything() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE players ADD COLUMN anything int",
        "ALTER TABLE players DISABLE TRIGGER ALL",
        "ALTER SEQUENCE players_id_seq RESTART",
        "DROP TABLE players",
        "DROP INDEX uq_ledger_live_player_event",
        "SET ROLE postgres",
        "UPDATE alembic_version SET version_num = '0001'",
        "DELETE FROM alembic_version",
    ],
)
def test_it_cannot_change_the_schema(world: World, statement: str) -> None:
    with pytest.raises(ProgrammingError) as refused, world.session() as session:
        session.execute(text(statement))
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


def test_it_cannot_empty_any_table(world: World) -> None:
    """Asked of the database for each table, and tried with one: a refusal ends the transaction."""
    with world.session() as session:
        emptied = [
            table.name
            for table in Base.metadata.sorted_tables
            if session.scalar(text("SELECT has_table_privilege(:name, 'TRUNCATE')"), {"name": table.name})
        ]
    assert emptied == []
    with pytest.raises(ProgrammingError, match="permission denied"), world.session() as session:
        session.execute(text("TRUNCATE players CASCADE"))
