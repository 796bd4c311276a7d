"""Discord over its REST API: direct messages, rooms, and who is in voice."""

import re
from collections.abc import Callable, Container, Sequence
from datetime import timedelta
from importlib.metadata import version
from typing import Any, TypeVar

import structlog

from slomix.channels.base import Address, Button, Message, Receipt, SendError
from slomix.channels.discord_answers import (
    OPENING_DMS_TOO_FAST,
    SENDING_DISABLED,
    UNKNOWN_MEMBER,
    UNKNOWN_MESSAGE,
    UNKNOWN_USER,
    UNKNOWN_VOICE_STATE,
    UNREADABLE,
    judge_refusal,
    read_id,
    read_list,
    read_nothing,
    snowflake,
)
from slomix.channels.discord_history import NOT_OUR_DM, DiscordHistory
from slomix.channels.http import HttpClient, decode_json
from slomix.channels.opening_pace import PAUSE, OpeningPace
from slomix.channels.rate_limit import LocalRateLimiter, RateLimiter, Slot
from slomix.reasons.codes import Reason

# Of every request to Discord, which blocks clients that name themselves otherwise:
# https://discord.com/developers/docs/reference#user-agent
USER_AGENT = f"DiscordBot (https://github.com/slomix, {version('slomix')})"
HEADERS = {"User-Agent": USER_AGENT}

NO_MEMBER = {UNKNOWN_MEMBER, UNKNOWN_USER}
# Accounts outside the guild are in none of its voice rooms either.
IN_NO_ROOM = {UNKNOWN_VOICE_STATE, *NO_MEMBER}

# https://discord.com/developers/docs/components/reference
ACTION_ROW, BUTTON = 1, 2
SECONDARY, LINK = 2, 5
LONGEST_LABEL = 80
BUTTONS_IN_A_ROW = 5
# Discord refuses a message that lists more.
MAX_MENTIONS = 100

# Discord counts its limits per room and per guild, and over all other ids together.
_MINOR_ID = re.compile(r"(?<!/channels)(?<!/guilds)/\d+")

T = TypeVar("T")

