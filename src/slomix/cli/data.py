"""`slomix db` and `slomix players`: the schema, and profiles from a file."""

from datetime import timedelta
from pathlib import Path

import click
from alembic.util import CommandError
from sqlalchemy.exc import OperationalError

from slomix import migrations
from slomix.accounts import players_csv
from slomix.accounts.players_csv import BadFile
from slomix.cli.connect import open_database
from slomix.clock import nap, wall_now
from slomix.db import Database


@click.group("db")
def database() -> None:
    """The database's schema."""


@database.command()
@click.option("--wait", default=0, metavar="SECONDS", help="How long to wait for a database that does not answer.")
def upgrade(wait: int) -> None:
    """Bring the database to the newest migration."""
    connection, settings = open_database()
    _wait_for(connection, wait)
    migrations.upgrade(settings.database_url.get_secret_value())
    click.echo("The database is up to date.")


def _wait_for(connection: Database, seconds: int) -> None:
    """After a start of the machine it may come up later than we. Raise ClickException when it does not."""
    until = wall_now() + timedelta(seconds=seconds)
    while True:
        try:
            with connection.engine.connect():
                break
        except OperationalError as error:
            if wall_now() >= until:
                reason = str(error.orig).strip().splitlines()[0]
                raise click.ClickException(f"The database does not answer: {reason}") from None
            nap(1)
    connection.close()


@database.command()
def check() -> None:
    """Say whether the database is what this version expects."""
    connection, settings = open_database()
    connection.close()
    try:
        migrations.check(settings.database_url.get_secret_value())
    except CommandError as error:
        raise click.ClickException(f"The database is not what this version expects: {error}") from None
    click.echo("The database is what this version expects.")


@click.group()
def players() -> None:
    """Player profiles."""


@players.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_file(file: Path) -> None:
    """Add or update profiles from FILE: a CSV of guid, name and, if known, aliases (split by |), rating."""
    try:
        rows = players_csv.read(players_csv.decode(file.read_bytes()))
    except BadFile as error:
        raise click.ClickException(f"{file}: {error}") from None
    database_, _ = open_database()
    with database_.transaction() as session:
        added, updated = players_csv.store(session, rows, actor=None, now=wall_now())
    click.echo(f"{added} added, {updated} updated.")
