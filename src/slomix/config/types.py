"""Types of settings, each with how its value is read.

A sentence quotes a value only if it is short: a long one may be a secret in the wrong place.
"""

import base64
import binascii
import re
from collections.abc import Callable
from datetime import time
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, SecretStr

from slomix import i18n

_BYTE_ORDER_MARK = "\ufeff"
_TRAILING_COMMENT = re.compile(r"(?:^|\s)#.*$", re.DOTALL)
# Whole values in quotes; a comment may follow. Inside double quotes a backslash guards a quote or a backslash.
_DOUBLE_QUOTED = re.compile(r'"(?P<inside>(?:\\.|[^\\])*?)"(?:\s+#.*)?', re.DOTALL)
_SINGLE_QUOTED = re.compile(r"'(?P<inside>.*?)'(?:\s+#.*)?", re.DOTALL)
_GUARDED = re.compile(r'\\(["\\])')
LONGEST_LINE = 64
_SHORT = 24

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
ACI = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def strip_value(text: str, *, is_secret: bool = False) -> str:
    """Strip quotes, comment, line end and byte order mark from a value; return "" if nothing is left.

    `7000  # note` is `7000`; a `#` inside a word stays. A comment inside quotes is stripped too, except in a secret.
    """
    text = text.strip(_BYTE_ORDER_MARK).strip()
    if found := _DOUBLE_QUOTED.fullmatch(text):
        text = _GUARDED.sub(r"\1", found["inside"])
    elif found := _SINGLE_QUOTED.fullmatch(text):
        text = found["inside"]
    else:
        return _TRAILING_COMMENT.sub("", text).strip()
    return text if is_secret else _TRAILING_COMMENT.sub("", text).strip()


def quote_value(text: str) -> str:
    """Quote a value in a sentence about it, if it is short."""
    return repr(text) if len(text) <= _SHORT else "what is set"


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _of_text(read: Callable[[str], Any]) -> BeforeValidator:
    """Apply `read` to texts only; values from code are what they should be."""
    return BeforeValidator(lambda value: read(value) if isinstance(value, str) else value)


def _of_text_or_nothing(read: Callable[[str], str]) -> BeforeValidator:
    """Like `_of_text`, but an empty text stands for no value."""
    return _of_text(lambda text: read(text) if text else "")


def _boolean(text: str) -> bool:
    match text.lower():
        case "1" | "true" | "yes" | "on" | "y" | "t":
            return True
        case "0" | "false" | "no" | "off" | "n" | "f":
            return False
    raise ValueError(f"{quote_value(text)} is neither true nor false")


def is_on(text: str) -> bool:
    """Read a switch; an empty text is off. Raise ValueError with a sentence if it is none."""
    return bool(text) and _boolean(text)


def _matching(pattern: str, refusal: str) -> Callable[[str], str]:
    """Make a reader of texts that match `pattern`; `refusal` is said of any other, which replaces {}."""

    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(refusal.format(quote_value(text)))
        return text

    return read


_number = _matching(r"[+-]?[0-9]{1,18}", "{} is not a whole number")
_id = _matching(r"[1-9][0-9]{0,19}", "{} is not a Discord id, which is a number such as 901437285516304427")
_clock_time = _matching(r"([01][0-9]|2[0-3]):[0-5][0-9]", "{} is not a time of day such as 20:45")
_host = _matching(
    r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*",
    "{} is not the name or address of a machine, without a port",
)
_phone = _matching(E164.pattern, "is not a phone number such as +38640123456")
# Valid in a header of a request.
_token = _matching("[!-~]+", "is not one word of plain characters; it belongs here alone, without anything before it")
_telegram_token = _matching(
    "[0-9]+:[A-Za-z0-9_-]+", "is not a token of Telegram's, which is a number, a colon and letters"
)
_webhook_secret = _matching("[A-Za-z0-9_-]{1,256}", "Telegram takes up to 256 of A-Z a-z 0-9 _ -")


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{quote_value(text)} is not a time zone such as Europe/Ljubljana") from None


