"""`slomix restore`: restores the whole database from a backup, or nothing, with sending paused."""

from datetime import datetime
from pathlib import Path

import click
import psycopg
from alembic.util import CommandError
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import URL, func, make_url, select

from slomix.accounts.models import Player
from slomix.cli.archive import Archive, Connection
from slomix.cli.backup import count_rows
from slomix.cli.connect import find_owner, first_line
from slomix.cli.data import describe_grant, readable_errors
from slomix.cli.dev_environment import postgres_programs
from slomix.cli.roles import COMMAND_LINE
from slomix.clock import open_clock, wall_now
from slomix.config.settings import Settings
from slomix.database import migrations
from slomix.database.grants import READ_ONLY, SCHEMA
from slomix.database.session import MIGRATION_LOCK, Database, libpq_url
from slomix.deliveries import pausing
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.health import rules

# Tables about processes and files, not people: their rows may be replaced without --force.
_NO_DATA = {READ_ONLY, "heartbeats", "backups"}

_DROP_EVERYTHING = """
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT format('%I.%I', nspname, relname) AS name,
            CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                ELSE 'TABLE' END AS kind
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname = 'public' AND relkind IN ('r', 'p', 'v', 'm', 'S')
            AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype IN ('a', 'e', 'i'))
        UNION ALL
        SELECT pg_proc.oid::regprocedure::text, 'ROUTINE' FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace
            AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
    LOOP
        EXECUTE format('DROP %s IF EXISTS %s CASCADE', found.kind, found.name);
    END LOOP;
END
$$
"""


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace the data that are there.")
@click.option(
    "--into", metavar="URL", help="Rehearse in another database: its address, or its name beside the live one."
)
def restore(file: Path, force: bool, into: str | None) -> None:
    """Make the database what it was when FILE was written. Stop Slomix before; sending is paused afterwards.

    With --into the live database stays as it is, Slomix runs on, and the end says whether the backup is good.

    Restore only what you wrote yourself: a backup is a program that the owner of the database runs.
    """
    url, settings = find_owner()
    if into is not None:
        url = _rehearsal_url(url, into)
    archive = Archive.open(file, beside=postgres_programs(settings))
    known = migrations.revisions()
    if archive.revision not in known:
        raise click.ClickException(
            f"{file} is at migration {archive.revision!r}, which this version does not know (its newest: {known[0]}). "
            "Restore it with the version of Slomix that wrote it, or a later one."
        )
    now = open_clock(settings.clock_file).now()
    with readable_errors():
        with psycopg.connect(libpq_url(url), connect_timeout=5) as connection:
            counts = _replace(connection, archive, settings, force=force, now=now)
        click.echo(f"{len(counts)} tables, {sum(counts.values()):,} rows at migration {archive.revision}.")
        granted = migrations.upgrade(url)
    if archive.revision != known[0]:
        click.echo(f"Brought up to migration {known[0]}.")
    if into is not None:
        _report_rehearsal(url, file, counts)
        return
    click.echo(describe_grant(granted))
    _report_waiting(url, now)


def _rehearsal_url(live: str, into: str) -> str:
    """Return the address of the database to rehearse in, which is made if its owner may. Raise ClickException."""
    target = make_url(into) if "://" in into else make_url(live).set(database=into)
    if target.database == make_url(live).database:
        raise click.ClickException("--into names the live database. Leave it out to restore for good.")
    url = target.render_as_string(hide_password=False)
    try:
        psycopg.connect(libpq_url(url), connect_timeout=5).close()
    except psycopg.OperationalError as error:
        if f'"{target.database}" does not exist' not in str(error):
            raise click.ClickException(f"{target.database} cannot be opened: {first_line(error)}") from None
        _create(live, target)
    return url


def _create(live: str, target: URL) -> None:
    create = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(target.database or ""))
    try:
        with psycopg.connect(libpq_url(live), autocommit=True, connect_timeout=5) as connection:
            connection.execute(create)
    except psycopg.errors.InsufficientPrivilege:
        raise click.ClickException(
            f"There is no database {target.database}, and {target.username} may not make one:"
            f" sudo -u postgres createdb --owner {target.username} --template template0 {target.database}"
        ) from None


