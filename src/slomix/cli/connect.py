"""Opens the database for a command: the configured one, or that of the copy running in this folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy.orm import Session

from slomix.cli.run_folder import join_running_copy
from slomix.clock import open_clock
from slomix.config.settings import Settings, SettingsError
from slomix.database.session import ROOT, Database


def first_line(error: Exception) -> str:
    """Return the first line of the database's error, without the statement."""
    said = str(getattr(error, "orig", None) or error).strip().splitlines()
    return said[0] if said else type(error).__name__


def open_database() -> tuple[Database, Settings]:
    """Open the database and return it with the settings. Raise SettingsError if none is configured."""
    join_running_copy(ROOT)
    settings = Settings.from_env()
    url = settings.database_url.get_secret_value()
    if not url:
        raise SettingsError("DATABASE_URL: is not set, and no copy of Slomix runs from this folder on this PORT")
    return Database(url), settings


@contextmanager
def open_transaction() -> Iterator[tuple[Session, Settings, datetime]]:
    """Open the database and a transaction in it; yield that with the settings and the time."""
    database, settings = open_database()
    try:
        with database.transaction() as session:
            yield session, settings, open_clock(settings.clock_file).now()
    finally:
        database.close()


def find_owner() -> tuple[str, Settings]:
    """Return the database's URL for its owner, for commands that change the schema or read all of it."""
    database, settings = open_database()
    database.close()
    return owner_url(settings), settings


def owner_url(settings: Settings) -> str:
    """Return DATABASE_OWNER_URL, or DATABASE_URL where one role does everything."""
    return settings.database_owner_url.get_secret_value() or settings.database_url.get_secret_value()
