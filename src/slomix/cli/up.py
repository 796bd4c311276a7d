"""`slomix up`: the whole system in one terminal, for development and for production."""

import asyncio
import os
import signal

import click

from slomix.cli import surroundings
from slomix.cli.start import Start
from slomix.cli.surroundings import Folder, Given
from slomix.process import die_with_parent
from slomix.settings import Settings


@click.command()
@click.option("--prod", is_flag=True, help="Production: real settings only, and the release command first.")
@click.option(
    "--formation",
    default="",
    metavar="web=2,worker=3",
    help="How many of each process, one of those not named. Also as SLOMIX_FORMATION.",
)
@click.option("--with-parent", is_flag=True, hidden=True, help="Stop when the program that started us ends.")
def up(prod: bool, formation: str, with_parent: bool) -> None:
    """Start the whole system and keep it running until Ctrl-C."""
    if with_parent:
        die_with_parent(signal.SIGTERM)
    root = surroundings.project_root()
    os.chdir(root)
    if prod:
        os.environ["SLOMIX_ENV"] = "production"
    settings, given = Settings.from_env(), Given.read(root)
    folder = Folder(root / "var" / str(settings.port))
    start = Start(root, settings, given, folder, formation or given.text("SLOMIX_FORMATION"))
    start.check()
    with folder.held() as was_cut_off:
        surroundings.refuse_taken_ports(start.ports(), patience=10 if was_cut_off else 0)
        raise SystemExit(asyncio.run(start.run()))
