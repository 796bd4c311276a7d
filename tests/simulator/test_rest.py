"""What the bot may ask and say: real shapes, nonces, limits."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from slomix.channels.discord import USER_AGENT
from slomix.dev.simulator import rest
from slomix.dev.simulator.__main__ import create_app
from slomix.dev.simulator.people import (
    BOT_TOKEN,
    BOT_USER_ID,
    GAMING_VOICE_CHANNEL,
    GUILD_ID,
    LOAD_TEST_USERS,
    PEOPLE,
    TEXT_CHANNEL,
    environment,
)
from slomix.dev.simulator.ports import free_pair
from slomix.dev.simulator.timekeeping import SimulatorClock
from slomix.dev.simulator.world import World
from tests.moments import at
from tests.simulators import CAST, Simulator


def test_without_the_bot_token_nothing_is_answered(simulator: Simulator) -> None:
    answer = simulator.client().get("/api/v10/users/@me", headers={"Authorization": "Bot wrong"})
    assert answer.status_code == 401
    assert answer.json() == {"message": "401: Unauthorized", "code": 0}


def test_bodies_are_labelled_as_discord_py_needs_them(simulator: Simulator) -> None:
    with simulator.bot() as bot:
        answer = bot.get("/users/@me")
    assert answer.headers["Content-Type"] == "application/json"
    assert (answer.json()["id"], answer.json()["bot"]) == (BOT_USER_ID, True)


def test_a_dm_is_opened_once_and_written_to(simulator: Simulator) -> None:
    with simulator.bot() as bot:
        room = bot.post("/users/@me/channels", json={"recipient_id": CAST["Erik"].id}).json()
        again = bot.post("/users/@me/channels", json={"recipient_id": CAST["Erik"].id}).json()
        sent = bot.post(f"/channels/{room['id']}/messages", json={"content": "Tonight?\nYes.", "nonce": "n-1"})
    assert room["id"] == again["id"]
    assert (room["type"], room["recipients"][0]["id"]) == (1, CAST["Erik"].id)
    assert sent.status_code == 200
    assert sent.json()["channel_id"] == room["id"]
    [recorded] = simulator.messages()
    assert recorded["to"] == CAST["Erik"].id
    assert (recorded["provider"], recorded["kind"], recorded["text"], recorded["nonce"]) == (
        "discord",
        "dm",
        "Tonight?\nYes.",
        "n-1",
    )


def test_the_same_nonce_in_the_same_room_is_the_same_message(simulator: Simulator) -> None:
    rooms = [CAST["Franka"].dm_channel, CAST["Goran"].dm_channel]
    with simulator.bot() as bot:
        ids = [
            bot.post(
                f"/channels/{room}/messages", json={"content": "Hi", "nonce": "same", "enforce_nonce": True}
            ).json()["id"]
            for room in (rooms[0], rooms[0], rooms[1])
        ]
        careless = bot.post(f"/channels/{rooms[0]}/messages", json={"content": "Hi", "nonce": "same"}).json()["id"]
    assert ids[0] == ids[1] != ids[2]
    assert careless not in ids
    assert len(simulator.messages()) == 3


@pytest.mark.parametrize(
    ("channel", "body", "status", "code"),
    [
        ("1", {"content": "Hi"}, 404, 10003),
        (TEXT_CHANNEL, {"content": ""}, 400, 50006),
        (TEXT_CHANNEL, {"content": "x" * 2001}, 400, 50035),
        (TEXT_CHANNEL, {"content": "Hi", "nonce": "x" * 26}, 400, 50035),
        (TEXT_CHANNEL, [], 400, 50109),
    ],
)
def test_what_discord_would_not_take_is_not_taken(
    simulator: Simulator, channel: str, body: object, status: int, code: int
) -> None:
    with simulator.bot() as bot:
        answer = bot.post(f"/channels/{channel}/messages", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert simulator.messages() == []


def test_the_server_its_rooms_and_its_people_can_be_looked_up(simulator: Simulator) -> None:
    with simulator.bot() as bot:
        assert bot.get(f"/guilds/{GUILD_ID}").json()["id"] == GUILD_ID
        assert bot.get("/guilds/1").json()["code"] == 10004
        rooms = {room["id"]: room["type"] for room in bot.get(f"/guilds/{GUILD_ID}/channels").json()}
        assert (rooms[TEXT_CHANNEL], rooms[GAMING_VOICE_CHANNEL]) == (0, 2)
        assert bot.get(f"/channels/{TEXT_CHANNEL}").json()["name"] == "game-night"
        assert bot.get(f"/guilds/{GUILD_ID}/members/{CAST['Jana'].id}").json()["user"]["username"] == "jana"
        assert bot.get(f"/guilds/{GUILD_ID}/members/1").json()["code"] == 10007
        gateway = environment(simulator.port)["DISCORD_GATEWAY_URL"]
        assert bot.get("/gateway").json()["url"] == bot.get("/gateway/bot").json()["url"] == gateway
        assert bot.get("/applications/@me").json() == bot.get("/oauth2/applications/@me").json()


def test_a_voice_state_is_where_somebody_is_and_404_where_nobody_is(simulator: Simulator) -> None:
    luka = CAST["Luka"].id
    with simulator.bot() as bot, simulator.client() as control:
        assert bot.get(f"/guilds/{GUILD_ID}/voice-states/{luka}").json()["code"] == 10065
        control.post("/control/voice", json={"user_id": luka, "voice_channel": "default"})
        state = bot.get(f"/guilds/{GUILD_ID}/voice-states/{luka}").json()
    assert (state["user_id"], state["channel_id"]) == (luka, GAMING_VOICE_CHANNEL)


@dataclass
class Discord:
    """A simulated Discord in this process, for whose limits no time passes."""

    world: World
    client: TestClient[web.Request, web.Application]

    async def ask(self, method: str, path: str, **body: Any) -> ClientResponse:
        headers = {"Authorization": f"Bot {BOT_TOKEN}", "User-Agent": USER_AGENT}
        return await self.client.request(method, f"/api/v10{path}", json=body, headers=headers)

    async def write(self, room: str, times: int) -> list[ClientResponse]:
        return [await self.ask("POST", f"/channels/{room}/messages", content=str(number)) for number in range(times)]

    async def look(self, times: int) -> list[ClientResponse]:
        """Ask on different routes, so that only the limit of the whole bot is met."""
        rooms = [person.dm_channel for person in PEOPLE] * times
        return [await self.ask("GET", f"/channels/{room}") for room in rooms[:times]]


Play = Callable[[Callable[[Discord], Awaitable[None]]], None]


@pytest.fixture
def in_one_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Plays a scene in which all requests come at the same moment, however slow the machine."""
    monkeypatch.setattr(rest, "wall_now", lambda: at(21))

    async def run(scene: Callable[[Discord], Awaitable[None]]) -> None:
        world = World(free_pair(), SimulatorClock(tmp_path / "clock.json"), tmp_path / "chats.json")
        async with TestClient(TestServer(create_app(world))) as client:
            await scene(Discord(world, client))

    return lambda scene: asyncio.run(run(scene))