def _languages(text: str) -> tuple[str, ...]:
    found, known = tuple(dict.fromkeys(_parts(text))), i18n.known_languages()
    for language in found:
        if language not in known:
            raise ValueError(f"{quote_value(language)} is none of {', '.join(sorted(known))}")
    if not found:
        raise ValueError("names no language")
    return found


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Read addresses and networks, such as `10.0.0.1, 172.16.0.0/12`."""
    try:
        return tuple(ip_network(part) for part in _parts(text))
    except ValueError:
        raise ValueError(
            f"{quote_value(text)} is not a list of addresses and networks such as 127.0.0.1, 10.0.0.0/8"
        ) from None


def _split(text: str, schemes: set[str]) -> SplitResult | None:
    """Split a URL; return None if it has none of these schemes, or cannot be split."""
    try:
        url = urlsplit(text)
        if url.scheme not in schemes or re.search(r"\s", text) or (url.port is not None and not url.port):
            return None
    except ValueError:
        return None
    return url


def _address(schemes: set[str], what: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        url = _split(text, schemes)
        if url is None or not re.fullmatch(r"[\w.-]+|[0-9a-f:.]+", url.hostname or "") or url.fragment:
            raise ValueError(f"{quote_value(text)} is not {what}")
        if url.username is not None:
            raise ValueError("has a user or a password in it")
        return text

    return read


_http_url = _address({"http", "https"}, "an http address")


def _page_url(text: str) -> str:
    url = urlsplit(_http_url(text))
    if url.path not in {"", "/"} or url.query:
        raise ValueError("has a path; Slomix needs a name of its own, such as https://slomix.example.org")
    return text


def _database_url(text: str) -> str:
    """Read an address of PostgreSQL and make it one for psycopg, whatever its scheme is called."""
    # Only here, so that the runner, which lives long, does without in development.
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    scheme, separator, rest = text.partition("://")
    try:
        if not separator or scheme not in {"postgres", "postgresql", "postgresql+psycopg"}:
            raise ArgumentError
        if re.search(r"\s", rest):
            raise ArgumentError
        make_url(url := f"postgresql+psycopg://{rest}")
    except (ArgumentError, ValueError):
        raise ValueError(
            "is not a PostgreSQL address such as postgresql://user:password@host/database; what is special in a"
            " password is written as %-code"
        ) from None
    return url


def _redis_url(text: str) -> str:
    url = _split(text, {"redis", "rediss", "unix"})
    number = url.path.removeprefix("/") if url and url.scheme != "unix" else ""
    if url is None or url.fragment or not re.fullmatch(r"[0-9]{0,5}", number) or not (url.netloc or url.path):
        raise ValueError(
            "is not a Redis address such as redis://:password@host:6379/0; what is special in a password is written"
            " as %-code"
        )
    return text


def _long_token(text: str) -> str:
    """Read a token that is too long to be guessed."""
    if len(text) < 16:
        raise ValueError("has fewer than 16 characters")
    return _token(text)


def _keys(text: str) -> str:
    if not _parts(text) or not all(map(is_fernet_key, _parts(text))):
        raise ValueError("each key is 32 bytes in url-safe base64; `slomix contacts new-key` makes one")
    return text


def _one_line(text: str) -> str:
    if not text.isprintable() or len(text) > LONGEST_LINE:
        raise ValueError(f"one line of at most {LONGEST_LINE} characters is expected")
    return text


def same_database(a: SecretStr, b: SecretStr) -> bool:
    """Check whether two URLs name the same database; host and user may differ."""
    from sqlalchemy.engine import make_url

    return make_url(a.get_secret_value()).database == make_url(b.get_secret_value()).database


def is_fernet_key(key: str) -> bool:
    """Check whether a key can seal addresses: 32 bytes in url-safe base64."""
    try:
        return len(base64.urlsafe_b64decode(key)) == 32
    except (binascii.Error, ValueError):
        return False


def is_e164(text: str) -> bool:
    """Check whether this is a phone number with its country code (ITU-T E.164)."""
    return E164.fullmatch(text) is not None


def is_aci(text: str) -> bool:
    """Check whether this is the id of an account on Signal."""
    return ACI.fullmatch(text) is not None


Line = Annotated[str, _of_text(_one_line)]
Switch = Annotated[bool, _of_text(_boolean)]
Number = Annotated[int, _of_text(lambda text: int(_number(text)))]
ClockTime = Annotated[time, _of_text(lambda text: time.fromisoformat(_clock_time(text)))]
Zone = Annotated[ZoneInfo, _of_text(_zone)]
# An account, room or server; empty for none.
DiscordId = Annotated[str, _of_text_or_nothing(_id)]
DiscordIds = Annotated[frozenset[str], _of_text(lambda text: frozenset(map(_id, _parts(text))))]
DiscordIdList = Annotated[tuple[str, ...], _of_text(lambda text: tuple(dict.fromkeys(map(_id, _parts(text)))))]
Host = Annotated[str, _of_text_or_nothing(_host)]
PhoneNumber = Annotated[str, _of_text_or_nothing(_phone)]
PublicKey = Annotated[str, _of_text_or_nothing(_matching("[0-9a-f]{64}", "{} is not 64 hexadecimal digits"))]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], _of_text(_networks)]
# Without a slash at its end, to append paths.
BaseUrl = Annotated[str, _of_text_or_nothing(lambda text: _http_url(text).rstrip("/"))]
HttpUrl = Annotated[str, _of_text_or_nothing(_http_url)]
Languages = Annotated[tuple[str, ...], _of_text(_languages)]
HttpUrls = Annotated[tuple[str, ...], _of_text(lambda text: tuple(map(_http_url, _parts(text))))]
PageUrl = Annotated[str, _of_text_or_nothing(_page_url)]
SocketUrl = Annotated[str, _of_text_or_nothing(_address({"ws", "wss"}, "a web socket's address"))]
DatabaseUrl = Annotated[SecretStr, _of_text_or_nothing(_database_url)]
RedisUrl = Annotated[SecretStr, _of_text_or_nothing(_redis_url)]
Token = Annotated[SecretStr, _of_text_or_nothing(_token)]
LongToken = Annotated[SecretStr, _of_text_or_nothing(_long_token)]
TelegramToken = Annotated[SecretStr, _of_text_or_nothing(_telegram_token)]
WebhookSecret = Annotated[SecretStr, _of_text_or_nothing(_webhook_secret)]
Keys = Annotated[SecretStr, _of_text_or_nothing(_keys)]
