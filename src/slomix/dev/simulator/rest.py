"""Discord's REST API, version 10, as far as Slomix calls it: bot token, limits and faults on every route."""

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from slomix.clock import wall_now
from slomix.dev.simulator import oauth, shapes
from slomix.dev.simulator.faults import REFUSALS
from slomix.dev.simulator.people import (
    BOT_TOKEN,
    BOT_USER_ID,
    GUILD_ID,
    PEOPLE_BY_ADDRESS,
    PEOPLE_BY_ID,
    TEXT_ROOMS,
    VOICE_ROOMS,
)
from slomix.dev.simulator.wire import (
    WORLD,
    DiscordError,
    Handler,
    add_latency,
    cloudflare_page,
    discord_json,
    fault_response,
    invalid_form,
    lost_answer,
)
from slomix.dev.simulator.world import AcceptedMessage, SimulatedEvent, SimulatedThread, World

API = "/api/v10"
LONGEST_CONTENT = 2000
LONGEST_NONCE = 25
MOST_MENTIONS = 100
MOST_ROWS = 5
CONTENT_TYPES = ("application/json", "multipart/form-data")
INVALID_FORM = 50035
DM_CHANNELS = PEOPLE_BY_ADDRESS["discord"]

Answer = Callable[[World, dict[str, str], dict[str, Any]], Any]

NO_DM_OPENED = {
    40003: "You are opening direct messages too fast",
    40004: "Send messages has been temporarily disabled",
}
UNKNOWN_CHANNEL = DiscordError(404, 10003, "Unknown Channel")
NOT_IN_THIS_ROOM = DiscordError(400, 50024, "Cannot execute action on this channel type")
MISSING_PERMISSIONS = DiscordError(403, 50013, "Missing Permissions")
UNKNOWN_GUILD = DiscordError(404, 10004, "Unknown Guild")
MISSING_ACCESS = DiscordError(403, 50001, "Missing Access")


def register(app: web.Application) -> None:
    async def me(request: web.Request) -> web.StreamResponse:
        """Answer people with a bearer token and the bot at the same address."""
        is_person = request.headers.get("Authorization", "").startswith("Bearer ")
        return await oauth.current_user(request) if is_person else await bot_me(request)

    bot_me = with_checks(
        "me", lambda _world, _path, _body: shapes.own_account(shapes.BOT_USER | {"verified": True, "email": None})
    )
    app.router.add_get(f"{API}/users/@me", me)
    for method, path, name, answer in (
        ("POST", "/users/@me/channels", "open-dm", _open_dm),
        ("POST", "/channels/{channel}/messages", "messages", _create_message),
        ("GET", "/channels/{channel}", "channel", _get_channel),
        ("GET", "/guilds/{guild}", "guild", _get_guild),
        ("GET", "/guilds/{guild}/channels", "guild-channels", _get_guild_channels),
        ("GET", "/guilds/{guild}/members/{user}", "member", _get_member),
        ("GET", "/guilds/{guild}/voice-states/{user}", "voice-state", _get_voice_state),
        ("GET", "/gateway", "gateway", _get_gateway),
        ("GET", "/gateway/bot", "gateway-bot", _get_gateway_bot),
        ("GET", "/applications/@me", "application", lambda world, _path, _body: shapes.application(world)),
        ("GET", "/oauth2/applications/@me", "application", lambda world, _path, _body: shapes.application(world)),
    ):
        app.router.add_route(method, API + path, with_checks(name, answer))
    app.router.add_route("*", API + "/{anything:.*}", _not_here)


async def _not_here(_request: web.Request) -> web.StreamResponse:
    return DiscordError(404, 0, "404: Not Found").response()


def with_checks(name: str, answer: Answer) -> Handler:
    """Wrap a route's answer in the checks of every route."""

    async def handle(request: web.Request) -> web.StreamResponse:
        world, path = request.app[WORLD], dict(request.match_info)
        room = path.get("channel") or path.get("guild") or ""
        trouble = await _refusal(request, world, name, room)
        if trouble is not None:
            return trouble
        try:
            body = await _body(request)
            if (code := world.faults.refusal(name, _whom(path, body))) is not None:
                raise _refused(code)
            found = answer(world, path, body)
        except DiscordError as error:
            return error.response(_limit_headers(world, name, room))
        is_taken = isinstance(found, AcceptedMessage | SimulatedThread | SimulatedEvent)
        if is_taken and (lost := lost_answer(request, "discord", _fault)) is not None:
            return lost
        if (text := world.faults.unreadable(name)) is not None:
            return web.Response(text=text, content_type="text/html" if text.startswith("<") else "application/json")
        return _success(world, found, _limit_headers(world, name, room))

    return handle


