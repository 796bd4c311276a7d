"""Discord over its REST API: direct messages, rooms, and who is in voice."""

import re
from collections.abc import Container
from datetime import timedelta
from typing import Any

import httpx2

from slomix.channels.base import Address, Message, RateLimited, Receipt, SendError
from slomix.channels.http import HttpClient, as_object, decode_json, retry_delay
from slomix.channels.rate_limit import LocalRateLimiter, RateLimiter
from slomix.reasons.codes import Reason

# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
CANNOT_DM = 50007
UNKNOWN_VOICE_STATE = 10065
UNKNOWN_CHANNEL = 10003
UNKNOWN_MESSAGE = 10008
ARCHIVED = 50083
PERMANENT = {
    CANNOT_DM,
    UNKNOWN_CHANNEL,
    10013,  # unknown user
    50001,  # missing access
    50013,  # missing permissions
    50024,  # not in this kind of room
    50033,  # invalid recipient: no account has that id
}

# Unknown member, unknown user.
NO_MEMBER = {10007, 10013}
# Accounts outside the guild are in none of its voice rooms either.
IN_NO_ROOM = {UNKNOWN_VOICE_STATE, 10007, 10013}
# A DM channel that another bot opened: ours may still open its own.
NOT_OUR_DM = {UNKNOWN_CHANNEL, 50001}

# Discord refuses a message that lists more.
MAX_MENTIONS = 100

# Discord counts its limits per room and per guild, and over all other ids together.
_MINOR_ID = re.compile(r"(?<!/channels)(?<!/guilds)/\d+")


# Discord blocks clients that do not name themselves so.
HEADERS = {"User-Agent": "DiscordBot (https://github.com/slomix, 0.1)"}


class Discord:
    """The bot's client. Thread-safe: one HTTP client with a pool of connections."""

    # Discord promises "the past few minutes"; one minute is safe to count on.
    repeatable_for = timedelta(seconds=60)

    def __init__(
        self,
        base_url: str,
        token: str,
        guild_id: str,
        *,
        connections: int = 20,
        rate_limiter: RateLimiter | None = None,
    ) -> None:
        self._guild_id = guild_id
        self._rate_limiter = rate_limiter or LocalRateLimiter()
        self._http = HttpClient(
            base_url,
            connections=connections,
            not_reached=Reason.DISCORD_NOT_REACHED,
            no_answer=Reason.DISCORD_DID_NOT_ANSWER,
            headers={"Authorization": f"Bot {token}", **HEADERS},
        )

    def send(self, to: Address, message: Message, *, nonce: str) -> Receipt:
        """Post once. The nonce makes a repeat within `repeatable_for` answer with the first message."""
        if to.is_room:
            return Receipt(self._post(to.value, message, nonce))
        if to.learned is not None:
            try:
                return Receipt(self._post(to.learned, message, nonce), learned=to.learned)
            except SendError as error:
                if error.code not in NOT_OUR_DM:
                    raise
        room = self._open_dm(to.value)
        return Receipt(self._post(room, message, nonce), learned=room)

    def edit(self, room: str, message_id: str, message: Message) -> None:
        """Replace the text of our message in a room or a thread."""
        body = {"content": message.text, "allowed_mentions": allowed_mentions(message)}
        self.request("PATCH", f"/channels/{room}/messages/{message_id}", json=body)

    def voice_channel_of(self, discord_id: str) -> str | None:
        """Return the voice room that the account is in now, or None."""
        state = self.request("GET", f"/guilds/{self._guild_id}/voice-states/{discord_id}", absent=IN_NO_ROOM)
        return state.get("channel_id")

    def is_member(self, discord_id: str) -> bool:
        """Check whether the account is in the server now."""
        return bool(self.request("GET", f"/guilds/{self._guild_id}/members/{discord_id}", absent=NO_MEMBER))

    def close(self) -> None:
        self._http.close()

    def _post(self, room: str, message: Message, nonce: str) -> str:
        body = {
            "content": message.text,
            "nonce": nonce,
            "enforce_nonce": True,
            "allowed_mentions": allowed_mentions(message),
        }
        posted = self.request("POST", f"/channels/{room}/messages", json=body, carries_message=True)
        return str(posted["id"])

    def _open_dm(self, user_id: str) -> str:
        return str(self.request("POST", "/users/@me/channels", json={"recipient_id": user_id})["id"])

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        absent: Container[object] = (),
        carries_message: bool = False,
    ) -> dict[str, Any]:
        """Return the object that Discord answers with; empty for the errors in `absent`. Raise SendError for others."""
        return as_object(self.request_any(method, path, json=json, absent=absent, carries_message=carries_message))

    def request_any(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        absent: Container[object] = (),
        carries_message: bool = False,
    ) -> Any:
        """Like `request`, but return any JSON value."""
        route = f"{method} {_MINOR_ID.sub('/*', path)}"
        slot = self._rate_limiter.acquire(route)
        response = self._http.request(
            method, path, json=json, carries_message=carries_message, on_sent=lambda: self._rate_limiter.mark_sent(slot)
        )
        said = decode_json(response)
        answer = as_object(said)
        self._rate_limiter.record_response(route, response.headers, refused_for=_asked_to_wait(response, answer))
        if response.is_success:
            return said
        if answer.get("code") in absent:
            return {}
        raise _refusal(response, answer)


def allowed_mentions(message: Message) -> dict[str, Any]:
    """Limit a message's mentions to those it names, so that a player's name cannot notify any account."""
    accounts = list(dict.fromkeys(message.mentions))[:MAX_MENTIONS]
    return {"parse": [], "users": accounts} if accounts else {"parse": []}


def _asked_to_wait(response: httpx2.Response, problem: dict[str, Any]) -> timedelta | None:
    if response.status_code != 429:
        return None
    return retry_delay(
        problem.get("retry_after") or response.headers.get("Retry-After"), otherwise=timedelta(seconds=1)
    )


def _refusal(response: httpx2.Response, problem: dict[str, Any]) -> SendError:
    code = problem.get("code", 0)
    wait = _asked_to_wait(response, problem)
    if wait is not None:
        return RateLimited(Reason.DISCORD_IS_BUSY, retry_after=wait)
    if code == CANNOT_DM:
        return SendError(Reason.DMS_CLOSED, permanent=True, code=code)
    if code in PERMANENT:
        said = f"{problem.get('message', 'refused')} ({code})"
        return SendError(Reason.DISCORD_SAID, said, permanent=True, code=code)
    status = str(response.status_code)
    # Discord's own sentence may begin with the same number: "500: Internal Server Error".
    answered = f"{status} {str(problem.get('message', '')).removeprefix(status).lstrip(': ')}"
    return SendError(Reason.DISCORD_ANSWERED, answered.strip(), code=code or None)