def _report_rehearsal(url: str, file: Path, counts: dict[str, int]) -> None:
    """Say whether what was restored is what this version works on, and how new it is. Raise ClickException if not."""
    try:
        migrations.check(url)
    except CommandError as error:
        raise click.ClickException(
            f"{file} is NOT GOOD: its database is not what this version expects: {error}"
        ) from None
    if not counts.get(Player.__tablename__):
        raise click.ClickException(f"{file} is NOT GOOD: there are no players in it.")
    with readable_errors(), psycopg.connect(libpq_url(url), connect_timeout=5) as connection:
        newest = connection.execute("SELECT max(created_at) FROM public.jobs").fetchone()
    since = f"; its newest job is of {newest[0]:%Y-%m-%d %H:%M} UTC" if newest and newest[0] is not None else ""
    name = make_url(url).database
    click.echo(f"{file} is GOOD: it was restored whole into {name}, and this version works on it{since}.")
    click.echo(f"When you have looked: sudo -u postgres dropdb {name}")


def _replace(
    connection: Connection, archive: Archive, settings: Settings, *, force: bool, now: datetime
) -> dict[str, int]:
    """Replace all tables in one transaction, so that a failure changes nothing."""
    connection.execute("SET LOCAL lock_timeout = '10s'")
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [MIGRATION_LOCK])
    _refuse_while_running(connection, settings)
    _refuse_existing_data(connection, force=force)
    connection.execute(_DROP_EVERYTHING)
    archive.write_into(connection, say=lambda table: click.echo(f"            {table}"))
    counts = count_rows(connection)
    if "sending_pauses" in counts:
        pause = "INSERT INTO public.sending_pauses (id, since, by) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
        connection.execute(pause, [pausing.SWITCH_ID, now, COMMAND_LINE])
    connection.execute("DELETE FROM public.heartbeats")
    return counts


def _refuse_while_running(connection: Connection, settings: Settings) -> None:
    wall, alive = wall_now(), []
    if _exists(connection, "heartbeats"):
        latest = "SELECT part, max(seen_at) FROM public.heartbeats GROUP BY part ORDER BY part"
        beats = connection.execute(latest).fetchall()
        alive = [str(part) for part, seen_at in beats if wall - _moment(seen_at) <= rules.DEAD_AFTER]
    if alive:
        raise click.ClickException(
            f"Slomix runs on this database ({', '.join(alive)} in the last {rules.DEAD_AFTER.seconds} seconds). "
            "Stop it, wait that long, and try again."
        )
    role = conninfo_to_dict(libpq_url(settings.database_url.get_secret_value())).get("user")
    others = connection.execute(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usename = %s AND pid <> pg_backend_pid()",
        [role],
    ).fetchone()
    if others is not None and others[0]:
        raise click.ClickException(
            f"{role} is connected to this database ({others[0]} connections). Stop Slomix, and whatever else is, first."
        )


def _refuse_existing_data(connection: Connection, *, force: bool) -> None:
    there = [
        str(name) for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [SCHEMA])
    ]
    if there and READ_ONLY not in there:
        raise click.ClickException(
            f"What is in this database is not of Slomix ({', '.join(there[:3])} …): it takes one of its own."
        )
    if not force and any(_has_rows(connection, name) for name in there if name not in _NO_DATA):
        raise click.ClickException(
            "There are data in this database. Back them up, then --force replaces all of them, in one transaction."
        )


def _has_rows(connection: Connection, table: str) -> bool:
    query = sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(SCHEMA, table))
    return connection.execute(query).fetchone() == (True,)


def _exists(connection: Connection, table: str) -> bool:
    return connection.execute("SELECT to_regclass(%s)", [f"{SCHEMA}.{table}"]).fetchone() != (None,)


def _moment(value: object) -> datetime:
    assert isinstance(value, datetime)
    return value


def _report_waiting(url: str, now: datetime) -> None:
    """Report the waiting messages, and pause sending even if the backup's version knew no pause."""
    waiting = (DeliveryStatus.PENDING, DeliveryStatus.SENDING)
    database = Database(url)
    with database.transaction() as session:
        pausing.pause(session, by=COMMAND_LINE, now=now)
        number = session.scalar(select(func.count()).where(Delivery.status.in_(waiting)))
    database.close()
    click.echo(
        f"Sending is paused: {number or 'no'} messages waited when the backup was made, and some may have been sent"
        " since. Start Slomix, look at what waits under /admin, then run `slomix pause off`."
    )
