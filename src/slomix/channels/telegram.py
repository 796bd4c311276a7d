"""Telegram over its Bot API: private messages, and messages to the bot."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from slomix.channels.base import (
    Address,
    Message,
    ProviderDown,
    RateLimited,
    Receipt,
    SendError,
    TokenRefused,
)
from slomix.channels.http import OWN_ERRORS, HttpClient, as_object, decode_json, retry_delay
from slomix.reasons.codes import Reason

# https://core.telegram.org/bots/api#sendmessage
LONGEST_TEXT = 4096
# The token stands in the address, so a wrong one is answered like an unknown page.
UNKNOWN_TOKEN = (401, 404)


@dataclass(frozen=True)
class TelegramUpdate:
    """A message to the bot; if it cannot be read, only its number is set."""

    update_id: int
    chat_id: str
    chat_is_private: bool
    text: str
    sender_name: str


class Telegram:
    """The bot's client. Thread-safe.

    The token is a part of every address, so no address appears in an error or a log.
    """

    # Telegram knows no nonce: a repeat is a second message.
    repeatable_for = timedelta(0)

    def __init__(self, base_url: str, token: str, *, connections: int = 20) -> None:
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
        sent = as_object(self._call("sendMessage", body, carries_message=True))
        return Receipt(str(sent.get("message_id", "")))

    def get_updates(self, offset: int, *, wait_seconds: int) -> list[TelegramUpdate]:
        """Return the updates from `offset` on, waiting for some; Telegram forgets all before `offset`."""
        body = {"offset": offset, "timeout": wait_seconds, "allowed_updates": ["message"]}
        found = self._call("getUpdates", body, waits=wait_seconds)
        read = map(parse_update, found if isinstance(found, list) else ())
        return [update for update in read if update is not None]

    def username(self) -> str:
        """Return the bot's own name, as links to it spell it."""
        return str(as_object(self._call("getMe", {})).get("username", ""))

    def set_webhook(self, url: str, secret: str) -> None:
        """Have updates posted to `url`, with `secret` in a header; `get_updates` fails from then on."""
        # One at a time: of two at once, the later update would mark the earlier as done.
        body = {"url": url, "secret_token": secret, "allowed_updates": ["message"], "max_connections": 1}
        self._call("setWebhook", body)

    def delete_webhook(self) -> None:
        """Remove the webhook, so that `get_updates` works."""
        self._call("deleteWebhook", {})

    def ping(self) -> None:
        """Ask for the bot's name. Raise SendError if Telegram doesn't give it."""
        self._call("getMe", {}, is_ping=True)

    def close(self) -> None:
        self._http.close()

    def _call(
        self, name: str, body: dict[str, Any], *, carries_message: bool = False, waits: float = 0, is_ping: bool = False
    ) -> Any:
        response = self._http.request(
            "POST", f"/{name}", json=body, carries_message=carries_message, wait_seconds=waits, is_ping=is_ping
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
    # A 403 that is not in Telegram's words comes from a proxy and says nothing about the recipient.
    if code == 403 and is_own:
        return SendError(Reason.TELEGRAM_BLOCKED, permanent=True, code=code)
    if code == 400 and "chat not found" in description.lower():
        return SendError(Reason.TELEGRAM_CHAT_GONE, permanent=True, code=code)
    failure = ProviderDown if code >= 500 else TokenRefused if code in UNKNOWN_TOKEN else SendError
    return failure(Reason.TELEGRAM_SAID, f"{description} ({code})", code=code)


def parse_update(raw: Any) -> TelegramUpdate | None:
    """Read an update; if it cannot be read, keep its number, so that the offset moves on."""
    number = as_object(raw).get("update_id")
    if not isinstance(number, int):
        return None
    message = as_object(raw.get("message"))
    chat, sender = as_object(message.get("chat")), as_object(message.get("from"))
    names = (sender.get("first_name"), sender.get("last_name"))
    return TelegramUpdate(
        number,
        chat_id=str(chat.get("id", "")),
        chat_is_private=chat.get("type") == "private",
        text=str(message.get("text") or ""),
        sender_name=" ".join(str(name) for name in names if name),
    )
