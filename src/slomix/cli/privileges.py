"""Checks the rights of the role that Slomix runs as by using them, and warns of rights that it should not have."""

from collections.abc import Iterator
from dataclasses import dataclass

from alembic.util import CommandError
from sqlalchemy import Connection, Table, text
from sqlalchemy.exc import SQLAlchemyError

from slomix.database import migrations
from slomix.database.grants import APPEND_ONLY, SCHEMA
from slomix.database.session import Database
from slomix.models import Base

# None of them touches a row, and PostgreSQL checks rights before it reads rows.
_TRIES = {
    "SELECT": "SELECT {column} FROM {table} LIMIT 0",
    "INSERT": "INSERT INTO {table} ({column}) SELECT {column} FROM {table} WHERE false",
    "UPDATE": "UPDATE {table} SET {column} = {column} WHERE false",
    "DELETE": "DELETE FROM {table} WHERE false",
}
_NOT_ALLOWED, _MISSING = "42501", "42P01"


@dataclass(frozen=True)
class PrivilegeFindings:
    """Problems to fix, and rights that are against advice, as sentences for the operator."""

    role: str
    problems: list[str]
    warnings: list[str]


def check_privileges(url: str, *, is_production: bool) -> PrivilegeFindings:
    """Check the rights of the role in `url` on every table and sequence, and that the schema is as expected.

    Raise SQLAlchemyError when the database cannot be asked. Nothing is changed.
    """
    database = Database(url)
    try:
        with database.engine.connect() as connection:
            role = str(connection.scalar(text("SELECT current_user")))
            wrong = [*_schema_access(connection, role)] or [
                *_rights(connection, role),
                *_sequence_rights(connection, role),
            ]
            warnings = list(_excess_rights(connection, role)) if is_production else []
            connection.rollback()
    finally:
        database.close()
    # A role that may not read the migrations' state was reported above.
    return PrivilegeFindings(role, wrong or list(_schema(url)), warnings)


def _schema_access(connection: Connection, role: str) -> Iterator[str]:
    query = text("SELECT has_schema_privilege(:schema, 'USAGE')")
    if not connection.scalar(query, {"schema": SCHEMA}):
        yield f"{role} may not enter the schema {SCHEMA}: run `slomix db grant` as the owner"


def _rights(connection: Connection, role: str) -> Iterator[str]:
    for table in Base.metadata.sorted_tables:
        yield from _rights_on(connection, role, table)
    yield from _migration_rights(connection, role)


def _rights_on(connection: Connection, role: str, table: Table) -> Iterator[str]:
    column = next(iter(table.columns)).name
    states = {right: _state(connection, sql.format(table=table.name, column=column)) for right, sql in _TRIES.items()}
    if _MISSING in states.values():
        yield f"the table {table.name} is missing: run `slomix db upgrade`"
        return
    needed = ("SELECT", "INSERT") if table.name in APPEND_ONLY else tuple(_TRIES)
    refused = [right for right in needed if states[right] == _NOT_ALLOWED]
    if refused:
        yield f"{role} may not {_list(refused)} on {table.name}: run `slomix db grant` as the owner"
    for right, state in states.items():
        if state not in (None, _NOT_ALLOWED):
            yield f"{right} on {table.name} fails: run `slomix db check`"


def _migration_rights(connection: Connection, role: str) -> Iterator[str]:
    state = _state(connection, "SELECT version_num FROM alembic_version")
    if state == _MISSING:
        yield "no migration was ever run here: run `slomix db upgrade`"
    elif state is not None:
        yield f"{role} may not SELECT on alembic_version: run `slomix db grant` as the owner"


def _state(connection: Connection, sql: str) -> str | None:
    """Run a statement, undo it, and return the code of PostgreSQL's refusal, or None."""
    savepoint = connection.begin_nested()
    try:
        connection.execute(text(sql))
    except SQLAlchemyError as error:
        code = getattr(getattr(error, "orig", None), "sqlstate", None)
        if code is None or connection.invalidated:
            raise
        return str(code)
    finally:
        if savepoint.is_active and not connection.invalidated:
            savepoint.rollback()
    return None


def _sequence_rights(connection: Connection, role: str) -> Iterator[str]:
    """Check the rights on sequences without using them, because a drawn number does not come back."""
    query = text(
        "SELECT sequencename FROM pg_sequences WHERE schemaname = :schema"
        " AND NOT has_sequence_privilege(format('%I.%I', schemaname, sequencename), 'USAGE') ORDER BY sequencename"
    )
    for sequence in connection.scalars(query, {"schema": SCHEMA}):
        yield f"{role} may not use the sequence {sequence}: run `slomix db grant` as the owner"


def _schema(url: str) -> Iterator[str]:
    try:
        migrations.check(url)
    except CommandError as error:
        yield f"the database is not what this version expects ({error}): run `slomix db upgrade`"


def _excess_rights(connection: Connection, role: str) -> Iterator[str]:
    """Warn of rights that a role needs only for changing the schema."""
    advice = "run as website_app, and let DATABASE_OWNER_URL name the owner (docs/operations/database.md)"
    if connection.scalar(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")):
        yield f"{role} is a superuser, who may do anything to every database of the server: {advice}"
        return
    owned = text(
        "SELECT EXISTS (SELECT FROM pg_class WHERE relkind = 'r' AND relnamespace = to_regnamespace(:schema)"
        " AND pg_has_role(relowner, 'USAGE'))"
    )
    if connection.scalar(owned, {"schema": SCHEMA}):
        yield f"{role} owns tables, so it could change or drop them: {advice}"
    elif connection.scalar(text("SELECT has_schema_privilege(:schema, 'CREATE')"), {"schema": SCHEMA}):
        yield f"{role} may make tables: REVOKE CREATE ON SCHEMA {SCHEMA} FROM PUBLIC (docs/operations/database.md)"


def _list(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