log = structlog.get_logger()


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
        opening_pace: OpeningPace | None = None,
    ) -> None:
        self._guild_id = guild_id
        self._opening_pace = opening_pace
        self._rate_limiter = rate_limiter or LocalRateLimiter()
        self.history = DiscordHistory(self)
        self._http = HttpClient(
            base_url,
            connections=connections,
            not_reached=Reason.DISCORD_NOT_REACHED,
            no_answer=Reason.DISCORD_DID_NOT_ANSWER,
            headers={"Authorization": f"Bot {token}", **HEADERS},
            hears_time=True,
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
        room = self.open_dm(to.value)
        return Receipt(self._post(room, message, nonce), learned=room)

    def edit(self, room: str, message_id: str, message: Message, *, replaces_buttons: bool = False) -> None:
        """Replace the text of our message in a room or a thread; its buttons stay unless they are replaced too."""
        body: dict[str, Any] = {"content": message.text, "allowed_mentions": allowed_mentions(message)}
        if replaces_buttons:
            body["components"] = action_rows(message.buttons)
        self.request("PATCH", f"/channels/{room}/messages/{message_id}", read_id, json=body)

    def delete(self, room: str, message_id: str) -> None:
        """Delete our message; no-op if it is gone already."""
        path = f"/channels/{room}/messages/{message_id}"
        self.request_or_none("DELETE", path, read_nothing, absent={UNKNOWN_MESSAGE})

    def count_after(self, room: str, message_id: str, *, most: int) -> int:
        """Count the messages below this one, up to `most`; none where the bot may not read."""
        path = f"/channels/{room}/messages?limit={most}&after={message_id}"
        return len(self.request("GET", path, read_list))

    def voice_channel_of(self, discord_id: str) -> str | None:
        """Return the voice room that the account is in now, or None."""

        def read_room(state: Any) -> str | None:
            if snowflake(state["user_id"]) != discord_id:
                raise ValueError("another account")
            return None if state["channel_id"] is None else snowflake(state["channel_id"])

        path = f"/guilds/{self._guild_id}/voice-states/{discord_id}"
        return self.request_or_none("GET", path, read_room, absent=IN_NO_ROOM)

    def is_member(self, discord_id: str) -> bool:
        """Check whether the account is in the server now."""

        def read_member(member: Any) -> bool:
            if read_id(member["user"]) != discord_id:
                raise ValueError("another account")
            return True

        path = f"/guilds/{self._guild_id}/members/{discord_id}"
        return self.request_or_none("GET", path, read_member, absent=NO_MEMBER) is not None

    def ping(self) -> None:
        """Ask for the bot's own account. Raise SendError if Discord doesn't give it."""
        self.request("GET", "/users/@me", read_id, is_ping=True)

    def close(self) -> None:
        self._http.close()

    def _post(self, room: str, message: Message, nonce: str) -> str:
        body = {
            "content": message.text,
            "nonce": nonce,
            "enforce_nonce": True,
            "allowed_mentions": allowed_mentions(message),
        }
        if message.buttons:
            body["components"] = action_rows(message.buttons)
        return self.request("POST", f"/channels/{room}/messages", read_id, json=body, carries_message=True)

    def open_dm(self, account: str) -> str:
        """Return the id of the DM channel with this account; opening it again returns the same one.

        Channels are opened one by one, and none at all for a while after Discord has found that too fast.
        """
        if self._opening_pace is not None:
            self._opening_pace.acquire(account)
        try:
            return self.request("POST", "/users/@me/channels", read_id, json={"recipient_id": account})
        except SendError as error:
            if error.code in {OPENING_DMS_TOO_FAST, SENDING_DISABLED}:
                if self._opening_pace is not None:
                    self._opening_pace.pause()
                    error.retry_after = max(error.retry_after or PAUSE, PAUSE)
                log.error("discord.opens_no_dms", code=error.code, reason=str(error.reason))
            raise

    def request_or_none(
        self, method: str, path: str, read: Callable[[Any], T], *, absent: Container[object]
    ) -> T | None:
        """Like `request`, but return None when Discord answers with one of the codes in `absent`."""
        try:
            return self.request(method, path, read)
        except SendError as error:
            if error.code in absent:
                return None
            raise

    def request(
        self,
        method: str,
        path: str,
        read: Callable[[Any], T],
        *,
        json: Any = None,
        carries_message: bool = False,
        is_ping: bool = False,
    ) -> T:
        """Return what `read` finds in the answer: the one place that decides what an answer means.

        `read` gets the decoded body, None if it is empty, and fails with one of UNREADABLE if what was asked for isn't
        in it. Then it is unknown what became of the request: absence is never concluded from such an answer.
        """
        route = f"{method} {_MINOR_ID.sub('/*', path.partition('?')[0])}"
        # A ping is a probe: what is stopped is asked by it, and it waits for nothing.
        slot = Slot("", is_probe=True) if is_ping else self._rate_limiter.acquire(route)
        response = self._http.request(
            method,
            path,
            json=json,
            carries_message=carries_message,
            is_ping=is_ping,
            on_sent=lambda: self._rate_limiter.mark_sent(slot),
        )

        def no_answer(kind: str) -> SendError:
            return self._http.no_answer(kind, carries_message=carries_message)

        body = decode_json(response)
        if not response.is_success:
            refusal = judge_refusal(response, body, no_answer)
            if refusal.hold is not None:
                refusal.error.retry_after = self._rate_limiter.hold(route, refusal.hold, slot)
            elif refusal.is_discords:
                self._rate_limiter.record_response(route, response.headers, slot)
            raise refusal.error
        try:
            if body is None and response.content:
                raise ValueError("no JSON")
            found = read(body)
        except UNREADABLE:
            failure = no_answer(f"{response.status_code}, but not what was asked for")
        else:
            self._rate_limiter.record_response(route, response.headers, slot)
            return found
        raise failure


def action_rows(buttons: Sequence[Button]) -> list[dict[str, Any]]:
    """Write buttons, five in a row."""
    rows = (buttons[start : start + BUTTONS_IN_A_ROW] for start in range(0, len(buttons), BUTTONS_IN_A_ROW))
    return [{"type": ACTION_ROW, "components": [component(button) for button in row]} for row in rows]


def component(button: Button) -> dict[str, Any]:
    """Write a button: one that opens a link, or one that is sent back to us."""
    label = button.label[:LONGEST_LABEL]
    if button.link:
        return {"type": BUTTON, "style": LINK, "label": label, "url": button.link}
    return {"type": BUTTON, "style": SECONDARY, "label": label, "custom_id": button.value}


def allowed_mentions(message: Message) -> dict[str, Any]:
    """Limit a message's mentions to those it names, so that a player's name cannot notify any account."""
    accounts = list(dict.fromkeys(message.mentions))[:MAX_MENTIONS]
    return {"parse": [], "users": accounts} if accounts else {"parse": []}
