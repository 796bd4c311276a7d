"""Faults caused on purpose, read from a form or a JSON body and kept until they are cleared."""

import math
import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from slomix.dev.simulator.people import PEOPLE_BY_ID

PROVIDERS = ("discord", "telegram", "signal")
LONGEST_SECONDS = 600.0

# The parameters of each fault; those without a default are required.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "latency": ("seconds",),
    "status": ("code", "rate", "html"),
    "timeout": (),
    "cut_after_accept": ("times",),
    # Taken, and then this error is answered: in the provider's own form, or as a proxy's page.
    "error_after_accept": ("code", "html", "times"),
    "closed_dm": ("user_id",),
    "rate_limit": ("retry_after", "times", "scope"),
    "challenge": ("times",),
    "mishap": ("kind", "times"),
    "read_only": (),
    # The bot doesn't see the rooms, or sees nothing of what was written there before.
    "no_view": (),
    "no_history": (),
    # The bot may make no events, and change none.
    "no_events": (),
    # Discord's: refused with one of its codes; a success without what was asked for; an error page of Cloudflare, which
    # stands before it; a token that is no longer valid.
    "refusal": ("error", "at", "user_id", "times"),
    "unreadable": ("body", "at", "times"),
    "cloudflare": ("page", "times"),
    "token_reset": (),
    # The answer of the token endpoint.
    "login": ("answer", "times"),
    # A Bot API that answers getUpdates at once, whatever `timeout` says.
    "impatient": (),
    # The gateway's: a resumed session is told what it missed only later; IDENTIFY is answered with a close code or with
    # op 9; the connection stays open and nothing comes any more.
    "slow_resume": ("seconds",),
    "close_at_identify": ("close_code", "times"),
    "invalid_session": ("times",),
    "zombie": (),
}
# Faults of a single provider.
ONLY_ON = (
    {"impatient": "telegram"}
    | dict.fromkeys(("challenge", "mishap"), "signal")
    | dict.fromkeys(
        (
            *(
                "read_only",
                "no_view",
                "no_history",
                "no_events",
                "refusal",
                "unreadable",
                "cloudflare",
                "token_reset",
                "login",
            ),
            *("slow_resume", "close_at_identify", "invalid_session", "zombie"),
        ),
        "discord",
    )
)
# The misleading answers to a message on Signal.
KINDS = (
    *("failed", "unregistered", "rate_limit", "proof", "identity", "network", "socket_timeout", "killed", "sender"),
    *("recipients", "empty", "html"),
)
LOGIN_ANSWERS = ("invalid_client", "redirect_uri", "invalid_grant", "malformed", "html", "not_found", "unauthorized")
DEFAULTS: dict[str, Any] = {
    **{"rate": 1.0, "times": None, "html": False, "scope": "user"},
    **{"at": None, "user_id": None},
}
# Whom a 429 of Discord is about: the bot on this route, all who write there, or the bot everywhere. `body` is the last
# without the headers that say so.
SCOPES = ("user", "shared", "global", "body")
# The routes at which a single fault may happen; without one it is wherever a message is sent, or everywhere.
ROUTES = (
    *("messages", "open-dm", "member", "voice-state", "active-threads", "create-thread", "edit-channel"),
    *(
        "thread-members",
        "read-messages",
        "edit-message",
        "delete-message",
        "events",
        "create-event",
        "edit-event",
        "me",
        "guild",
        "channel",
    ),
)
# Discord's refusals by their codes: status and sentence.
# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
REFUSALS: dict[int, tuple[int, str]] = {
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10013: (404, "Unknown User"),
    20001: (403, "Bots cannot use this endpoint"),
    20009: (403, "Explicit content cannot be sent to the desired recipient(s)"),
    20016: (429, "This action cannot be performed due to slowmode rate limit"),
    20028: (429, "The write action you are performing on the channel has hit the write rate limit"),
    30033: (400, "Maximum number of thread participants reached (1000)"),
    30046: (429, "Maximum number of edits to messages older than 1 hour reached. Try again later"),
    40001: (403, "Unauthorized"),
    40002: (403, "You need to verify your account in order to perform this action."),
    40003: (403, "You are opening direct messages too fast"),
    40004: (403, "Send messages has been temporarily disabled"),
    40005: (413, "Request entity too large"),
    40007: (403, "The user is banned from this guild."),
    40058: (400, "Cannot message this thread until after the post author has sent an initial message."),
    40062: (429, "The resource is being rate limited."),
    40333: (403, "internal network error"),
    50001: (403, "Missing Access"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50008: (403, "Cannot send messages in a non-text channel"),
    50009: (403, "Channel verification level is too high for you to gain access"),
    50013: (403, "Missing Permissions"),
    50014: (401, "Invalid authentication token"),
    50024: (400, "Cannot execute action on this channel type"),
    50033: (400, "Invalid Recipient(s)"),
    50035: (400, "Invalid Form Body"),
    50083: (400, "Thread is archived"),
    50109: (400, "The request body contains invalid JSON."),
    50278: (403, "Cannot send messages to this user due to having no mutual guilds"),
    130000: (503, "API resource is currently overloaded. Try again a little later."),
    160005: (403, "Thread is locked"),
    160006: (400, "Maximum number of active threads reached"),
    200000: (403, "Message was blocked by automatic moderation"),
    200001: (400, "Title was blocked by automatic moderation"),
}
# Bodies of a 2xx that are no JSON, or have nothing of what was asked for in them.
UNREADABLE_BODIES = {
    "html": "<html><title>Just a moment…</title></html>",
    "empty": "",
    "text": "OK",
    "object": "{}",
    "list": "[]",
    "null": "null",
    "no_id": '{"message": "OK", "code": 0}',
}
# The pages of Cloudflare: our client is refused, our address is banned, or a rule of its firewall says no.
CLOUDFLARE_PAGES = {1006: 403, 1010: 403, 1015: 429, 1020: 403}
# The least and the most of a number, and whether it is whole; all others are seconds.
RANGES = {
    "times": (1, 1_000_000, True),
    "code": (400, 599, True),
    "close_code": (4000, 4014, True),
    "rate": (0, 1, False),
}
# Parameters that are one of a few.
CHOICES: dict[str, Collection[str | int]] = {
    "kind": KINDS,
    "answer": LOGIN_ANSWERS,
    "scope": SCOPES,
    "at": ROUTES,
    "error": REFUSALS,
    "body": UNREADABLE_BODIES,
    "page": CLOUDFLARE_PAGES,
}


@dataclass
class Fault:
    """A fault that happens `times` times, or until it is cleared."""

    provider: str
    fault: str
    parameters: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"provider": self.provider, "fault": self.fault, **self.parameters}

    def __getitem__(self, name: str) -> Any:
        return self.parameters[name]


