"""The console script `slomix`."""

import sys
from typing import Any

import click
from sqlalchemy.exc import OperationalError

from slomix.cli.backup import backup
from slomix.cli.campaign import campaign
from slomix.cli.check import check
from slomix.cli.connect import first_line
from slomix.cli.contacts import contacts
from slomix.cli.data import database, players
from slomix.cli.export import export_systemd
from slomix.cli.jobs import jobs
from slomix.cli.pause import pause
from slomix.cli.predecessor import import_predecessor
from slomix.cli.rehearse import rehearse
from slomix.cli.restore import restore
from slomix.cli.roles import roles
from slomix.cli.up import up
from slomix.settings import SettingsError


class _Group(click.Group):
    """Refusals are sentences on standard error and exit status 2, never a traceback."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().main(*args, **kwargs)
        except SettingsError as error:
            click.echo(str(error), err=True)
            sys.exit(2)
        except OperationalError as error:
            click.echo(f"The database does not answer: {first_line(error)}", err=True)
            sys.exit(1)


@click.group(cls=_Group)
def main() -> None:
    """Slomix gets a community's game night started."""


main.add_command(up)
main.add_command(database, "db")
main.add_command(backup)
main.add_command(restore)
main.add_command(players)
main.add_command(roles)
main.add_command(contacts)
main.add_command(campaign)
main.add_command(jobs)
main.add_command(pause)
main.add_command(check)
main.add_command(rehearse)
main.add_command(import_predecessor)
main.add_command(export_systemd)