def test_a_room_takes_five_messages_in_five_seconds(in_one_moment: Play) -> None:
    async def scene(discord: Discord) -> None:
        answers = await discord.write(CAST["Kilian"].dm_channel, 6)
        assert [answer.status for answer in answers] == [200] * 5 + [429]
        assert [answer.headers["X-RateLimit-Remaining"] for answer in answers[:5]] == ["4", "3", "2", "1", "0"]
        assert answers[5].headers["Via"] == "1.1 sim"
        refused = await answers[5].json()
        assert (refused["global"], refused["retry_after"]) == (False, 5)
        assert len(discord.world.messages) == 5

    in_one_moment(scene)


def test_the_bot_gets_fifty_requests_in_any_second(in_one_moment: Play) -> None:
    async def scene(discord: Discord) -> None:
        answers = await discord.look(60)
        assert [answer.status for answer in answers] == [200] * 50 + [429] * 10
        assert all(answer.headers["X-RateLimit-Global"] == "true" for answer in answers[50:])
        assert [(await answer.json())["global"] for answer in answers[50:]] == [True] * 10
        stats = await (await discord.client.get("/control/stats")).json()
        assert stats == {"accepted": 50, "refused_429": 10, "blocked": 0, "peak_per_second": 50}

    in_one_moment(scene)


