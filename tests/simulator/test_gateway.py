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


class Line:
    """A connection to the gateway without a library's patience."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, op: int, data: Any) -> None:
        await self._socket.send_json({"op": op, "d": data})

    async def identify(self) -> None:
        await self.send(2, {"token": BOT_TOKEN, "intents": 1 | 1 << 7, "properties": {}})

    async def receive(self) -> dict[str, Any]:
        return dict(await self._socket.receive_json())

    async def events(self, *expected: str) -> list[dict[str, Any]]:
        frames = [await self.receive() for _ in expected]
        assert [frame["t"] for frame in frames] == list(expected)
        return [frame["d"] for frame in frames]

    async def close_code(self) -> int:
        """Read until the gateway closes the connection."""
        while (frame := await self._socket.receive()).type is not aiohttp.WSMsgType.CLOSE:
            assert not self._socket.closed
        return int(frame.data)


@asynccontextmanager
async def line(simulator: Simulator) -> AsyncIterator[Line]:
    url = environment(simulator.port)["DISCORD_GATEWAY_URL"] + "?v=10&encoding=json"
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        opened = Line(socket)
        assert (await opened.receive())["op"] == 10
        yield opened


def control(simulator: Simulator, path: str, **body: Any) -> None:
    simulator.client().post(f"/control/{path}", json=body).raise_for_status()


def test_who_sends_more_than_120_frames_a_minute_is_cut_off(simulator: Simulator) -> None:
    async def play() -> None:
        async with line(simulator) as opened:
            await opened.identify()
            for _ in range(119):
                await opened.send(1, None)
            await opened.events("READY", "GUILD_CREATE")
            assert [(await opened.receive())["op"] for _ in range(119)] == [11] * 119
            await opened.send(1, None)
            assert await opened.close_code() == 4008

    asyncio.run(play())
    gateway = simulator.client().get("/control/gateway").json()
    assert (gateway["most_frames_per_minute"], gateway["closed"]) == (120, {"4008": 1})


@pytest.mark.parametrize("code", [4004, 4010, 4011, 4012, 4013, 4014])
def test_an_identify_can_be_closed_with_any_code(simulator: Simulator, code: int) -> None:
    control(simulator, "faults", provider="discord", fault="close_at_identify", close_code=code, times=1)

    async def play() -> None:
        async with line(simulator) as opened:
            await opened.identify()
            assert await opened.close_code() == code
        async with line(simulator) as opened:
            await opened.identify()
            await opened.events("READY")

    asyncio.run(play())


def test_an_identify_can_be_answered_with_an_invalid_session(simulator: Simulator) -> None:
    control(simulator, "faults", provider="discord", fault="invalid_session", times=1)

    async def play() -> None:
        async with line(simulator) as opened:
            await opened.identify()
            assert await opened.receive() == {"op": 9, "d": False, "s": None, "t": None}

    asyncio.run(play())


def test_a_server_out_of_reach_says_nothing_and_comes_back_as_it_then_is(simulator: Simulator) -> None:
    dora, alice = CAST["Dora"].id, CAST["Alice"].id
    control(simulator, "voice", user_id=dora, voice_channel="default")

    async def play() -> None:
        async with line(simulator) as opened, line(simulator) as late:
            await opened.identify()
            await opened.events("READY", "GUILD_CREATE")
            control(simulator, "gateway", do="guild_unavailable")
            [gone] = await opened.events("GUILD_DELETE")
            assert gone == {"id": GUILD_ID, "unavailable": True}
            await late.identify()
            await late.events("READY")
            control(simulator, "voice", user_id=dora, voice_channel=None)
            control(simulator, "voice", user_id=alice, voice_channel="default")
            control(simulator, "gateway", do="guild_available")
            for there in (opened, late):
                [guild] = await there.events("GUILD_CREATE")
                assert [state["user_id"] for state in guild["voice_states"]] == [alice]

    asyncio.run(play())


def test_a_resumed_session_can_be_kept_waiting_for_what_it_missed(simulator: Simulator) -> None:
    async def play() -> None:
        async with line(simulator) as opened:
            await opened.identify()
            ready, _ = await opened.events("READY", "GUILD_CREATE")
        control(simulator, "faults", provider="discord", fault="slow_resume", seconds=0.5)
        control(simulator, "voice", user_id=CAST["Dora"].id, voice_channel="default")
        async with line(simulator) as resumed:
            await resumed.send(6, {"token": BOT_TOKEN, "session_id": ready["session_id"], "seq": 2})
            await resumed.send(1, None)
            assert (await resumed.receive())["op"] == 11, "heartbeats are answered meanwhile"
            await resumed.events("VOICE_STATE_UPDATE", "RESUMED")

    asyncio.run(play())


def test_a_zombie_stays_open_and_says_nothing(simulator: Simulator) -> None:
    async def play() -> None:
        async with line(simulator) as opened:
            await opened.identify()
            await opened.events("READY", "GUILD_CREATE")
            control(simulator, "faults", provider="discord", fault="zombie")
            await opened.send(1, None)
            control(simulator, "voice", user_id=CAST["Dora"].id, voice_channel="default")
            simulator.client().delete("/control/faults").raise_for_status()
            control(simulator, "gateway", do="close", code=4009)
            frame = await opened._socket.receive()
            assert (frame.type, frame.data) == (aiohttp.WSMsgType.CLOSE, 4009)

    asyncio.run(play())


def test_one_session_too_many_ends_all_and_resets_the_token(simulator: Simulator) -> None:
    with simulator.bot() as bot:
        before = bot.get("/gateway/bot").json()["session_start_limit"]
        assert before == {"total": 1000, "remaining": 1000, "reset_after": 86_400_000, "max_concurrency": 1}
    control(simulator, "gateway", do="allow_sessions", remaining=1)

    async def play() -> None:
        async with line(simulator) as first, line(simulator) as second:
            await first.identify()
            await first.events("READY", "GUILD_CREATE")
            with simulator.bot() as bot:
                assert bot.get("/gateway/bot").json()["session_start_limit"]["remaining"] == 0
            await second.identify()
            assert await second.close_code() == 4004
            assert await first.close_code() == 4004

    asyncio.run(play())
    with simulator.bot() as bot:
        assert bot.get("/users/@me").status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"do": "explode"},
        {"do": ["drop"]},
        {"do": "drop", "code": 4000},
        {"do": "close"},
        {"do": "close", "code": 1000},
        {"do": "allow_sessions", "remaining": -1},
        {"do": "allow_sessions", "remaining": True},
    ],
    ids=str,
)
def test_what_cannot_be_done_to_the_gateway_is_refused(simulator: Simulator, body: dict[str, Any]) -> None:
    answer = simulator.client().post("/control/gateway", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"]
