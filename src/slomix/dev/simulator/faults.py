"""Faults caused on purpose, read from a form or a JSON body and kept until they are cleared."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slomix.dev.simulator.people import PEOPLE_BY_ID

PROVIDERS = ("discord", "telegram", "signal")
LONGEST_SECONDS = 600.0

# The parameters of each fault; those without a default are required.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "latency": ("seconds",),
    "status": ("code", "rate"),
    "timeout": (),
    "cut_after_accept": ("times",),
    "closed_dm": ("user_id",),
    "rate_limit": ("retry_after", "times"),
    "challenge": ("times",),
    "mishap": ("kind", "times"),
    "read_only": (),
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
    | dict.fromkeys(("read_only", "slow_resume", "close_at_identify", "invalid_session", "zombie"), "discord")
)
# The misleading answers to a message on Signal.
KINDS = (
    *("failed", "unregistered", "rate_limit", "proof", "identity", "network", "socket_timeout", "killed", "sender"),
    *("recipients", "empty", "html"),
)
DEFAULTS: dict[str, Any] = {"rate": 1.0, "times": None}


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

    def status(self, provider: str) -> int | None:
        """Return the error status for this request, if any."""
        for fault in self._matching(provider, "status"):
            if random.random() < fault["rate"]:
                return int(fault["code"])
        return None

    def retry_after(self, provider: str) -> float | None:
        fault = self._consume(provider, "rate_limit")
        return fault["retry_after"] if fault else None

    def challenges(self, provider: str) -> bool:
        """Check whether this message is refused until a captcha is solved."""
        return self._consume(provider, "challenge") is not None

    def mishap(self, provider: str) -> str | None:
        """Return the misleading answer that this message gets, if any."""
        fault = self._consume(provider, "mishap")
        return fault["kind"] if fault else None

    def cuts(self, provider: str) -> bool:
        """Check whether this message is taken and the connection then cut."""
        return self._consume(provider, "cut_after_accept") is not None

    def is_read_only(self) -> bool:
        """Check whether the bot may only read in Discord's rooms."""
        return bool(self._matching("discord", "read_only"))

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

    def _consume(self, provider: str, name: str) -> Fault | None:
        """Return the first such fault and count down its times."""
        for fault in self._matching(provider, name):
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
    return Fault(
        provider,
        name,
        {
            parameter: _parameter(parameter, body.get(parameter, DEFAULTS.get(parameter)))
            for parameter in PARAMETERS[name]
        },
    )


def _parameter(name: str, value: Any) -> Any:
    match name:
        case "times" if value is None:
            return None
        case "times":
            return int(_number(name, value, 1, 1_000_000, whole=True))
        case "code":
            return int(_number(name, value, 400, 599, whole=True))
        case "kind":
            if value not in KINDS:
                raise ValueError(f"kind is one of {', '.join(KINDS)}, not {value!r}")
            return value
        case "close_code":
            return int(_number(name, value, 4000, 4014, whole=True))
        case "rate":
            return _number(name, value, 0, 1)
        case "user_id":
            if not isinstance(value, str) or value not in PEOPLE_BY_ID:
                raise ValueError(f"user_id is the id of a person in /control/people, as a string, not {value!r}")
            return value
    return _number(name, value, 0, LONGEST_SECONDS)


def _number(name: str, value: Any, least: float, most: float, *, whole: bool = False) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not least <= value <= most or (whole and value != int(value)):
        raise ValueError(f"{name} is a {'whole ' if whole else ''}number from {least:g} to {most:g}, not {value!r}")
    return float(value)
