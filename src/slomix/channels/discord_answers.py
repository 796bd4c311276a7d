"""Decides what an answer of Discord means: done, refused, asked to wait, stopped, or unknown."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2

from slomix.channels.base import MessageRefused, ProviderDown, RateLimited, SendError, TokenRefused
from slomix.channels.http import as_object, retry_delay
from slomix.channels.rate_limit import RateLimitHold
from slomix.reasons.codes import Reason

# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
UNKNOWN_CHANNEL = 10003
UNKNOWN_MEMBER = 10007
UNKNOWN_MESSAGE = 10008
UNKNOWN_USER = 10013
UNKNOWN_VOICE_STATE = 10065
UNKNOWN_EVENT = 10070
# Of a message that is older than an hour.
EDITED_TOO_OFTEN = 30046
OPENING_DMS_TOO_FAST = 40003
SENDING_DISABLED = 40004
CLOUDFLARE_BLOCKS = 40333
MISSING_ACCESS = 50001
CANNOT_DM = 50007
INVALID_TOKEN = 50014
ARCHIVED = 50083
EVENT_IS_OVER = 180000
NO_MUTUAL_SERVER = 50278

# These speak of the address: another message there would be refused too. What its owner can mend is a reason by itself.
USELESS_ADDRESS = {
    UNKNOWN_CHANNEL: Reason.DISCORD_SAID,
    UNKNOWN_USER: Reason.DISCORD_SAID,
    MISSING_ACCESS: Reason.DISCORD_SAID,
    CANNOT_DM: Reason.DMS_CLOSED,
    50013: Reason.DISCORD_SAID,  # missing permissions
    50024: Reason.DISCORD_SAID,  # not in this kind of room
    50033: Reason.DISCORD_SAID,  # invalid recipient: no account has that id
    NO_MUTUAL_SERVER: Reason.NO_MUTUAL_SERVER,
}
# Waiting may cure these. Every other code of a 4xx refuses this request for good.
CURED_BY_WAITING = {
    0,  # a general error
    20016,  # slow mode
    20022,  # announcement edited too often
    20028,  # too many writes to the room
    20029,  # too many writes to the server
    30040,
    30042,
    EDITED_TOO_OFTEN,
    40006,  # switched off for a while
    40062,  # the resource is busy
    110000,
    110001,
    130000,  # overloaded
    160006,  # too many active threads
}
# Discord opens no more DMs, or takes no more messages at all, for a time that it doesn't name.
HELD_BACK = {OPENING_DMS_TOO_FAST, SENDING_DISABLED}
# The only 5xx after which nothing can have been taken, and only in Discord's own words.
NOT_ACCEPTED = {500, 503}

# The shortest pause after a refusal that names none and counts against us.
SHORTEST_STOP = timedelta(seconds=60)
DEEPEST_FORM = 10


@dataclass(frozen=True)
class Refusal:
    """The error for the sender, and what may not leave for a while because of it."""

    error: SendError
    hold: RateLimitHold | None = None
    # Whether Discord said it, so that it is there and takes our requests.
    is_discords: bool = True


def judge_refusal(response: httpx2.Response, body: Any, no_answer: Callable[[str], SendError]) -> Refusal:
    """Decide what an answer other than a success means. `no_answer` makes the error for "unknown"."""
    status, problem = response.status_code, as_object(body)
    if not _is_discords(status, problem) or problem.get("code") == CLOUDFLARE_BLOCKS:
        return _refusal_of_a_proxy(response, no_answer)
    if status == 401 or problem.get("code") == INVALID_TOKEN:
        hold = RateLimitHold(SHORTEST_STOP, reason=Reason.DISCORD_TOKEN_REFUSED)
        return Refusal(TokenRefused(Reason.DISCORD_TOKEN_REFUSED), hold)
    if problem.get("code") == EDITED_TOO_OFTEN:  # about one message: all others of the room may still be edited
        asked = _asked_delay(response, problem) or SHORTEST_STOP
        return Refusal(RateLimited(Reason.DISCORD_IS_BUSY, retry_after=asked, code=EDITED_TOO_OFTEN))
    if status == 429 or problem["code"] in HELD_BACK:
        return _asked_to_wait(response, problem)
    if status >= 500 and status not in NOT_ACCEPTED:
        return Refusal(no_answer(f"{status} {problem['message']}"))
    return Refusal(_refused(status, problem))


def _is_discords(status: int, problem: dict[str, Any]) -> bool:
    """Check whether Discord itself said this, rather than Cloudflare or a proxy in between."""
    if status < 400 or not isinstance(problem.get("message"), str):
        return False
    return isinstance(problem.get("code"), int) or (status == 429 and "retry_after" in problem)


def _refusal_of_a_proxy(response: httpx2.Response, no_answer: Callable[[str], SendError]) -> Refusal:
    """Judge what Discord did not say itself; a 403 or 429 is Cloudflare's ban of our address."""
    if response.status_code not in {403, 429}:
        return Refusal(no_answer(f"{response.status_code}, not in its own words"), is_discords=False)
    asked = retry_delay(response.headers.get("Retry-After"), otherwise=None) or SHORTEST_STOP
    hold = RateLimitHold(max(asked, SHORTEST_STOP), reason=Reason.DISCORD_BLOCKS_US, grows=True)
    return Refusal(RateLimited(Reason.DISCORD_BLOCKS_US, retry_after=hold.duration), hold)


