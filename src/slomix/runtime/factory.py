"""Builds the real runtime of a process from its settings."""

from slomix.channels.base import Channel
from slomix.channels.discord import Discord
from slomix.channels.discord_threads import DiscordThreads
from slomix.channels.game_server import GameServer
from slomix.channels.rate_limit import SharedPace
from slomix.channels.signal import Signal
from slomix.channels.telegram import Telegram
from slomix.clock import open_clock
from slomix.config.settings import Settings
from slomix.database.session import Database
from slomix.runtime.context import Runtime


def make_runtime(settings: Settings, *, connections: int = 5, pool_size: int = 5, is_patient: bool = False) -> Runtime:
    """The real things, for settings with which a process may start.

    `connections` are those to each provider, `pool_size` those to the database. Who `is_patient` tries again by itself
    when a connection turns out to be dead, and need not ask each one whether it lives; and waits when all are in use.
    """
    discord = Discord(
        settings.discord_api_base_url,
        settings.discord_bot_token.get_secret_value(),
        settings.discord_guild_id,
        connections=connections,
        pace=SharedPace(settings.redis_url.get_secret_value()),
    )
    return Runtime(
        settings=settings,
        clock=open_clock(settings.clock_file),
        database=Database(
            settings.database_url.get_secret_value(),
            pool_size=pool_size,
            overflow=0 if is_patient else 5,
            asks_whether_alive=not is_patient,
        ),
        channels={"discord": discord, **_further_channels(settings, connections)},
        voice_lookup=discord,
        guild_lookup=discord if settings.discord_guild_id else None,
        threads=DiscordThreads(discord, settings.discord_guild_id) if settings.planning_create_thread else None,
        game_server=game_server_of(settings),
    )


def telegram_of(settings: Settings, *, connections: int) -> Telegram:
    return Telegram(
        settings.telegram_api_base_url, settings.telegram_bot_token.get_secret_value(), connections=connections
    )


def signal_of(settings: Settings, *, connections: int) -> Signal:
    return Signal(settings.signal_daemon_url, settings.signal_sender, connections=connections)


def game_server_of(settings: Settings) -> GameServer | None:
    """The one to ask, where one is configured and asking is not switched off."""
    if not settings.game_server_host or not settings.server_check_enabled:
        return None
    return GameServer(settings.game_server_host, settings.game_server_port)


def _further_channels(settings: Settings, connections: int) -> dict[str, Channel]:
    """Those that are switched on."""
    channels: dict[str, Channel] = {}
    if "telegram" in settings.channels_on:
        channels["telegram"] = telegram_of(settings, connections=connections)
    if "signal" in settings.channels_on:
        channels["signal"] = signal_of(settings, connections=connections)
    return channels