class Faults:
    """The faults in force."""

    def __init__(self) -> None:
        self.active: list[Fault] = []

    def add(self, body: Mapping[str, Any]) -> Fault:
        """Switch a fault on. Raise ValueError with the reason if it makes no sense."""
        fault = _read(body)
        self.active.append(fault)
        return fault

    def clear(self) -> None:
        self.active.clear()

    def latency(self, provider: str) -> float:
        return sum(float(fault["seconds"]) for fault in self._matching(provider, "latency"))

    def is_silent(self, provider: str) -> bool:
        """Check whether the provider takes connections but never answers."""
        return bool(self._matching(provider, "timeout"))

    def status(self, provider: str) -> Fault | None:
        """Return the error for this request, if any."""
        faults = self._matching(provider, "status")
        return next((fault for fault in faults if random.random() < fault["rate"]), None)

    def rate_limit(self, provider: str) -> Fault | None:
        """Return the 429 that this request gets, if any."""
        return self._consume(provider, "rate_limit")

    def retry_after(self, provider: str) -> float | None:
        fault = self.rate_limit(provider)
        return fault["retry_after"] if fault else None

    def refusal(self, route: str, user_id: str | None) -> int | None:
        """Return the code with which Discord refuses this request, if any."""
        wanted = {(at, who) for at in (route, None if route == "messages" else route) for who in (user_id, None)}
        fault = self._consume("discord", "refusal", lambda fault: (fault["at"], fault["user_id"]) in wanted)
        return fault["error"] if fault else None

    def unreadable(self, route: str) -> str | None:
        """Return the body that comes instead of what was asked for, if any."""
        fault = self._consume("discord", "unreadable", lambda fault: fault["at"] in (route, None))
        return UNREADABLE_BODIES[fault["body"]] if fault else None

    def cloudflare(self) -> int | None:
        """Return the error page of Cloudflare that this request gets, if any."""
        fault = self._consume("discord", "cloudflare")
        return fault["page"] if fault else None

    def is_token_reset(self) -> bool:
        """Check whether the bot's token is no longer valid."""
        return bool(self._matching("discord", "token_reset"))

    def challenges(self, provider: str) -> bool:
        """Check whether this message is refused until a captcha is solved."""
        return self._consume(provider, "challenge") is not None

    def mishap(self, provider: str) -> str | None:
        """Return the misleading answer that this message gets, if any."""
        fault = self._consume(provider, "mishap")
        return fault["kind"] if fault else None

    def login(self) -> str | None:
        """Return which wrong answer the token endpoint gives, if any."""
        fault = self._consume("discord", "login")
        return fault["answer"] if fault else None

    def cuts(self, provider: str) -> bool:
        """Check whether this message is taken and the connection then cut."""
        return self._consume(provider, "cut_after_accept") is not None

    def error_after_accept(self, provider: str) -> Fault | None:
        """Return the error that is answered although the message is taken, if any."""
        return self._consume(provider, "error_after_accept")

    def is_read_only(self) -> bool:
        """Check whether the bot may only read in Discord's rooms."""
        return bool(self._matching("discord", "read_only"))

    def hides_rooms(self) -> bool:
        """Check whether the bot doesn't see Discord's rooms."""
        return bool(self._matching("discord", "no_view"))

    def hides_history(self) -> bool:
        """Check whether the bot may not read what was written in Discord's rooms."""
        return bool(self._matching("discord", "no_history"))

    def forbids_events(self) -> bool:
        """Check whether the bot may make and change no scheduled events."""
        return bool(self._matching("discord", "no_events"))

    def is_impatient(self, provider: str) -> bool:
        """Check whether nothing is waited for."""
        return bool(self._matching(provider, "impatient"))

    def slow_resume(self) -> float:
        """Return for how many seconds a resumed session is told nothing."""
        return sum(float(fault["seconds"]) for fault in self._matching("discord", "slow_resume"))

    def close_code(self) -> int | None:
        """Return the code that this IDENTIFY is closed with, if any."""
        fault = self._consume("discord", "close_at_identify")
        return fault["close_code"] if fault else None

    def refuses_sessions(self) -> bool:
        """Check whether this IDENTIFY is answered with an invalid session."""
        return self._consume("discord", "invalid_session") is not None

    def is_gateway_dead(self) -> bool:
        """Check whether the gateway's connections stay open but say nothing."""
        return bool(self._matching("discord", "zombie"))

    def has_closed_dms(self, provider: str, user_id: str) -> bool:
        return any(fault["user_id"] == user_id for fault in self._matching(provider, "closed_dm"))

    def _matching(self, provider: str, name: str) -> list[Fault]:
        return [fault for fault in self.active if (fault.provider, fault.fault) == (provider, name)]

    def _consume(self, provider: str, name: str, applies: Callable[[Fault], bool] = lambda _: True) -> Fault | None:
        """Return the first such fault that applies and count down its times."""
        for fault in filter(applies, self._matching(provider, name)):
            if fault["times"] is not None:
                fault.parameters["times"] -= 1
                if fault["times"] == 0:
                    self.active.remove(fault)
            return fault
        return None


