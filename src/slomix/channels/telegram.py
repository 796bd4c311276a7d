"""Telegram over its Bot API: private messages, and messages to the bot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from slomix.channels.base import (
    Address,
    Button,
    Message,
    MessageRefused,
    ProviderDown,
    RateLimited,
    Receipt,
    SendError,
    TokenRefused,
    is_public,
)
from slomix.channels.http import OWN_ERRORS, HttpClient, as_object, decode_json, retry_delay
from slomix.channels.rate_limit import TELEGRAM_SHARE, LocalRateLimiter, RateLimiter, RateLimitHold
from slomix.reasons.codes import Reason

# https://core.telegram.org/bots/api#sendmessage
LONGEST_TEXT = 4096
# Telegram repeats what a webhook did not take after growing pauses; an older error may be over.
WEBHOOK_ERROR_LASTS = timedelta(minutes=5)
SEND = "sendMessage"
# What we are told of. https://core.telegram.org/bots/api#update
UPDATES = ("message", "callback_query")
BUTTONS_IN_A_ROW = 2
# A press that changes nothing, such as the same one twice.
NOT_MODIFIED = "message is not modified"
# The token stands in the address, so a wrong one is answered like an unknown page.
UNKNOWN_TOKEN = (401, 404)
# Another program polls with our token, or a webhook is set.
CONFLICT = 409
# What waiting doesn't cure, by a part of the description. Telegram documents no list; these are those of
# https://github.com/tdlib/telegram-bot-api and https://github.com/tdlib/td.
PERMANENT = (
    (403, "bot was blocked", Reason.TELEGRAM_BLOCKED),
    (403, "user is deactivated", Reason.TELEGRAM_DEACTIVATED),
    (400, "input_user_deactivated", Reason.TELEGRAM_DEACTIVATED),
    (403, "can't initiate conversation", Reason.TELEGRAM_NOT_STARTED),
    (403, "to bots", Reason.TELEGRAM_IS_A_BOT),
    (400, "chat not found", Reason.TELEGRAM_CHAT_GONE),
    (400, "peer_id_invalid", Reason.TELEGRAM_NO_SUCH_CHAT),
)


@dataclass(frozen=True)
class TelegramPress:
    """A pressed button: what it sends, and the message under which it stands, as that is now.

    Of a message that is very old Telegram knows no text any more.
    """

    id: str
    value: str
    message_id: str
    text: str
    buttons: tuple[Button, ...]


@dataclass(frozen=True)
class TelegramUpdate:
    """A message to the bot, or a press of a button; if it cannot be read, only its number is set."""

    update_id: int
    chat_id: str
    chat_is_private: bool
    text: str
    sender_name: str
    press: TelegramPress | None = None


class Telegram:
    """The bot's client. Thread-safe.

    The token is a part of every address, so no address appears in an error or a log.
    """

    # Telegram knows no nonce: a repeat is a second message.
    repeatable_for = timedelta(0)
    # A bot cannot read back what it wrote.
    history = None

    def __init__(
        self, base_url: str, token: str, *, connections: int = 20, rate_limiter: RateLimiter | None = None
    ) -> None:
        self._rate_limiter = rate_limiter or LocalRateLimiter(TELEGRAM_SHARE, busy=Reason.TELEGRAM_IS_BUSY)
        self._http = HttpClient(
            f"{base_url.rstrip('/')}/bot{token}",
            connections=connections,
            not_reached=Reason.TELEGRAM_NOT_REACHED,
            no_answer=Reason.TELEGRAM_DID_NOT_ANSWER,
        )

    def send(self, to: Address, message: Message, *, nonce: str) -> Receipt:
        """Post once, as plain text and without a preview of its links."""
        del nonce  # which Telegram does not recognise
        body = {
            "chat_id": to.value,
            "text": message.text[:LONGEST_TEXT],
            "link_preview_options": {"is_disabled": True},
        }
        if keyboard := inline_keyboard(message.buttons):
            body["reply_markup"] = {"inline_keyboard": keyboard}
        sent = self._write(SEND, body, carries_message=True)
        if "message_id" not in sent:
            raise self._http.no_answer("no message", carries_message=True)
        return Receipt(str(sent["message_id"]))

    def edit(self, room: str, message_id: str, message: Message) -> None:
        """Replace the text and the buttons of our message in a chat. Raise SendError if that is refused."""
        body = {
            "chat_id": room,
            "message_id": message_id,
            "text": message.text[:LONGEST_TEXT],
            "link_preview_options": {"is_disabled": True},
            "reply_markup": {"inline_keyboard": inline_keyboard(message.buttons)},
        }
        try:
            self._write("editMessageText", body)
        except SendError as error:
            if error.code != 400 or error.permanent:
                raise
            if NOT_MODIFIED not in str(error.reason.detail):  # it says nothing about the chat
                raise MessageRefused(error.reason.code, error.reason.detail, code=error.code) from error

    def answer_press(self, press_id: str) -> None:
        """Let the app stop waiting for the press. Raise SendError, also when it waits no longer."""
        self._call("answerCallbackQuery", {"callback_query_id": press_id})

    def _write(self, method: str, body: dict[str, Any], *, carries_message: bool = False) -> dict[str, Any]:
        """Send or edit a message when Telegram's limits allow it, and return it."""
        slot = self._rate_limiter.acquire(SEND)
        try:
            return as_object(
                self._call(
                    method,
                    body,
                    carries_message=carries_message,
                    on_sent=lambda: self._rate_limiter.mark_sent(slot),
                )
            )
        except RateLimited as error:
            # Telegram does not say whether it means this chat or the bot: no other message leaves meanwhile.
            self._rate_limiter.hold(SEND, RateLimitHold(error.retry_after or timedelta(seconds=1)), slot)
            raise

    def get_updates(self, offset: int, *, wait_seconds: int) -> list[TelegramUpdate]:
        """Return the updates from `offset` on, waiting for some; Telegram forgets all before `offset`."""
        body = {"offset": offset, "timeout": wait_seconds, "allowed_updates": UPDATES}
        found = self._call("getUpdates", body, waits=wait_seconds)
        read = map(parse_update, found if isinstance(found, list) else ())
        return [update for update in read if update is not None]

    def username(self) -> str:
        """Return the bot's own name, as links to it spell it."""
        return str(as_object(self._call("getMe", {})).get("username", ""))

    def set_webhook(self, url: str, secret: str) -> None:
        """Have updates posted to `url`, with `secret` in a header; `get_updates` fails from then on."""
        # One at a time: of two at once, the later update would mark the earlier as done.
        body = {"url": url, "secret_token": secret, "allowed_updates": UPDATES, "max_connections": 1}
        self._call("setWebhook", body)

    def check_webhook(self, url: str, *, wall: datetime) -> bool:
        """Return whether updates are posted to `url`. Raise SendError with Telegram's words if they don't arrive."""
        info = as_object(self._call("getWebhookInfo", {}))
        failed_at, said = info.get("last_error_date"), info.get("last_error_message")
        is_recent = isinstance(failed_at, int) and wall.timestamp() - failed_at < WEBHOOK_ERROR_LASTS.total_seconds()
        if is_recent and info.get("pending_update_count"):
            raise SendError(Reason.TELEGRAM_SAID, str(said))
        return info.get("url") == url

    def delete_webhook(self) -> None:
        """Remove the webhook, so that `get_updates` works."""
        self._call("deleteWebhook", {})

    def ping(self) -> None:
        """Ask for the bot's name. Raise SendError if Telegram doesn't give it."""
        self._call("getMe", {}, is_ping=True)

    def close(self) -> None:
        self._http.close()

    def _call(
        self,
        name: str,
        body: dict[str, Any],
        *,
        carries_message: bool = False,
        waits: float = 0,
        is_ping: bool = False,
        on_sent: Callable[[], None] | None = None,
    ) -> Any:
        response = self._http.request(
            "POST",
            f"/{name}",
            json=body,
            carries_message=carries_message,
            wait_seconds=waits,
            is_ping=is_ping,
            on_sent=on_sent,
        )
        code, answer = response.status_code, as_object(decode_json(response))
        is_own = answer.get("error_code") == code
        if code >= 500 and not (is_own and code in OWN_ERRORS):
            raise self._http.no_answer(str(code), carries_message=carries_message, code=code)
        if not response.is_success:
            raise _refusal(code, answer, is_own=is_own)
        if answer.get("ok") is not True:
            # A proxy answered in Telegram's place.
            raise self._http.no_answer(f"{response.status_code}", carries_message=carries_message)
        return answer.get("result")


