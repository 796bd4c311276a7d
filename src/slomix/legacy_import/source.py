"""Reads the earlier site's tables in one read-only snapshot; missing tables and columns are no error.

It stored times without a zone. Those that are read here (`created_at`, `updated_at`, `last_login…`, `sent_at`) were
written by PostgreSQL itself, in its own TimeZone: the cast to `timestamptz` in a session of that zone undoes it,
summer time included. Those that its Python wrote in UTC, the life of link tokens, are not read.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg import IsolationLevel, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from slomix.database.session import libpq_url
from slomix.errors import Invalid

SourceRow = Mapping[str, Any]


class SourceUnreadable(Invalid):
    """The earlier site's database cannot be read; the sentence contains no password."""


@dataclass(frozen=True)
class SourceTable:
    """The columns to read from a table, as text unless `_AS` says otherwise."""

    name: str
    needed: tuple[str, ...]
    # Added by one of their later migrations, or only nice to have.
    optional: tuple[str, ...] = ()


# How a column is read, if not as text. A day or a moment that Python cannot hold becomes NULL.
_MOMENT: LiteralString = "CASE WHEN {0} BETWEEN '0001-01-02' AND '9999-12-30' THEN ({0})::timestamptz END"
_DAY: LiteralString = "CASE WHEN {0} BETWEEN '0001-01-02' AND '9999-12-30' THEN ({0})::date END"
_AS: dict[str, LiteralString] = {
    **dict.fromkeys(("created_at", "updated_at", "last_login", "last_login_at", "sent_at"), _MOMENT),
    **dict.fromkeys(("entry_date", "campaign_date"), _DAY),
    **dict.fromkeys(
        (
            "allow_promotions",
            "availability_reminders_enabled",
            "dry_run",
            "enabled",
            "include_available",
            "include_maybe",
            "notify_threshold",
            "quiet_hours",
            "recipient_count",
            "sound_cooldown_seconds",
            "sound_enabled",
        ),
        "{0}",
    ),
    # Of these only their presence may be known.
    **dict.fromkeys(
        ("verified_at", "telegram_handle_encrypted", "signal_handle_encrypted"), "coalesce({0}::text, '') <> ''"
    ),
}

TABLES = (
    SourceTable("website_users", ("id",), ("created_at", "last_login", "last_login_at")),
    SourceTable("discord_accounts", ("user_id", "discord_user_id"), ("username", "display_name")),
    SourceTable("user_player_links", ("user_id", "player_guid"), ("player_name",)),
    SourceTable(
        "player_links",
        ("player_guid", "discord_id"),
        ("discord_username", "player_name", "display_name", "display_name_source"),
    ),
    SourceTable("availability_entries", ("user_id", "entry_date", "status"), ("user_name", "updated_at")),
    SourceTable(
        "availability_user_settings",
        ("user_id",),
        ("sound_enabled", "sound_cooldown_seconds", "availability_reminders_enabled"),
    ),
    SourceTable("availability_channel_links", ("user_id", "channel_type"), ("verified_at",)),
    SourceTable("availability_subscriptions", ("user_id", "channel_type", "enabled")),
    SourceTable(
        "subscription_preferences",
        ("user_id", "allow_promotions"),
        (
            "preferred_channel",
            "quiet_hours",
            "timezone",
            "notify_threshold",
            "telegram_handle_encrypted",
            "signal_handle_encrypted",
        ),
    ),
    SourceTable("availability_promotion_campaigns", ("id", "campaign_date", "status"), ("dry_run", "recipient_count")),
    SourceTable("availability_promotion_jobs", ("campaign_id", "job_type", "status")),
    SourceTable("availability_promotion_send_logs", ("campaign_id", "status")),
    SourceTable("notifications_ledger", ("user_id", "event_key", "channel_type", "message_id"), ("sent_at",)),
    SourceTable("user_permissions", ("discord_id", "tier")),
)


