"""Telegram's Bot API under `/telegram`: the bot may write to people who wrote first, and reads their messages."""

import json
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from slomix.dev.simulator.inboxes import telegram_chat, telegram_group
from slomix.dev.simulator.people import PEOPLE_BY_ADDRESS, TELEGRAM_BOT_NAME, TELEGRAM_GROUP, TELEGRAM_TOKEN
from slomix.dev.simulator.wire import WORLD, add_latency, fault_response, lost_answer
from slomix.dev.simulator.world import AcceptedMessage, World

LONGEST_TEXT = 4096
LONGEST_WAIT_SECONDS = 50
UPDATES_AT_ONCE = 100
BY_ID = PEOPLE_BY_ADDRESS["telegram"]

BOT = {
    "id": int(TELEGRAM_TOKEN.partition(":")[0]),
    "is_bot": True,
    "first_name": "Slomix (simulated)",
    "username": TELEGRAM_BOT_NAME,
}

WEBHOOK_IS_SET = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
ANOTHER_ASKED = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"

Asked = dict[str, Any]


class TelegramError(Exception):
    """A refusal in Telegram's format."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code, self.parameters = code, parameters

    def response(self) -> web.Response:
        body = {"ok": False, "error_code": self.code, "description": str(self)}
        if self.parameters:
            body["parameters"] = self.parameters
        return web.json_response(body, status=self.code)


def register(app: web.Application) -> None:
    app.router.add_get(f"/telegram/{TELEGRAM_BOT_NAME}", _open_chat)
    app.router.add_route("*", "/telegram/bot{token}/{method}", _answer)


async def _open_chat(request: web.Request) -> web.StreamResponse:
    """Follow a link to the bot, like `https://t.me/SlomixBot?start=…`: to the page, with /start typed in."""
    query = urlencode({"start": request.query.get("start", "")})
    return web.Response(status=303, headers={"Location": f"/?{query}#telegram"})


async def _answer(request: web.Request) -> web.StreamResponse:
    try:
        if request.match_info["token"] != TELEGRAM_TOKEN:
            raise TelegramError(401, "Unauthorized")
        method = METHODS.get(request.match_info["method"].lower())
        if method is None:
            raise TelegramError(404, "Not Found")
        if (trouble := await fault_response(request, "telegram", _fault)) is not None:
            return trouble
        await add_latency(request, "telegram")
        found = await method(request.app[WORLD], await _asked(request))
    except TelegramError as error:
        return error.response()
    if isinstance(found, AcceptedMessage):
        if (lost := lost_answer(request, "telegram", _fault)) is not None:
            return lost
        found = _message(found)
    return web.json_response({"ok": True, "result": found})


def _fault(status: int, description: str) -> web.Response:
    return TelegramError(status, description).response()


async def _asked(request: web.Request) -> Asked:
    """Read the parameters from the query, a form or JSON, all of which Telegram takes."""
    if request.content_type != "application/json":
        return {**request.query, **await request.post()}
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise TelegramError(400, "Bad Request: can't parse JSON object")
    return {**request.query, **body}


async def _send_message(world: World, asked: Asked) -> AcceptedMessage:
    if (wait := world.faults.retry_after("telegram")) is not None:
        seconds = math.ceil(wait)
        raise TelegramError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
    chat, text = str(asked.get("chat_id", "")), asked.get("text")
    if not chat:
        raise TelegramError(400, "Bad Request: chat_id is empty")
    if not isinstance(text, str) or not text.strip():
        raise TelegramError(400, "Bad Request: message text is empty")
    if len(text) > LONGEST_TEXT:
        raise TelegramError(400, "Bad Request: message is too long")
    person = BY_ID.get(chat)
    if person is None and chat != TELEGRAM_GROUP:
        raise TelegramError(400, "Bad Request: chat not found")
    if person is not None and world.faults.has_closed_dms("telegram", person.id):
        raise TelegramError(403, "Forbidden: bot was blocked by the user")
    if person is not None and person not in world.telegram_chats:
        raise TelegramError(403, "Forbidden: bot can't initiate conversation with a user")
    if (too_soon := world.telegram.limit(chat, time.monotonic())) is not None:
        raise TelegramError(429, f"Too Many Requests: retry after {too_soon}", retry_after=too_soon)
    return world.accept("telegram", chat, text, message_id=str(next(world.telegram.message_ids)))


async def _edit_message_text(world: World, asked: Asked) -> AcceptedMessage:
    if (wait := world.faults.retry_after("telegram")) is not None:
        seconds = math.ceil(wait)
        raise TelegramError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
    key, text = ("telegram", str(asked.get("chat_id", "")), str(asked.get("message_id", ""))), asked.get("text")
    if not isinstance(text, str) or not text.strip():
        raise TelegramError(400, "Bad Request: message text is empty")
    written = (message for message in world.messages if (message.provider, message.channel_id, message.id) == key)
    message = next(written, None)
    if message is None:
        raise TelegramError(400, "Bad Request: message to edit not found")
    if message.content == text:
        raise TelegramError(
            400,
            "Bad Request: message is not modified: specified new message content and reply markup are exactly the same "
            "as a current content and reply markup of the message",
        )
    message.edit(text)
    return message


def _message(sent: AcceptedMessage) -> dict[str, Any]:
    person = sent.recipient
    return {
        "message_id": int(sent.id),
        "from": BOT,
        "chat": telegram_chat(person) if person else telegram_group(),
        "date": int(sent.accepted_at_wall.timestamp()),
        "text": sent.content,
    }


async def _get_updates(world: World, asked: Asked) -> Any:
    """Return unconfirmed updates; a later poll ends an earlier one that waits."""
    inbox = world.telegram
    offset = _whole(asked, "offset", 0)
    limit = max(1, min(_whole(asked, "limit", UPDATES_AT_ONCE), UPDATES_AT_ONCE))
    until = time.monotonic() + min(_whole(asked, "timeout", 0), LONGEST_WAIT_SECONDS)
    if inbox.webhook is not None:
        raise TelegramError(409, WEBHOOK_IS_SET)
    if world.faults.is_impatient("telegram"):
        until = 0.0
    inbox.confirm(offset)
    inbox.polls += 1
    poll = inbox.polls
    inbox.wake()
    while not inbox.waiting and (left := until - time.monotonic()) > 0:
        await inbox.sleep(left)
        if inbox.polls != poll:
            raise TelegramError(409, ANOTHER_ASKED)
    return inbox.waiting[:limit]


def _whole(asked: Asked, name: str, otherwise: int) -> int:
    try:
        return int(asked.get(name, otherwise))
    except (TypeError, ValueError):
        raise TelegramError(400, f"Bad Request: {name} must be an integer") from None


async def _get_me(_world: World, _asked: Asked) -> Any:
    return BOT | {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": False}


async def _set_webhook(world: World, asked: Asked) -> Any:
    """Store the webhook's address and refuse getUpdates; nothing is posted to it."""
    world.telegram.webhook = str(asked.get("url") or "") or None
    world.telegram.wake()
    return True


async def _get_webhook_info(world: World, _asked: Asked) -> Any:
    return {
        "url": world.telegram.webhook or "",
        "has_custom_certificate": False,
        "pending_update_count": len(world.telegram.waiting),
    }


async def _delete_webhook(world: World, asked: Asked) -> Any:
    world.telegram.webhook = None
    if str(asked.get("drop_pending_updates", "")).lower() in ("true", "1"):
        world.telegram.forget()
    return True


METHODS: dict[str, Callable[[World, Asked], Awaitable[Any]]] = {
    "sendmessage": _send_message,
    "editmessagetext": _edit_message_text,
    "getupdates": _get_updates,
    "getme": _get_me,
    "setwebhook": _set_webhook,
    "deletewebhook": _delete_webhook,
    "getwebhookinfo": _get_webhook_info,
}
