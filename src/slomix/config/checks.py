"""Finds settings that keep a process from starting: missing, weak, or for development only."""

import base64
import re
import sys
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from slomix.config.environment import Environment
from slomix.config.messages import named_variables, without_named
from slomix.config.settings import ENV_PATH, Settings, SettingsError, secret_variables

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

# Used by `make run` where no secret is set. They are public, so production refuses them, the secret by its words.
DEVELOPMENT_SECRET = "development-only-secret-known-to-everybody"
DEVELOPMENT_KEY = "ZGV2ZWxvcG1lbnQtb25seS1rZXkta25vd24tdG8tYWw="
REFUSED = 2

_LONG_ENOUGH = 32
_PLACEHOLDER = re.compile(
    r"change.?me|change.?this|replace|example|placeholder|your[-_ ]|insecure|development|<.*>", re.I
)
# What people write where a secret belongs, also with digits for letters.
_WORDS = re.compile(r"password|passwort|secret|admin|letmein|welcome|iloveyou|slomix|discord|telegram|qwert|asdfg")
_LETTERS = str.maketrans("013457@$!", "oleastasi")
# Parts that a random text of this length repeats, or counts up, once in a million times.
_LONG_PART = 8
# Secrets that others made: of these only placeholders can be told.
_ISSUED = frozenset({"DISCORD_CLIENT_SECRET", "DISCORD_BOT_TOKEN", "AVAILABILITY_TELEGRAM_BOT_TOKEN"})
_SEALING = "CONTACT_DATA_ENCRYPTION_KEY"
_ENCRYPTED = {"require", "verify-ca", "verify-full"}
# Proxies stand in networks of one's own; of public addresses as many as the largest provider of proxies has.
_OWN_NETWORKS = tuple(
    ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)
_MOST_PUBLIC, _WIDEST_IPV6 = 2**21, 28
_SERVERS = ("DATABASE_URL", "REDIS_URL", "SESSION_SECRET")
_DISCORD = ("PUBLIC_URL", "DISCORD_CLIENT_ID", "DISCORD_CLIENT_SECRET", "DISCORD_BOT_TOKEN", "DISCORD_GUILD_ID")
_COMMON_PASSWORDS = {"postgres", "password", "slomix", "secret", "admin", "root", "changeme", "website_app", "1234"}


def settings_for_start(env_file: Path | None = ENV_PATH) -> Settings:
    """Read the settings of a process that starts now. Raise SettingsError naming all that keeps it from starting."""
    settings, problems = all_problems(Environment.read(env_file, secrets=secret_variables()))
    if problems:
        raise SettingsError(format_problems(problems))
    return settings


def settings_or_exit() -> Settings:
    """Read the settings, or end the process with a line for each problem on standard error and exit status 2."""
    try:
        return settings_for_start()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(REFUSED)


def all_problems(given: Environment) -> tuple[Settings, list[str]]:
    """Read the settings as far as they are valid, and list what is invalid, missing, weak or for development."""
    settings, problems = Settings.read(given)
    if "SLOMIX_ENV" in named_variables(problems):  # which checks apply is unknown
        return settings, problems
    return settings, problems + without_named(problems_for_start(settings), by=problems)


def format_problems(problems: list[str]) -> str:
    return "\n".join(["Slomix does not start:", *problems])


def problems_for_start(settings: Settings) -> list[str]:
    """List what must be corrected before any process may start."""
    if settings.is_development:
        return list(_missing(settings, _SERVERS))
    return [
        *_missing(settings, (*_SERVERS, *_DISCORD)),
        *_weak(settings),
        *_in_the_open(settings),
        *_for_development(settings),
    ]


def _missing(settings: Settings, names: tuple[str, ...]) -> Iterator[str]:
    values = settings.by_name()
    for name in names:
        if not values[name]:
            yield f"{name}: is not set"


def weakness_of(secret: str) -> str:
    """Say why a secret can be guessed; return an empty text if it cannot."""
    if len(secret) < _LONG_ENOUGH:
        return f"has fewer than {_LONG_ENOUGH} characters"
    if len(set(secret)) < 8 or _repeats_or_counts(secret):
        return "repeats the same few characters, or counts"
    if _PLACEHOLDER.search(secret) or _WORDS.search(secret.lower().translate(_LETTERS)):
        return "is words that stand for a secret"
    return ""


def _repeats_or_counts(secret: str | bytes) -> bool:
    parts = [secret[start : start + _LONG_PART] for start in range(len(secret) - _LONG_PART + 1)]
    steps = [
        {after - before for before, after in pairwise(part if isinstance(part, bytes) else part.encode())}
        for part in parts
    ]
    return len(set(parts)) < len(parts) or any(step in ({0}, {1}, {-1}) for step in steps)


