"""All settings, read once from the environment; what makes no sense stops the start with the variable's name."""

import re
from collections.abc import Callable
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AliasChoices,
    Field,
    PositiveInt,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from slomix import values
from slomix.values import ClockTime, DatabaseUrl, DiscordIdList, DiscordIds, Networks, RedisUrl, Words, Zone

# What `make run` uses where no secret is set: known to everybody, so production refuses them.
DEVELOPMENT_SECRET = "development-only-secret-known-to-everybody"
DEVELOPMENT_KEY = "ZGV2ZWxvcG1lbnQtb25seS1rZXkta25vd24tdG8tYWw="
# One account, room or server; empty for none.
DiscordId = Annotated[str, Field(pattern=r"^[0-9]*$")]
HOST = r"^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)?$"


class SettingsError(Exception):
    """The environment makes no sense; the text names each variable and what is wrong with it."""


def _env(name: str) -> AliasChoices:
    return AliasChoices(name)


class Settings(BaseSettings):
    """What the operator decided. Frozen; made by `Settings.from_env()` and handed on inside `Runtime`."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_file_encoding="utf-8",
        arbitrary_types_allowed=True,
        env_ignore_empty=True,
        case_sensitive=True,
        populate_by_name=True,
    )

    # The process
    environment: Literal["production", "development"] = Field("production", validation_alias=_env("SLOMIX_ENV"))
    port: int = Field(7000, ge=1, le=65534, validation_alias=_env("PORT"))
    bind: str = Field("127.0.0.1", pattern=HOST, validation_alias=_env("SLOMIX_BIND"))
    public_url: str = Field("", validation_alias=_env("PUBLIC_URL"))
    clock_file: Path | None = Field(None, validation_alias=_env("SLOMIX_CLOCK_FILE"))
    database_url: DatabaseUrl = Field(SecretStr(""), validation_alias=_env("DATABASE_URL"))
    redis_url: RedisUrl = Field(SecretStr(""), validation_alias=_env("REDIS_URL"))
    session_secret: SecretStr = Field(SecretStr(""), validation_alias=_env("SESSION_SECRET"))
    internal_api_secret: SecretStr = Field(SecretStr(""), validation_alias=_env("INTERNAL_API_SECRET"))
    contact_encryption_key: SecretStr = Field(SecretStr(""), validation_alias=_env("CONTACT_DATA_ENCRYPTION_KEY"))
    trusted_proxies: Networks = Field((), validation_alias=_env("TRUSTED_PROXIES"))
    worker_threads: int = Field(16, ge=1, le=200, validation_alias=_env("SLOMIX_WORKER_THREADS"))
    reloads: bool = Field(False, validation_alias=_env("SLOMIX_RELOAD"))
    validate_only: bool = Field(False, validation_alias=_env("BOT_STARTUP_VALIDATE_ONLY"))

    # Discord
    discord_client_id: str = Field("", validation_alias=_env("DISCORD_CLIENT_ID"))
    discord_client_secret: SecretStr = Field(SecretStr(""), validation_alias=_env("DISCORD_CLIENT_SECRET"))
    discord_redirect_uri: str = Field("", validation_alias=_env("DISCORD_REDIRECT_URI"))
    discord_redirect_uri_allowlist: Words = Field((), validation_alias=_env("DISCORD_REDIRECT_URI_ALLOWLIST"))
    discord_bot_token: SecretStr = Field(SecretStr(""), validation_alias=_env("DISCORD_BOT_TOKEN"))
    discord_guild_id: DiscordId = Field("", validation_alias=_env("DISCORD_GUILD_ID"))
    discord_api_base_url: str = Field("https://discord.com/api/v10", validation_alias=_env("DISCORD_API_BASE_URL"))
    discord_gateway_url: str = Field("wss://gateway.discord.gg/", validation_alias=_env("DISCORD_GATEWAY_URL"))
    discord_authorize_url: str = Field(
        "https://discord.com/oauth2/authorize", validation_alias=_env("DISCORD_AUTHORIZE_URL")
    )
    discord_token_url: str = Field("https://discord.com/api/oauth2/token", validation_alias=_env("DISCORD_TOKEN_URL"))
    gaming_voice_channels: DiscordIdList = Field((), validation_alias=_env("GAMING_VOICE_CHANNELS"))
    afk_voice_channel: DiscordId = Field("", validation_alias=_env("AFK_VOICE_CHANNEL"))
    oauth_state_ttl_seconds: int = Field(600, ge=30, le=3600, validation_alias=_env("DISCORD_OAUTH_STATE_TTL_SECONDS"))
    oauth_limit: int = Field(40, ge=1, validation_alias=_env("DISCORD_OAUTH_RATE_LIMIT_MAX_REQUESTS"))
    oauth_limit_seconds: int = Field(
        60, ge=1, le=3600, validation_alias=_env("DISCORD_OAUTH_RATE_LIMIT_WINDOW_SECONDS")
    )

    # Telegram and Signal
    telegram_enabled: bool = Field(False, validation_alias=_env("AVAILABILITY_TELEGRAM_ENABLED"))
    telegram_bot_token: SecretStr = Field(SecretStr(""), validation_alias=_env("AVAILABILITY_TELEGRAM_BOT_TOKEN"))
    telegram_api_base_url: str = Field(
        "https://api.telegram.org", validation_alias=_env("AVAILABILITY_TELEGRAM_API_BASE_URL")
    )
    telegram_webhook_secret: SecretStr = Field(
        SecretStr(""), validation_alias=_env("AVAILABILITY_TELEGRAM_WEBHOOK_SECRET")
    )
    signal_enabled: bool = Field(False, validation_alias=_env("AVAILABILITY_SIGNAL_ENABLED"))
    signal_daemon_url: str = Field("", validation_alias=_env("AVAILABILITY_SIGNAL_DAEMON_URL"))
    signal_sender: str = Field("", validation_alias=_env("AVAILABILITY_SIGNAL_SENDER"))
    link_code_interval_seconds: int = Field(
        30, ge=0, le=3600, validation_alias=_env("AVAILABILITY_LINK_TOKEN_MIN_INTERVAL_SECONDS")
    )

    # People with rights
    player_link_approval: bool = Field(False, validation_alias=_env("PLAYER_LINK_APPROVAL"))
    promoter_discord_ids: DiscordIds = Field(frozenset(), validation_alias=_env("PROMOTER_DISCORD_IDS"))
    admin_discord_ids: DiscordIds = Field(frozenset(), validation_alias=_env("WEBSITE_ADMIN_DISCORD_IDS"))
    owner_user_id: DiscordId = Field("", validation_alias=_env("OWNER_USER_ID"))

    # The game night
    zone: Zone = Field(ZoneInfo("Europe/Ljubljana"), validation_alias=_env("AVAILABILITY_PROMOTION_TIMEZONE"))
    day_starts_at: ClockTime = Field(time(0), validation_alias=_env("AVAILABILITY_DAY_STARTS_AT"))
    ready_threshold: PositiveInt = Field(6, validation_alias=_env("AVAILABILITY_SESSION_READY_THRESHOLD"))
    daily_reminder_time: ClockTime = Field(time(16), validation_alias=_env("AVAILABILITY_DAILY_REMINDER_TIME"))
    promotion_enabled: bool = Field(True, validation_alias=_env("AVAILABILITY_PROMOTION_ENABLED"))
    reminder_time: ClockTime = Field(time(20, 45), validation_alias=_env("AVAILABILITY_PROMOTION_REMINDER_TIME"))
    start_time: ClockTime = Field(time(21), validation_alias=_env("AVAILABILITY_PROMOTION_START_TIME"))
    voice_check_delay_seconds: int = Field(
        30, ge=0, le=1200, validation_alias=_env("AVAILABILITY_PROMOTION_VOICE_CHECK_DELAY_SECONDS")
    )
    voice_check_enabled: bool = Field(True, validation_alias=_env("AVAILABILITY_PROMOTION_VOICE_CHECK_ENABLED"))
    global_cooldown: bool = Field(True, validation_alias=_env("AVAILABILITY_PROMOTION_GLOBAL_COOLDOWN"))
    dry_run_default: bool = Field(False, validation_alias=_env("AVAILABILITY_PROMOTION_DRY_RUN_DEFAULT"))
    job_max_attempts: int = Field(5, ge=1, le=50, validation_alias=_env("AVAILABILITY_PROMOTION_JOB_MAX_ATTEMPTS"))
    followup_channel_id: DiscordId = Field("", validation_alias=_env("AVAILABILITY_PROMOTION_FOLLOWUP_CHANNEL_ID"))
    announce_enabled: bool = Field(False, validation_alias=_env("AVAILABILITY_DISCORD_CHANNEL_ANNOUNCE_ENABLED"))
    announce_channel_id: DiscordId = Field("", validation_alias=_env("AVAILABILITY_DISCORD_ANNOUNCE_CHANNEL_ID"))
    planning_create_thread: bool = Field(False, validation_alias=_env("AVAILABILITY_PLANNING_DISCORD_CREATE_THREAD"))
    planning_thread_parent: DiscordId = Field(
        "", validation_alias=_env("AVAILABILITY_PLANNING_THREAD_PARENT_CHANNEL_ID")
    )
    summary_names: bool = Field(True, validation_alias=_env("AVAILABILITY_PROMOTION_SUMMARY_NAMES"))
    presence_max_age_seconds: int = Field(
        90, ge=20, le=600, validation_alias=_env("AVAILABILITY_PRESENCE_MAX_AGE_SECONDS")
    )

    # The game server: a name or an address without its port
    game_server_host: str = Field("", pattern=HOST, validation_alias=_env("GAME_SERVER_HOST"))
    game_server_port: int = Field(27960, ge=1, le=65535, validation_alias=_env("GAME_SERVER_PORT"))
    server_check_enabled: bool = Field(True, validation_alias=_env("AVAILABILITY_PROMOTION_SERVER_CHECK_ENABLED"))

    @field_validator("*", mode="before")
    @classmethod
    def _strip_comment(cls, value: Any, field: ValidationInfo) -> Any:
        """What stands before the comment; where nothing does, the variable counts as not set."""
        plain = values.without_comment(value)
        return cls.model_fields[field.field_name or ""].default if plain == "" else plain

    @model_validator(mode="after")
    def _fits_together(self) -> "Settings":
        night = [(one < self.day_starts_at, one) for one in (self.reminder_time, self.start_time)]
        if night[0] >= night[1]:
            raise ValueError("AVAILABILITY_PROMOTION_REMINDER_TIME is not before the start of the same evening")
        for name, url in (
            ("DISCORD_API_BASE_URL", self.discord_api_base_url),
            ("DISCORD_AUTHORIZE_URL", self.discord_authorize_url),
            ("DISCORD_TOKEN_URL", self.discord_token_url),
            ("AVAILABILITY_TELEGRAM_API_BASE_URL", self.telegram_api_base_url),
            *([("AVAILABILITY_SIGNAL_DAEMON_URL", self.signal_daemon_url)] if self.signal_daemon_url else []),
            *([("PUBLIC_URL", self.public_url)] if self.public_url else []),
        ):
            if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
                raise ValueError(f"{name}: {url!r} is not an http address")
        allowed = self.discord_redirect_uri_allowlist
        if allowed and self.login_redirect_uri not in allowed:
            raise ValueError(
                f"DISCORD_REDIRECT_URI: {self.login_redirect_uri} is not in DISCORD_REDIRECT_URI_ALLOWLIST"
            )
        return self

    @model_validator(mode="after")
    def _can_reach(self) -> "Settings":
        """Keys that open something, and all that a channel needs that is switched on."""
        for key in self.contact_keys:
            if not values.is_fernet_key(key):
                raise ValueError(
                    "CONTACT_DATA_ENCRYPTION_KEY: each key is 32 bytes in url-safe base64; `slomix contacts new-key`"
                    " makes one"
                )
        if not re.fullmatch(r"[A-Za-z0-9_-]{0,256}", self.telegram_webhook_secret.get_secret_value()):
            raise ValueError("AVAILABILITY_TELEGRAM_WEBHOOK_SECRET: Telegram takes up to 256 of A-Z a-z 0-9 _ -")
        needed = []
        if self.telegram_enabled:
            needed.append(("AVAILABILITY_TELEGRAM_BOT_TOKEN", self.telegram_bot_token.get_secret_value()))
        if self.signal_enabled:
            needed.append(("AVAILABILITY_SIGNAL_DAEMON_URL", self.signal_daemon_url))
            needed.append(("AVAILABILITY_SIGNAL_SENDER", self.signal_sender))
            if self.signal_sender and not values.is_e164(self.signal_sender):
                raise ValueError("AVAILABILITY_SIGNAL_SENDER: is not a phone number such as +38640123456")
        if self.planning_create_thread:
            needed.append(("AVAILABILITY_PLANNING_THREAD_PARENT_CHANNEL_ID", self.planning_thread_parent))
            needed.append(("DISCORD_GUILD_ID", self.discord_guild_id))
        for name, value in needed:
            if not value:
                raise ValueError(f"{name}: is not set, and what needs it is switched on")
        return self

    @classmethod
    def from_env(cls, env_file: Path | None = Path(".env")) -> "Settings":
        """Read the environment, which wins over `env_file`. Raise SettingsError naming what is wrong."""
        try:
            return cls(_env_file=env_file)  # type: ignore[call-arg]
        except ValidationError as error:
            raise SettingsError("\n".join(_sentence(problem) for problem in error.errors())) from None

    # What follows from the settings

    @property
    def is_development(self) -> bool:
        return self.environment == "development"

    @property
    def base_url(self) -> str:
        """Where people reach the pages; messages link to it."""
        return (self.public_url or f"http://127.0.0.1:{self.port}").rstrip("/")

    @property
    def login_redirect_uri(self) -> str:
        return self.discord_redirect_uri or f"{self.base_url}/auth/callback"

    @property
    def summary_channel_id(self) -> str:
        """The room the summary goes to, or nothing."""
        return self.followup_channel_id or self.announce_channel_id

    @property
    def contact_keys(self) -> tuple[str, ...]:
        """The keys of the addresses at rest, the newest first."""
        return tuple(key.strip() for key in self.contact_encryption_key.get_secret_value().split(",") if key.strip())

    @property
    def channels_on(self) -> frozenset[str]:
        """The names of the channels that messages may take."""
        switched = {
            "discord": True,
            "telegram": self.telegram_enabled and bool(self.contact_keys),
            "signal": self.signal_enabled and bool(self.contact_keys),
        }
        return frozenset(name for name, is_on in switched.items() if is_on)

    @property
    def all_admin_ids(self) -> frozenset[str]:
        return self.admin_discord_ids | ({self.owner_user_id} if self.owner_user_id else frozenset())

    @property
    def voice_check_delay(self) -> timedelta:
        return timedelta(seconds=self.voice_check_delay_seconds)

    @property
    def presence_max_age(self) -> timedelta:
        return timedelta(seconds=self.presence_max_age_seconds)


def _sentence(problem: Any) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else ""
    text = str(problem["msg"]).removeprefix("Value error, ")
    return f"{name}: {text}" if name else text


def problems_for_start(settings: Settings) -> list[str]:
    """What must be mended before any process may start; the rest is judged by the process that needs it."""
    checks: list[tuple[Callable[[], bool], str]] = [
        (lambda: not settings.database_url.get_secret_value(), "DATABASE_URL: is not set"),
        (lambda: not settings.redis_url.get_secret_value(), "REDIS_URL: is not set"),
        (lambda: not settings.session_secret.get_secret_value(), "SESSION_SECRET: is not set"),
    ]
    if not settings.is_development:
        secret = settings.session_secret.get_secret_value()
        checks += [
            (
                lambda: bool(secret) and (secret == DEVELOPMENT_SECRET or len(secret) < 32),
                "SESSION_SECRET: is too weak",
            ),
            (
                lambda: DEVELOPMENT_KEY in settings.contact_keys,
                "CONTACT_DATA_ENCRYPTION_KEY: is that of development, which everybody knows",
            ),
            (
                lambda: settings.internal_api_secret.get_secret_value() == DEVELOPMENT_SECRET,
                "INTERNAL_API_SECRET: is that of development, which everybody knows",
            ),
            (
                lambda: 0 < len(settings.telegram_webhook_secret.get_secret_value()) < 32,
                "AVAILABILITY_TELEGRAM_WEBHOOK_SECRET: is too weak",
            ),
            (
                lambda: (
                    bool(settings.telegram_webhook_secret.get_secret_value())
                    and not settings.base_url.startswith("https://")
                ),
                "PUBLIC_URL: Telegram posts to an https address only",
            ),
            (lambda: settings.clock_file is not None, "SLOMIX_CLOCK_FILE: is for development only"),
            (lambda: 0 < len(settings.internal_api_secret.get_secret_value()) < 32, "INTERNAL_API_SECRET: is too weak"),
        ]
    return [sentence for is_wrong, sentence in checks if is_wrong()]
