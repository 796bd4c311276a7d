"""`slomix up`: the whole system in one terminal, for development and for production."""

import asyncio
import os
import signal
import sys
from dataclasses import replace

import click

from slomix.cli import run_folder
from slomix.cli.formation import SMALL
from slomix.cli.run_folder import Folder, Given
from slomix.cli.start import SystemStart
from slomix.config.checks import all_problems, format_problems
from slomix.config.settings import Settings, SettingsError
from slomix.supervisor.process import die_with_parent, on_stop_signal


@click.command()
@click.option("--prod", is_flag=True, help="Production: real settings only, and the release command first.")
@click.option(
    "--formation",
    default="",
    metavar="web=2,worker=3",
    help="How many of each process, one of those not named; small: one beside the web. Also as SLOMIX_FORMATION.",
)
@click.option("--with-parent", is_flag=True, hidden=True, help="Stop when the program that started us ends.")
def up(prod: bool, formation: str, with_parent: bool) -> None:
    """Start the whole system and keep it running until Ctrl-C."""
    if with_parent:
        die_with_parent(signal.SIGTERM)
    root = run_folder.project_root()
    os.chdir(root)
    if prod:
        os.environ["SLOMIX_ENV"] = "production"
    given = Given.read(root)
    settings = settings_of(given)
    folder = Folder(root / "var" / str(settings.port))
    wanted = formation or settings.formation or (SMALL if settings.is_development else "")
    start = SystemStart(root, settings, given, folder, wanted)
    start.plan()
    # Nothing runs yet that would have to be ended, but the folder will be locked.
    on_stop_signal(lambda _: sys.exit(0))
    # If it were inherited as ignored, we could not learn how a process ended.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with folder.held() as was_cut_off:
        run_folder.refuse_taken_ports(start.ports(), patience=10 if was_cut_off else 0)
        raise SystemExit(asyncio.run(start.run()))


def settings_of(given: Given) -> Settings:
    """Read the settings; development fills in missing ones later. Raise SettingsError with all problems."""
    settings, problems = Settings.read(given.environment)
    if settings.is_development and not given.has_credentials:
        from slomix.dev.simulator import people

        # What the simulator stands in for is there, so nothing that needs it contradicts itself.
        filled = people.environment(settings.port) | dict(given.environment.values)
        settings, problems = Settings.read(replace(given.environment, values=filled))
    if not settings.is_development:
        settings, problems = all_problems(given.environment)
    try:
        given.is_on("SKIP_HEALTHCHECK")
    except ValueError as error:
        problems = [*problems, f"SKIP_HEALTHCHECK: {error}"]
    if problems:
        raise SettingsError(format_problems(problems))
    return settings
