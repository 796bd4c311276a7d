"""Opens the database that a command is about: the one that is set, or the running copy's of this folder."""

import json
import os
from pathlib import Path

from slomix.db import ROOT, Database
from slomix.settings import Settings, SettingsError


def adopt_running_copy() -> None:
    """Take over the addresses of the copy that runs from this folder on `PORT`, where nothing else is set."""
    if os.environ.get("DATABASE_URL"):
        return
    path: Path = ROOT / "var" / os.environ.get("PORT", "7000") / "environment.json"
    if path.exists():
        for name, value in json.loads(path.read_text()).items():
            os.environ.setdefault(name, value)


def open_database() -> tuple[Database, Settings]:
    """The database and the settings. Raise SettingsError when there is none to be found."""
    adopt_running_copy()
    settings = Settings.from_env()
    url = settings.database_url.get_secret_value()
    if not url:
        raise SettingsError("DATABASE_URL: is not set, and no copy of Slomix runs from this folder on this PORT")
    return Database(url), settings
