"""How one connection to the gateway ended, and when the next may begin.

Discord allows a bot about a thousand sessions a day; one more, and it ends all of them and resets the token. See
https://discord.com/developers/docs/events/gateway#session-start-limit-object.
"""

from collections.abc import Mapping
from typing import Any

import aiohttp
import discord

# A session must not follow another one sooner.
IDENTIFY_EVERY = 5.0
# Discord is asked again so soon while it is away, which costs no session.
SHORTEST_PAUSE, LONGEST_PAUSE = 2.0, 900.0
# Connections in a row that end before the session is resumed; discord.py opens the next one without a pause.
MOST_RESUMES = 3
# A session that has lasted so long was no failure.
HELD_AFTER = 60.0
# From this part of the day's sessions on, what is left is spread over the rest of the day.
RESERVE = 0.1

# https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
CLOSE_CODES = {
    4000: "unknown error",
    4001: "unknown opcode",
    4002: "a frame could not be read",
    4003: "not authenticated",
    4004: "DISCORD_BOT_TOKEN is not valid, perhaps it was reset",
    4005: "already authenticated",
    4007: "invalid sequence number",
    4008: "too many frames were sent",
    4009: "the session timed out",
    4010: "invalid shard",
    4011: "the bot is in too many servers for one connection",
    4012: "this version of the gateway is no longer served; Slomix needs an update",
    4013: "invalid intents",
    4014: "an intent is not allowed for this bot; see its page in Discord's developer portal",
}


class SessionRefused(Exception):
    """Raised when Discord has no session for us, instead of asking for another one at once."""


class Silence(Exception):
    """Raised when nothing was heard of Discord for too long."""


class SessionsUsedUp(Exception):
    """Raised when no session may be started for `seconds`."""

    def __init__(self, remaining: int, seconds: float) -> None:
        super().__init__(f"{remaining} sessions are left for today")
        self.seconds = seconds


def pause(failures: int, error: BaseException | None = None) -> float:
    """Return the seconds until the next connection, after so many sessions in a row that did not hold."""
    wait = error.seconds if isinstance(error, SessionsUsedUp) else SHORTEST_PAUSE * 2.0 ** min(failures, 20)
    return min(wait, LONGEST_PAUSE)


def check_budget(limit: Mapping[str, Any], since_last: float) -> None:
    """Raise SessionsUsedUp if the day's sessions would not last; `since_last` are seconds since the last one began."""
    remaining, left = int(limit["remaining"]), float(limit["reset_after"]) / 1000
    if remaining >= RESERVE * int(limit["total"]):
        return
    wait = left if remaining <= 0 else left / remaining - since_last
    if remaining <= 0 or wait > 0:
        raise SessionsUsedUp(remaining, max(wait, SHORTEST_PAUSE))


def reason(error: BaseException | None) -> str:
    """Say why a connection ended, in words for an operator; empty for a surprise."""
    match error:
        case None:
            return "Discord closed the connection"
        case discord.LoginFailure():
            return "Discord refuses DISCORD_BOT_TOKEN (401)"
        case discord.ConnectionClosed():
            return f"Discord closed the connection with {error.code} ({CLOSE_CODES.get(error.code, 'not documented')})"
        case discord.HTTPException():
            return f"Discord answers {error.status}"
        case SessionRefused():
            return "Discord starts no session for the bot, and resumes none (op 9)"
        case SessionsUsedUp() | Silence():
            return f"Discord: {error}"
        case discord.DiscordException() | aiohttp.ClientError() | OSError():
            return f"Discord does not answer ({type(error).__name__})"
    return ""
