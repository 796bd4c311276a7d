"""The Discord client: reads voice states from the gateway and stores them."""

import asyncio
import contextlib
import math
import time
from datetime import datetime, timedelta

import aiohttp
import discord
import structlog
from sqlalchemy.exc import SQLAlchemyError

from slomix.clock import wall_now
from slomix.health import rules as health_rules
from slomix.health import service as health
from slomix.presence import service as presence
from slomix.processes.common import process_name
from slomix.runtime.context import Runtime

log = structlog.get_logger()

RENEW_EVERY = timedelta(seconds=10)
CHECK_INTERVAL = 0.1
SILENT_AFTER = 15.0


class VoiceClient(discord.Client):
    """Stores who is in which voice room: on changes, every ten seconds, and after a jump of the clock."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True, voice_states=True),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
        )
        self._runtime = runtime
        self._changed = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    async def setup_hook(self) -> None:
        self._keeper = asyncio.create_task(self._store_repeatedly())

    async def on_ready(self) -> None:
        log.info("discord.ready")
        self._changed.set()

    async def on_resumed(self) -> None:
        self._changed.set()

    async def on_voice_state_update(
        self, _member: discord.Member, _before: discord.VoiceState, _after: discord.VoiceState
    ) -> None:
        self._changed.set()

    def current_rooms(self) -> dict[str, str] | None:
        """Return each member's voice room; None while the gateway is not ready or has been silent for too long."""
        guild = self.get_guild(int(self._runtime.settings.discord_guild_id or 0))
        if guild is None or guild.unavailable or self.is_closed() or not self.is_ready():
            return None
        if self._silence() > SILENT_AFTER:
            return None
        return {
            str(member_id): str(room.id)
            for room in [*guild.voice_channels, *guild.stage_channels]
            for member_id in room.voice_states
        }

    def _silence(self) -> float:
        """Return the seconds since the gateway's last message, as a cut connection looks open for a minute."""
        heart = getattr(self.ws, "_keep_alive", None)
        return math.inf if heart is None else time.perf_counter() - heart._last_recv

    async def _send_heartbeat(self) -> None:
        """Send an extra heartbeat: Discord's own, every 41 s, is too rare to prove the picture fresh."""
        if self.ws is not None and self.is_ready():
            with contextlib.suppress(ConnectionError, aiohttp.ClientError):
                await self.ws.send_heartbeat({"op": discord.gateway.DiscordWebSocket.HEARTBEAT, "d": self.ws.sequence})

    async def _store_repeatedly(self) -> None:
        while not self.is_closed():
            await self._send_heartbeat()
            written_at = await self._store_rooms()
            await self._wait_until_due(written_at)

    async def _store_rooms(self) -> datetime:
        self._changed.clear()
        now = self._runtime.clock.now()
        rooms = self.current_rooms()
        try:
            # In a thread: a database that hangs must not stop the gateway's heartbeat.
            await asyncio.to_thread(self._write_rooms, rooms, now)
        except SQLAlchemyError as error:
            log.warning("discord.database_away", error=str(error).splitlines()[0])
        return now

    def _write_rooms(self, rooms: dict[str, str] | None, now: datetime) -> None:
        with self._runtime.transaction() as session:
            if rooms is not None:
                presence.record_voice(session, rooms, now=now)
                health.record_heartbeat(session, health_rules.DISCORD, process_name(self._runtime), wall=wall_now())

    async def _wait_until_due(self, written_at: datetime) -> None:
        """Return on a change, when the picture is old in system or wall time, or when the clock was set back."""
        wall_end = wall_now() + health_rules.HEARTBEAT_INTERVAL
        while not self._changed.is_set() and wall_now() < wall_end:
            age = self._runtime.clock.now() - written_at
            if not timedelta(0) <= age < RENEW_EVERY:
                return
            await asyncio.sleep(CHECK_INTERVAL)
