"""Slash commands and buttons of Discord: signs and posts what people do, and keeps what they are answered."""

import asyncio
import json
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from slomix.clock import wall_now
from slomix.dev.simulator import shapes
from slomix.dev.simulator.control import UnknownPerson, person_of, refuse_unknown_fields
from slomix.dev.simulator.people import (
    BOT_TOKEN,
    CLIENT_ID,
    GUILD_ID,
    PEOPLE_BY_ID,
    SIGNING_SEED,
    TEXT_CHANNEL,
    SimulatedPerson,
)
from slomix.dev.simulator.rest import API
from slomix.dev.simulator.wire import WORLD, DiscordError, Handler, discord_json
from slomix.dev.simulator.world import AcceptedMessage, World

Json = dict[str, Any]

# https://discord.com/developers/docs/interactions/receiving-and-responding
PING, COMMAND, PRESS, AUTOCOMPLETE = 1, 2, 3, 4
PONG, MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE, CHOICES = 1, 4, 5, 6, 7, 8
EPHEMERAL = 1 << 6
ANSWER_WITHIN = 3.0
FOLLOW_UP_WITHIN = 60.0
SUBCOMMAND = 1
LINK_BUTTON = 5
NO_ANSWER = "The application did not respond"

_KEY = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(SIGNING_SEED))


class BadAnswer(Exception):
    """Raised when an answer is none that Discord would take."""


@dataclass
class Answer:
    """A message that one person alone sees, or "thinking…" until it comes."""

    id: str
    reader: str
    content: str = ""
    components: list[Json] = field(default_factory=list)
    # What was typed or pressed for it, and when.
    question: str = ""
    at: datetime = field(default_factory=wall_now)
    came: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Interactions:
    """The registered commands, and the answers that people see."""

    commands: list[Json] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    # The answers that may still be edited, by the token of their interaction.
    waiting: dict[str, Answer | AcceptedMessage] = field(default_factory=dict)
    # The value behind each label that a person was offered: choosing the label sends the value.
    offered: dict[tuple[str, str], str] = field(default_factory=dict)


INTERACTIONS: web.AppKey[Interactions] = web.AppKey("interactions", Interactions)


def register(app: web.Application) -> None:
    app[INTERACTIONS] = Interactions()
    app.router.add_get(f"{API}/applications/{CLIENT_ID}/guilds/{GUILD_ID}/commands", _for_bot(_list_commands))
    app.router.add_put(f"{API}/applications/{CLIENT_ID}/guilds/{GUILD_ID}/commands", _for_bot(_replace_commands))
    app.router.add_patch(f"{API}/applications/@me", _for_bot(_change_application))
    app.router.add_patch(f"{API}/webhooks/{CLIENT_ID}/{{token}}/messages/@original", _edit_answer)
    for path, do in (
        ("command", type_command),
        ("press", press),
        ("autocomplete", _autocomplete),
    ):
        app.router.add_post(f"/control/discord/{path}", controlled(do))


# What the bot does


def _for_bot(answer: Any) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bot {BOT_TOKEN}" or request.app[WORLD].limits.is_token_reset:
            return DiscordError(401, 0, "401: Unauthorized").response()
        try:
            return discord_json(await answer(request))
        except DiscordError as error:
            return error.response()
        except ValueError:
            return DiscordError(400, 50109, "The request body contains invalid JSON.").response()

    return handle


async def _list_commands(request: web.Request) -> list[Json]:
    return request.app[INTERACTIONS].commands


async def _replace_commands(request: web.Request) -> list[Json]:
    given = json.loads(await request.read())
    world = request.app[WORLD]
    request.app[INTERACTIONS].commands = [
        {
            "id": world.snowflake(),
            "application_id": CLIENT_ID,
            "guild_id": GUILD_ID,
            "version": world.snowflake(),
            "type": 1,
            "default_member_permissions": None,
            "nsfw": False,
            "name_localizations": None,
            "description_localizations": None,
            **command,
        }
        for command in given
    ]
    return request.app[INTERACTIONS].commands


