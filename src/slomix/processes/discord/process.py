"""Runs the Discord client until told to stop, and reconnects when Discord was away."""

import asyncio
import contextlib

import aiohttp
import discord
import structlog
import yarl

from slomix.config.settings import Settings
from slomix.health import rules as health_rules
from slomix.processes.common import announce_stop, start_process
from slomix.processes.discord.client import VoiceClient
from slomix.runtime.context import Runtime
from slomix.supervisor.process import on_stop_signal

log = structlog.get_logger()

RECONNECT_AFTER = 2.0


def run_bot() -> None:
    """Run the process behind `workers/bot.py`; without a token it logs that and idles."""
    runtime = start_process("discord", connections=3)
    if not runtime.settings.discord_bot_token.get_secret_value():
        log.warning("discord.no_token", hint="set DISCORD_BOT_TOKEN to know who is in voice")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(runtime))


async def _run(runtime: Runtime) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    on_stop_signal(lambda _: loop.call_soon_threadsafe(stopping.set))
    use_endpoints(runtime.settings)
    while not stopping.is_set():
        if runtime.settings.discord_bot_token.get_secret_value():
            await _connect_once(runtime, stopping)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), RECONNECT_AFTER)
    await asyncio.to_thread(announce_stop, runtime, health_rules.DISCORD)


def use_endpoints(settings: Settings) -> None:
    """Point this process's discord.py at the configured Discord."""
    discord.http.Route.BASE = settings.discord_api_base_url
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.discord_gateway_url)


async def _connect_once(runtime: Runtime, stopping: asyncio.Event) -> None:
    """Run the client until told to stop, or until Discord ends the connection."""
    client = VoiceClient(runtime)
    running = asyncio.create_task(client.start(runtime.settings.discord_bot_token.get_secret_value()))
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
    await client.close()
    stopped.cancel()
    try:
        await running
    except discord.LoginFailure:
        log.error("discord.bad_token", hint="DISCORD_BOT_TOKEN was not accepted")
    except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
        log.warning("discord.away", error=type(error).__name__)
