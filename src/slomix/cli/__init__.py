"""The console script `slomix`."""

import ast
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

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

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List what the sources of the commands say, as importing them takes seconds."""
        most = formatter.width - 6 - max(map(len, COMMANDS))
        with formatter.section("Commands"):
            formatter.write_dl([(name, _first_sentence(name, most)) for name in sorted(COMMANDS)])

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().main(*args, **kwargs)
        except Exception as error:
            refusal = _refusal(error)
            if refusal is None:
                raise
            click.echo(refusal[0], err=True)
            sys.exit(refusal[1])


def _first_sentence(name: str, most: int) -> str:
    module, _, function = COMMANDS[name].partition(":")
    source = ast.parse((Path(__file__).parent / f"{module}.py").read_text())
    found = next(node for node in source.body if isinstance(node, ast.FunctionDef) and node.name == function)
    return click.Command(name, help=ast.get_docstring(found)).get_short_help_str(most)


def _refusal(error: Exception) -> tuple[str, int] | None:
    """Return what to say of an error that is nobody's mistake here, and the exit status."""
    from sqlalchemy.exc import OperationalError

    from slomix.cli.connect import first_line
    from slomix.config.settings import SettingsError
    from slomix.errors import DomainError

    if isinstance(error, SettingsError):
        return str(error), 2
    if isinstance(error, DomainError):
        return f"Error: {error}", 1
    if isinstance(error, OperationalError):
        return f"The database does not answer: {first_line(error)}", 1
    return None


@click.group(cls=_Group)
@click.version_option(package_name="slomix", message="slomix %(version)s")
def main() -> None:
    """Get a community's game night started."""
