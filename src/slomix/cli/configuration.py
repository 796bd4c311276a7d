"""The effective configuration: every variable, its value as written in `.env`, and its source."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from sqlalchemy.engine import make_url

from slomix.config.environment import Environment
from slomix.config.messages import named_variables
from slomix.config.settings import Settings, variable_names

DEFAULT, RUNNING_COPY = "default", "running copy"
MASK = "***"


@dataclass(frozen=True)
class Variable:
    """A line of the configuration; of a secret it shows only that it is set."""

    name: str
    value: str
    source: str


def effective_variables(
    settings: Settings, given: Environment, problems: list[str], *, joined: frozenset[str] = frozenset()
) -> Iterator[Variable]:
    """Yield every variable by name. `joined` are those taken from the copy that runs here."""
    wrong = named_variables(problems)
    values = settings.by_name()
    for name in sorted(variable_names()):
        source = RUNNING_COPY if name in joined else given.sources.get(name, DEFAULT)
        is_refused = name in wrong and source != DEFAULT
        yield Variable(name, "refused" if is_refused else masked_value(name, values[name]), source)


def masked_value(name: str, value: Any) -> str:
    """Format a value as it would stand in `.env`, masked if it is secret."""
    match value:
        case SecretStr():
            return _masked(name, value.get_secret_value())
        case None:
            return ""
        case bool():
            return str(value).lower()
        case time():
            return f"{value:%H:%M}"
        case ZoneInfo():
            return value.key
        case frozenset():
            return ",".join(sorted(value))
        case tuple():
            return ",".join(map(str, value))
    return str(value)


def _masked(name: str, secret: str) -> str:
    if not secret:
        return ""
    if name == "DATABASE_URL":
        url = make_url(secret)
        quiet = url.set(drivername="postgresql").update_query_pairs(_quiet(url.query))
        return quiet.render_as_string(hide_password=True)
    if name == "REDIS_URL":
        return _without_password(secret)
    return f"set ({'fewer than 32' if len(secret) < 32 else '32 or more'} characters)"


def _quiet(query: Any) -> list[tuple[str, str]]:
    """Mask passwords in the query of a URL."""
    return [(key, MASK) for key in query if "password" in key.lower()]


def _without_password(url: str) -> str:
    taken_apart = urlsplit(url)
    user, at, place = taken_apart.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    hidden = f"{name}:{MASK}@" if colon else f"{MASK}@" if at else ""
    query = dict(parse_qsl(taken_apart.query))
    behind = urlencode(query | dict(_quiet(query)), safe="*/")
    return f"{taken_apart.scheme}://{hidden}{place}{taken_apart.path}{'?' if behind else ''}{behind}"
