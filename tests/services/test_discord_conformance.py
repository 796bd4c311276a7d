"""What is sent to Discord, and what the simulator answers, is as Discord describes it.

All that Slomix asks of Discord is played against the simulator, which records each exchange.
"""

import ast
import asyncio
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import discord
import httpx2
import pytest

from slomix.accounts import discord_login
from slomix.channels.base import Address, Button, EventStatus, Message, RateLimited, ScheduledEvent, SendError
from slomix.channels.discord import USER_AGENT, Discord
from slomix.channels.discord_answers import EDITED_TOO_OFTEN, read_id, read_list
from slomix.channels.discord_events import DiscordEvents
from slomix.channels.discord_threads import DiscordThreads
from slomix.cli import providers
from slomix.cli.discord import register_commands
from slomix.config.settings import Settings
from slomix.database.session import Database
from slomix.dev.simulator.people import (
    BOT_TOKEN,
    CLIENT_ID,
    CLIENT_SECRET,
    GAMING_VOICE_CHANNEL,
    GUILD_ID,
    PUBLIC_KEY,
    environment,
)
from slomix.dev.simulator.people import TEXT_CHANNEL as ROOM
from slomix.interactions.commands import definitions
from slomix.processes.discord import lives, process
from slomix.processes.discord.client import VoiceClient
from slomix.runtime.factory import make_commands
from tests.discord_description import Description, description
from tests.simulators import CAST, Simulator
from tests.waiting import PATIENCE
from tests.world import build_world

__all__ = ["description"]

ALICE, BOB = CAST["Alice"].id, CAST["Bob"].id
NOBODY = "901437285516304999"
Exchange = dict[str, Any]


def refused(do: Any, *given: Any) -> None:
    with suppress(SendError):
        do(*given)


def write_and_ask(discord: Discord, simulator: Simulator) -> None:
    """Send to people and a room, refused and accepted, and look people up."""
    hello = Message("Tonight at <t:1795204800:t>", mentions=(ALICE,))
    learned = discord.send(Address(ALICE), hello, nonce="conformance-1").learned
    discord.send(Address(ALICE, learned=learned), hello, nonce="conformance-1")
    discord.send(Address(ROOM, is_room=True), Message("On!"), nonce="conformance-2")
    discord.open_dm(BOB)
    faults: tuple[dict[str, object], ...] = (
        {"fault": "closed_dm", "user_id": BOB},
        {"fault": "rate_limit", "retry_after": 0.1, "times": 1},
        {"fault": "read_only"},
    )
    for fault in faults:
        simulator.client().post("/control/faults", json={"provider": "discord", **fault}).raise_for_status()
    for to in (Address(BOB), Address(BOB), Address(ROOM, is_room=True), Address(NOBODY, is_room=True), Address("1")):
        refused(lambda to: discord.send(to, hello, nonce="conformance-3"), to)
    simulator.client().delete("/control/faults")
    simulator.client().post("/control/dm-openings", json={"limit": 0, "seconds": 1}).raise_for_status()
    refused(discord.open_dm, CAST["Jana"].id)
    simulator.client().post("/control/voice", json={"user_id": ALICE, "voice_channel": "default"}).raise_for_status()
    for account in (ALICE, BOB, NOBODY):
        discord.voice_channel_of(account)
        discord.is_member(account)


def make_a_thread(discord: Discord) -> None:
    """What a planning room does on Discord."""
    threads = DiscordThreads(discord, GUILD_ID)
    assert threads.find(ROOM, ["Tonight"]) is None
    thread = threads.create(ROOM, "Tonight")
    assert threads.find(ROOM, ["Tonight"]) == thread
    threads.add(thread, ALICE)
    refused(threads.add, thread, NOBODY)
    discord.send(Address(thread, is_room=True), Message("Teams"), nonce="conformance-6")
    posted = threads.find_message(thread, ("Teams",))
    assert posted is not None
    threads.edit(thread, posted.message_id, Message("Teams, again", mentions=(ALICE,)))
    threads.remove(thread, ALICE)
    threads.remove(thread, ALICE)
    discord.request("PATCH", f"/channels/{thread}", read_id, json={"archived": True})
    refused(threads.add, thread, ALICE)
    threads.reopen(thread)
    refused(threads.create, NOBODY, "Tonight")


