"""Discord's threads: created in a text room, their members, archived and deleted; messages, read and edited."""

from typing import Any

from aiohttp import web

from slomix.clock import wall_now
from slomix.dev.simulator import shapes
from slomix.dev.simulator.limits import OLD_EDIT_AGE
from slomix.dev.simulator.people import GUILD_ID, PEOPLE_BY_ID, TEXT_ROOMS, VOICE_ROOMS
from slomix.dev.simulator.rest import (
    API,
    DM_CHANNELS,
    MISSING_ACCESS,
    MISSING_PERMISSIONS,
    NOT_IN_THIS_ROOM,
    UNKNOWN_CHANNEL,
    check_has_messages,
    read_components,
    read_content,
    with_checks,
)
from slomix.dev.simulator.wire import DiscordError, invalid_form
from slomix.dev.simulator.world import AcceptedMessage, SimulatedThread, World
from slomix.parsing import parse_int

PUBLIC, PRIVATE = 11, 12
LONGEST_NAME = 100
ARCHIVED_AFTER = (60, 1440, 4320, 10080)
SHOWN, MOST_SHOWN = 50, 100

EDITED_TOO_OFTEN = 30046
EDITED_TOO_OFTEN_TEXT = "Maximum number of edits to messages older than 1 hour reached. Try again later"
ARCHIVED = DiscordError(400, 50083, "Thread is archived")
UNKNOWN_MESSAGE = DiscordError(404, 10008, "Unknown Message")
UNKNOWN_MEMBER = DiscordError(404, 10007, "Unknown Member")
UNKNOWN_USER = DiscordError(404, 10013, "Unknown User")


def register(app: web.Application) -> None:
    """Register the routes; call it before `rest`, which answers everything else."""
    for method, path, name, answer in (
        ("GET", "/guilds/{guild}/threads/active", "active-threads", _active),
        ("POST", "/channels/{channel}/threads", "create-thread", _create),
        ("PATCH", "/channels/{channel}", "edit-channel", _edit),
        ("DELETE", "/channels/{channel}", "delete-channel", _delete),
        ("PUT", "/channels/{channel}/thread-members/{user}", "thread-members", _add),
        ("DELETE", "/channels/{channel}/thread-members/{user}", "thread-members", _remove),
        ("GET", "/channels/{channel}/messages", "read-messages", _messages),
        ("PATCH", "/channels/{channel}/messages/{message}", "edit-message", _edit_message),
        ("DELETE", "/channels/{channel}/messages/{message}", "delete-message", _delete_message),
    ):
        app.router.add_route(method, API + path, with_checks(name, answer))


def _active(world: World, path: dict[str, str], _body: dict[str, Any]) -> Any:
    if path["guild"] != GUILD_ID:
        raise MISSING_ACCESS
    open_ones = [thread for thread in reversed(world.threads.values()) if not thread.is_archived]
    return {
        "threads": [shapes.thread(world, thread) for thread in open_ones],
        "members": [shapes.thread_member(thread) for thread in open_ones],
        "has_more": False,
    }


def _create(world: World, path: dict[str, str], body: dict[str, Any]) -> SimulatedThread:
    parent, name = path["channel"], body.get("name")
    if parent in DM_CHANNELS or parent in VOICE_ROOMS or parent in world.threads:
        raise NOT_IN_THIS_ROOM
    if parent not in TEXT_ROOMS:
        raise UNKNOWN_CHANNEL
    if world.faults.is_read_only():
        raise MISSING_PERMISSIONS
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME:
        raise invalid_form("Must be between 1 and 100 in length.", "name")
    kind, archived_after = body.get("type", PRIVATE), body.get("auto_archive_duration", ARCHIVED_AFTER[1])
    if kind not in (PUBLIC, PRIVATE):
        raise invalid_form("Value must be one of (10, 11, 12).", "type")
    if archived_after not in ARCHIVED_AFTER:
        raise invalid_form("Value must be one of (60, 1440, 4320, 10080).", "auto_archive_duration")
    is_invitable = body.get("invitable", True) is True
    thread = SimulatedThread(world.snowflake(), parent, name, kind, archived_after, is_invitable, wall_now())
    world.threads[thread.id] = thread
    return thread


