"""Grants the role that Slomix runs as all rows of every table and all sequences, and nothing else."""

import enum

import psycopg

from slomix.database.session import MIGRATION_LOCK, libpq_url

ROLE = "website_app"
SCHEMA = "public"
ON_TABLES = ("SELECT", "INSERT", "UPDATE", "DELETE")
# Only the role that runs migrations writes their state.
READ_ONLY = "alembic_version"
# Rows of these are only ever added. Old ones go with the owner's role, or with the row that they belong to.
APPEND_ONLY = ("account_link_audit_log", "delivery_attempts")

_GRANTS = (
    f"GRANT USAGE ON SCHEMA {SCHEMA} TO {ROLE}",
    f"GRANT {', '.join(ON_TABLES)} ON ALL TABLES IN SCHEMA {SCHEMA} TO {ROLE}",
    f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {SCHEMA} TO {ROLE}",
    f"ALTER DEFAULT PRIVILEGES IN SCHEMA {SCHEMA} GRANT {', '.join(ON_TABLES)} ON TABLES TO {ROLE}",
    f"ALTER DEFAULT PRIVILEGES IN SCHEMA {SCHEMA} GRANT USAGE, SELECT ON SEQUENCES TO {ROLE}",
)


class GrantOutcome(enum.Enum):
    """The result of granting."""

    YES = "yes"
    NO_ROLE = "there is no such role"
    OURSELVES = "the granting role is that role"


class GrantRefused(Exception):
    """Raised when an object belongs to another role; the text is PostgreSQL's."""


def grant_rights(url: str) -> GrantOutcome:
    """Grant on everything in the database at `url`, and on what this URL's role will create there."""
    with psycopg.connect(libpq_url(url), connect_timeout=5) as connection:
        return grant_rights_on(connection)


def grant_rights_on(connection: "psycopg.Connection[tuple[object, ...]]") -> GrantOutcome:
    """Like `grant_rights`, inside an open transaction. Raise GrantRefused when the role may not grant."""
    # Writing the same catalogue rows twice at once fails.
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [MIGRATION_LOCK])
    query = "SELECT current_user = rolname FROM pg_roles WHERE rolname = %s"
    found = connection.execute(query, [ROLE]).fetchone()
    if found is None:
        return GrantOutcome.NO_ROLE
    if found[0]:
        return GrantOutcome.OURSELVES
    try:
        for statement in _GRANTS:
            connection.execute(statement)
        for rights, table in (
            ("INSERT, UPDATE, DELETE", READ_ONLY),
            *(("UPDATE, DELETE", table) for table in APPEND_ONLY),
        ):
            if connection.execute("SELECT to_regclass(%s)", [f"{SCHEMA}.{table}"]).fetchone() != (None,):
                connection.execute(f"REVOKE {rights} ON {SCHEMA}.{table} FROM {ROLE}")
    except psycopg.errors.InsufficientPrivilege as error:
        raise GrantRefused(error.diag.message_primary) from error
    return GrantOutcome.YES
