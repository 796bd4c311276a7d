"""`slomix roles`: promoters and admins, besides those that the settings name."""

import click

from slomix.accounts import roles as service
from slomix.accounts.rules import Role
from slomix.admin import queries
from slomix.cli.connect import open_transaction
from slomix.clock import wall_now
from slomix.presence.game_names import plain_name

COMMAND_LINE = "command line"


@click.group()
def roles() -> None:
    """Manage promoters and admins."""


@roles.command()
@click.argument("discord_id")
@click.argument("role", type=click.Choice([choice.value for choice in Role]))
def grant(discord_id: str, role: str) -> None:
    """Make the person with DISCORD_ID a promoter or an admin; they need not have logged in yet."""
    with open_transaction() as (session, *_):
        is_new = service.grant(session, discord_id, Role(role), actor=COMMAND_LINE, now=wall_now())
    click.echo(f"{discord_id} is {role} now." if is_new else f"{discord_id} is {role} already.")


@roles.command("list")
def list_roles() -> None:
    """List promoters and admins, whether from the settings or granted here, with their names if known."""
    with open_transaction() as (session, settings, _):
        found = [
            (row.discord_id, row.role, f"granted {row.granted_at:%Y-%m-%d}") for row in service.granted_roles(session)
        ]
        found += [
            (user, role, "by the settings") for role in Role for user in service.configured_holders(settings, role)
        ]
        people = queries.accounts_by_discord_id(session, {discord_id for discord_id, _, _ in found})
    for discord_id, role, whence in sorted(found, key=lambda row: (row[1], int(row[0]), row[2])):
        name = plain_name(people[discord_id].display_name) if discord_id in people else "never logged in"
        click.echo(f"{discord_id:20}  {role:8}  {whence:18}  {name}")
    if not found:
        click.echo("No promoter or admin yet: slomix roles grant DISCORD_ID admin")


@roles.command()
@click.argument("discord_id")
@click.argument("role", type=click.Choice([choice.value for choice in Role]))
def revoke(discord_id: str, role: str) -> None:
    """Revoke a role, from the person's next click on."""
    with open_transaction() as (session, settings, _):
        was_granted = service.revoke(session, discord_id, Role(role), actor=COMMAND_LINE, now=wall_now())
    if discord_id in service.configured_holders(settings, Role(role)):
        raise click.ClickException(f"{discord_id} is {role} by the settings; take them out there.")
    click.echo(f"{discord_id} is no {role} any more." if was_granted else f"{discord_id} was no {role}.")
