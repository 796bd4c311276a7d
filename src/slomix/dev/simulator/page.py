"""The simulator's own page: read all messages, write as people, move them, set the clock, cause faults."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from multidict import MultiMapping

from slomix.dev.simulator import control, interactions, telegram
from slomix.dev.simulator.control import UnknownPerson
from slomix.dev.simulator.faults import PARAMETERS, PROVIDERS
from slomix.dev.simulator.interactions import INTERACTIONS, SUBCOMMAND, BadAnswer
from slomix.dev.simulator.people import (
    AFK_VOICE_CHANNEL,
    GAMING_VOICE_CHANNEL,
    OTHER_VOICE_CHANNEL,
    PEOPLE,
    PEOPLE_BY_ID,
    VOICE_ROOMS,
    SimulatedPerson,
)
from slomix.dev.simulator.rendering import HERE, ZONE, page
from slomix.dev.simulator.wire import WORLD
from slomix.dev.simulator.world import EVENT_STATUSES, AcceptedMessage, SimulatedThread, TypedMessage, World

SHOWN_MESSAGES = 200
SHOWN_LINES = 30
MOMENTS = ("20:40", "20:45", "21:00", "21:00:30")
STEPS = {"+1 min": 60, "+15 min": 900}
SPEEDS = (0, 1, 20)

Form = MultiMapping[Any]

_TYPED_COMMAND = re.compile(r"/(?P<command>[a-z]+(?: (?![a-z]+:)[a-z]+)?)(?P<options>(?: [a-z]+:.*)?)")
_TYPED_OPTION = re.compile(r"(?P<name>[a-z]+):(?P<value>.*?)(?=\s[a-z]+:|$)")


def register(app: web.Application) -> None:
    app.router.add_get("/", show_page)
    app.router.add_static("/static", HERE / "static")
    for name, section, do in (
        ("voice", "voice", _move),
        ("gameserver", "gameserver", _visit_game_server),
        ("clock", "clock", _set_clock),
        ("faults", "faults", _add_fault),
        ("faults/clear", "faults", lambda world, _form: world.faults.clear()),
        ("reset", "faults", lambda world, _form: world.reset()),
        ("delete", "public", _delete_message),
        ("telegram", "telegram", lambda world, form: _type(world, "telegram", form)),
        ("signal", "signal", lambda world, form: _type(world, "signal", form)),
    ):
        app.router.add_post(f"/page/{name}", _form_handler(section, do))
    app.router.add_post("/page/command", _command)
    app.router.add_post("/page/press", _press)
    app.router.add_post("/page/telegram/press", _press_on_telegram)


async def show_page(request: web.Request) -> web.StreamResponse:
    # The last writer stays chosen, and a link to the bot brings its /start along.
    chosen, start = request.query.get("as", ""), request.query.get("start", "")
    typing = {"chosen": chosen, "begun": f"/start {start}" if start else ""}
    return page(request, "index.html", **(_context(request.app[WORLD]) | _answers(request.app) | typing))


def _answers(app: web.Application) -> dict[str, Any]:
    """Return the slash commands, and what they and buttons were answered, the newest first."""
    known = app[INTERACTIONS]
    newest = list(reversed(known.answers.values()))[:SHOWN_LINES]
    return {
        "commands": [example for command in known.commands for example in _examples(command)],
        "answers": [(answer, PEOPLE_BY_ID[answer.reader]) for answer in newest],
    }


def _examples(command: dict[str, Any]) -> Iterator[str]:
    """Write a command as it can be typed, with each option's first choice."""
    subcommands = [option for option in command["options"] if option["type"] == SUBCOMMAND]
    for part in subcommands or [command]:
        name = f"{command['name']} {part['name']}" if subcommands else command["name"]
        given = (f"{option['name']}:{_first_choice(option)}" for option in part["options"])
        yield " ".join([f"/{name}", *given])


