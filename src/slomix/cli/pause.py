"""`slomix pause`: stops and resumes all sending, without a restart."""

from datetime import datetime

import click

from slomix.cli.connect import open_transaction
from slomix.cli.roles import COMMAND_LINE
from slomix.config.settings import Settings
from slomix.deliveries import pausing


@click.command()
@click.argument("switch", type=click.Choice(["on", "off", "status"]), default="status")
def pause(switch: str) -> None:
    """Stop all sending at once (on), let messages go out again (off), or say how it is (status)."""
    with open_transaction() as (session, settings, now):
        before = pausing.current_pause(session)
        match switch:
            case "on" if pausing.pause(session, by=COMMAND_LINE, now=now):
                said = "Sending is paused. What is due waits, until its deadline."
            case "off" if pausing.resume(session, by=COMMAND_LINE, now=now):
                said = "Messages go out again."
            case "off":
                said = "Sending was not paused."
            case _ if before is None:
                said = "Messages go out."
            case _:
                already = " already" if switch == "on" else ""
                said = f"Sending is paused{already}, since {_local(before.since, settings)} by {before.by}."
    click.echo(said)


def _local(moment: datetime, settings: Settings) -> str:
    return f"{moment.astimezone(settings.zone):%Y-%m-%d %H:%M} {settings.zone.key}"
