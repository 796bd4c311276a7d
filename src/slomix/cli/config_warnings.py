"""Warns operators of settings that are valid, but perhaps not intended."""

import stat
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from slomix.config.checks import is_loopback
from slomix.config.environment import ENV_FILE, Environment
from slomix.config.settings import Settings, secret_variables, variable_names

# Our variables that are no settings: switches of make, tests and development.
_ASIDE = {"SKIP_INSTALL", "SKIP_HEALTHCHECK", "SLOMIX_NO_BROWSER", "SLOMIX_PICTURES", "SLOMIX_VISIBLE"}
_OURS = ("AVAILABILITY_", "DISCORD_", "SLOMIX_")


def find_warnings(settings: Settings, given: Environment) -> list[str]:
    """Return a sentence for each warning, beginning with the name of the variable."""
    return [
        *_unknown_names(given),
        *_rooms(settings),
        *_people(settings),
        *_channels(settings),
        *_switched_off(settings),
        *_addresses(settings),
    ]


def _unknown_names(given: Environment) -> Iterator[str]:
    """Warn of names that look like a setting but are none."""
    known = set(variable_names()) | {f"{name}_FILE" for name in secret_variables()}
    for name in sorted(set(given.values) - known - _ASIDE):
        close = get_close_matches(name, known, n=1, cutoff=0.85)
        if name.removesuffix("_FILE") in known:
            yield f"{name}: is not read; only a secret may stand in a file"
        elif close:
            yield f"{name}: is no setting; perhaps {close[0]} is meant"
        elif name.startswith(_OURS):
            yield f"{name}: is no setting"


def _rooms(settings: Settings) -> Iterator[str]:
    if not settings.gaming_voice_channels:
        yield "GAMING_VOICE_CHANNELS: is not set; being in any voice room but the AFK room counts as being there"
    if settings.afk_voice_channel in settings.gaming_voice_channels and settings.afk_voice_channel:
        yield "AFK_VOICE_CHANNEL: is one of GAMING_VOICE_CHANNELS"
    if not settings.summary_channel_id:
        yield "AVAILABILITY_PROMOTION_FOLLOWUP_CHANNEL_ID: is not set; who came and who did not is told to no room"
    if settings.announce_enabled and not settings.announce_channel_id:
        yield (
            "AVAILABILITY_DISCORD_ANNOUNCE_CHANNEL_ID: is not set, and"
            " AVAILABILITY_DISCORD_CHANNEL_ANNOUNCE_ENABLED, which needs it, is on"
        )
    if settings.server_check_enabled and not settings.game_server_host:
        yield "GAME_SERVER_HOST: is not set; no player is recognised on the game server"


def _people(settings: Settings) -> Iterator[str]:
    if not settings.all_admin_ids:
        yield "WEBSITE_ADMIN_DISCORD_IDS: is not set; `slomix roles grant` makes an admin too"
    if not settings.promoter_discord_ids:
        yield "PROMOTER_DISCORD_IDS: is not set; `slomix roles grant` makes a promoter too"


def _channels(settings: Settings) -> Iterator[str]:
    for channel, is_on, switch, needed in (
        ("Telegram", settings.telegram_enabled, "AVAILABILITY_TELEGRAM_ENABLED", settings.telegram_bot_token),
        ("Signal", settings.signal_enabled, "AVAILABILITY_SIGNAL_ENABLED", settings.signal_daemon_url),
    ):
        if is_on and not settings.contact_keys:
            yield f"CONTACT_DATA_ENCRYPTION_KEY: is not set, so that {channel} is off in spite of {switch}"
        if not is_on and needed:
            yield f"{switch}: is not on, and what {channel} needs is set"
    if settings.signal_daemon_url.startswith("http://") and not is_loopback(_host(settings.signal_daemon_url)):
        yield "AVAILABILITY_SIGNAL_DAEMON_URL: is not https, and leads to another machine; is its network your own?"


def _switched_off(settings: Settings) -> Iterator[str]:
    if not settings.promotion_enabled:
        yield "AVAILABILITY_PROMOTION_ENABLED: is off; no promoter can call an evening together"
    if settings.dry_run_default:
        yield "AVAILABILITY_PROMOTION_DRY_RUN_DEFAULT: is on; a campaign sends nothing unless its promoter says so"
    if settings.validate_only:
        yield "BOT_STARTUP_VALIDATE_ONLY: is on; processes look at their settings and end"


def _addresses(settings: Settings) -> Iterator[str]:
    is_public = settings.public_url.startswith("https://")
    if is_public and not settings.trusted_proxies:
        yield "TRUSTED_PROXIES: is not set; behind a proxy all visitors count as one, and their limits with them"
    if is_public and settings.is_development:
        yield "SLOMIX_ENV: is development, and PUBLIC_URL is a public one"
    redirect = urlsplit(settings.login_redirect_uri)
    if redirect.hostname != urlsplit(settings.base_url).hostname:
        yield "DISCORD_REDIRECT_URI: leads to another host than PUBLIC_URL; players who log in come back as strangers"
    if redirect.path != "/auth/callback":
        yield "DISCORD_REDIRECT_URI: does not end in /auth/callback, where logins come back"
    if not settings.is_development and is_loopback(_host(settings.discord_api_base_url)):
        yield "DISCORD_API_BASE_URL: leads to this machine; it is not Discord that answers"
    if not settings.is_development and settings.public_url and is_loopback(_host(settings.public_url)):
        yield "PUBLIC_URL: leads to this machine; links in messages open nowhere else"


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def file_warnings(env_file: Path) -> list[str]:
    """Warn of secrets in a file that every account can read."""
    try:
        is_open = env_file.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH)
    except OSError:
        return []
    return [f"{ENV_FILE}: every account of this machine can read it; `chmod 600 {ENV_FILE}`"] if is_open else []
