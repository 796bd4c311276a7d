"""`slomix contacts`: the keys that encrypt addresses."""

import click
from cryptography.fernet import Fernet

from slomix.cli.connect import open_transaction
from slomix.contacts import links


@click.group()
def contacts() -> None:
    """Manage the keys that encrypt addresses on Telegram and Signal."""


@contacts.command("new-key")
def new_key() -> None:
    """Print a key for CONTACT_DATA_ENCRYPTION_KEY."""
    click.echo(Fernet.generate_key().decode())


@contacts.command("rotate-keys")
def rotate_keys() -> None:
    """Encrypt every address with the first key of CONTACT_DATA_ENCRYPTION_KEY; then drop the other keys."""
    with open_transaction() as (session, settings, _):
        sealed, lost = links.reseal_addresses(session, settings)
    click.echo(f"{sealed} sealed with the newest key.")
    if lost:
        raise click.ClickException(
            f"{lost} could not be read with any of the keys and stay as they are; bring back the key of then."
        )