def _refusal(code: int, problem: dict[str, Any], *, is_own: bool) -> SendError:
    """Decide what an answer that is no success means; `is_own` if it is in Telegram's own words."""
    description = str(problem.get("description") or "refused")
    if code == 429:
        asked = as_object(problem.get("parameters")).get("retry_after")
        return RateLimited(
            Reason.TELEGRAM_IS_BUSY, retry_after=retry_delay(asked, otherwise=timedelta(seconds=1)), code=code
        )
    said = f"{description} ({code})"
    if not is_own or code in OWN_ERRORS:
        # What a proxy refuses, it refuses for everybody.
        return ProviderDown(Reason.TELEGRAM_SAID, said, code=code)
    if code in UNKNOWN_TOKEN:
        return TokenRefused(Reason.TELEGRAM_SAID, said, code=code)
    found = (reason for number, part, reason in PERMANENT if number == code and part in description.lower())
    reason = next(found, None)
    if reason is not None:
        return SendError(reason, permanent=True, code=code)
    return SendError(Reason.TELEGRAM_SAID, said, permanent=code == 403, code=code)


def inline_keyboard(buttons: Sequence[Button]) -> list[list[dict[str, str]]]:
    """Write the buttons under a message, two in a row, without links that only work on our own machine."""
    shown = [
        {"text": button.label} | ({"callback_data": button.value} if button.value else {"url": button.link})
        for button in buttons
        if button.value or is_public(button.link)
    ]
    return [shown[start : start + BUTTONS_IN_A_ROW] for start in range(0, len(shown), BUTTONS_IN_A_ROW)]


