"""Brings a database to the newest migration, or back to an earlier one."""

import functools
import io

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from slomix.database import grants
from slomix.database.session import ROOT


def configuration(url: str) -> Config:
    """Alembic's configuration for the database at `url`."""
    config = Config(stdout=io.StringIO())  # whoever asked says what came of it
    config.set_main_option("script_location", str(ROOT / "alembic").replace("%", "%%"))
    config.attributes["url"] = url
    return config


def upgrade(url: str) -> grants.Granted:
    """Bring the database at `url` to the newest migration; two at once run one after the other.

    Then the role that Slomix runs as gets its rights, also where it was made after the migration that grants them.
    """
    command.upgrade(configuration(url), "head")
    return grants.apply(url)


def downgrade(url: str, revision: str) -> None:
    """Take the database at `url` back to `revision`."""
    command.downgrade(configuration(url), revision)


def current(connection: Connection) -> str | None:
    """The migration that a database is at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def check(url: str) -> None:
    """Raise alembic's CommandError when the database is not what the models say."""
    command.check(configuration(url))


@functools.cache
def revisions() -> tuple[str, ...]:
    """The migrations of this version, newest first."""
    script = ScriptDirectory.from_config(configuration(""))
    return tuple(one.revision for one in script.walk_revisions())
