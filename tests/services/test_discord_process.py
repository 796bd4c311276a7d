"""The Discord process against a gateway that is as unkind as Discord's."""

import asyncio
import json
import math
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import discord
import pytest
from pydantic import SecretStr
from sqlalchemy import update

from slomix.accounts.models import User
from slomix.clock import wall_now
from slomix.database.session import Database
from slomix.dev.simulator.faults import LONGEST_SECONDS
from slomix.dev.simulator.people import BOT_TOKEN, GAMING_VOICE_CHANNEL, GUILD_ID, environment
from slomix.health import service as health
from slomix.health.rules import DISCORD, PartHealth
from slomix.presence import service as presence
from slomix.processes.common import process_name
from slomix.processes.discord import client as client_module
from slomix.processes.discord import lives, process
from slomix.processes.discord.client import VoiceClient
from slomix.processes.discord.picture import Picture
from slomix.runtime.context import Runtime
from tests.simulators import CAST, NOBODY, Simulator
from tests.waiting import PATIENCE
from tests.world import CAST as ACCOUNTS
from tests.world import build_world

DORA, ALICE = CAST["Dora"].id, CAST["Alice"].id


@pytest.fixture
def runtime(committed: Database, simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    monkeypatch.setattr(lives, "IDENTIFY_EVERY", 0.0)
    monkeypatch.setattr(discord.http.Route, "BASE", discord.http.Route.BASE)
    gateway = discord.gateway.DiscordWebSocket
    monkeypatch.setattr(gateway, "DEFAULT_GATEWAY", gateway.DEFAULT_GATEWAY)
    outside = environment(simulator.port)
    return build_world(
        committed,
        discord_bot_token=BOT_TOKEN,
        discord_guild_id=GUILD_ID,
        discord_api_base_url=outside["DISCORD_API_BASE_URL"],
        discord_gateway_url=outside["DISCORD_GATEWAY_URL"],
    ).runtime


class Scene:
    """A life on the gateway, and who plays with it."""

    def __init__(self, control: aiohttp.ClientSession, client: VoiceClient, life: "asyncio.Task[None]") -> None:
        self._control, self.client, self.life = control, client, life

    async def post(self, path: str, **body: Any) -> None:
        async with self._control.post(f"/control/{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()

    async def fault(self, name: str, **parameters: Any) -> None:
        await self.post("faults", provider="discord", fault=name, **parameters)

    async def walk(self, user_id: str, room: str | None) -> None:
        await self.post("voice", user_id=user_id, voice_channel=room)

    async def gateway(self) -> dict[str, Any]:
        async with self._control.get("/control/gateway") as answer:
            return dict(await answer.json())

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for what the client is sure to learn."""
        while not condition():
            assert not self.life.done(), self.life
            await asyncio.sleep(0)

    async def until_in_voice(self, *members: str) -> None:
        await self.until(lambda: self.client.current_rooms() == dict.fromkeys(members, GAMING_VOICE_CHANNEL))

    async def until_unknown(self) -> None:
        await self.until(lambda: self.client.current_rooms() is None)


@asynccontextmanager
async def alive(runtime: Runtime, simulator: Simulator) -> AsyncIterator[Scene]:
    process.use_endpoints(runtime.settings)
    client = VoiceClient(runtime)
    life = asyncio.create_task(client.run_until_it_ends(BOT_TOKEN))
    try:
        async with aiohttp.ClientSession(simulator.url) as control, asyncio.timeout(PATIENCE):
            yield Scene(control, client, life)
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)


def play(runtime: Runtime, simulator: Simulator, scene: Callable[[Scene], Awaitable[None]]) -> None:
    """Play with a client that has seen Dora in voice."""
    simulator.client().post("/control/voice", json={"user_id": DORA, "voice_channel": "default"})

    async def run() -> None:
        async with alive(runtime, simulator) as played:
            await played.until_in_voice(DORA)
            await scene(played)

    asyncio.run(run())


def test_nobody_is_believed_to_be_anywhere_while_a_lost_line_is_resumed(runtime: Runtime, simulator: Simulator) -> None:
    async def scene(played: Scene) -> None:
        await played.fault("slow_resume", seconds=LONGEST_SECONDS)
        await played.post("gateway", do="drop")
        await played.walk(ALICE, "default")
        while (await played.gateway())["resumes"] == 0:
            pass
        assert played.client.current_rooms() is None

    play(runtime, simulator, scene)


def test_what_was_missed_is_known_when_the_session_is_resumed(runtime: Runtime, simulator: Simulator) -> None:
    async def scene(played: Scene) -> None:
        await played.fault("slow_resume", seconds=0.01)
        await played.post("gateway", do="drop")
        await played.walk(ALICE, "default")
        await played.until_in_voice(DORA, ALICE)
        assert (await played.gateway())["identifies"] == 1

    play(runtime, simulator, scene)


def test_who_left_while_the_server_was_out_of_reach_is_gone(runtime: Runtime, simulator: Simulator) -> None:
    async def scene(played: Scene) -> None:
        await played.post("gateway", do="guild_unavailable")
        await played.until_unknown()
        await played.walk(DORA, None)
        await played.post("gateway", do="guild_available")
        await played.until_in_voice()

    play(runtime, simulator, scene)


def stored_rooms(runtime: Runtime) -> set[str]:
    with runtime.transaction() as session:
        return set(presence.latest_snapshot(session).rooms)


def test_whatever_happens_in_the_rooms_the_gateway_is_seldom_asked(runtime: Runtime, simulator: Simulator) -> None:
    """Each change of a player is stored at once; a heartbeat for each would end in 4008."""
    moves = 60
    with runtime.transaction() as session:  # only accounts with a player are written down
        session.execute(update(User).where(User.discord_id == ACCOUNTS["alice"]).values(discord_id=ALICE))

    async def scene(played: Scene) -> None:
        for number in range(moves):
            is_there = number % 2 == 0
            await played.walk(ALICE, "default" if is_there else None)
            await played.until(lambda is_there=is_there: (ALICE in stored_rooms(runtime)) is is_there)  # type: ignore[misc]
        gateway = await played.gateway()
        assert gateway["most_frames_per_minute"] < moves / 4
        assert gateway["closed"] == {}

    play(runtime, simulator, scene)


def test_a_line_that_says_nothing_any_more_is_not_believed_and_given_up(
    runtime: Runtime, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(played: Scene) -> None:
        await played.fault("zombie")
        monkeypatch.setattr(client_module, "SILENT_AFTER", 0.01)
        await played.until_unknown()
        monkeypatch.setattr(client_module, "GIVE_UP_AFTER", 0.0)
        with pytest.raises(lives.Silence):
            await played.life

    monkeypatch.setattr(client_module, "ASK_EVERY", 0.0)
    play(runtime, simulator, scene)


class HandsOfAClock:
    """Stands in for the module `time`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


def test_an_answer_from_before_the_process_hung_proves_nothing(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happened since may still stand behind it."""
    hands = HandsOfAClock()
    monkeypatch.setattr(client_module, "time", hands)

    async def scene() -> None:
        client = VoiceClient(runtime)

        async def receive(**frame: Any) -> None:
            await client.on_socket_raw_receive(json.dumps(frame))

        await receive(op=0, t="READY", d={})
        await receive(op=0, t="GUILD_CREATE", d={"id": GUILD_ID, "voice_states": []})
        assert client.current_rooms() == {}
        client._asked_at = hands.now
        hands.now += 35
        await receive(op=11, d=None)
        assert client.current_rooms() is None
        client._asked_at = hands.now
        await receive(op=11, d=None)
        assert client.current_rooms() == {}

    asyncio.run(scene())


def end_of_a_life(runtime: Runtime, simulator: Simulator) -> BaseException:
    """Why a life ended that never saw anybody."""

    async def run() -> BaseException:
        async with alive(runtime, simulator) as played:
            [ended] = await asyncio.gather(played.life, return_exceptions=True)
            assert isinstance(ended, BaseException)
            return ended

    return asyncio.run(run())


def gateway_of(simulator: Simulator) -> dict[str, Any]:
    return dict(simulator.client().get("/control/gateway").json())


def test_a_session_that_is_refused_ends_the_life_after_one_try(runtime: Runtime, simulator: Simulator) -> None:
    fault = {"provider": "discord", "fault": "invalid_session"}
    simulator.client().post("/control/faults", json=fault).raise_for_status()
    assert isinstance(end_of_a_life(runtime, simulator), lives.SessionRefused)
    for thread in threading.enumerate():
        if isinstance(thread, discord.gateway.KeepAliveHandler):
            thread.join(PATIENCE)
            assert not thread.is_alive()
    assert gateway_of(simulator)["identifies"] == 1


def lives_of(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, times: int
) -> list[tuple[VoiceClient, BaseException | None]]:
    """Let the process live so many lives that end by themselves; return each, and why it ended."""
    lived: list[tuple[VoiceClient, BaseException | None]] = []
    stop = threading.Event()
    live, wait = process._live, process._wait

    async def noted(client: VoiceClient, token: str, stopping: asyncio.Event) -> BaseException | None:
        lived.append((client, await live(client, token, stopping)))
        return lived[-1][1]

    async def waited(*given: Any) -> None:
        await wait(*given)
        if len(lived) == times:
            stop.set()
            await given[-1].wait()

    monkeypatch.setattr(process, "_live", noted)
    monkeypatch.setattr(process, "_wait", waited)
    asyncio.run(asyncio.wait_for(process._run(runtime, stop), PATIENCE))
    return lived


def test_a_session_that_is_never_resumed_is_given_up(runtime: Runtime) -> None:
    """discord.py would open connection after connection without a pause."""

    async def scene() -> None:
        client = VoiceClient(runtime)
        for _ in range(lives.MOST_RESUMES):
            await client.on_socket_raw_receive('{"op": 10}')
        await client.on_socket_raw_receive('{"op": 0, "t": "RESUMED", "d": {}}')
        for _ in range(lives.MOST_RESUMES):
            await client.on_socket_raw_receive('{"op": 10}')
        with pytest.raises(lives.SessionRefused):
            await client.on_socket_raw_receive('{"op": 10}')

    asyncio.run(scene())


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often it has failed in a row, before each pause, which is left out."""
    failed: list[int] = []

    def pause(failures: int, _error: BaseException | None) -> float:
        failed.append(failures)
        return 0.0

    monkeypatch.setattr(lives, "pause", pause)
    return failed


@pytest.mark.usefixtures("failures")
@pytest.mark.parametrize("remaining", [0, 10])
def test_the_last_sessions_of_a_day_are_not_spent_at_once(
    runtime: Runtime, simulator: Simulator, remaining: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more than Discord allows, and it resets the token."""
    fault = {"provider": "discord", "fault": "invalid_session"}
    simulator.client().post("/control/faults", json=fault).raise_for_status()
    spent = {"do": "allow_sessions", "remaining": remaining}
    simulator.client().post("/control/gateway", json=spent).raise_for_status()
    lived = lives_of(runtime, monkeypatch, times=12)
    assert all(isinstance(error, lives.SessionsUsedUp) for _, error in lived[min(remaining, 1) :])
    assert gateway_of(simulator)["identifies"] == min(remaining, 1)
    with simulator.bot() as bot:
        assert bot.get("/users/@me").status_code == 200


def reason_in_health(runtime: Runtime) -> str | None:
    with runtime.transaction() as session:
        [part] = health.part_healths(session, [DISCORD], wall=wall_now())
    assert not part.ok
    return part.reason


@pytest.mark.parametrize("code", [4004, 4010, 4011, 4012, 4013, 4014])
def test_a_code_that_no_retry_cures_is_waited_out_longer_each_time_and_named(
    runtime: Runtime, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, failures: list[int], code: int
) -> None:
    fault = {"provider": "discord", "fault": "close_at_identify", "close_code": code}
    simulator.client().post("/control/faults", json=fault).raise_for_status()
    lives_of(runtime, monkeypatch, times=3)
    assert failures == [1, 2, 3]
    assert gateway_of(simulator) == gateway_of(simulator) | {"identifies": 3, "closed": {str(code): 3}}
    assert reason_in_health(runtime) == f"Discord closed the connection with {code} ({lives.CLOSE_CODES[code]})"


def test_health_says_what_is_wrong_only_when_it_lasts(runtime: Runtime) -> None:
    """A connection that is back within seconds was no trouble."""

    async def say_after(blind_for: float) -> None:
        await process._wait(runtime, "Discord is away", 0.0, time.monotonic() - blind_for, asyncio.Event())

    def parts() -> list[PartHealth]:
        with runtime.transaction() as session:
            return health.part_healths(session, [DISCORD], wall=wall_now())

    asyncio.run(say_after(29.0))
    assert [part.reason for part in parts()] == ["was never seen"]
    asyncio.run(say_after(31.0))
    assert [(part.ok, part.reason) for part in parts()] == [(False, "Discord is away")]
    with runtime.transaction() as session:
        health.record_heartbeat(session, DISCORD, process_name(runtime), wall=wall_now())
    assert [part.ok for part in parts()] == [True]


def test_pauses_grow_to_a_quarter_of_an_hour_and_a_day_has_sessions_enough() -> None:
    assert [lives.pause(failures) for failures in range(4)] == [2, 4, 8, 16]
    assert lives.pause(9) == lives.pause(10_000) == 900
    began, failures = 0.0, 0
    while began < 86_400:
        failures += 1
        began += lives.pause(failures)
    assert failures < 120


@pytest.mark.parametrize(
    ("remaining", "hours_left", "since_last", "waits"),
    [
        (1000, 24, 5, 0),
        (100, 24, 0, 0),
        (99, 24, 0, 864),
        (99, 24, 800, 864),
        (99, 24, 900, 0),
        (99, 24, math.inf, 0),
        (1, 1, 0, 3600),
        (0, 1, math.inf, 3600),
    ],
)
def test_the_sessions_left_are_spread_over_the_day(
    remaining: int, hours_left: int, since_last: float, waits: float
) -> None:
    limit = {"total": 1000, "remaining": remaining, "reset_after": hours_left * 3_600_000, "max_concurrency": 1}
    if not waits:
        lives.check_budget(limit, since_last)
        return
    with pytest.raises(lives.SessionsUsedUp) as refused:
        lives.check_budget(limit, since_last)
    expected = waits if math.isinf(since_last) else waits - since_last
    assert refused.value.seconds == pytest.approx(expected, abs=10)
    assert lives.pause(0, refused.value) <= lives.LONGEST_PAUSE


def test_a_gateway_that_refuses_the_first_connection_ends_a_life_and_not_the_process(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, failures: list[int]
) -> None:
    """It costs no session, so that Discord is asked again after the shortest pause, however long it is away."""
    nowhere = runtime.settings.model_copy(update={"discord_gateway_url": f"ws://127.0.0.1:{NOBODY}/gateway"})
    lives_of(replace(runtime, settings=nowhere), monkeypatch, times=3)
    assert failures == [0, 0, 0]
    assert reason_in_health(runtime) == "Discord does not answer (ClientConnectorError)"


@pytest.mark.usefixtures("failures")
def test_a_surprise_ends_a_life_and_not_the_process(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(_picture: Picture, _frame: object) -> bool:
        raise KeyError("bitrate")

    monkeypatch.setattr(Picture, "apply", stumble)
    assert len(lives_of(runtime, monkeypatch, times=2)) == 2
    assert reason_in_health(runtime) == "KeyError: 'bitrate'"


def test_a_token_that_is_refused_counts_as_a_failure_and_is_named(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, failures: list[int]
) -> None:
    mistyped = runtime.settings.model_copy(update={"discord_bot_token": SecretStr("mistyped")})
    lives_of(replace(runtime, settings=mistyped), monkeypatch, times=2)
    assert failures == [1, 2]
    assert reason_in_health(runtime) == "Discord refuses DISCORD_BOT_TOKEN (401)"
