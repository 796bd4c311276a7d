"""`slomix db` and `slomix players`: the schema, and profiles from a file."""

import csv
from pathlib import Path

import click
from alembic.util import CommandError

from slomix import migrations
from slomix.accounts import service as accounts
from slomix.cli.connect import open_database
from slomix.clock import wall_now


@click.group("db")
def database() -> None:
    """The database's schema."""


@database.command()
def upgrade() -> None:
    """Bring the database to the newest migration."""
    connection, settings = open_database()
    connection.close()
    migrations.upgrade(settings.database_url.get_secret_value())
    click.echo("The database is up to date.")


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
    """Add or update profiles from FILE: a CSV with the columns guid, name, aliases (split by |)."""
    rows = _read(file)
    database_, _ = open_database()
    with database_.transaction() as session:
        added, updated = accounts.import_players(session, rows, now=wall_now())
    click.echo(f"{added} added, {updated} updated.")


def _read(file: Path) -> list[tuple[str, str, list[str]]]:
    with file.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        missing = {"guid", "name"} - set(reader.fieldnames or ())
        if missing:
            raise click.ClickException(f"{file}: the column {', '.join(sorted(missing))} is missing.")
        found: dict[str, tuple[str, str, list[str]]] = {}
        for number, row in enumerate(reader, start=2):
            guid, name = (row["guid"] or "").strip(), (row["name"] or "").strip()
            if not guid or not name:
                raise click.ClickException(f"{file}, line {number}: guid and name must both be there.")
            if guid in found:
                raise click.ClickException(f"{file}, line {number}: the guid {guid} is there twice.")
            aliases = [alias.strip() for alias in (row.get("aliases") or "").split("|") if alias.strip()]
            found[guid] = (guid, name, aliases)
    return list(found.values())
