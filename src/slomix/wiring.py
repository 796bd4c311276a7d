"""Builds the real runtime of a process from its settings."""

from slomix.channels.discord import Discord
from slomix.clock import open_clock
from slomix.db import Database
from slomix.runtime import Runtime
from slomix.settings import Settings, SettingsError, problems_for_start


def make_runtime(settings: Settings, *, connections: int = 5) -> Runtime:
    """The real things. Raise SettingsError when something needed is not set."""
    problems = problems_for_start(settings)
    if problems:
        raise SettingsError("\n".join(problems))
    discord = Discord(
        settings.discord_api_base_url,
        settings.discord_bot_token.get_secret_value(),
        settings.discord_guild_id,
        connections=connections,
    )
    return Runtime(
        settings=settings,
        clock=open_clock(settings.clock_file),
        database=Database(settings.database_url.get_secret_value(), pool_size=connections),
        channels={"discord": discord},
        voice_lookup=discord,
    )