def keep_a_message(discord: Discord, simulator: Simulator) -> None:
    """What becomes of an evening's message: edited, too often once it is old, looked for, deleted."""
    control = simulator.client()
    buttons = (Button("Looking", "status.2026-11-27.looking.m"), Button("Open Slomix", link="https://slomix.test/#m"))
    room = Address(ROOM, is_room=True)
    posted = discord.send(room, Message("Tonight", buttons=buttons), nonce="conformance-7").message_id
    discord.edit(ROOM, posted, Message("Tonight, again", buttons=buttons[1:]), replaces_buttons=True)
    assert discord.count_after(ROOM, posted, most=20) == 0
    control.post("/control/chatter", json={"user_id": ALICE, "channel": ROOM, "number": 25}).raise_for_status()
    assert discord.count_after(ROOM, posted, most=20) == 20
    now = datetime.fromisoformat(control.get("/control/clock").json()["now"])
    later = (now + timedelta(hours=2)).isoformat()
    control.post("/control/clock", json={"now": later}).raise_for_status()
    for number in range(3):
        discord.edit(ROOM, posted, Message(f"Tonight {number}"))
    with pytest.raises(RateLimited) as too_often:
        discord.edit(ROOM, posted, Message("Tonight, once more"))
    assert too_often.value.code == EDITED_TOO_OFTEN
    assert too_often.value.retry_after is not None and timedelta(0) < too_often.value.retry_after < timedelta(
        seconds=21
    )
    discord.delete(ROOM, posted)
    discord.delete(ROOM, posted)
    refused(discord.edit, ROOM, posted, Message("Nothing"))


def keep_events(discord: Discord, simulator: Simulator) -> None:
    """What becomes of a campaign's event: in a voice room and at a place, moved, begun, ended, cancelled."""
    events = DiscordEvents(discord, GUILD_ID)
    now = datetime.fromisoformat(simulator.client().get("/control/clock").json()["now"])
    start = now + timedelta(hours=1)
    in_room = ScheduledEvent("Game night", "Here: #mark-1", start, start + timedelta(hours=3), GAMING_VOICE_CHANNEL, "")
    assert events.find("mark-1") is None
    first = events.create(in_room)
    assert events.find("mark-1") == (first, EventStatus.SCHEDULED)
    elsewhere = replace(in_room, description="Here: #mark-2", voice_channel="", place="play.slomix.test")
    second = events.create(elsewhere)
    events.change(second, replace(elsewhere, starts_at=start + timedelta(minutes=30)))
    events.set_status(first, EventStatus.ACTIVE)
    events.set_status(first, EventStatus.COMPLETED)
    events.set_status(second, EventStatus.CANCELLED)
    refused(events.set_status, second, EventStatus.ACTIVE)
    refused(events.set_status, NOBODY, EventStatus.ACTIVE)
    refused(events.create, replace(in_room, starts_at=now - timedelta(minutes=1)))
    assert events.find("mark-2") is None
    statuses = [event["status"] for event in simulator.client().get("/control/events").json()]
    assert statuses == ["completed", "canceled"]


def send_nonsense(discord: Discord) -> None:
    """What Slomix would never send, for the answers."""
    for body in ({"content": "x" * 2001}, {"content": ""}, {}, {"content": "Hi", "nonce": "x" * 26}):
        refused(lambda body: discord.request("POST", f"/channels/{ROOM}/messages", read_id, json=body), body)
    threads: tuple[dict[str, object], ...] = (
        {"name": "x" * 101},
        {"name": "Tonight", "type": 3},
        {"name": "Tonight", "auto_archive_duration": 1},
    )
    for thread in threads:
        refused(lambda body: discord.request("POST", f"/channels/{ROOM}/threads", read_id, json=body), thread)
    refused(lambda: discord.request("POST", "/users/@me/channels", read_id, json={"recipient_id": "nobody"}))
    refused(lambda: discord.request("GET", f"/channels/{ROOM}/messages?limit=1000", read_list))
    refused(lambda: discord.request("GET", "/nowhere", read_id))


