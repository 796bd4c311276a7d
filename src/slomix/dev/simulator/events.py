"""Discord's scheduled events: made in the future only, in a voice room or at a place, begun, ended and cancelled."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from slomix.dev.simulator import shapes
from slomix.dev.simulator.people import GUILD_ID, VOICE_ROOMS
from slomix.dev.simulator.rest import API, MISSING_ACCESS, MISSING_PERMISSIONS, UNKNOWN_CHANNEL, with_checks
from slomix.dev.simulator.wire import DiscordError, invalid_form
from slomix.dev.simulator.world import SimulatedEvent, World

# https://discord.com/developers/docs/resources/guild-scheduled-event
IN_STAGE, IN_VOICE, EXTERNAL = 1, 2, 3
SCHEDULED, ACTIVE, COMPLETED, CANCELED = 1, 2, 3, 4
GUILD_ONLY = 2
# What each status may become.
ARROWS = {SCHEDULED: (SCHEDULED, ACTIVE, CANCELED), ACTIVE: (ACTIVE, COMPLETED), COMPLETED: (), CANCELED: ()}
LONGEST_NAME, LONGEST_DESCRIPTION, LONGEST_PLACE = 100, 1000, 100
MOST_EVENTS = 100

UNKNOWN_EVENT = DiscordError(404, 10070, "Unknown Guild Scheduled Event")
EVENT_IS_OVER = DiscordError(400, 180000, "Cannot update a finished event")
TOO_MANY = DiscordError(400, 30038, "Maximum number of uncompleted guild scheduled events reached (100)")


@dataclass(frozen=True)
class _Fields:
    """What an event says, once all of it is valid."""

    name: str
    description: str | None
    kind: int
    channel: str | None
    place: str | None
    starts_at: datetime
    ends_at: datetime | None


def register(app: web.Application) -> None:
    """Register the routes; call it before `rest`, which answers everything else."""
    base = "/guilds/{guild}/scheduled-events"
    for method, path, name, answer in (
        ("GET", base, "events", _list),
        ("POST", base, "create-event", _create),
        ("GET", base + "/{event}", "event", lambda world, path, _body: shapes.event(_event(world, path))),
        ("PATCH", base + "/{event}", "edit-event", _change),
        ("DELETE", base + "/{event}", "edit-event", _delete),
    ):
        app.router.add_route(method, API + path, with_checks(name, answer))


def _list(world: World, path: dict[str, str], _body: dict[str, Any]) -> Any:
    """List what is to come or under way; what is over is not shown."""
    _in_guild(path)
    return [shapes.event(event) for event in world.events.values() if event.status in (SCHEDULED, ACTIVE)]


def _create(world: World, path: dict[str, str], body: dict[str, Any]) -> SimulatedEvent:
    _in_guild(path)
    _check_rights(world)
    if sum(event.status in (SCHEDULED, ACTIVE) for event in world.events.values()) >= MOST_EVENTS:
        raise TOO_MANY
    fields = _read(world, body)
    event = SimulatedEvent(world.snowflake(), **vars(fields))
    world.events[event.id] = event
    return event


def _change(world: World, path: dict[str, str], body: dict[str, Any]) -> SimulatedEvent:
    _check_rights(world)
    event = _event(world, path)
    if event.status in (COMPLETED, CANCELED):
        raise EVENT_IS_OVER
    status = body.get("status") or event.status
    if status not in ARROWS[event.status]:
        raise invalid_form("Invalid Guild Scheduled Event Status Update", "status")
    says = set(body) - {"status"}
    if says and event.status != SCHEDULED:
        raise invalid_form("Cannot update an event that has begun", *sorted(says)[:1])
    if says:
        for name, value in vars(_read(world, shapes.event(event) | body)).items():
            setattr(event, name, value)
    event.status = status
    return event


def _delete(world: World, path: dict[str, str], _body: dict[str, Any]) -> None:
    _check_rights(world)
    del world.events[_event(world, path).id]


def _in_guild(path: dict[str, str]) -> None:
    if path["guild"] != GUILD_ID:
        raise MISSING_ACCESS


def _check_rights(world: World) -> None:
    if world.faults.forbids_events():
        raise MISSING_PERMISSIONS


def _event(world: World, path: dict[str, str]) -> SimulatedEvent:
    _in_guild(path)
    if path["event"] not in world.events:
        raise UNKNOWN_EVENT
    return world.events[path["event"]]


def _read(world: World, body: dict[str, Any]) -> _Fields:
    """Read what an event says. Raise Discord's error."""
    kind, name, description = body.get("entity_type"), body.get("name"), body.get("description")
    if kind not in (IN_VOICE, EXTERNAL):
        raise invalid_form("Value must be one of {1, 2, 3}.", "entity_type", code="BASE_TYPE_CHOICES")
    if body.get("privacy_level") != GUILD_ONLY:
        raise invalid_form("Value must be one of {2}.", "privacy_level", code="BASE_TYPE_CHOICES")
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME:
        raise invalid_form("Must be between 1 and 100 in length.", "name", code="BASE_TYPE_BAD_LENGTH")
    if description is not None and not 1 <= len(str(description)) <= LONGEST_DESCRIPTION:
        raise invalid_form("Must be between 1 and 1000 in length.", "description", code="BASE_TYPE_BAD_LENGTH")
    starts_at, ends_at = (_moment(body, field) for field in ("scheduled_start_time", "scheduled_end_time"))
    if starts_at is None:
        raise invalid_form("This field is required", "scheduled_start_time", code="BASE_TYPE_REQUIRED")
    if starts_at <= world.time.now():
        raise invalid_form(
            "Cannot schedule event in the past.", "scheduled_start_time", code="GUILD_SCHEDULED_EVENT_SCHEDULE_PAST"
        )
    if ends_at is not None and ends_at <= starts_at:
        raise invalid_form("Cannot end before it starts", "scheduled_end_time", code="GUILD_SCHEDULED_EVENT_END")
    channel, place = _where(body, kind, ends_at)
    return _Fields(name, description, kind, channel, place, starts_at, ends_at)


def _where(body: dict[str, Any], kind: int, ends_at: datetime | None) -> tuple[str | None, str | None]:
    """Read the voice room or the place."""
    channel = body.get("channel_id")
    if kind == IN_VOICE:
        if channel is None:
            raise invalid_form("This field is required", "channel_id", code="BASE_TYPE_REQUIRED")
        if channel not in VOICE_ROOMS:
            raise UNKNOWN_CHANNEL
        return str(channel), None
    place = (body.get("entity_metadata") or {}).get("location")
    if channel is not None:
        raise invalid_form("Must be null for an external event", "channel_id")
    if not isinstance(place, str) or not 1 <= len(place) <= LONGEST_PLACE:
        raise invalid_form("This field is required", "entity_metadata", "location", code="BASE_TYPE_REQUIRED")
    if ends_at is None:
        raise invalid_form("This field is required", "scheduled_end_time", code="BASE_TYPE_REQUIRED")
    return None, place


def _moment(body: dict[str, Any], name: str) -> datetime | None:
    if body.get(name) is None:
        return None
    try:
        moment = datetime.fromisoformat(str(body[name]))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise invalid_form("Could not parse datetime", name, code="DATE_TIME_TYPE_PARSE")
    return moment
