"""What the version before asks of the database, the new schema answers: during an update both run on it.

`make release` wrote down its statements. PostgreSQL plans each, which finds what is gone, renamed or of another type,
and constraints that ON CONFLICT no longer finds; an INSERT has to name every column that nothing fills in.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from slomix.database.session import ROOT, libpq_url
from slomix.dev import release
from slomix.dev.embedded import Servers
from tests.recording import normalise

BEFORE = ROOT / release.STATEMENTS
INSERT = re.compile(r"INSERT INTO (\w+) \(([^)]*)\)")
FILLED_IN = """
SELECT column_name FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = %s AND is_nullable = 'NO' AND column_default IS NULL
AND is_identity = 'NO' AND is_generated = 'NEVER'
"""


def complaints(connection: "psycopg.Connection[Any]", statements: list[str]) -> Iterator[str]:
    for statement in statements:
        try:
            with connection.transaction():
                connection.execute(f"EXPLAIN (GENERIC_PLAN) {statement}".encode())
        except psycopg.errors.UndefinedFunction:
            continue  # a parameter without a type counts as text here; psycopg sends it as what it is
        except psycopg.Error as error:
            yield f"{str(error).splitlines()[0]}: {statement}"
        if found := INSERT.match(statement):
            needed = {row[0] for row in connection.execute(FILLED_IN, [found[1]]).fetchall()}
            if lacking := needed - {name.strip(' "') for name in found[2].split(",")}:
                yield f"nothing fills in {', '.join(sorted(lacking))}: {statement}"


@pytest.fixture
def schema(servers: Servers, database_url: str) -> Iterator["psycopg.Connection[Any]"]:
    """The new schema, as its owner; what a test changes in it is rolled back."""
    with psycopg.connect(libpq_url(servers.owner_url)) as connection:
        yield connection
        connection.rollback()


def test_the_version_before_works_on_the_new_schema(database_url: str) -> None:
    """As the role that it runs as."""
    if not BEFORE.exists():
        versions = re.findall(r"^## \d+\.", (ROOT / release.CHANGELOG).read_text(), re.MULTILINE)
        assert versions == [], f"{BEFORE} belongs to a version that was named; `make release` writes it"
        return
    statements = json.loads(BEFORE.read_text())["statements"]
    assert len(statements) > 300
    with psycopg.connect(libpq_url(database_url)) as connection:
        assert [*complaints(connection, statements)] == []


UPSERT = (
    "INSERT INTO heartbeats (part, copy, seen_at, first_seen_at)"
    " VALUES (%(part)s::VARCHAR, %(copy)s::VARCHAR, %(seen)s::TIMESTAMP WITH TIME ZONE,"
    " %(first)s::TIMESTAMP WITH TIME ZONE)"
    " ON CONFLICT (part, copy) DO UPDATE SET seen_at = excluded.seen_at"
)


@pytest.mark.parametrize(
    ("migration", "complaint"),
    [
        ("SELECT", None),
        ("ALTER TABLE heartbeats ADD COLUMN more text", None),
        ("ALTER TABLE heartbeats ADD COLUMN more text NOT NULL DEFAULT ''", None),
        ("ALTER TABLE heartbeats RENAME COLUMN seen_at TO seen", 'column "seen_at"'),
        ("ALTER TABLE heartbeats RENAME TO beats", 'relation "heartbeats"'),
        ("ALTER TABLE heartbeats DROP CONSTRAINT pk_heartbeats", "no unique or exclusion constraint"),
        ("ALTER TABLE heartbeats ALTER COLUMN seen_at TYPE text", None),
        ("TRUNCATE heartbeats; ALTER TABLE heartbeats ADD COLUMN more text NOT NULL", "fills in more"),
    ],
)
def test_a_migration_that_takes_away_what_the_version_before_needs_is_found(
    schema: "psycopg.Connection[Any]", migration: str, complaint: str | None
) -> None:
    schema.execute(migration)
    found = [*complaints(schema, [normalise(UPSERT)])]
    assert bool(found) == bool(complaint), found
    assert complaint is None or complaint in found[0]


def test_a_statement_is_written_down_once_however_long_its_lists_are() -> None:
    two = "SELECT a FROM t WHERE  b = %(b)s::BIGINT AND c IN (%(c_1)s::VARCHAR, %(c_2)s::VARCHAR) AND d LIKE '%%'"
    one = "SELECT a FROM t WHERE b = %(b)s::BIGINT AND c IN (%(c_1)s::VARCHAR) AND d LIKE '%%'"
    assert (
        normalise(one) == normalise(two) == "SELECT a FROM t WHERE b = $1::BIGINT AND c IN ($2::VARCHAR) AND d LIKE '%'"
    )
    rows = "INSERT INTO t (a, b) VALUES (%(a{0}0)s::TIME(3), %(b{0}0)s), (%(a{0}1)s::TIME(3), %(b{0}1)s) RETURNING a"
    for separator in ("__", "_m"):
        assert normalise(rows.format(separator)) == "INSERT INTO t (a, b) VALUES ($1::TIME(3), $2) RETURNING a"
