"""A real discord.py client reads the simulated server as it would read Discord's."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import discord
import pytest
import yarl

from slomix.dev.simulator.people import BOT_TOKEN, GAMING_VOICE_CHANNEL, GUILD_ID, TEXT_CHANNEL, environment
from tests.simulators import CAST, Simulator
from tests.waiting import PATIENCE


@pytest.fixture(autouse=True)
def points_at_the_simulator(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings = environment(simulator.port)
    monkeypatch.setattr(discord.http.Route, "BASE", settings["DISCORD_API_BASE_URL"])
    monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(settings["DISCORD_GATEWAY_URL"]))
    yield


class Watcher(discord.Client):
    """Notes who is told to be where."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True, voice_states=True), guild_ready_timeout=0.2)
        self.seen: asyncio.Queue[tuple[str, str | None]] = asyncio.Queue()
        self.resumed = asyncio.Event()
        self.ready: asyncio.Queue[None] = asyncio.Queue()
        self.readies = 0

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Identify at once; discord.py would wait five seconds, which only the real Discord asks for."""

    async def on_ready(self) -> None:
        self.readies += 1
        self.ready.put_nowait(None)

    async def on_resumed(self) -> None:
        self.resumed.set()

    async def on_voice_state_update(self, member: discord.Member, _before: Any, after: discord.VoiceState) -> None:
        self.seen.put_nowait((member.display_name, after.channel.name if after.channel else None))

    def in_the_gaming_room(self) -> set[int]:
        guild = self.get_guild(int(GUILD_ID))
        assert guild is not None
        room = guild.get_channel(int(GAMING_VOICE_CHANNEL))
        assert isinstance(room, discord.VoiceChannel)
        return set(room.voice_states)


@asynccontextmanager
async def connected() -> AsyncIterator[Watcher]:
    client = Watcher()
    running = asyncio.create_task(client.start(BOT_TOKEN))
    try:
        ready = asyncio.create_task(client.ready.get())
        await asyncio.wait({running, ready}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        assert ready.done(), "discord.py did not become ready"
        yield client
    finally:
        await client.close()
        with suppress(asyncio.CancelledError):
            await running


def watch(scene: Callable[[Watcher, aiohttp.ClientSession], Awaitable[None]], simulator: Simulator) -> None:
    async def play() -> None:
        async with aiohttp.ClientSession(simulator.url) as control, connected() as client:
            await asyncio.wait_for(scene(client, control), PATIENCE)

    asyncio.run(play())


async def walk(control: aiohttp.ClientSession, name: str, room: str | None) -> None:
    async with control.post("/control/voice", json={"user_id": CAST[name].id, "voice_channel": room}) as answer:
        assert answer.status == 200


async def disturb(control: aiohttp.ClientSession, do: str) -> None:
    async with control.post("/control/gateway", json={"do": do}) as answer:
        assert (await answer.json())["connections"] >= 1


def test_who_was_there_before_is_seen_and_who_comes_and_goes(simulator: Simulator) -> None:
    simulator.client().post("/control/voice", json={"user_id": CAST["Dora"].id, "voice_channel": "default"})

    async def scene(client: Watcher, control: aiohttp.ClientSession) -> None:
        assert client.in_the_gaming_room() == {int(CAST["Dora"].id)}
        await walk(control, "Alice", "default")
        assert await client.seen.get() == ("Alice", "Gaming")
        assert client.in_the_gaming_room() == {int(CAST["Alice"].id), int(CAST["Dora"].id)}
        await walk(control, "Alice", "afk")
        assert await client.seen.get() == ("Alice", "AFK")
        await walk(control, "Alice", None)
        assert await client.seen.get() == ("Alice", None)
        assert client.in_the_gaming_room() == {int(CAST["Dora"].id)}

    watch(scene, simulator)


def test_a_lost_connection_is_resumed_and_nothing_is_missed(simulator: Simulator) -> None:
    async def scene(client: Watcher, control: aiohttp.ClientSession) -> None:
        await disturb(control, "drop")
        await walk(control, "Bob", "default")
        assert await client.seen.get() == ("Bob", "Gaming")
        await client.resumed.wait()
        assert client.readies == 1

    watch(scene, simulator)


def test_a_client_that_is_asked_to_reconnect_resumes(simulator: Simulator) -> None:
    async def scene(client: Watcher, control: aiohttp.ClientSession) -> None:
        await disturb(control, "reconnect")
        await client.resumed.wait()
        await walk(control, "Erik", "default")
        assert await client.seen.get() == ("Erik", "Gaming")

    watch(scene, simulator)


def test_a_client_whose_session_is_gone_starts_over(simulator: Simulator) -> None:
    async def scene(client: Watcher, control: aiohttp.ClientSession) -> None:
        await disturb(control, "invalidate")
        await client.ready.get()
        await walk(control, "Goran", "default")
        assert await client.seen.get() == ("Goran", "Gaming")

    watch(scene, simulator)


def test_it_writes_to_people_and_to_the_room(simulator: Simulator) -> None:
    async def scene(client: Watcher, _control: aiohttp.ClientSession) -> None:
        room = client.get_channel(int(TEXT_CHANNEL))
        assert isinstance(room, discord.TextChannel)
        sent = await room.send("Four are here.", nonce="room-1")
        again = await room.send("Four are here.", nonce="room-1")
        assert sent.id == again.id
        hana = discord.Object(int(CAST["Hana"].id))
        await (await client.create_dm(hana)).send("Are you coming?")

    watch(scene, simulator)
    assert [(message["kind"], message["to"]) for message in simulator.messages()] == [
        ("text_channel", TEXT_CHANNEL),
        ("dm", CAST["Hana"].id),
    ]


def test_a_wrong_token_is_turned_away(simulator: Simulator) -> None:
    async def play() -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(environment(simulator.port)["DISCORD_GATEWAY_URL"] + "?v=10&encoding=json") as socket,
        ):
            assert (await socket.receive_json())["op"] == 10
            await socket.send_json({"op": 2, "d": {"token": "wrong", "intents": 1, "properties": {}}})
            closed = await socket.receive()
            assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 4004)

    asyncio.run(play())


def test_whoever_asks_for_no_compression_gets_none_and_heartbeats_are_answered(simulator: Simulator) -> None:
    async def play() -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(environment(simulator.port)["DISCORD_GATEWAY_URL"] + "?v=10&encoding=json") as socket,
        ):
            await socket.receive_json()
            await socket.send_json({"op": 1, "d": None})
            assert (await socket.receive_json())["op"] == 11
            await socket.send_json({"op": 2, "d": {"token": BOT_TOKEN, "intents": 1 | 1 << 7, "properties": {}}})
            assert [(await socket.receive_json())["t"] for _ in range(2)] == ["READY", "GUILD_CREATE"]
            await socket.send_str("no json")
            assert (await socket.receive()).data == 4002

    asyncio.run(play())
