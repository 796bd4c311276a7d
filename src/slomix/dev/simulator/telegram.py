"""Telegram's Bot API under `/telegram`: the bot may write to people who wrote first, reads them, and hears presses."""

import asyncio
import contextlib
import json
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from slomix.dev.simulator import interactions
from slomix.dev.simulator.control import person_of, refuse_unknown_fields
from slomix.dev.simulator.inboxes import telegram_chat, telegram_group
from slomix.dev.simulator.people import (
    PEOPLE_BY_ADDRESS,
    PEOPLE_BY_ID,
    TELEGRAM_BOT_NAME,
    TELEGRAM_GROUP,
    TELEGRAM_TOKEN,
)
from slomix.dev.simulator.wire import WORLD, add_latency, fault_response, lost_answer
from slomix.dev.simulator.world import AcceptedMessage, World

LONGEST_TEXT = 4096
LONGEST_DATA = 64
# A press that is not answered by then is forgotten; Telegram does not say after how long.
QUERY_LIVES_SECONDS = 30.0
# How long a person looks at a button that does nothing.
PATIENCE_SECONDS = 8.0
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

NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a "
    "current content and reply markup of the message"
)
TOO_OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"

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
    app.router.add_post("/control/telegram/press", interactions.controlled(press))


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


def _check_text(world: World, asked: Asked) -> tuple[str, str]:
    """Return the chat and the text of a message. Raise TelegramError for what Telegram does not take."""
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
    return chat, text


async def _send_message(world: World, asked: Asked) -> AcceptedMessage:
    keyboard = _keyboard(asked)
    chat, text = _check_text(world, asked)
    message_id = str(next(world.telegram.message_ids))
    sent = world.accept("telegram", chat, text, message_id=message_id, components=keyboard)
    world.telegram.show(chat, message_id, is_new=True)
    return sent


async def _edit_message_text(world: World, asked: Asked) -> Any:
    keyboard = _keyboard(asked)
    chat, text = _check_text(world, asked)
    message = _sent_message(world, chat, str(asked.get("message_id", "")))
    if message is None:
        raise TelegramError(400, "Bad Request: message to edit not found")
    world.telegram.show(chat, message.id, is_new=False)
    if (message.content, message.components) == (text, keyboard):
        raise TelegramError(400, NOT_MODIFIED)
    message.edit(text)
    message.components = keyboard
    return _message(message)


async def _answer_callback_query(world: World, asked: Asked) -> Any:
    pressed = world.telegram.pressed.get(str(asked.get("callback_query_id", "")))
    if pressed is None or time.monotonic() - pressed.at > QUERY_LIVES_SECONDS:
        raise TelegramError(400, TOO_OLD)
    pressed.answered_at = pressed.answered_at or time.monotonic()
    pressed.changed.set()
    return True


def _sent_message(world: World, chat: str, message_id: str) -> AcceptedMessage | None:
    sent = (message for message in world.messages if message.provider == "telegram" and message.id == message_id)
    return next((message for message in sent if message.channel_id == chat), None)


def _keyboard(asked: Asked) -> list[dict[str, Any]]:
    """Read an inline keyboard into rows of buttons. Raise TelegramError for one that Telegram does not take."""
    markup = asked.get("reply_markup") or {}
    try:
        markup = json.loads(markup) if isinstance(markup, str) else markup
        rows = [[_button(button) for button in row] for row in markup.get("inline_keyboard", [])]
    except (ValueError, TypeError, AttributeError, KeyError):
        raise TelegramError(400, "Bad Request: object expected as reply markup") from None
    return [{"components": row} for row in rows if row]


def _button(button: dict[str, Any]) -> dict[str, Any]:
    label, data, url = button["text"], button.get("callback_data"), button.get("url")
    if not isinstance(label, str) or not label.strip():
        raise TelegramError(400, "Bad Request: inline keyboard button text must be non-empty")
    if isinstance(url, str):
        if "." not in (urlsplit(url).hostname or ""):
            raise TelegramError(400, f"Bad Request: inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")
        return {"label": label, "url": url, "style": interactions.LINK_BUTTON}
    if not isinstance(data, str) or not 1 <= len(data.encode()) <= LONGEST_DATA:
        raise TelegramError(400, "Bad Request: BUTTON_DATA_INVALID")
    return {"label": label, "custom_id": data, "style": 2}


async def press(app: web.Application, body: dict[str, Any]) -> dict[str, Any]:
    """Press a button under a message as its reader, by its label, and return what they see then."""
    refuse_unknown_fields(body, "user_id", "message_id", "button")
    world, person = app[WORLD], PEOPLE_BY_ID[person_of(body)]
    chat, message_id = str(person.telegram_chat_id), str(body.get("message_id"))
    message = _sent_message(world, chat, message_id)
    if message is None:
        raise ValueError(f"{person.name} sees no message {message_id!r}")
    button = interactions.find_button(message, body)
    pressed = world.telegram.press(person, _message(message), button["custom_id"])
    until = pressed.at + PATIENCE_SECONDS
    while (pressed.answered_at is None or pressed.shown is None) and (left := until - time.monotonic()) > 0:
        pressed.changed.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(pressed.changed.wait(), left)
    if pressed.answered_at is None:
        return interactions.as_seen(None, round(PATIENCE_SECONDS * 1000))
    shown = _sent_message(world, chat, pressed.shown or message_id) or message
    return interactions.as_seen(shown, round((pressed.answered_at - pressed.at) * 1000))


def _message(sent: AcceptedMessage) -> dict[str, Any]:
    person = sent.recipient
    keyboard = [
        [
            {"text": button["label"]}
            | ({"url": button["url"]} if "url" in button else {"callback_data": button["custom_id"]})
            for button in row["components"]
        ]
        for row in sent.components
    ]
    markup = {"reply_markup": {"inline_keyboard": keyboard}} if keyboard else {}
    edited = {"edit_date": int(sent.edited_at_wall.timestamp())} if sent.edited_at_wall else {}
    return {
        **markup,
        **edited,
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
    _allow_updates(world, asked)
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


def _allow_updates(world: World, asked: Asked) -> None:
    """Remember which kinds of updates the bot wants; without a word about it those from before stay."""
    given = asked.get("allowed_updates")
    kinds = json.loads(given) if isinstance(given, str) else given
    if isinstance(kinds, list):
        world.telegram.allowed = kinds or None


async def _get_me(_world: World, _asked: Asked) -> Any:
    return BOT | {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": False}


async def _set_webhook(world: World, asked: Asked) -> Any:
    """Store the webhook's address and refuse getUpdates; nothing is posted to it."""
    _allow_updates(world, asked)
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
    "answercallbackquery": _answer_callback_query,
    "getupdates": _get_updates,
    "getme": _get_me,
    "setwebhook": _set_webhook,
    "deletewebhook": _delete_webhook,
    "getwebhookinfo": _get_webhook_info,
}
