"""`slomix release`: what has to be done once before the processes of a new version start."""

import click

from slomix.cli import discord
from slomix.cli.data import upgrade
from slomix.config.settings import Settings


@click.command()
@click.option("--wait", default=0, metavar="SECONDS", help="How long to wait for a database that does not answer.")
@click.pass_context
def release(context: click.Context, wait: int) -> None:
    """Bring the database up to date, and Discord's list of our commands.

    Without Discord the release goes on: the evening does not depend on commands.
    """
    context.invoke(upgrade, wait=wait)
    try:
        click.echo(discord.register_commands(Settings.from_env()))
    except click.ClickException as error:
        click.echo(f"{error.message} The commands stay as they were; `slomix discord register` tries again.", err=True)
