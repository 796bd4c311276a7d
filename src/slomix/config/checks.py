"""Finds settings that keep a process from starting: missing, weak, or for development only."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url

from slomix.config.environment import Environment
from slomix.config.messages import named_variables, without_named
from slomix.config.settings import ENV_PATH, Settings, SettingsError, secret_variables

# Used by `make run` where no secret is set. They are public, so production refuses them, the secret by its words.
DEVELOPMENT_SECRET = "development-only-secret-known-to-everybody"
DEVELOPMENT_KEY = "ZGV2ZWxvcG1lbnQtb25seS1rZXkta25vd24tdG8tYWw="
REFUSED = 2

_LONG_ENOUGH = 32
_PLACEHOLDER = re.compile(
    r"change.?me|change.?this|replace|example|placeholder|your[-_ ]|insecure|development|password|<.*>", re.I
)
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
    if len(set(secret)) < 8 or (secret + secret).find(secret, 1) < 16:
        return "repeats the same few characters"
    if _PLACEHOLDER.search(secret):
        return "is words that stand for a secret"
    return ""


def _weak(settings: Settings) -> Iterator[str]:
    """Find secrets that can be guessed."""
    session = settings.session_secret.get_secret_value()
    bridge = settings.internal_api_secret.get_secret_value()
    webhook = settings.telegram_webhook_secret.get_secret_value()
    for name, secret in (
        ("SESSION_SECRET", session),
        ("INTERNAL_API_SECRET", bridge),
        ("AVAILABILITY_TELEGRAM_WEBHOOK_SECRET", webhook),
    ):
        if secret and (why := weakness_of(secret)):
            yield f"{name}: is too weak: it {why}; `openssl rand -hex 32` makes one"
    if session and session in {bridge, webhook}:
        yield "SESSION_SECRET: is used for something else too"
    if DEVELOPMENT_KEY in settings.contact_keys:
        yield "CONTACT_DATA_ENCRYPTION_KEY: is that of development, which is public"
    url = make_url(settings.database_url.get_secret_value()) if settings.database_url.get_secret_value() else None
    if url and not is_loopback(url.host or "") and str(url.password).lower() in {*_COMMON_PASSWORDS, url.username}:
        yield "DATABASE_URL: has a password that attackers try first"


def is_loopback(host: str) -> bool:
    """Check whether a host is this machine."""
    return host in {"", "localhost", "::1"} or host.endswith(".localhost") or host.startswith("127.")


def _is_open(url: str) -> bool:
    """Check whether traffic to this URL is unencrypted and leaves this machine."""
    taken_apart = urlsplit(url)
    return taken_apart.scheme in {"http", "ws"} and not is_loopback(taken_apart.hostname or "")


def _in_the_open(settings: Settings) -> Iterator[str]:
    """Find plain http where logins and tokens pass."""
    for name, url in (
        ("PUBLIC_URL", settings.public_url),
        ("DISCORD_REDIRECT_URI", settings.discord_redirect_uri),
        ("DISCORD_API_BASE_URL", settings.discord_api_base_url),
        ("DISCORD_GATEWAY_URL", settings.discord_gateway_url),
        ("DISCORD_AUTHORIZE_URL", settings.discord_authorize_url),
        ("DISCORD_TOKEN_URL", settings.discord_token_url),
        ("AVAILABILITY_TELEGRAM_API_BASE_URL", settings.telegram_api_base_url),
    ):
        if url and _is_open(url):
            secure = "wss" if url.startswith("ws") else "https"
            yield f"{name}: is not {secure}, and leads to another machine"
    webhook = settings.telegram_webhook_secret.get_secret_value()
    if webhook and settings.public_url and not settings.public_url.startswith("https://"):
        yield "PUBLIC_URL: is not https, and AVAILABILITY_TELEGRAM_WEBHOOK_SECRET needs that"
    if any(network.prefixlen == 0 for network in settings.trusted_proxies):
        yield "TRUSTED_PROXIES: trusts every machine there is"


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