def _weak(settings: Settings) -> Iterator[str]:
    """Find secrets that can be guessed: all that are secret, but for addresses, keys and what others made."""
    owners: dict[str, str] = {}
    for name, secret in sorted(_secrets(settings)):
        if "://" in secret or name == _SEALING:
            continue
        if name in _ISSUED:
            if _PLACEHOLDER.search(secret):
                yield f"{name}: is words that stand for a secret"
        elif why := weakness_of(secret):
            yield f"{name}: is too weak: it {why}; `openssl rand -hex 32` makes one"
        other = owners.setdefault(secret, name)
        if other != name:
            yield f"{'SESSION_SECRET' if other == 'SESSION_SECRET' else name}: is used for something else too"
    yield from _weak_keys(settings)
    yield from _weak_passwords(settings)


def _weak_keys(settings: Settings) -> Iterator[str]:
    if DEVELOPMENT_KEY in settings.contact_keys:
        yield f"{_SEALING}: is that of development, which is public"
    if any(_repeats_or_counts(base64.urlsafe_b64decode(key)) for key in settings.contact_keys):
        yield f"{_SEALING}: has a key that can be guessed; `slomix contacts new-key` makes one"


def _weak_passwords(settings: Settings) -> Iterator[str]:
    for name, url in _urls(settings):
        if not url.drivername.startswith(("postgresql", "redis")) or is_local(url.host or ""):
            continue
        if str(url.password).lower() in {*_COMMON_PASSWORDS, url.username, "none", ""}:
            yield f"{name}: has no password, or one that attackers try first"


def _secrets(settings: Settings) -> Iterator[tuple[str, str]]:
    for name, value in settings.by_name().items():
        if isinstance(value, SecretStr) and value.get_secret_value():
            yield name, value.get_secret_value()


def _urls(settings: Settings) -> "Iterator[tuple[str, URL]]":
    """Find every address among the settings, whichever setting it is."""
    from sqlalchemy.engine import make_url

    for name, value in settings.by_name().items():
        for text in value if isinstance(value, tuple) else (value,):
            address = text.get_secret_value() if isinstance(text, SecretStr) else text
            if isinstance(address, str) and "://" in address:
                yield name, make_url(address)


def is_loopback(host: str) -> bool:
    """Check whether a host is this machine."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host in {"", "localhost"} or host.endswith(".localhost")


def is_local(host: str) -> bool:
    """Check whether a host is this machine, or one that only containers beside us know by such a name."""
    return is_loopback(host) or ("." not in host and ":" not in host)


def _is_open(url: "URL") -> bool:
    """Check whether traffic to this URL is unencrypted and leaves this machine."""
    hosts = [host for given in (url.host or "", *_listed(url, "host")) for host in given.split(",")]
    if all(is_local(host) or host.startswith("/") for host in hosts):
        return False
    if url.drivername.startswith("postgresql"):
        return not set(_listed(url, "sslmode")) & _ENCRYPTED
    return url.drivername in {"http", "ws", "redis"}


def _listed(url: "URL", name: str) -> tuple[str, ...]:
    found = url.query.get(name, ())
    return (found,) if isinstance(found, str) else found


_SECURE = {"http": "https", "ws": "wss", "redis": "rediss"}


def _in_the_open(settings: Settings) -> Iterator[str]:
    """Find unencrypted addresses of other machines: logins, tokens, numbers and words pass there."""
    for name, url in _urls(settings):
        if _is_open(url):
            yield f"{name}: is not {_SECURE.get(url.drivername, 'with sslmode=require')}, and leads to another machine"
    webhook = settings.telegram_webhook_secret.get_secret_value()
    if webhook and settings.public_url and not settings.public_url.startswith("https://"):
        yield "PUBLIC_URL: is not https, and AVAILABILITY_TELEGRAM_WEBHOOK_SECRET needs that"
    if _trusts_too_many(settings.trusted_proxies):
        yield "TRUSTED_PROXIES: trusts more machines than anybody has proxies"


def _trusts_too_many(networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    public = [
        network
        for network in networks
        if not any(network.version == own.version and network.subnet_of(own) for own in _OWN_NETWORKS)  # type: ignore[arg-type]
    ]
    number = sum(network.num_addresses for network in public if network.version == 4)
    return number > _MOST_PUBLIC or any(network.version == 6 and network.prefixlen < _WIDEST_IPV6 for network in public)


def _for_development(settings: Settings) -> Iterator[str]:
    """Find settings that only development may have."""
    for name, is_set in (
        ("SLOMIX_CLOCK", bool(settings.clock)),
        ("SLOMIX_CLOCK_FILE", settings.clock_file is not None),
        ("SLOMIX_RELOAD", settings.reloads),
        ("SLOMIX_SIMULATOR_URL", bool(settings.simulator_url)),
    ):
        if is_set:
            yield f"{name}: is for development only"
    is_real = not is_loopback(urlsplit(settings.discord_api_base_url).hostname or "")
    for name, secret in (
        ("DISCORD_CLIENT_SECRET", settings.discord_client_secret),
        ("DISCORD_BOT_TOKEN", settings.discord_bot_token),
    ):
        if is_real and secret.get_secret_value().startswith("simulator-"):
            yield f"{name}: is the simulator's, which is public"