def _success(world: World, found: Any, headers: dict[str, str]) -> web.Response:
    match found:
        case None:
            return web.Response(status=204, headers=headers)
        case AcceptedMessage():
            return discord_json(shapes.message(found, nonce=found.nonce), headers=headers)
        case SimulatedEvent():
            return discord_json(shapes.event(found), headers=headers)
        case SimulatedThread():
            return discord_json(shapes.thread(world, found), status=201, headers=headers)
    return discord_json(found, headers=headers)


async def _refusal(request: web.Request, world: World, name: str, room: str) -> web.Response | None:
    """Return the refusal of a request by a fault in force, for its token or by Discord's limits, if any."""
    if (blocked := world.faults.cloudflare()) is not None:
        world.limits.blocked += 1
        return cloudflare_page(blocked)
    is_ours = request.headers.get("Authorization") == f"Bot {BOT_TOKEN}"
    if not is_ours or world.limits.is_token_reset or world.faults.is_token_reset():
        world.limits.blocked += 1
        return DiscordError(401, 0, "401: Unauthorized").response()
    if (trouble := await fault_response(request, "discord", _fault)) is not None:
        return trouble
    if (limit := world.faults.rate_limit("discord")) is not None:
        world.limits.refused += 1
        return _too_many(limit["retry_after"], scope=limit["scope"], headers=_limit_headers(world, name, room))
    if (refused := world.limits.request(name, room, wall_now().timestamp())) is not None:
        headers = _limit_headers(world, name, room)
        scope = "global" if refused.is_global else "user"
        return _too_many(refused.retry_after, scope=scope, headers=headers)
    await add_latency(request, "discord")
    return None


def _fault(status: int, description: str) -> web.Response:
    return DiscordError(status, 0, description).response()


def _limit_headers(world: World, name: str, room: str) -> dict[str, str]:
    return world.limits.bucket(name, room).headers(wall_now().timestamp(), bucket=f"sim-{name}")


def _whom(path: dict[str, str], body: dict[str, Any]) -> str | None:
    """Return the person that a request is about, if it is about one."""
    recipient = DM_CHANNELS.get(path.get("channel", ""))
    return path.get("user") or (recipient.id if recipient is not None else body.get("recipient_id"))


def _refused(code: int) -> DiscordError:
    """Make the refusal of a fault; an invalid form says in `errors` what is wrong with it."""
    if code == INVALID_FORM:
        return invalid_form("Must be 2000 or fewer in length.", "content", code="BASE_TYPE_MAX_LENGTH")
    status, message = REFUSALS[code]
    return DiscordError(status, code, message)


def _too_many(retry_after: float, *, scope: str, headers: dict[str, str]) -> web.Response:
    # discord.py takes a 429 without Via for a ban by Cloudflare and gives up.
    headers |= {
        "Via": "1.1 sim",
        "Retry-After": f"{retry_after:.3f}",
        "X-RateLimit-Scope": "user" if scope == "body" else scope,
    }
    if scope == "global":
        headers["X-RateLimit-Global"] = "true"
    body = {
        "message": f"{'The resource is' if scope == 'shared' else 'You are'} being rate limited.",
        "retry_after": round(retry_after, 3),
        "global": scope in ("global", "body"),
    }
    return discord_json(body, status=429, headers=headers)


async def _body(request: web.Request) -> dict[str, Any]:
    if request.method == "GET":
        return dict(request.query)
    sent = await request.read()
    if not sent and request.method in ("PUT", "DELETE"):
        return {}
    if request.content_type not in CONTENT_TYPES:
        expected = "Expected \"Content-Type\" header to be one of {'application/json', 'multipart/form-data'}."
        raise invalid_form(expected, code="CONTENT_TYPE_INVALID")
    try:
        body = json.loads(sent)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise DiscordError(400, 50109, "The request body contains invalid JSON.")
    return body


def _open_dm(world: World, _path: dict[str, str], body: dict[str, Any]) -> Any:
    person = PEOPLE_BY_ID.get(str(body.get("recipient_id")))
    if person is None:
        raise DiscordError(400, 50033, "Invalid Recipient(s)")
    if (refused := world.limits.openings.open(person.id, wall_now().timestamp())) is not None:
        raise DiscordError(403, refused, NO_DM_OPENED[refused])
    return shapes.dm_channel(person)


def _create_message(world: World, path: dict[str, str], body: dict[str, Any]) -> AcceptedMessage:
    channel = path["channel"]
    check_has_messages(world, channel)
    content, nonce = read_content(body), body.get("nonce")
    if nonce is not None and len(str(nonce)) > LONGEST_NONCE:
        raise invalid_form("Must be 25 or fewer in length.", "nonce", code="BASE_TYPE_MAX_LENGTH")
    _check_mentions(body.get("allowed_mentions"))
    nonce = None if nonce is None else str(nonce)
    recipient = DM_CHANNELS.get(channel)
    if recipient is None and world.faults.is_read_only():
        raise MISSING_PERMISSIONS
    if recipient is not None and world.faults.has_closed_dms("discord", recipient.id):
        raise DiscordError(403, 50007, "Cannot send messages to this user")
    if channel in world.threads:
        world.threads[channel].is_archived = False
    if body.get("enforce_nonce") is True and (first := world.message_of_nonce(channel, nonce)):
        return first
    return world.accept("discord", channel, content, nonce=nonce, components=read_components(body))


