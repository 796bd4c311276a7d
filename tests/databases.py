"""The databases of the tests, in a real PostgreSQL: one that is rolled back, one that commits, and an empty one."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import sessionmaker

from slomix.database import migrations
from slomix.database import session as db
from slomix.dev import embedded
from slomix.dev.embedded import Servers
from tests.waiting import PATIENCE


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A PostgreSQL and a Valkey of this test process."""
    with embedded.running(tmp_path_factory.mktemp("servers"), durable=False, seconds=PATIENCE) as running:
        yield running


# Has every table and no row. Nobody connects to it: PostgreSQL copies it in a tenth of the time that migrations take.
MIGRATED = "migrated"


@pytest.fixture(scope="session")
def database_url(servers: Servers) -> str:
    """As the role that Slomix runs as."""
    migrations.upgrade(servers.owner_url)
    do_as_owner(servers, f"CREATE DATABASE {MIGRATED} TEMPLATE slomix")
    return servers.database_url


@pytest.fixture
def empty_database_url(servers: Servers) -> Iterator[str]:
    """A database with nothing in it, as its owner."""
    do_as_owner(servers, "CREATE DATABASE empty")
    yield beside(servers.owner_url, "empty")
    do_as_owner(servers, "DROP DATABASE empty WITH (FORCE)")


@pytest.fixture
def brought_up(servers: Servers, database_url: str, empty_database_url: str) -> None:
    """Give the empty database its tables, as `migrations.upgrade` does."""
    do_as_owner(servers, "DROP DATABASE empty", f"CREATE DATABASE empty TEMPLATE {MIGRATED}")


def do_as_owner(servers: Servers, *statements: str) -> None:
    """Carry out what concerns whole databases, each by itself."""
    with psycopg.connect(db.libpq_url(servers.owner_url), autocommit=True) as admin:
        for statement in statements:
            admin.execute(statement)


def beside(url: str, name: str) -> str:
    """The database of this name at the same server, for the same role."""
    return url.replace("/slomix?", f"/{name}?")


class RolledBack(db.Database):
    """A database whose every transaction is, for a test, a savepoint of one that is rolled back after it."""

    @contextmanager
    def for_a_test(self) -> Iterator[None]:
        with self.engine.connect() as connection:
            outer = connection.begin()
            self._sessions = sessionmaker(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
            yield
            outer.rollback()


@pytest.fixture(scope="session")
def rolled_back(database_url: str) -> Iterator[RolledBack]:
    yield (rolling := RolledBack(database_url))
    rolling.close()


@pytest.fixture
def database(rolled_back: RolledBack) -> Iterator[db.Database]:
    """With nobody in it."""
    with rolled_back.for_a_test():
        yield rolled_back


@pytest.fixture(scope="session")
def committing(database_url: str) -> db.Database:
    """One for all tests of a process: each new engine has to compile every statement anew."""
    return db.Database(database_url, pool_size=10)


@pytest.fixture
def committed(committing: db.Database, owner: db.Database) -> Iterator[db.Database]:
    """A database that really commits, for races; emptied afterwards."""
    yield committing
    empty(owner)
    committing.close()  # its connections end with the test


@pytest.fixture(scope="session")
def owning(servers: Servers, database_url: str) -> db.Database:
    """One for all tests of a process, like `committing`."""
    return db.Database(servers.owner_url)


@pytest.fixture
def owner(owning: db.Database) -> Iterator[db.Database]:
    """The same database as who may do everything there."""
    yield owning
    owning.close()


def empty(owner: db.Database) -> None:
    """As if nothing had ever happened.

    Rows are deleted, since TRUNCATE makes the files of every table anew, after tests that wrote a few rows. The owner
    is a superuser, for whom the order of the tables does not matter.
    """
    with owner.transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text("; ".join(f"DELETE FROM {table}" for table in db.Base.metadata.tables)))
        session.execute(text("SELECT setval(seqrelid, seqstart, false) FROM pg_sequence"))