def parse_update(raw: Any) -> TelegramUpdate | None:
    """Read an update; if it cannot be read, keep its number, so that the offset moves on."""
    number = as_object(raw).get("update_id")
    if not isinstance(number, int):
        return None
    query = as_object(raw.get("callback_query"))
    said = query or as_object(raw.get("message"))
    message = as_object(query.get("message")) if query else said
    chat, sender = as_object(message.get("chat")), as_object(said.get("from"))
    names = (sender.get("first_name"), sender.get("last_name"))
    return TelegramUpdate(
        number,
        chat_id=str(chat.get("id", "")),
        # Whoever presses in a private chat is the one whose chat it is.
        chat_is_private=chat.get("type") == "private" and (not query or sender.get("id") == chat.get("id")),
        text=str(message.get("text") or ""),
        sender_name=" ".join(str(name) for name in names if name),
        press=_parse_press(query, message) if query else None,
    )


def _parse_press(query: dict[str, Any], message: dict[str, Any]) -> TelegramPress:
    rows = as_object(message.get("reply_markup")).get("inline_keyboard")
    listed = rows if isinstance(rows, list) else []
    shown = [as_object(button) for row in listed if isinstance(row, list) for button in row]
    return TelegramPress(
        str(query.get("id", "")),
        value=str(query.get("data") or ""),
        message_id=str(message.get("message_id", "")),
        text=str(message.get("text") or ""),
        buttons=tuple(
            Button(str(each.get("text", "")), value=str(each.get("callback_data", "")), link=str(each.get("url", "")))
            for each in shown
        ),
    )