def log_in(settings: Settings, simulator: Simulator) -> None:
    left = discord_login.start_login(settings)
    with simulator.client() as browser:
        asked = dict(httpx2.URL(left.url).params)
        came_back = browser.post("/oauth2/authorize", data=asked | {"user_id": ALICE}).headers["Location"]
    code = httpx2.URL(came_back).params["code"]
    assert discord_login.fetch_identity(settings, code=code, code_verifier=left.code_verifier).discord_id == ALICE


def register(settings: Settings) -> None:
    """Commands, the address for interactions, and an answer that took long."""
    register_commands(settings)
    client = make_commands(settings)
    client.register(CLIENT_ID, GUILD_ID, definitions(["en", "sl"]))
    refused(client.set_endpoint, "https://slomix.test/discord/interactions")
    refused(client.edit_response, CLIENT_ID, "no-such-token", {"content": "Done.", "components": []})
    client.close()


def listen(settings: Settings, database: Database) -> None:
    """A life on the gateway."""
    runtime = build_world(database).runtime

    async def live() -> None:
        process.use_endpoints(settings)
        client = VoiceClient(runtime)
        life = asyncio.create_task(client.run_until_it_ends(BOT_TOKEN))
        async with asyncio.timeout(PATIENCE):
            while not client.was_live:
                assert not life.done(), life
                await asyncio.sleep(0)
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)

    asyncio.run(live())