def _read(body: Mapping[str, Any]) -> Fault:
    provider, name = body.get("provider"), body.get("fault")
    if provider not in PROVIDERS:
        raise ValueError(f"provider is one of {', '.join(PROVIDERS)}, not {provider!r}")
    if not isinstance(name, str) or name not in PARAMETERS:
        raise ValueError(f"fault is one of {', '.join(PARAMETERS)}, not {name!r}")
    if ONLY_ON.get(name, provider) != provider:
        raise ValueError(f"{name} happens on {ONLY_ON[name]} only")
    unknown = set(body) - {"provider", "fault", *PARAMETERS[name]}
    if unknown:
        raise ValueError(f"{name} knows no {', '.join(sorted(unknown))}")
    if provider != "discord" and body.get("scope", "user") != "user":
        raise ValueError("scope is Discord's")
    return Fault(
        provider,
        name,
        {parameter: _given(parameter, body, is_required=name == "closed_dm") for parameter in PARAMETERS[name]},
    )


def _given(name: str, body: Mapping[str, Any], *, is_required: bool) -> Any:
    """Return a parameter as it was given, or its default."""
    value = body.get(name)
    if value is None and name in DEFAULTS and not is_required:
        return DEFAULTS[name]
    return _parameter(name, value)


def _parameter(name: str, value: Any) -> Any:
    match name:
        case "times" if value is None:
            return None
        case "html":
            if not isinstance(value, bool):
                raise ValueError(f"html is true or false, not {value!r}")
            return value
        case _ if name in CHOICES:
            if not isinstance(value, str | int) or value not in CHOICES[name]:
                raise ValueError(f"{name} is one of {', '.join(map(str, CHOICES[name]))}, not {value!r}")
            return value
        case "user_id":
            if not isinstance(value, str) or value not in PEOPLE_BY_ID:
                raise ValueError(f"user_id is the id of a person in /control/people, as a string, not {value!r}")
            return value
    least, most, whole = RANGES.get(name, (0, LONGEST_SECONDS, False))
    found = _number(name, value, least, most, whole=whole)
    return int(found) if whole else found


def _number(name: str, value: Any, least: float, most: float, *, whole: bool = False) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not least <= value <= most or (whole and value != int(value)):
        raise ValueError(f"{name} is a {'whole ' if whole else ''}number from {least:g} to {most:g}, not {value!r}")
    return float(value)