def _first_choice(option: dict[str, Any]) -> str:
    return str(option["choices"][0]["name"]) if option.get("choices") else "tomorrow" if option["name"] == "day" else ""


async def _command(request: web.Request) -> web.StreamResponse:
    """Type a slash command such as `/avail set day:tomorrow status:Maybe`."""
    form = await request.post()
    typed = _TYPED_COMMAND.fullmatch(str(form.get("text", "")).strip())
    if typed is None:
        return page(request, "refused.html", status=422, complaint="A command looks like /avail set day:tomorrow")
    options = {found["name"]: found["value"].strip() for found in _TYPED_OPTION.finditer(typed["options"])}
    body = {"user_id": str(form.get("user_id", "")), "command": typed["command"].strip(), "options": options}
    return await _interact(request, interactions.type_command, body)


async def _press(request: web.Request) -> web.StreamResponse:
    """Press a button under a message or an answer."""
    form = await request.post()
    return await _interact(request, interactions.press, {name: str(value) for name, value in form.items()})


async def _press_on_telegram(request: web.Request) -> web.StreamResponse:
    form = await request.post()
    return await _interact(
        request, telegram.press, {name: str(value) for name, value in form.items()}, where="telegram"
    )


async def _interact(
    request: web.Request, do: Any, body: dict[str, Any], *, where: str | None = None
) -> web.StreamResponse:
    try:
        seen = await do(request.app, body)
    except (ValueError, BadAnswer, UnknownPerson) as error:
        return page(request, "refused.html", status=422, complaint=str(error))
    if seen["message_id"] is None:
        return page(request, "refused.html", status=504, complaint=seen["text"])
    chosen = urlencode({"as": body["user_id"]})
    where = where or ("answers" if seen["ephemeral"] else "direct")
    return web.Response(status=303, headers={"Location": f"/?{chosen}#{where}"})


def _context(world: World) -> dict[str, Any]:
    def is_dm(message: AcceptedMessage) -> bool:
        return message.recipient is not None

    def is_public(message: AcceptedMessage) -> bool:
        return message.recipient is None and not message.in_thread and message.deleted_at is None

    newest = [message for message in reversed(world.messages) if message.provider == "discord"]
    rooms = {GAMING_VOICE_CHANNEL: "Gaming", OTHER_VOICE_CHANNEL: "Other", AFK_VOICE_CHANNEL: "AFK"}
    return {
        "people": PEOPLE,
        "voice": world.voice,
        "on_server": world.on_server,
        "players": _players(world),
        "rooms": rooms,
        "room_names": VOICE_ROOMS,
        "direct": list(islice(filter(is_dm, newest), SHOWN_MESSAGES)),
        "public": list(islice(filter(is_public, newest), SHOWN_MESSAGES)),
        "threads": [ThreadView(thread, newest) for thread in reversed(world.threads.values())],
        "events": list(reversed(world.events.values())),
        "event_statuses": EVENT_STATUSES,
        "telegram": _conversations(world, "telegram"),
        "signal": _conversations(world, "signal"),
        "now": world.time.now().astimezone(ZONE),
        "speed": world.time.speed,
        "moments": MOMENTS,
        "steps": STEPS,
        "speeds": SPEEDS,
        "faults": world.faults.active,
        "fault_names": tuple(PARAMETERS),
        "providers": PROVIDERS,
    }


def _players(world: World) -> dict[str, str]:
    """Map each name in the game to its person of the cast; other names on the server to an empty text."""
    strangers = dict.fromkeys(world.on_server or [], "")
    return strangers | {person.player_name: person.name for person in PEOPLE}


class ThreadView:
    """A thread as its members see it, with the newest message first."""

    def __init__(self, thread: SimulatedThread, newest: list[AcceptedMessage]) -> None:
        self.thread = thread
        self.members = [PEOPLE_BY_ID[member].name for member in thread.members]
        theirs = (message for message in newest if message.channel_id == thread.id)
        self.messages = list(islice(theirs, SHOWN_LINES))


