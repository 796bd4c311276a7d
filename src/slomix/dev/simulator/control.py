"""The control API: what tests, the rehearsal and the simulator's own page may see and do."""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from itertools import islice
from typing import Any

from aiohttp import web

from slomix.dev.simulator.faults import LONGEST_SECONDS
from slomix.dev.simulator.gateway import Gateway
from slomix.dev.simulator.inboxes import SignalService
from slomix.dev.simulator.people import PEOPLE, PEOPLE_BY_ID, VOICE_ROOMS
from slomix.dev.simulator.wire import WORLD, Handler
from slomix.dev.simulator.world import World
from slomix.parsing import parse_int

SIGNAL_MODES = ("normal", "native", "json-rpc", "json-rpc-native")
# What can be done to the gateway, and what it needs to know for that.
DISTURBANCES: dict[str, tuple[str, ...]] = {
    "drop": (),
    "reconnect": (),
    "invalidate": (),
    "guild_unavailable": (),
    "guild_available": (),
    "close": ("code",),
    "allow_sessions": ("remaining",),
}

Action = Callable[[World, dict[str, Any]], Any]


class UnknownPerson(Exception):
    """Raised when a request names an unknown person."""


def register(app: web.Application, gateway: Gateway) -> None:
    for path, read in (
        ("people", lambda _world: [{"id": person.id, "name": person.name, "role": person.role} for person in PEOPLE]),
        ("gameserver", _game_server),
        ("voice", _voice),
        ("clock", lambda world: world.time.as_json()),
        ("faults", _faults),
        ("stats", _stats),
        ("polls", lambda world: {"telegram": world.telegram.askers, "signal": world.signal.askers}),
        ("gateway", lambda _world: gateway.as_json()),
        ("dm-openings", lambda world: world.limits.openings.as_json()),
        ("exchanges", lambda world: [exchange.as_record() for exchange in world.exchanges]),
        ("events", lambda world: [event.as_record() for event in world.events.values()]),
        ("threads", lambda world: [thread.as_record() for thread in world.threads.values()]),
    ):
        app.router.add_get(f"/control/{path}", _get_handler(read))
    app.router.add_get("/control/messages", messages)
    for path, do in (
        ("voice", move),
        ("clock", set_clock),
        ("faults", lambda world, body: world.faults.add(body).as_json()),
        ("telegram", lambda world, body: _type(world, "telegram", body)),
        ("signal", lambda world, body: _type(world, "signal", body)),
        ("signal-service", _set_signal_service),
        ("chatter", _chat),
        ("discord/delete", delete_message),
        ("dm-openings", _limit_openings),
        ("gameserver", _set_game_server),
        ("reset", _reset),
        ("gateway", lambda world, body: _disturb(world, gateway, body)),
    ):
        app.router.add_post(f"/control/{path}", _post_handler(do))
    app.router.add_delete("/control/faults", clear_faults)


