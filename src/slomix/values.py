"""What the values of the environment may look like, and how each is read."""

import base64
import binascii
import re
from datetime import time
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, SecretStr
from pydantic_settings import NoDecode

_TRAILING_COMMENT = re.compile(r"(?:^|\s)#.*$")


E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def without_comment(value: Any) -> Any:
    """`7000  # note` is `7000`; a `#` inside a word, as in a password, stays."""
    return _TRAILING_COMMENT.sub("", value).strip() if isinstance(value, str) else value


def _ids(value: Any) -> Any:
    """`1, 2` is the set of both; what is no Discord id is refused rather than dropped."""
    if not isinstance(value, str):
        return value
    ids = frozenset(part.strip() for part in value.split(",") if part.strip())
    for one in ids:
        if not (one.isascii() and one.isdigit()):
            raise ValueError(f"{one!r} is not a Discord id")
    return ids


def _id_list(value: Any) -> Any:
    """The same, in their order."""
    if not isinstance(value, str):
        return value
    _ids(value)
    return tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))


def _words(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _clock_time(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError(f"{value!r} is not a time of day such as 20:45")
    return value


def _zone(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{value!r} is not a time zone such as Europe/Ljubljana") from error


def _database_url(value: Any) -> Any:
    """However the address names PostgreSQL, we speak to it through psycopg."""
    if not isinstance(value, str) or not value:
        return value
    scheme, separator, rest = value.partition("://")
    if not separator or scheme not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise ValueError("is not a PostgreSQL address such as postgresql://user:password@host/database")
    return f"postgresql+psycopg://{rest}"


def _redis_url(value: Any) -> Any:
    if isinstance(value, str) and value and not value.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("is not a Redis address such as redis://host:6379/0")
    return value


def _networks(value: Any) -> Any:
    """`10.0.0.1, 172.16.0.0/12` are the machines that a request may come through."""
    if not isinstance(value, str):
        return value
    try:
        return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError as error:
        raise ValueError(f"{error}; it is a list of addresses and networks such as 127.0.0.1, 10.0.0.0/8") from error


def _token(value: Any) -> Any:
    """A secret that travels in a header."""
    if isinstance(value, str) and value and not re.fullmatch(r"[!-~]{16,}", value):
        raise ValueError("is not a word of at least 16 letters, digits and signs, without spaces")
    return value


DatabaseUrl = Annotated[SecretStr, BeforeValidator(_database_url)]
RedisUrl = Annotated[SecretStr, BeforeValidator(_redis_url)]
Token = Annotated[SecretStr, BeforeValidator(_token)]
DiscordIds = Annotated[frozenset[str], NoDecode, BeforeValidator(_ids)]
DiscordIdList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_id_list)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]
ClockTime = Annotated[time, BeforeValidator(_clock_time)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]


def is_fernet_key(key: str) -> bool:
    """Whether this can seal addresses: 32 bytes in url-safe base64."""
    try:
        return len(base64.urlsafe_b64decode(key)) == 32
    except (binascii.Error, ValueError):
        return False


def is_e164(text: str) -> bool:
    """Whether this is a phone number with its country code (ITU-T E.164)."""
    return E164.fullmatch(text) is not None
