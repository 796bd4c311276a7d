"""`slomix backup`: the whole database, as of one moment, in one file."""

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import click
import psycopg
from psycopg import sql

from slomix.cli import archive
from slomix.cli.archive import Archive, Connection
from slomix.cli.connect import find_owner
from slomix.cli.data import readable_errors
from slomix.cli.dev_environment import postgres_programs
from slomix.clock import wall_now
from slomix.database.grants import READ_ONLY, SCHEMA
from slomix.database.session import libpq_url
from slomix.health.models import BACKUP_ID, Backup

SUFFIX = ".backup"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite FILE.")
@click.option("--keep", type=click.IntRange(1), metavar="DAYS", help="Of a folder's backups remove those before.")
def backup(file: Path, force: bool, keep: int | None) -> None:
    """Write the whole database to FILE, while Slomix runs; only this account may read it.

    If FILE is a folder, the file in it is named after the day, and replaces that day's.
    """
    folder = file if file.is_dir() else None
    if folder is not None:
        file = folder / f"{wall_now().astimezone():%Y-%m-%d}{SUFFIX}"
    elif keep is not None:
        raise click.UsageError(f"--keep is for a folder of backups, and {file} is none.")
    elif file.exists() and not force:
        raise click.ClickException(f"{file} is there already; --force overwrites it.")
    if not file.absolute().parent.is_dir():
        raise click.ClickException(f"There is no folder {file.absolute().parent}.")
    _write(file)
    if folder is not None and keep is not None:
        _remove_older(folder, keep)


def _write(file: Path) -> None:
    url, settings = find_owner()
    beside = postgres_programs(settings)
    began = time.monotonic()
    with readable_errors(), psycopg.connect(libpq_url(url), connect_timeout=5) as connection:
        program = archive.pg_dump(connection.info.server_version // 10_000, beside=beside)
        # The counts and pg_dump see the same moment.
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        counts = count_rows(connection)
        if READ_ONLY not in counts:
            raise click.ClickException("There is no Slomix in this database, so there is nothing to back up.")
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None

        def say(table: str) -> None:
            click.echo(f"{counts.get(table, 0):>10,}  {table}")

        with _private_file_beside(file) as fresh:
            archive.dump(program, url, str(row[0]), fresh, say=say)
            revision = Archive.open(fresh, beside=beside).revision
            fresh.replace(file)
    if Backup.__tablename__ in counts:
        _record(url)
    size, seconds = file.stat().st_size, time.monotonic() - began
    click.echo(
        f"{file}: {len(counts)} tables, {sum(counts.values()):,} rows at migration {revision}; {size:,} bytes,"
        f" {seconds:.1f} s, pg_dump {program.version}."
    )


def _remove_older(folder: Path, days: int) -> None:
    """Remove the backups of earlier days than the newest `days`, by their names; other files stay."""
    by_day = sorted(path for path in folder.glob(f"*{SUFFIX}") if _DAY.fullmatch(path.stem))
    for path in by_day[:-days]:
        path.unlink()
        click.echo(f"{path}: removed, {days} newer ones are kept.")


def _record(url: str) -> None:
    """Record the backup, so that `/health` knows its age."""
    with psycopg.connect(libpq_url(url), connect_timeout=5) as connection:
        connection.execute(
            "INSERT INTO public.backups (id, finished_at) VALUES (%s, clock_timestamp())"
            " ON CONFLICT (id) DO UPDATE SET finished_at = EXCLUDED.finished_at",
            [BACKUP_ID],
        )


def count_rows(connection: Connection) -> dict[str, int]:
    """Count the rows of each table."""
    names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [SCHEMA]).fetchall()
    counts = {}
    for (name,) in names:
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(SCHEMA, str(name)))
        counted = connection.execute(query).fetchone()
        assert counted is not None
        counts[str(name)] = int(str(counted[0]))
    return counts


@contextlib.contextmanager
def _private_file_beside(file: Path) -> Iterator[Path]:
    """Open a private file next to `file`, deleted afterwards unless renamed, so that no half backup has its name."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}.") from None
    try:
        yield fresh
    finally:
        fresh.unlink(missing_ok=True)