@pytest.fixture
def exchanges(committed: Database, simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> list[Exchange]:
    """All that Slomix asks of Discord, and the answers."""
    monkeypatch.setattr(lives, "IDENTIFY_EVERY", 0.0)
    monkeypatch.setattr(discord.http.Route, "BASE", discord.http.Route.BASE)
    gateway = discord.gateway.DiscordWebSocket
    monkeypatch.setattr(gateway, "DEFAULT_GATEWAY", gateway.DEFAULT_GATEWAY)
    outside = environment(simulator.port)
    assert (outside["DISCORD_CLIENT_ID"], outside["DISCORD_CLIENT_SECRET"]) == (CLIENT_ID, CLIENT_SECRET)
    for name, value in (outside | {"DISCORD_PUBLIC_KEY": PUBLIC_KEY, "SLOMIX_ENV": "development"}).items():
        monkeypatch.setenv(name, value)
    settings = Settings.from_env()
    bot = Discord(settings.discord_api_base_url, BOT_TOKEN, GUILD_ID)
    write_and_ask(bot, simulator)
    make_a_thread(bot)
    keep_a_message(bot, simulator)
    keep_events(bot, simulator)
    log_in(settings, simulator)
    providers.provider_problems(settings)
    register(settings)
    listen(settings, committed)
    meant = len(simulator.client().get("/control/exchanges").json())
    send_nonsense(bot)
    bot.close()
    recorded: list[Exchange] = simulator.client().get("/control/exchanges").json()
    return [exchange | {"is_meant": number < meant} for number, exchange in enumerate(recorded)]


def test_every_request_is_as_discord_describes_it_and_so_is_every_answer(
    exchanges: list[Exchange], description: Description
) -> None:
    asked: set[str] = set()
    answered: set[str] = set()
    for exchange in exchanges:
        of_request, of_answer = description.deviations(exchange)
        asked.update(of_request if exchange["is_meant"] else ())
        answered.update(of_answer)
    assert not asked, "\n".join(sorted(asked))
    assert not answered, "\n".join(sorted(answered))


def test_every_request_names_us(exchanges: list[Exchange]) -> None:
    assert {exchange["user_agent"] for exchange in exchanges} == {USER_AGENT}


# All that the code can ask is among it

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
# They speak with others.
OTHERS = re.compile(r"dev/|channels/(telegram|signal).*|web/|app/|cli/bench|health/proofs")


def routes(source: str) -> Iterator[tuple[str, str]]:
    """Yield the method and the address, as a pattern, of each call that names both; an address is read back through
    variables, parameters and functions of its module."""
    tree = ast.parse(source)
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for function in functions.values():
        for call in calls(function):
            for method, address in zip(call.args, call.args[1:], strict=False):
                if isinstance(method, ast.Constant) and method.value in METHODS:
                    for named, where in origins(address, function, functions):
                        yield str(method.value), pattern(named, where, functions)


def calls(function: ast.FunctionDef) -> list[ast.Call]:
    return [node for node in ast.walk(function) if isinstance(node, ast.Call)]


def origins(
    address: ast.expr, function: ast.FunctionDef, functions: dict[str, ast.FunctionDef]
) -> list[tuple[ast.expr, ast.FunctionDef]]:
    """What a function is called with, if the address is its parameter; the address itself if no call says."""
    parameters = [one.arg for one in function.args.args if one.arg != "self"]
    if not isinstance(address, ast.Name) or address.id not in parameters:
        return [(address, function)]
    place = parameters.index(address.id)
    return [
        (call.args[place], caller)
        for caller in functions.values()
        for call in calls(caller)
        if isinstance(call.func, ast.Attribute) and call.func.attr == function.name and len(call.args) > place
    ] or [(address, function)]


def pattern(node: ast.AST, function: ast.FunctionDef, functions: dict[str, ast.FunctionDef]) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return re.escape(text.split("?")[0]) if "?" not in text else re.escape(text.split("?")[0]) + "?"
        case ast.JoinedStr(values=parts):
            return "".join(pattern(part, function, functions) for part in parts).split("?")[0]
        case ast.FormattedValue(value=value) | ast.Expr(value=value):
            return pattern(value, function, functions)
        case ast.Call(func=ast.Name(id=name)) if name in functions:
            returned = next(one.value for one in ast.walk(functions[name]) if isinstance(one, ast.Return))
            assert returned is not None
            return pattern(returned, functions[name], functions)
        case ast.Name(id=name):
            for one in ast.walk(function):
                if isinstance(one, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in one.targets):
                    return pattern(one.value, function, functions)
    return "[^/]+"


def called_routes(src: Path) -> set[tuple[str, str]]:
    return {
        route
        for path in src.rglob("*.py")
        if not OTHERS.match(path.relative_to(src).as_posix())
        for route in routes(path.read_text())
    }


def test_every_route_that_the_code_can_call_is_among_the_recorded(exchanges: list[Exchange], root: Path) -> None:
    recorded = {(one["method"], re.sub(r"^/api(/v10)?", "", one["path"])) for one in exchanges}
    called = called_routes(root / "src" / "slomix")
    assert len(called) > 10
    missing = {
        (method, address)
        for method, address in called
        if not any(method == of and re.fullmatch(address, path) for of, path in recorded)
    }
    assert missing == set()


def test_a_new_route_is_found() -> None:
    source = """
def act(self, room):
    path = f"/channels/{room}/pins/{self.me}"
    self._discord.request("PUT", path, json=None)
    self._request("GET", f"{_base(1)}?with=true")
    self._get(f"/guilds/{room}/bans")

def _get(self, path):
    self._request("GET", path)

def _elsewhere(self, path):
    self._request("PUT", path)

def _base(guild):
    return f"/guilds/{guild}/scheduled-events"
"""
    assert set(routes(source)) == {
        ("PUT", "/channels/[^/]+/pins/[^/]+"),
        ("GET", r"/guilds/[^/]+/scheduled\-events"),
        ("GET", "/guilds/[^/]+/bans"),
        ("PUT", "[^/]+"),
    }
