"""Runs the Discord client until told to stop, and reconnects when Discord was away."""

import asyncio
import contextlib
import math
import threading
import time

import discord
import structlog
import yarl

from slomix.config.settings import Settings
from slomix.health import rules as health_rules
from slomix.processes.common import announce_stop, run_alone, send_heartbeat
from slomix.processes.discord import lives
from slomix.processes.discord.client import VoiceClient
from slomix.runtime.context import Runtime

log = structlog.get_logger()


def run_bot() -> None:
    """Run the process behind `workers/bot.py`."""
    run_alone(health_rules.DISCORD, keep_picture)


def keep_picture(runtime: Runtime, stopping: threading.Event) -> None:
    """Keep who is in voice until told to stop; without a token, log that and idle."""
    if not runtime.settings.discord_bot_token.get_secret_value():
        log.warning("discord.no_token", hint="set DISCORD_BOT_TOKEN to know who is in voice")
    asyncio.run(_run(runtime, stopping))


async def _run(runtime: Runtime, stop_asked: threading.Event) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def pass_on() -> None:
        stop_asked.wait()
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself
            loop.call_soon_threadsafe(stopping.set)

    threading.Thread(target=pass_on, daemon=True, name="discord-stop").start()
    use_endpoints(runtime.settings)
    if token := runtime.settings.discord_bot_token.get_secret_value():
        await _live_again_and_again(runtime, token, stopping)
    await stopping.wait()
    await asyncio.to_thread(announce_stop, runtime, health_rules.DISCORD)


async def _live_again_and_again(runtime: Runtime, token: str, stopping: asyncio.Event) -> None:
    failures, last_identify, blind_since = 0, -math.inf, -math.inf
    while not stopping.is_set():
        client = VoiceClient(runtime, last_identify)
        error = await _live(client, token, stopping)
        last_identify = client.last_identify
        has_failed = client.has_identified or isinstance(error, discord.LoginFailure)
        failures = 0 if client.has_held else failures + has_failed
        blind_since = time.monotonic() if client.was_live else blind_since
        if not stopping.is_set():
            seconds = lives.pause(failures, error)
            await _wait(runtime, _log(error, seconds), seconds, blind_since, stopping)


def use_endpoints(settings: Settings) -> None:
    """Point this process's discord.py at the configured Discord."""
    discord.http.Route.BASE = settings.discord_api_base_url
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.discord_gateway_url)


async def _live(client: VoiceClient, token: str, stopping: asyncio.Event) -> BaseException | None:
    """Run the client until told to stop, or until its connection ends; return why it ended, whatever that is."""
    running = asyncio.create_task(client.run_until_it_ends(token))
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
    running.cancel()
    stopped.cancel()
    error, _ = await asyncio.gather(running, stopped, return_exceptions=True)
    return error


def _log(error: BaseException | None, seconds: float) -> str:
    """Log why a connection ended, and return it in words."""
    if reason := lives.reason(error):
        log.warning("discord.away", reason=reason, again_in=seconds)
    else:
        reason = f"{type(error).__name__}: {error}"
        log.error("discord.surprise", reason=reason, again_in=seconds, exc_info=error)
    return reason


async def _wait(runtime: Runtime, trouble: str, seconds: float, blind_since: float, stopping: asyncio.Event) -> None:
    """Wait for the next connection; when voice has been unknown for long, tell `/health` why."""
    until = time.monotonic() + seconds
    while not stopping.is_set():
        if time.monotonic() - blind_since > health_rules.DEAD_AFTER.total_seconds():
            await asyncio.to_thread(send_heartbeat, runtime, health_rules.DISCORD, trouble=trouble)
        left = until - time.monotonic()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(
                stopping.wait(), max(0.0, min(left, health_rules.HEARTBEAT_INTERVAL.total_seconds()))
            )
        if time.monotonic() >= until:
            return