@dataclass(frozen=True)
class SourceSnapshot:
    """The rows of each table at one moment, and the tables that are missing or in another shape."""

    rows: Mapping[str, list[SourceRow]]
    missing: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, table: str) -> list[SourceRow]:
        return self.rows.get(table, [])


def read_source(url: str) -> SourceSnapshot:
    """Read all tables. Raise SourceUnreadable with the reason."""
    rows: dict[str, list[SourceRow]] = {}
    missing: dict[str, str] = {}
    with _open(url) as connection:
        try:
            for table in TABLES:
                there = _columns(connection, table.name)
                lacking = [column for column in table.needed if column not in there]
                if not there:
                    missing[table.name] = "there is no such table there"
                elif lacking:
                    missing[table.name] = "the table has no {columns}".format(columns=", ".join(lacking))
                else:
                    rows[table.name] = _rows(connection, table, there)
        except psycopg.Error as error:
            raise SourceUnreadable(f"The earlier site's database cannot be read: {_reason(error)}.") from None
    if not {"user_player_links", "player_links"} & set(rows):
        raise SourceUnreadable(
            "There is nothing of the earlier site in this database: neither the table "
            "user_player_links nor player_links."
        )
    return SourceSnapshot(rows, missing)


@contextmanager
def _open(url: str) -> Iterator["psycopg.Connection[dict[str, Any]]"]:
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise SourceUnreadable(
            "This is not a PostgreSQL address. Give one such as "
            "postgresql://user:password@host/database, as the argument or in "
            "PREDECESSOR_DATABASE_URL."
        )
    try:
        if _is_torn(conninfo_to_dict(libpq_url(url))):
            raise SourceUnreadable(
                "This is not a PostgreSQL address. Give one such as "
                "postgresql://user:password@host/database, as the argument or in "
                "PREDECESSOR_DATABASE_URL."
            )
        connection = psycopg.connect(libpq_url(url), connect_timeout=10, row_factory=dict_row, client_encoding="utf8")
    except psycopg.OperationalError as error:
        raise SourceUnreadable(f"The earlier site's database cannot be opened: {_reason(error)}.") from None
    except psycopg.Error:  # its text quotes the address, and the password with it
        raise SourceUnreadable(
            "This is not a PostgreSQL address. Give one such as "
            "postgresql://user:password@host/database, as the argument or in "
            "PREDECESSOR_DATABASE_URL."
        ) from None
    with connection:
        # Before the first statement begins the one transaction: a snapshot that cannot write.
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield connection
    connection.close()


def _is_torn(address: Mapping[str, Any]) -> bool:
    """Check whether an unescaped @, / or : in the password tore it, so that an error would quote pieces of it."""
    host, port, name = (str(address.get(part, "")) for part in ("host", "port", "dbname"))
    return "@" in host + name or re.search(r"[^0-9,]", port) is not None


def _columns(connection: "psycopg.Connection[dict[str, Any]]", table: str) -> set[str]:
    """Return the columns of the table that the search path finds."""
    query = "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped"
    return {row["attname"] for row in connection.execute(query, [table])}


def _rows(connection: "psycopg.Connection[dict[str, Any]]", table: SourceTable, there: set[str]) -> list[SourceRow]:
    columns = [
        sql.SQL("{} AS {}").format(
            sql.SQL(_AS.get(column, "{0}::text")).format(sql.Identifier(column)) if column in there else sql.NULL,
            sql.Identifier(column),
        )
        for column in (*table.needed, *table.optional)
    ]
    order = sql.SQL(", ").join(sql.Literal(number + 1) for number in range(len(table.needed)))
    query = sql.SQL("SELECT {} FROM {} ORDER BY {}")
    return list(connection.execute(query.format(sql.SQL(", ").join(columns), sql.Identifier(table.name), order)))


def _reason(error: psycopg.Error) -> str:
    """Return the first line of PostgreSQL's message, which names host, user and table at most."""
    said = str(error).strip() or type(error).__name__
    return said.splitlines()[0].rstrip(".")