def _get_handler(read: Callable[[World], Any]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.json_response(read(request.app[WORLD]))

    return handle


def _post_handler(do: Action) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            body = json.loads(await request.read() or b"{}")
            if not isinstance(body, dict):
                raise ValueError("The body has to be a JSON object.")
            return web.json_response(do(request.app[WORLD], body))
        except json.JSONDecodeError:
            return web.json_response({"detail": "The body is no JSON."}, status=422)
        except ValueError as error:
            return web.json_response({"detail": str(error)}, status=422)
        except UnknownPerson as error:
            return web.json_response({"detail": str(error)}, status=404)

    return handle


async def messages(request: web.Request) -> web.StreamResponse:
    """Return all accepted messages, or only those after the first `after`."""
    after = request.query.get("after", "0")
    number = parse_int(after, 0, 10**9 - 1)
    if number is None:
        detail = f"after is how many messages you know already, such as 12, not {after!r}"
        return web.json_response({"detail": detail}, status=422)
    world = request.app[WORLD]
    return web.json_response([message.as_record() for message in islice(world.messages, number, None)])


def move(world: World, body: dict[str, Any]) -> Any:
    """Move a person into a voice room or out of it."""
    refuse_unknown_fields(body, "user_id", "voice_channel")
    user_id = person_of(body)
    if "voice_channel" not in body:
        raise ValueError("voice_channel is missing; null means out of every room")
    world.move_voice(user_id, body["voice_channel"])
    return _voice(world)


def set_clock(world: World, body: dict[str, Any]) -> Any:
    """Set the time, the speed or both, for every process of the system."""
    refuse_unknown_fields(body, "now", "speed")
    world.time.change(now=body.get("now"), speed=body.get("speed"))
    return world.time.as_json()


def _set_game_server(world: World, body: dict[str, Any]) -> Any:
    """Set the players on the game server, or take it down."""
    refuse_unknown_fields(body, "names")
    if "names" not in body:
        raise ValueError("names is missing; null means that the server is down")
    world.set_game_players(body["names"])
    return _game_server(world)


def _game_server(world: World) -> Any:
    return {"names": world.on_server}


def _type(world: World, provider: str, body: dict[str, Any]) -> Any:
    """Write to the bot as a person."""
    more = {"hides_number": body.get("hides_number")} if provider == "signal" else {}
    refuse_unknown_fields(body, "user_id", "text", "group", *more)
    return world.type_text(provider, person_of(body), body.get("text"), in_group=body.get("group", False), **more)


def _chat(world: World, body: dict[str, Any]) -> Any:
    """Have a person write many messages in one of Discord's rooms."""
    refuse_unknown_fields(body, "user_id", "channel", "number")
    world.chat(PEOPLE_BY_ID[person_of(body)], str(body.get("channel")), _whole(body, "number", 1, 1000))
    return {}


def delete_message(world: World, body: dict[str, Any]) -> Any:
    """Delete a message of the bot as a moderator."""
    refuse_unknown_fields(body, "message_id")
    message = world.standing(str(body.get("message_id")))
    if message is None or message.recipient is not None:
        raise ValueError(f"message_id is that of a message of the bot in a room, not {body.get('message_id')!r}")
    message.deleted_at = world.time.now()
    return message.as_record()


def _set_signal_service(world: World, body: dict[str, Any]) -> Any:
    """Run the service in another mode or version, or cut its listeners."""
    refuse_unknown_fields(body, "mode", "version", "drop")
    mode, version = body.get("mode", world.signal.service.mode), body.get("version", world.signal.service.version)
    if mode not in SIGNAL_MODES:
        raise ValueError(f"mode is one of {', '.join(SIGNAL_MODES)}, not {mode!r}")
    if not isinstance(version, str) or re.fullmatch(r"[0-9]+\.[0-9]+(\.[0-9]+)?", version) is None:
        raise ValueError(f'version is one such as "0.98", not {version!r}')
    world.signal.service = SignalService(mode, version)
    if body.get("drop") is True:
        world.signal.drop()
    return asdict(world.signal.service)


def _limit_openings(world: World, body: dict[str, Any]) -> Any:
    """Open at most `limit` DM channels in `seconds`."""
    refuse_unknown_fields(body, "limit", "seconds")
    limit, seconds = _whole(body, "limit", 0, 10_000), body.get("seconds")
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 < seconds <= LONGEST_SECONDS:
        raise ValueError(f"seconds is a number of at most {LONGEST_SECONDS:g}, not {seconds!r}")
    world.limits.openings.set_limit(limit, float(seconds))
    return world.limits.openings.as_json()


def person_of(body: dict[str, Any]) -> str:
    user_id = body.get("user_id")
    if not isinstance(user_id, str) or user_id not in PEOPLE_BY_ID:
        raise UnknownPerson(f"user_id is the id of a person in /control/people, as a string, not {user_id!r}")
    return user_id


def _reset(world: World, body: dict[str, Any]) -> Any:
    """Forget everything, also who has written on Telegram."""
    refuse_unknown_fields(body)
    world.reset()
    world.telegram_chats.clear()
    return {}


def _disturb(world: World, gateway: Gateway, body: dict[str, Any]) -> Any:
    do = body.get("do")
    if not isinstance(do, str) or do not in DISTURBANCES:
        raise ValueError(f"do is one of {', '.join(DISTURBANCES)}, not {do!r}")
    refuse_unknown_fields(body, "do", *DISTURBANCES[do])
    if do == "allow_sessions":
        world.limits.allow_sessions(_whole(body, "remaining", 0, 1000))
    return {"connections": gateway.disturb(do, code=_whole(body, "code", 4000, 4999) if do == "close" else None)}


def _whole(body: dict[str, Any], name: str, least: int, most: int) -> int:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{name} is a whole number from {least} to {most}, not {value!r}")
    return value


def refuse_unknown_fields(body: dict[str, Any], *known: str) -> None:
    """Refuse unknown fields, so that a misspelt field doesn't pass for one that was left out."""
    if unknown := set(body) - set(known):
        raise ValueError(f"nothing here is called {', '.join(sorted(unknown))}")


async def clear_faults(request: web.Request) -> web.StreamResponse:
    request.app[WORLD].faults.clear()
    return web.json_response([])


def _faults(world: World) -> Any:
    return [fault.as_json() for fault in world.faults.active]


def _voice(world: World) -> Any:
    return [
        {
            "user_id": user_id,
            "name": PEOPLE_BY_ID[user_id].name,
            "voice_channel": room,
            "room": VOICE_ROOMS[room],
        }
        for user_id, room in world.voice.items()
    ]


def _stats(world: World) -> Any:
    limits = world.limits
    return {
        "accepted": limits.accepted,
        "refused_429": limits.refused,
        "blocked": limits.blocked,
        "peak_per_second": limits.peak_per_second,
    }
