"""Brings a database to the newest migration, or back to an earlier one."""

import io

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from slomix import grants
from slomix.db import ROOT


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


def known() -> list[str]:
    """All migrations of this version, the oldest first."""
    scripts = ScriptDirectory.from_config(configuration(""))
    return [script.revision for script in reversed(list(scripts.walk_revisions()))]


def check(url: str) -> None:
    """Raise alembic's CommandError when the database is not what the models say."""
    command.check(configuration(url))
