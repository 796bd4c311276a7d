"""`slomix discord`: our slash commands, and the address to which Discord posts what is pressed and typed."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from slomix.channels.base import SendError
from slomix.channels.discord_commands import DiscordCommands
from slomix.cli.run_folder import join_running_copy
from slomix.config.settings import Settings
from slomix.database.session import ROOT
from slomix.interactions import commands
from slomix.runtime.factory import make_commands

NO_KEY = "DISCORD_PUBLIC_KEY is not set, so there are no commands and buttons; nothing was registered."


@click.group()
def discord() -> None:
    """Tell Discord about our commands and buttons."""


@discord.command()
@click.option("--endpoint", is_flag=True, help="Set the address for interactions too; the web process has to run.")
def register(endpoint: bool) -> None:
    """Register our slash commands, if they have changed."""
    join_running_copy(ROOT)
    settings = Settings.from_env()
    click.echo(register_commands(settings))
    if endpoint and settings.discord_public_key:
        url = f"{settings.base_url}/discord/interactions"
        with _client(settings) as client:
            client.set_endpoint(url)
        click.echo(f"Discord posts interactions to {url}")


def register_commands(settings: Settings) -> str:
    """Register our slash commands if they have changed, and return a sentence on it. Raise ClickException."""
    if not settings.discord_public_key:
        return NO_KEY
    ours = commands.definitions(settings.languages)
    with _client(settings) as client:
        application = str(client.application()["id"])
        if commands.is_same(ours, client.registered(application, settings.discord_guild_id)):
            return "Discord has our commands as they are."
        client.register(application, settings.discord_guild_id, ours)
    return f"Registered {len(ours)} commands at Discord."


@contextmanager
def _client(settings: Settings) -> Iterator[DiscordCommands]:
    client = make_commands(settings)
    try:
        yield client
    except SendError as error:
        raise click.ClickException(f"Discord did not take it: {error}") from error
    except KeyError as error:
        raise click.ClickException("Discord gave no readable answer.") from error
    finally:
        client.close()