async def _change_application(request: web.Request) -> Json:
    """Change where interactions are posted, after a look whether we answer there, and only to Discord."""
    url = json.loads(await request.read()).get("interactions_endpoint_url")
    if url:
        ping = {"id": request.app[WORLD].snowflake(), "application_id": CLIENT_ID, "type": PING, "version": 1}
        status, answer = await _post(url, ping)
        forged, _ = await _post(url, ping, signature="0" * 128)
        if status != 200 or answer.get("type") != PONG or forged != 401:
            raise DiscordError(400, 50035, "Invalid Form Body")
    request.app[WORLD].interactions_endpoint = url or ""
    return shapes.application(request.app[WORLD])


async def _edit_answer(request: web.Request) -> web.StreamResponse:
    """Take the answer of an interaction that was deferred."""
    edited = request.app[INTERACTIONS].waiting.get(request.match_info["token"])
    if edited is None:
        return DiscordError(404, 10015, "Unknown Webhook").response()
    body = json.loads(await request.read())
    _put(edited, _checked(body))
    if isinstance(edited, Answer):
        edited.came.set()
    return discord_json({"id": edited.id, "content": edited.content, "components": edited.components})


# What people do


def controlled(do: Any) -> Handler:
    """Handle a request to the control API by something that has to wait for an answer."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            body = json.loads(await request.read() or b"{}")
            if not isinstance(body, dict):
                raise ValueError("The body has to be a JSON object.")
            return web.json_response(await do(request.app, body))
        except BadAnswer as error:
            return web.json_response({"detail": f"Discord would refuse this answer: {error}"}, status=502)
        except ValueError as error:
            return web.json_response({"detail": str(error)}, status=422)
        except UnknownPerson as error:
            return web.json_response({"detail": str(error)}, status=404)

    return handle


async def type_command(app: web.Application, body: Json) -> Json:
    """Type a command with its options as a person."""
    refuse_unknown_fields(body, "user_id", "command", "options")
    person, offered = PEOPLE_BY_ID[person_of(body)], app[INTERACTIONS].offered
    options = {name: offered.get((person.id, str(value)), value) for name, value in (body.get("options") or {}).items()}
    data = _command_data(app[INTERACTIONS], str(body.get("command", "")), options)
    typed = " ".join([f"/{body.get('command', '')}", *(f"{name}:{value}" for name, value in options.items())])
    return await _interact(app, _in_server(app[WORLD], person, COMMAND, data), person, typed)


async def _autocomplete(app: web.Application, body: Json) -> list[str]:
    """Type the beginning of an option, and return the labels that are offered."""
    refuse_unknown_fields(body, "user_id", "command", "option", "value")
    person = PEOPLE_BY_ID[person_of(body)]
    typed = {str(body.get("option")): str(body.get("value", ""))}
    data = _command_data(app[INTERACTIONS], str(body.get("command", "")), typed, focused=str(body.get("option")))
    status, answer = await _post(app[WORLD].interactions_endpoint, _in_server(app[WORLD], person, AUTOCOMPLETE, data))
    offered = answer.get("data", {}).get("choices", []) if status == 200 else []
    if answer.get("type") != CHOICES or len(offered) > 25:
        raise BadAnswer("choices, at most 25")
    app[INTERACTIONS].offered |= {(person.id, str(choice["name"])): str(choice["value"]) for choice in offered}
    return [str(choice["name"]) for choice in offered]


async def press(app: web.Application, body: Json) -> Json:
    """Press a button by its label, under a message or under an answer that the person sees."""
    refuse_unknown_fields(body, "user_id", "message_id", "button")
    person, world = PEOPLE_BY_ID[person_of(body)], app[WORLD]
    message = _seen_message(app, str(body.get("message_id")), person)
    button = find_button(message, body)
    data = {"custom_id": button["custom_id"], "component_type": 2}
    is_direct = isinstance(message, AcceptedMessage) and message.recipient is not None
    asked = (_in_direct if is_direct else _in_server)(world, person, PRESS, data)
    flags = EPHEMERAL if isinstance(message, Answer) else 0
    asked["message"] = {"id": message.id, "content": message.content, "flags": flags, "components": message.components}
    return await _interact(app, asked, person, str(button["label"]), pressed=message)


def find_button(message: Answer | AcceptedMessage, body: Json) -> Json:
    """Return the button of this label. Raise ValueError where there is none that is told to the bot."""
    button = next((button for button in _buttons(message.components) if button["label"] == body.get("button")), None)
    if button is None:
        labels = ", ".join(button["label"] for button in _buttons(message.components)) or "none"
        raise ValueError(f"button is one of that message's: {labels}")
    if button["style"] == LINK_BUTTON:
        raise ValueError(f"{button['label']} opens {button['url']}, and is not told to the bot")
    return button


def as_seen(shown: Answer | AcceptedMessage | None, milliseconds: int) -> Json:
    """Return what a person sees who has pressed or typed; None stands for no answer."""
    return {
        "message_id": shown.id if shown is not None else None,
        "text": shown.content if shown is not None else NO_ANSWER,
        "ephemeral": not isinstance(shown, AcceptedMessage),
        "buttons": [button["label"] for button in _buttons(shown.components)] if shown is not None else [],
        "modal": None,
        "ms": milliseconds,
    }


def _seen_message(app: web.Application, message_id: str, person: SimulatedPerson) -> Answer | AcceptedMessage:
    answer = app[INTERACTIONS].answers.get(message_id)
    if answer is not None and answer.reader == person.id:
        return answer
    message = app[WORLD].standing(message_id)
    if message is not None and message.recipient in {None, person}:
        return message
    raise ValueError(f"{person.name} sees no message {message_id!r}")


def _buttons(components: list[Json]) -> Iterator[Json]:
    for row in components:
        yield from row["components"]


def _command_data(known: Interactions, typed: str, options: Mapping[str, Any], *, focused: str = "") -> Json:
    """Return a command as Discord sends it. Raise ValueError for what Discord would not let a person type."""
    name, _, subcommand = typed.strip().lstrip("/").partition(" ")
    command = next((command for command in known.commands if command["name"] == name), None)
    if command is None:
        raise ValueError(
            f"command is one that is registered: {', '.join(command['name'] for command in known.commands) or 'none'}"
        )
    definitions = command["options"]
    if subcommand:
        found = next((option for option in definitions if option["name"] == subcommand), None)
        if found is None or found["type"] != SUBCOMMAND:
            raise ValueError(f"/{name} has no {subcommand!r}")
        definitions = found.get("options", [])
    given = _given_options(definitions, options, focused)
    data = {"id": command["id"], "name": name, "type": 1, "guild_id": GUILD_ID}
    return data | {"options": [{"type": 1, "name": subcommand, "options": given}] if subcommand else given}


def _given_options(definitions: list[Json], options: Mapping[str, Any], focused: str) -> list[Json]:
    known = {option["name"]: option for option in definitions if option["type"] != SUBCOMMAND}
    if unknown := set(options) - set(known):
        raise ValueError(f"no such option: {', '.join(sorted(unknown))}")
    missing = [name for name, option in known.items() if option.get("required") and name not in options]
    if missing and not focused:
        raise ValueError(f"missing: {', '.join(missing)}")
    given = []
    for name, value in options.items():
        text = str(value)
        if choices := known[name].get("choices"):
            chosen = next((choice["value"] for choice in choices if text in {choice["name"], choice["value"]}), None)
            if chosen is None:
                raise ValueError(f"{name} is one of {', '.join(choice['name'] for choice in choices)}")
            text = chosen
        given.append({"type": 3, "name": name, "value": text} | ({"focused": True} if name == focused else {}))
    return given


def _in_server(world: World, person: SimulatedPerson, kind: int, data: Json) -> Json:
    member = shapes.member(shapes.user(person)) | {"permissions": str((1 << 50) - 1)}
    return _interaction(world, kind, data) | {
        "guild_id": GUILD_ID,
        "guild_locale": "en-US",
        "channel_id": TEXT_CHANNEL,
        "member": member,
        "context": 0,
    }


def _in_direct(world: World, person: SimulatedPerson, kind: int, data: Json) -> Json:
    user = {"channel_id": person.dm_channel, "user": shapes.user(person), "context": 1}
    return _interaction(world, kind, data) | user


def _interaction(world: World, kind: int, data: Json) -> Json:
    return {
        "id": world.snowflake(),
        "application_id": CLIENT_ID,
        "type": kind,
        "token": secrets.token_urlsafe(40),
        "version": 1,
        "locale": "en-US",
        "app_permissions": str((1 << 50) - 1),
        "entitlements": [],
        "authorizing_integration_owners": {"0": GUILD_ID},
        "attachment_size_limit": 10_485_760,
        "data": data,
    }


async def _interact(
    app: web.Application,
    asked: Json,
    person: SimulatedPerson,
    question: str,
    pressed: Answer | AcceptedMessage | None = None,
) -> Json:
    """Post an interaction, and return what the person sees."""
    known, began = app[INTERACTIONS], time.monotonic()
    status, answer = await _post(app[WORLD].interactions_endpoint, asked)
    milliseconds = round((time.monotonic() - began) * 1000)
    kind = answer.get("type") if status == 200 else None
    if kind in {UPDATE, DEFERRED_UPDATE} and pressed is not None:
        shown: Answer | AcceptedMessage = pressed
    elif kind in {MESSAGE, DEFERRED_MESSAGE}:
        shown = Answer(app[WORLD].snowflake(), person.id, question=question, at=app[WORLD].time.now())
        known.answers[shown.id] = shown
    else:
        return as_seen(None, milliseconds)
    known.waiting[asked["token"]] = shown
    if kind in {DEFERRED_MESSAGE, DEFERRED_UPDATE}:
        if isinstance(shown, Answer):
            shown.came.clear()
            await asyncio.wait_for(shown.came.wait(), FOLLOW_UP_WITHIN)
    else:
        _put(shown, _checked(answer.get("data", {})))
    return as_seen(shown, milliseconds)


def _put(message: Answer | AcceptedMessage, data: Json) -> None:
    if isinstance(message, AcceptedMessage):
        message.edit(data["content"])
    else:
        message.content = data["content"]
    message.components = data.get("components", message.components)


def _checked(data: Json) -> Json:
    """Return the content and components of an answer. Raise BadAnswer for what Discord would not take."""
    content, rows = data.get("content", ""), data.get("components", [])
    if not isinstance(content, str) or not content or len(content) > 2000:
        raise BadAnswer("content has 1 to 2000 characters")
    if len(rows) > 5 or any(not 1 <= len(row["components"]) <= 5 for row in rows):
        raise BadAnswer("at most five rows of one to five buttons")
    ids = [button["custom_id"] for button in _buttons(rows) if button["style"] != LINK_BUTTON]
    if len(set(ids)) != len(ids) or any(not 1 <= len(each) <= 100 for each in ids):
        raise BadAnswer("each button has a custom_id of its own, of 1 to 100 characters")
    if any(not 1 <= len(button["label"]) <= 80 for button in _buttons(rows)):
        raise BadAnswer("labels have 1 to 80 characters")
    if data.get("allowed_mentions") != {"parse": []}:
        raise BadAnswer("it could mention an account")
    return {"content": content} | ({"components": rows} if "components" in data else {})


async def _post(url: str, body: Json, *, signature: str | None = None) -> tuple[int, Json]:
    """Post a signed body as Discord does; a status of 0 stands for no answer in time."""
    text, stamp = json.dumps(body).encode(), str(int(wall_now().timestamp()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Discord-Interactions/1.0 (+https://discord.com)",
        "X-Signature-Ed25519": signature or _KEY.sign(stamp.encode() + text).hex(),
        "X-Signature-Timestamp": stamp,
    }
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN)) as client,
            client.post(url, data=text, headers=headers) as response,
        ):
            answer = await response.json(content_type=None)
            return response.status, answer if isinstance(answer, dict) else {}
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return 0, {}
