"""The Discord client: reads voice states from the gateway and stores them."""

import asyncio
import contextlib
import json
import math
import sys
import threading
import time
from datetime import datetime, timedelta

import aiohttp
import discord
import structlog
from sqlalchemy.exc import SQLAlchemyError

from slomix.accounts import service as accounts
from slomix.campaigns import attendance
from slomix.channels.discord import USER_AGENT
from slomix.clock import wall_now
from slomix.health import rules as health_rules
from slomix.health import service as health
from slomix.presence import service as presence
from slomix.processes.common import NOTICE_JUMPS_WITHIN, process_name
from slomix.processes.discord import lives
from slomix.processes.discord.picture import Picture
from slomix.runtime.context import Runtime

log = structlog.get_logger()

RENEW_EVERY = timedelta(seconds=10)
# How often the gateway is asked for a sign, whatever happens in the rooms; it allows 120 frames a minute.
ASK_EVERY = 10.0
SILENT_AFTER = 15.0
# A connection on which nothing came for so long is given up; discord.py would wait for a minute.
GIVE_UP_AFTER = 20.0


def _stop_keep_alive_threads() -> None:
    """Stop the threads of connections that ended before discord.py had told us of them."""
    for thread in threading.enumerate():
        if isinstance(thread, discord.gateway.KeepAliveHandler):
            thread.stop()


class VoiceClient(discord.Client):
    """One life on the gateway: it keeps the picture of the voice rooms until it ends, and starts at most one session.

    The picture is written at every change, every ten seconds, and after a jump of the clock.
    """

    def __init__(self, runtime: Runtime, last_identify: float = -math.inf) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True, voice_states=True),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            enable_debug_events=True,
        )
        self.http.user_agent = USER_AGENT
        self._runtime = runtime
        self._picture = Picture(runtime.settings.discord_guild_id)
        self._changed = asyncio.Event()
        self._failure: BaseException | None = None
        self._asked_at = self._proven_at = -math.inf
        self._heard_at = time.monotonic()
        self.last_identify = last_identify
        self.has_identified = False
        self._hellos = 0
        self._live_since = math.inf

    @property
    def was_live(self) -> bool:
        return self._live_since < math.inf

    @property
    def has_held(self) -> bool:
        """Whether the session has lasted long enough to be no failure."""
        return time.monotonic() - self._live_since >= lives.HELD_AFTER

    async def run_until_it_ends(self, token: str) -> None:
        """Live; raise what ends this life."""
        tasks = [
            asyncio.create_task(part)
            for part in (self.start(token, reconnect=False), self._store_repeatedly(), self._send_heartbeats())
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            ended = [task for task in tasks if task.done()]
        finally:
            for task in tasks:
                task.cancel()
            with contextlib.suppress(Exception):
                await self.close()
            await asyncio.gather(*tasks, return_exceptions=True)
            _stop_keep_alive_threads()
        for task in ended:
            task.result()

    async def setup_hook(self) -> None:
        _shards, _url, limit = await self.http.get_bot_gateway()
        lives.check_budget(limit, time.monotonic() - self.last_identify)

    async def before_identify_hook(self, _shard_id: int | None, *, initial: bool = False) -> None:  # noqa: ARG002
        if self.has_identified:
            raise lives.SessionRefused
        await asyncio.sleep(lives.IDENTIFY_EVERY - (time.monotonic() - self.last_identify))
        self.has_identified, self.last_identify = True, time.monotonic()

    async def on_socket_raw_receive(self, message: str) -> None:
        """Take in a frame. discord.py runs these one after another, as long as this waits for nothing."""
        frame = json.loads(message)
        self._heard_at = time.monotonic()
        if frame.get("op") == discord.gateway.DiscordWebSocket.HEARTBEAT_ACK:
            # All that happened before we asked has come before this answer.
            self._proven_at = max(self._proven_at, self._asked_at)
        if self._picture.apply(frame):
            self._changed.set()
        if frame.get("op") == discord.gateway.DiscordWebSocket.HELLO:
            self._hellos += 1
            if self._hellos > lives.MOST_RESUMES:
                raise lives.SessionRefused
        if frame.get("t") in {"READY", "RESUMED"}:
            self._proven_at = self._heard_at
            self._hellos = 0
            self._live_since = min(self._live_since, self._heard_at)
            log.info(f"discord.{frame['t'].lower()}")

    async def on_disconnect(self) -> None:
        self._picture.disconnect()

    async def on_error(self, _event: str, /, *_args: object, **_kwargs: object) -> None:
        """End this life: after a frame that could not be taken in the picture may be wrong."""
        self._picture.disconnect()
        self._failure = sys.exception()
        self._changed.set()

    def current_rooms(self) -> dict[str, str] | None:
        """Return who is in which voice room; None if the gateway hasn't told or has been silent for too long."""
        is_silent = time.monotonic() - self._proven_at > SILENT_AFTER
        return None if is_silent or self.is_closed() else self._picture.rooms

    async def _send_heartbeats(self) -> None:
        """Send heartbeats. Discord wants one every 41 s: too seldom to know whether the picture is still true."""
        while True:
            if time.monotonic() - self._heard_at > GIVE_UP_AFTER:
                raise lives.Silence(f"nothing was heard for {GIVE_UP_AFTER:g} s")
            if self.ws is not None:
                self._asked_at = time.monotonic()
                with contextlib.suppress(ConnectionError, aiohttp.ClientError, discord.ConnectionClosed):
                    await self.ws.send_heartbeat({"op": self.ws.HEARTBEAT, "d": self.ws.sequence})
            await asyncio.sleep(ASK_EVERY)

    async def _store_repeatedly(self) -> None:
        while self._failure is None:
            written_at = await self._store_rooms()
            await self._wait_until_due(written_at)
        raise self._failure

    async def _store_rooms(self) -> datetime:
        self._changed.clear()
        now = self._runtime.clock.now()
        rooms = self.current_rooms()
        try:
            # In a thread, as a database that hangs must not stop the gateway's heartbeat.
            await asyncio.to_thread(self._write_rooms, rooms, now)
        except SQLAlchemyError as error:
            log.warning("discord.database_away", error=str(error).splitlines()[0])
        return now

    def _write_rooms(self, rooms: dict[str, str] | None, now: datetime) -> None:
        with self._runtime.transaction() as session:
            if rooms is not None:
                # Accounts without a player here are not written down.
                known = accounts.linked_accounts(session, rooms)
                rooms = {who: rooms[who] for who in rooms if who in known}
                presence.record_voice(session, rooms, now=now)
                attendance.record_arrivals(session, rooms, settings=self._runtime.settings, now=now)
                health.record_heartbeat(session, health_rules.DISCORD, process_name(self._runtime), wall=wall_now())

    async def _wait_until_due(self, written_at: datetime) -> None:
        """Return on a change, when the picture is old in system or wall time, or when the clock was set back."""
        wall_end = wall_now() + health_rules.HEARTBEAT_INTERVAL
        while not self._changed.is_set() and (left := (wall_end - wall_now()).total_seconds()) > 0:
            age = self._runtime.clock.now() - written_at
            if not timedelta(0) <= age < RENEW_EVERY:
                return
            most = NOTICE_JUMPS_WITHIN if self._runtime.clock.can_jump else left
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, most)):
                    await self._changed.wait()