@dataclass
class Conversation:
    """The messages between a person and the bot, oldest first."""

    person: SimulatedPerson
    lines: list[AcceptedMessage | TypedMessage] = field(default_factory=list)


def _conversations(world: World, provider: str) -> list[Conversation]:
    """Return all conversations, the newest first."""
    found: dict[str, Conversation] = {}
    lines: list[AcceptedMessage | TypedMessage] = [*world.messages, *world.typed]
    for line in sorted(lines, key=_written_at, reverse=True):
        person = line.recipient if isinstance(line, AcceptedMessage) else line.person
        if line.provider != provider or person is None:
            continue
        conversation = found.setdefault(person.id, Conversation(person))
        if len(conversation.lines) < SHOWN_LINES:
            conversation.lines.insert(0, line)
    return list(found.values())


def _written_at(line: AcceptedMessage | TypedMessage) -> datetime:
    return line.accepted_at_wall if isinstance(line, AcceptedMessage) else line.at_wall


def _form_handler(section: str, do: Callable[[World, Form], object]) -> Callable[[web.Request], Any]:
    """Handle a form of the page: do it and show the page again, or show what was wrong."""

    async def handle(request: web.Request) -> web.StreamResponse:
        form = await request.post()
        try:
            do(request.app[WORLD], form)
        except (ValueError, OverflowError) as error:
            return page(request, "refused.html", status=422, complaint=str(error))
        chosen = urlencode({"as": str(form["user_id"])}) if section in ("telegram", "signal") else ""
        return web.Response(status=303, headers={"Location": f"/?{chosen}#{section}" if chosen else f"/#{section}"})

    return handle


def _delete_message(world: World, form: Form) -> None:
    control.delete_message(world, {"message_id": str(form.get("message_id", ""))})


def _move(world: World, form: Form) -> None:
    world.move_voice(_person(form), form.get("voice_channel") or None)


def _visit_game_server(world: World, form: Form) -> None:
    """Take the server down or bring it up, or let a player join or leave."""
    if power := form.get("power"):
        world.set_game_players(None if power == "down" else [])
        return
    name, there = str(form.get("name", "")), world.on_server
    if there is None:
        raise ValueError("The game server is down.")
    world.set_game_players([player for player in there if player != name] if name in there else [*there, name])


def _type(world: World, provider: str, form: Form) -> None:
    world.type_text(provider, _person(form), form.get("text"), in_group="group" in form)


def _person(form: Form) -> str:
    user_id = str(form.get("user_id", ""))
    if user_id not in PEOPLE_BY_ID:
        raise ValueError("There is no person with that id here.")
    return user_id


def _set_clock(world: World, form: Form) -> None:
    now: datetime | None = None
    if at := form.get("at"):
        today = world.time.now().astimezone(ZONE).date()
        now = datetime.combine(today, time.fromisoformat(str(at)), ZONE)
    elif step := form.get("step"):
        now = world.time.now() + timedelta(seconds=int(str(step)))
    elif typed := form.get("now"):
        now = _typed_moment(str(typed))
    speed = form.get("speed")
    world.time.change(now=now.isoformat() if now else None, speed=_number(speed) if speed else None)


def _typed_moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is not a date and time such as 2026-03-28 20:40") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZONE)


def _add_fault(world: World, form: Form) -> None:
    name = str(form.get("fault", ""))
    body: dict[str, Any] = {"provider": form.get("provider"), "fault": name}
    # The form shows the fields of all faults; only those of the chosen one count.
    for parameter in PARAMETERS.get(name, ()):
        if given := form.get(parameter):
            body[parameter] = str(given) if parameter in ("user_id", "kind") else _number(given)
    world.faults.add(body)


def _number(text: Any) -> float:
    try:
        return float(str(text).removesuffix("x"))
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None
