"""Migrates a database to the newest migration, or back to an earlier one."""

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
    """Return Alembic's configuration for the database at `url`."""
    config = Config(stdout=io.StringIO())  # the caller reports the result
    config.set_main_option("script_location", str(ROOT / "alembic").replace("%", "%%"))
    config.attributes["url"] = url
    return config


def upgrade(url: str) -> grants.GrantOutcome:
    """Upgrade the database at `url` to the newest migration; concurrent calls run one after the other.

    Then grant the rights of the role that Slomix runs as, in case it was created after the migration that grants them.
    """
    command.upgrade(configuration(url), "head")
    return grants.grant_rights(url)


def downgrade(url: str, revision: str) -> None:
    """Downgrade the database at `url` to `revision`."""
    command.downgrade(configuration(url), revision)


def current(connection: Connection) -> str | None:
    """Return the migration that a database is at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def check(url: str) -> None:
    """Raise Alembic's CommandError when the database differs from the models."""
    command.check(configuration(url))


@functools.cache
def revisions() -> tuple[str, ...]:
    """Return the migrations of this version, newest first."""
    script = ScriptDirectory.from_config(configuration(""))
    return tuple(revision.revision for revision in script.walk_revisions())
