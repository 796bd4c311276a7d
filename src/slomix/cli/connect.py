"""Opens the database that a command is about: the one that is set, or the running copy's of this folder."""

from sqlalchemy.exc import SQLAlchemyError

from slomix.cli.dev_environment import join_running_copy
from slomix.config.settings import Settings, SettingsError
from slomix.database.session import ROOT, Database


def first_line(error: SQLAlchemyError) -> str:
    """What the database said, without the statement that it was about."""
    said = str(getattr(error, "orig", None) or error).strip().splitlines()
    return said[0] if said else type(error).__name__


def open_database() -> tuple[Database, Settings]:
    """The database and the settings. Raise SettingsError when there is none to be found."""
    join_running_copy(ROOT)
    settings = Settings.from_env()
    url = settings.database_url.get_secret_value()
    if not url:
        raise SettingsError("DATABASE_URL: is not set, and no copy of Slomix runs from this folder on this PORT")
    return Database(url), settings


def find_owner() -> tuple[str, Settings]:
    """The address of the same database as who owns it, for what changes the schema or takes all of it."""
    database, settings = open_database()
    database.close()
    return owner_url(settings), settings


def owner_url(settings: Settings) -> str:
    """DATABASE_OWNER_URL, or DATABASE_URL where one role does everything."""
    return settings.database_owner_url.get_secret_value() or settings.database_url.get_secret_value()
