"""Brings a database to the newest migration."""

import functools

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from slomix.db import ROOT


def configuration(url: str) -> Config:
    """Alembic's configuration for the database at `url`."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "alembic").replace("%", "%%"))
    config.attributes["url"] = url
    return config


def upgrade(url: str) -> None:
    """Bring the database at `url` to the newest migration; two at once run one after the other."""
    command.upgrade(configuration(url), "head")


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