def test_after_a_reset_nothing_has_been_asked_yet(in_one_moment: Play) -> None:
    """Or a test would be refused for what those before it asked, on a machine that is fast enough."""

    async def scene(discord: Discord) -> None:
        room = CAST["Kilian"].dm_channel
        for limit, fill in ((5, partial(discord.write, room, 6)), (50, partial(discord.look, 51))):
            for _ in range(2):
                assert [answer.status for answer in await fill()] == [200] * limit + [429]
                await discord.client.post("/control/reset")

    in_one_moment(scene)


def test_an_address_that_discord_does_not_have_is_404_in_its_words(simulator: Simulator) -> None:
    with simulator.bot() as bot:
        answer = bot.get("/nothing/here")
    assert (answer.status_code, answer.json()) == (404, {"message": "404: Not Found", "code": 0})


def test_a_body_has_to_say_what_it_is(simulator: Simulator) -> None:
    with simulator.bot() as bot:
        refused = bot.post(f"/channels/{TEXT_CHANNEL}/messages", content=b'{"content": "Hi"}')
    assert (refused.status_code, refused.json()["code"]) == (400, 50035)
    assert refused.json()["errors"]["_errors"][0]["code"] == "CONTENT_TYPE_INVALID"


@pytest.mark.parametrize(
    ("allowed", "path"),
    [
        ({"parse": [], "users": [str(number) for number in range(101)]}, ("allowed_mentions", "users")),
        ({"parse": ["users"], "users": ["1"]}, ("allowed_mentions",)),
        ("everyone", ("allowed_mentions",)),
    ],
)
def test_mentions_that_make_no_sense_are_refused_and_the_errors_say_where(
    simulator: Simulator, allowed: object, path: tuple[str, ...]
) -> None:
    with simulator.bot() as bot:
        body = {"content": "Hi", "allowed_mentions": allowed}
        refused = bot.post(f"/channels/{TEXT_CHANNEL}/messages", json=body)
    assert (refused.status_code, refused.json()["message"]) == (400, "Invalid Form Body")
    errors = refused.json()["errors"]
    for name in path:
        errors = errors[name]
    assert errors["_errors"][0]["message"]
    assert simulator.messages() == []


def test_a_hundred_people_may_be_mentioned(simulator: Simulator) -> None:
    with simulator.bot() as bot:
        allowed = {"parse": ["roles"], "users": [str(number) for number in range(100)]}
        answer = bot.post(f"/channels/{TEXT_CHANNEL}/messages", json={"content": "Hi", "allowed_mentions": allowed})
    assert answer.status_code == 200


def opening(answer: httpx2.Response) -> int:
    """The code of a refusal; 0 where the channel is open."""
    return 0 if answer.is_success else int(answer.json()["code"])


def test_dm_channels_that_are_opened_at_once_are_too_many_and_knocking_makes_it_worse(simulator: Simulator) -> None:
    with simulator.bot() as bot:
        codes = [
            opening(bot.post("/users/@me/channels", json={"recipient_id": who.id})) for who in LOAD_TEST_USERS[:25]
        ]
        assert codes == [0] * 10 + [40003] * 11 + [40004] * 4
        refusal = bot.post("/users/@me/channels", json={"recipient_id": LOAD_TEST_USERS[30].id})
        assert (refusal.status_code, "Retry-After" in refusal.headers) == (403, False)
        again = bot.post("/users/@me/channels", json={"recipient_id": LOAD_TEST_USERS[0].id})
        assert opening(again) == 0, "what is open stays open"
        known = bot.post(f"/channels/{LOAD_TEST_USERS[30].dm_channel}/messages", json={"content": "hello"})
        assert known.is_success, "and known channels go on"


def test_how_many_dm_channels_may_be_opened_can_be_said(simulator: Simulator) -> None:
    with simulator.bot() as bot, simulator.client() as control:
        assert control.post("/control/dm-openings", json={"limit": 2, "seconds": 60}).is_success
        codes = [opening(bot.post("/users/@me/channels", json={"recipient_id": who.id})) for who in LOAD_TEST_USERS[:3]]
        assert codes == [0, 0, 40003]
        assert control.get("/control/dm-openings").json() == {"opened": 2, "refused": 1}
        for nonsense in ({"limit": -1, "seconds": 1}, {"limit": 1, "seconds": 0}, {"limit": 1}, {"limit": 1, "s": 1}):
            assert control.post("/control/dm-openings", json=nonsense).status_code == 422
