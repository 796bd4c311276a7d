"""`slomix db` and `slomix players`: the schema, and profiles from a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import BinaryIO

import click
import psycopg
from alembic.util import CommandError
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from slomix.accounts import players_csv
from slomix.accounts import service as accounts
from slomix.accounts.players_csv import InvalidPlayersFile
from slomix.cli.connect import find_owner, first_line, open_database
from slomix.cli.roles import COMMAND_LINE
from slomix.clock import nap, open_clock, wall_now
from slomix.database import grants, migrations
from slomix.database.session import Database
from slomix.privacy import retention


@click.group("db")
def database() -> None:
    """Manage the database's schema."""


@database.command()
@click.option("--wait", default=0, metavar="SECONDS", help="How long to wait for a database that does not answer.")
def upgrade(wait: int) -> None:
    """Bring the database to the newest migration, and grant the rights of the role that Slomix runs as."""
    url, _ = find_owner()
    _wait_for(Database(url), wait)
    with readable_errors():
        granted = migrations.upgrade(url)
    click.echo("The database is up to date.")
    click.echo(describe_grant(granted))
    if granted is not grants.GrantOutcome.OURSELVES:  # then it may be a role that can only add to the log
        _shorten(url)


@database.command()
def prune() -> None:
    """Delete what the audit log says of more than two years ago, which the role that Slomix runs as may not."""
    url, _ = find_owner()
    with readable_errors():
        _shorten(url)


def _shorten(url: str) -> None:
    owners = Database(url)
    with owners.transaction() as session:
        number = retention.shorten_audit_log(session, now=wall_now())
    owners.close()
    if number:
        click.echo(f"Deleted {number} old entries of the audit log.")


def _wait_for(connection: Database, seconds: int) -> None:
    """Wait for a database that comes up later than we do. Raise ClickException when it does not."""
    until, said = wall_now() + timedelta(seconds=seconds), ""
    while True:
        try:
            with connection.engine.connect():
                break
        except OperationalError as error:
            reason = f"The database does not answer: {first_line(error)}"
            if wall_now() >= until:
                raise click.ClickException(reason) from None
            if reason != said:
                click.echo(f"{reason}; waiting for it.", err=True)
                said = reason
            nap(1)
    connection.close()


@database.command()
def check() -> None:
    """Say whether the database is what this version expects."""
    url, _ = find_owner()
    try:
        migrations.check(url)
    except CommandError as error:
        raise click.ClickException(f"The database is not what this version expects: {error}") from None
    click.echo("The database is what this version expects.")


@database.command()
def grant() -> None:
    """Grant the role that Slomix runs as its rights, on all tables now and in the future."""
    url, _ = find_owner()
    with readable_errors():
        granted = grants.grant_rights(url)
    if granted is not grants.GrantOutcome.YES:
        raise click.ClickException(describe_grant(granted))
    click.echo(describe_grant(granted))


@database.command()
@click.argument("revision")
@click.confirmation_option(prompt="What later migrations added goes, with its data. Is there a backup?")
def downgrade(revision: str) -> None:
    """Take the database back to REVISION, for an earlier version of Slomix; stop Slomix before."""
    url, _ = find_owner()
    known = migrations.revisions()
    if revision not in known:
        raise click.ClickException(f"{revision!r} is none of this version's migrations: {', '.join(reversed(known))}")
    with readable_errors():
        migrations.downgrade(url, revision)
    click.echo(f"The database is at {revision}.")


def describe_grant(granted: grants.GrantOutcome) -> str:
    """Describe the result of granting."""
    match granted:
        case grants.GrantOutcome.YES:
            return f"{grants.ROLE} may read and write its rows."
        case grants.GrantOutcome.NO_ROLE:
            return f"There is no role {grants.ROLE}, so nothing was granted: make it, then run `slomix db grant`."
        case grants.GrantOutcome.OURSELVES:
            return (
                f"Nothing was granted, since {grants.ROLE} cannot grant to itself: "
                "DATABASE_OWNER_URL names who owns the tables."
            )


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turn errors of schema changes into ClickExceptions with a sentence."""
    try:
        yield
    except CommandError as error:
        raise click.ClickException(f"The database cannot be brought there: {error}") from None
    except (SQLAlchemyError, psycopg.Error, grants.GrantRefused) as error:
        if isinstance(getattr(error, "orig", error), psycopg.errors.InsufficientPrivilege | grants.GrantRefused):
            raise click.ClickException(
                f"This takes the owner of the database ({first_line(error)}). DATABASE_OWNER_URL names that role; "
                "what another role made, a superuser can give it: ALTER TABLE … OWNER TO …"
            ) from None
        raise click.ClickException(f"The database refused: {first_line(error)}") from None


@click.group()
def players() -> None:
    """Manage player profiles."""


@players.command("import")
@click.argument("file", type=click.File("rb"))
def import_file(file: BinaryIO) -> None:
    """Add or update profiles from FILE: a CSV of guid, name and, if known, aliases (split by |), rating.

    FILE may be - for standard input, for a file that the account which runs this may not read.
    """
    try:
        profiles = players_csv.parse_profiles(players_csv.decode_file(file.read()))
    except InvalidPlayersFile as error:
        raise click.ClickException(f"{file.name}: {error}") from None
    database_, settings = open_database()
    with database_.transaction() as session:
        added, updated = players_csv.import_profiles(
            session, profiles, actor=COMMAND_LINE, now=open_clock(settings.clock_file).now()
        )
    click.echo(f"{added} added, {updated} updated.")


@players.command("check")
def check_profiles() -> None:
    """List stored profiles that an import would refuse or change, and those that look the same."""
    database_, _ = open_database()
    with database_.transaction() as session:
        found = accounts.find_doubtful_profiles(session)
    for line in found:
        click.echo(line)
    click.echo(f"{len(found)} to look at." if found else "All profiles are as an import would write them.")
