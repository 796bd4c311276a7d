"""What `slomix up` has done once in development before the processes start, as `slomix release` does it in production.

A process of its own: what it has to import would stay in the runner's memory for as long as that lives.
"""

import contextlib
import sys
from collections.abc import Callable

import click

from slomix.cli import data, discord
from slomix.cli.connect import owner_url
from slomix.clock import nap, open_clock
from slomix.config.settings import Settings
from slomix.database import migrations
from slomix.database.session import Database
from slomix.dev.embedded import postgres, valkey
from slomix.health import service as health

WAIT_SECONDS = 60
LOOK_EVERY = 0.05


@click.command()
@click.option("--demo", is_flag=True, help="Load the demo, and register our commands at the simulator.")
@click.argument("started", nargs=-1)
def set_up(demo: bool, started: tuple[str, ...]) -> None:
    """Prepare the database; wait first for those of our own servers that were STARTED just now."""
    settings = Settings.from_env()
    owner = owner_url(settings)
    if postgres.NAME in started:
        _wait_until(lambda: postgres.answers(owner), "postgres")
        postgres.make_role(owner)
    if valkey.NAME in started:
        _wait_until(lambda: valkey.answers(settings.redis_url.get_secret_value()), "valkey")
    with data.readable_errors():
        migrations.upgrade(owner)
    if demo:
        from slomix.cli.demo import load_demo

        load_demo(settings, open_clock(settings.clock_file))
    _forget_heartbeats(settings)
    if demo:
        _register_commands(settings)


def _wait_until(is_up: Callable[[], bool], name: str) -> None:
    for _ in range(int(WAIT_SECONDS / LOOK_EVERY)):
        if is_up():
            return
        nap(LOOK_EVERY)
    raise click.ClickException(f"{name} does not answer")


def _forget_heartbeats(settings: Settings) -> None:
    """Delete an earlier run's heartbeats, which would pass for health before the new processes are up."""
    database = Database(settings.database_url.get_secret_value())
    with database.transaction() as session:
        health.clear_heartbeats(session)
    database.close()


def _register_commands(settings: Settings) -> None:
    """Register our commands at the simulator as soon as it is up; development goes on without them."""
    for _ in range(100):
        with contextlib.suppress(click.ClickException):
            discord.register_commands(settings)
            return
        nap(0.1)


if __name__ == "__main__":
    sys.exit(set_up())