def check_has_messages(world: World, channel: str) -> None:
    """Raise Discord's error for a channel that does not exist, has no messages here, or that the bot doesn't see."""
    if channel not in TEXT_ROOMS and channel not in DM_CHANNELS and channel not in world.threads:
        raise UNKNOWN_CHANNEL
    if channel not in DM_CHANNELS and world.faults.hides_rooms():
        raise MISSING_ACCESS


def read_content(body: dict[str, Any]) -> str:
    """Return the text of a message. Raise Discord's error if it is empty or too long."""
    content = body.get("content")
    if content is None or content == "":
        raise DiscordError(400, 50006, "Cannot send an empty message")
    if not isinstance(content, str) or len(content) > LONGEST_CONTENT:
        raise invalid_form("Must be 2000 or fewer in length.", "content", code="BASE_TYPE_MAX_LENGTH")
    return content


def read_components(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of buttons. Raise Discord's error for more than it takes, or for two that send the same."""
    rows: list[dict[str, Any]] = body.get("components") or []
    if len(rows) > MOST_ROWS:
        raise invalid_form(f"Must be {MOST_ROWS} or fewer in length.", "components", code="BASE_TYPE_BAD_LENGTH")
    buttons = [button for row in rows for button in row["components"]]
    if any(not 1 <= len(row["components"]) <= MOST_ROWS for row in rows):
        raise invalid_form("Must be between 1 and 5 in length.", "components", code="BASE_TYPE_BAD_LENGTH")
    ids = [button["custom_id"] for button in buttons if "custom_id" in button]
    if len(set(ids)) < len(ids):
        raise invalid_form(
            "Component custom id cannot be duplicated", "components", code="COMPONENT_CUSTOM_ID_DUPLICATED"
        )
    return rows


def _check_mentions(allowed: Any) -> None:
    """Raise Discord's error if `allowed_mentions` says too much, or contradicts itself."""
    if allowed is None:
        return
    if not isinstance(allowed, dict):
        raise invalid_form("Only dictionaries may be used in a DictType", "allowed_mentions")
    for kind in ("users", "roles"):
        named, parsed = allowed.get(kind) or [], allowed.get("parse") or []
        if len(named) > MOST_MENTIONS:
            complaint = f"Must be {MOST_MENTIONS} or fewer in length."
            raise invalid_form(complaint, "allowed_mentions", kind, code="BASE_TYPE_MAX_LENGTH")
        if named and kind in parsed:
            complaint = f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.'
            raise invalid_form(complaint, "allowed_mentions", code="MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE")


def _get_channel(world: World, path: dict[str, str], _body: dict[str, Any]) -> Any:
    channel = path["channel"]
    if channel in DM_CHANNELS:
        return shapes.dm_channel(DM_CHANNELS[channel])
    if channel not in VOICE_ROOMS:
        check_has_messages(world, channel)
    if channel in TEXT_ROOMS:
        return shapes.text_room(world, channel)
    if channel in VOICE_ROOMS:
        return shapes.voice_room(channel)
    if channel in world.threads:
        return shapes.thread(world, world.threads[channel])
    raise UNKNOWN_CHANNEL


def _in_guild(path: dict[str, str]) -> None:
    if path["guild"] != GUILD_ID:
        raise UNKNOWN_GUILD


def _get_guild(world: World, path: dict[str, str], _body: dict[str, Any]) -> Any:
    _in_guild(path)
    return shapes.guild(world)


def _get_guild_channels(world: World, path: dict[str, str], _body: dict[str, Any]) -> Any:
    _in_guild(path)
    return shapes.rooms(world)


def _get_member(_world: World, path: dict[str, str], _body: dict[str, Any]) -> Any:
    _in_guild(path)
    if path["user"] == BOT_USER_ID:
        return shapes.member(shapes.BOT_USER)
    person = PEOPLE_BY_ID.get(path["user"])
    if person is None:
        raise DiscordError(404, 10007, "Unknown Member")
    return shapes.member(shapes.user(person))


def _get_voice_state(world: World, path: dict[str, str], _body: dict[str, Any]) -> Any:
    _in_guild(path)
    if path["user"] not in world.voice:
        raise DiscordError(404, 10065, "Unknown Voice State")
    return shapes.voice_update(world, path["user"])


def _get_gateway(world: World, _path: dict[str, str], _body: dict[str, Any]) -> Any:
    return {"url": world.gateway_url}


def _get_gateway_bot(world: World, _path: dict[str, str], _body: dict[str, Any]) -> Any:
    start_limit = world.limits.session_start_limit(wall_now().timestamp())
    return {"url": world.gateway_url, "shards": 1, "session_start_limit": start_limit}