def _asked_to_wait(response: httpx2.Response, problem: dict[str, Any]) -> Refusal:
    """Hold the route, or everything where Discord says so; where it names no time, until a request gets through."""
    code = problem.get("code") or None
    is_global = problem.get("global") is True or response.headers.get("X-RateLimit-Global", "").lower() == "true"
    is_global = is_global or code == SENDING_DISABLED
    asked = _asked_delay(response, problem)
    if asked is not None:
        hold = RateLimitHold(asked, is_route_only=not is_global)
        return Refusal(RateLimited(Reason.DISCORD_IS_BUSY, retry_after=asked, code=code), hold)
    hold = RateLimitHold(SHORTEST_STOP, is_route_only=not is_global, reason=Reason.DISCORD_IS_BUSY, grows=True)
    return Refusal(RateLimited(Reason.DISCORD_IS_BUSY, retry_after=SHORTEST_STOP, code=code), hold)


def _asked_delay(response: httpx2.Response, problem: dict[str, Any]) -> timedelta | None:
    """Return for how long Discord asks to wait, if it says that."""
    asked = retry_delay(problem.get("retry_after"), otherwise=None)
    return asked if asked is not None else retry_delay(response.headers.get("Retry-After"), otherwise=None)


def _refused(status: int, problem: dict[str, Any]) -> SendError:
    code, message = problem["code"], problem["message"]
    if status >= 500:
        return ProviderDown(Reason.DISCORD_ANSWERED, f"{status} {message}".strip())
    if code in CURED_BY_WAITING:
        return SendError(Reason.DISCORD_ANSWERED, f"{status} {message}".strip(), code=code or None)
    details = "; ".join(form_errors(problem.get("errors")))
    said = f"{message} ({code})" + (f": {details}" if details else "")
    if code in USELESS_ADDRESS:
        reason = USELESS_ADDRESS[code]
        return SendError(reason, said if reason is Reason.DISCORD_SAID else None, permanent=True, code=code)
    return MessageRefused(Reason.DISCORD_SAID, said, code=code)


def form_errors(errors: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """List what Discord says about each field of a form, such as `content: Must be 2000 or fewer in length.`.

    https://discord.com/developers/docs/reference#error-messages
    """
    if len(path) > DEEPEST_FORM:
        return
    for name, value in as_object(errors).items():
        if name != "_errors":
            yield from form_errors(value, (*path, name))
            continue
        for item in value if isinstance(value, list) else ():
            message = as_object(item).get("message")
            yield f"{'.'.join(path)}: {message}" if path else str(message)


# What was asked for, in the body of a success. All raise one of UNREADABLE if it isn't there.

UNREADABLE = (LookupError, TypeError, ValueError, AttributeError)


def snowflake(value: Any) -> str:
    """Return the id that this is."""
    if not isinstance(value, str) or not value.isascii() or not value.isdecimal():
        raise ValueError("no id")
    return value


def read_id(body: Any) -> str:
    """Return the id of the object."""
    return snowflake(body["id"])


def read_nothing(body: Any) -> None:
    """Check that there is no body, where Discord sends none."""
    if body is not None:
        raise ValueError("a body")


def read_list(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError("no list of objects")
    return value
