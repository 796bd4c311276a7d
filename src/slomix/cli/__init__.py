"""The console script `slomix`."""

import sys
from importlib import import_module
from typing import Any

import click
from sqlalchemy.exc import OperationalError

from slomix.cli.connect import first_line
from slomix.config.settings import SettingsError
from slomix.errors import DomainError

# The module and name of each command. Imported on demand: importing all takes three times as long as `up` alone.
COMMANDS = {
    "up": "up:up",
    "db": "data:database",
    "discord": "discord:discord",
    "release": "release:release",
    "backup": "backup:backup",
    "restore": "restore:restore",
    "players": "data:players",
    "roles": "roles:roles",
    "contacts": "contacts:contacts",
    "campaign": "campaign:campaign",
    "jobs": "jobs:jobs",
    "pause": "pause:pause",
    "check": "check:check",
    "rehearse": "rehearse:rehearse",
    "import-predecessor": "predecessor:import_predecessor",
    "export-systemd": "export:export_systemd",
}


class _Group(click.Group):
    """Prints refusals as sentences on standard error, with exit status 2 for wrong settings and 1 for all else."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"slomix.cli.{module}"), name)
        return command

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().main(*args, **kwargs)
        except SettingsError as error:
            click.echo(str(error), err=True)
            sys.exit(2)
        except DomainError as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(1)
        except OperationalError as error:
            click.echo(f"The database does not answer: {first_line(error)}", err=True)
            sys.exit(1)


@click.group(cls=_Group)
@click.version_option(package_name="slomix", message="slomix %(version)s")
def main() -> None:
    """Get a community's game night started."""
