"""`slomix roles`: who may promote and who is an admin, beside those that the settings name."""

import click

from slomix.accounts import roles as service
from slomix.accounts.rules import Role
from slomix.cli.connect import open_database
from slomix.clock import wall_now
from slomix.errors import DomainError

COMMAND_LINE = "command line"


@click.group()
def roles() -> None:
    """Promoters and admins."""


@roles.command()
@click.argument("discord_id")
@click.argument("role", type=click.Choice([one.value for one in Role]))
def grant(discord_id: str, role: str) -> None:
    """Make the person with DISCORD_ID a promoter or an admin; they need not have logged in yet."""
    database, _ = open_database()
    try:
        with database.transaction() as session:
            is_new = service.grant(session, discord_id, Role(role), actor=COMMAND_LINE, now=wall_now())
    except DomainError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{discord_id} is {role} now." if is_new else f"{discord_id} is {role} already.")


@roles.command()
@click.argument("discord_id")
@click.argument("role", type=click.Choice([one.value for one in Role]))
def revoke(discord_id: str, role: str) -> None:
    """Take it away, from their next click on."""
    database, settings = open_database()
    with database.transaction() as session:
        was_granted = service.revoke(session, discord_id, Role(role), actor=COMMAND_LINE, now=wall_now())
    from_settings = settings.all_admin_ids if role == Role.ADMIN else settings.promoter_discord_ids
    if discord_id in from_settings:
        raise click.ClickException(f"{discord_id} is {role} by the settings; take them out there.")
    click.echo(f"{discord_id} is no {role} any more." if was_granted else f"{discord_id} was no {role}.")
