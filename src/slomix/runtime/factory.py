"""Builds a process's runtime from its settings."""

from slomix.channels.base import Channel
from slomix.channels.discord import Discord
from slomix.channels.discord_commands import DiscordCommands
from slomix.channels.discord_events import DiscordEvents
from slomix.channels.discord_threads import DiscordThreads
from slomix.channels.game_server import GameServer
from slomix.channels.opening_pace import SharedOpeningPace
from slomix.channels.rate_limit import TELEGRAM_LIMIT, TELEGRAM_SHARE, RateLimiter, SharedRateLimiter
from slomix.channels.signal import Signal
from slomix.channels.telegram import Telegram
from slomix.clock import open_clock
from slomix.config.settings import Settings
from slomix.database.session import Database
from slomix.reasons.codes import Reason
from slomix.runtime.context import Runtime


def make_runtime(settings: Settings, *, connections: int = 5, pool_size: int = 5, is_patient: bool = False) -> Runtime:
    """Build the runtime from settings that passed the checks.

    `connections` are those to each provider, `pool_size` those to the database. A process that `is_patient` retries
    when a connection turns out to be dead, so connections aren't checked before use, and waits when all are in use.
    """
    token = settings.discord_bot_token.get_secret_value()
    telegram = _shared_telegram(settings, connections) if "telegram" in settings.channels_on else None
    discord = Discord(
        settings.discord_api_base_url,
        token,
        settings.discord_guild_id,
        connections=connections,
        rate_limiter=SharedRateLimiter(settings.redis_url.get_secret_value(), token),
        opening_pace=SharedOpeningPace(settings.redis_url.get_secret_value()),
    )
    return Runtime(
        settings=settings,
        clock=open_clock(settings.clock_file),
        database=Database(
            settings.database_url.get_secret_value(),
            pool_size=pool_size,
            overflow=0 if is_patient else 5,
            pre_ping=not is_patient,
        ),
        channels={"discord": discord, **_further_channels(settings, telegram, connections)},
        voice_lookup=discord,
        dm_opener=discord if "discord" in settings.channels_on else None,
        room_editor=discord,
        press_answers=telegram,
        guild_lookup=discord if settings.discord_guild_id else None,
        threads=DiscordThreads(discord, settings.discord_guild_id) if settings.planning_create_thread else None,
        scheduled_events=DiscordEvents(discord, settings.discord_guild_id)
        if settings.scheduled_event_enabled
        else None,
        interaction_responses=make_commands(settings) if settings.discord_public_key else None,
        game_server=make_game_server(settings),
    )


def make_commands(settings: Settings) -> DiscordCommands:
    return DiscordCommands(settings.discord_api_base_url, settings.discord_bot_token.get_secret_value())


def make_telegram(settings: Settings, *, connections: int, rate_limiter: RateLimiter | None = None) -> Telegram:
    return Telegram(
        settings.telegram_api_base_url,
        settings.telegram_bot_token.get_secret_value(),
        connections=connections,
        rate_limiter=rate_limiter,
    )


def make_signal(settings: Settings, *, connections: int) -> Signal:
    return Signal(settings.signal_daemon_url, settings.signal_sender, connections=connections)


def make_game_server(settings: Settings) -> GameServer | None:
    """Return the game server, if one is configured and asking it is switched on."""
    if not settings.game_server_host or not settings.server_check_enabled:
        return None
    return GameServer(settings.game_server_host, settings.game_server_port)


def _shared_telegram(settings: Settings, connections: int) -> Telegram:
    pace = SharedRateLimiter(
        settings.redis_url.get_secret_value(),
        provider="telegram",
        limit=TELEGRAM_LIMIT,
        share=TELEGRAM_SHARE,
        busy=Reason.TELEGRAM_IS_BUSY,
    )
    return make_telegram(settings, connections=connections, rate_limiter=pace)


def _further_channels(settings: Settings, telegram: Telegram | None, connections: int) -> dict[str, Channel]:
    """Build the other channels that are switched on."""
    channels: dict[str, Channel] = {}
    if telegram is not None:
        channels["telegram"] = telegram
    if "signal" in settings.channels_on:
        channels["signal"] = make_signal(settings, connections=connections)
    return channels