def _edit(world: World, path: dict[str, str], body: dict[str, Any]) -> Any:
    """Archive or reopen a thread; nothing else can be changed here."""
    thread = _thread(world, path)
    if not isinstance(body.get("archived"), bool):
        raise invalid_form("Must be either true or false.", "archived")
    thread.is_archived = body["archived"]
    return shapes.thread(world, thread)


def _delete(world: World, path: dict[str, str], _body: dict[str, Any]) -> Any:
    """Delete a thread; its messages stay on record, but cannot be read any more."""
    return shapes.thread(world, world.threads.pop(_thread(world, path).id))


def _add(world: World, path: dict[str, str], _body: dict[str, Any]) -> None:
    thread = _open_thread(world, path)
    if path["user"] not in PEOPLE_BY_ID:
        raise UNKNOWN_USER
    if path["user"] not in thread.members:
        thread.members.append(path["user"])


def _remove(world: World, path: dict[str, str], _body: dict[str, Any]) -> None:
    thread = _open_thread(world, path)
    if path["user"] not in thread.members:
        raise UNKNOWN_MEMBER
    thread.members.remove(path["user"])


def _messages(world: World, path: dict[str, str], query: dict[str, Any]) -> Any:
    """Return a page of messages, newest first: the newest, or those next to a given id."""
    check_has_messages(world, path["channel"])
    limit = parse_int(str(query.get("limit", SHOWN)), 1, MOST_SHOWN)
    if limit is None:
        raise invalid_form("int value should be between 1 and 100.", "limit")
    if path["channel"] not in DM_CHANNELS and world.faults.hides_history():
        return []
    written = world.history(path["channel"])
    around, before, after = (_snowflake(query, name) for name in ("around", "before", "after"))
    if around is not None:
        older = [message for message in written if int(message.id) <= around][-(limit // 2 + 1) :]
        newer = [message for message in written if int(message.id) > around][: limit - len(older)]
        page = older + newer
    elif after is not None:
        page = [message for message in written if int(message.id) > after][:limit]
    else:
        page = [message for message in written if before is None or int(message.id) < before][-limit:]
    return [shapes.message(message, nonce=None) for message in reversed(page)]


def _snowflake(query: dict[str, Any], name: str) -> int | None:
    if name not in query:
        return None
    found = parse_int(str(query[name]), 0, 2**63 - 1)
    if found is None:
        raise invalid_form(f'Value "{query[name]}" is not snowflake.', name)
    return found


def _edit_message(world: World, path: dict[str, str], body: dict[str, Any]) -> AcceptedMessage:
    check_has_messages(world, path["channel"])
    if path["channel"] in world.threads:
        _open_thread(world, path)
    message = world.standing(path["message"], path["channel"])
    if message is None:
        raise UNKNOWN_MESSAGE
    content, wall = read_content(body), wall_now().timestamp()
    if world.time.now() - message.accepted_at > OLD_EDIT_AGE:
        if (wait := message.old_edits.wait(wall)) > 0:
            raise DiscordError(429, EDITED_TOO_OFTEN, EDITED_TOO_OFTEN_TEXT, retry_after=wait)
        message.old_edits.accept(wall)
    message.edit(content, read_components(body) if "components" in body else None)
    return message


def _delete_message(world: World, path: dict[str, str], _body: dict[str, Any]) -> None:
    check_has_messages(world, path["channel"])
    message = world.standing(path["message"], path["channel"])
    if message is None:
        raise UNKNOWN_MESSAGE
    message.deleted_at = world.time.now()


def _open_thread(world: World, path: dict[str, str]) -> SimulatedThread:
    thread = _thread(world, path)
    if thread.is_archived:
        raise ARCHIVED
    return thread


def _thread(world: World, path: dict[str, str]) -> SimulatedThread:
    channel = path["channel"]
    if channel in world.threads:
        return world.threads[channel]
    raise MISSING_PERMISSIONS if channel in TEXT_ROOMS or channel in VOICE_ROOMS else UNKNOWN_CHANNEL
