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
    BeforeValidator,
    Field,
    PositiveInt,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_TRAILING_COMMENT = re.compile(r"(?:^|\s)#.*$")

# What `make run` uses where no secret is set: known to everybody, so production refuses them.
DEVELOPMENT_SECRET = "development-only-secret-known-to-everybody"


class SettingsError(Exception):
    """The environment makes no sense; the text names each variable and what is wrong with it."""


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


DatabaseUrl = Annotated[SecretStr, BeforeValidator(_database_url)]
RedisUrl = Annotated[SecretStr, BeforeValidator(_redis_url)]
DiscordIds = Annotated[frozenset[str], NoDecode, BeforeValidator(_ids)]
DiscordIdList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_id_list)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]
ClockTime = Annotated[time, BeforeValidator(_clock_time)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]


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
    public_url: str = Field("", validation_alias=_env("PUBLIC_URL"))
    clock_file: Path | None = Field(None, validation_alias=_env("SLOMIX_CLOCK_FILE"))
    database_url: DatabaseUrl = Field(SecretStr(""), validation_alias=_env("DATABASE_URL"))
    redis_url: RedisUrl = Field(SecretStr(""), validation_alias=_env("REDIS_URL"))
    session_secret: SecretStr = Field(SecretStr(""), validation_alias=_env("SESSION_SECRET"))
    worker_threads: int = Field(16, ge=1, le=200, validation_alias=_env("SLOMIX_WORKER_THREADS"))
    reloads: bool = Field(False, validation_alias=_env("SLOMIX_RELOAD"))
    validate_only: bool = Field(False, validation_alias=_env("BOT_STARTUP_VALIDATE_ONLY"))

    # Discord
    discord_client_id: str = Field("", validation_alias=_env("DISCORD_CLIENT_ID"))
    discord_client_secret: SecretStr = Field(SecretStr(""), validation_alias=_env("DISCORD_CLIENT_SECRET"))
    discord_redirect_uri: str = Field("", validation_alias=_env("DISCORD_REDIRECT_URI"))
    discord_redirect_uri_allowlist: Words = Field((), validation_alias=_env("DISCORD_REDIRECT_URI_ALLOWLIST"))
    discord_bot_token: SecretStr = Field(SecretStr(""), validation_alias=_env("DISCORD_BOT_TOKEN"))
    discord_guild_id: str = Field("", pattern=r"^[0-9]*$", validation_alias=_env("DISCORD_GUILD_ID"))
    discord_api_base_url: str = Field("https://discord.com/api/v10", validation_alias=_env("DISCORD_API_BASE_URL"))
    discord_gateway_url: str = Field("wss://gateway.discord.gg/", validation_alias=_env("DISCORD_GATEWAY_URL"))
    discord_authorize_url: str = Field(
        "https://discord.com/oauth2/authorize", validation_alias=_env("DISCORD_AUTHORIZE_URL")
    )
    discord_token_url: str = Field("https://discord.com/api/oauth2/token", validation_alias=_env("DISCORD_TOKEN_URL"))
    gaming_voice_channels: DiscordIdList = Field((), validation_alias=_env("GAMING_VOICE_CHANNELS"))
    afk_voice_channel: str = Field("", pattern=r"^[0-9]*$", validation_alias=_env("AFK_VOICE_CHANNEL"))
    oauth_state_ttl_seconds: int = Field(600, ge=30, le=3600, validation_alias=_env("DISCORD_OAUTH_STATE_TTL_SECONDS"))

    # People with rights
    promoter_discord_ids: DiscordIds = Field(frozenset(), validation_alias=_env("PROMOTER_DISCORD_IDS"))
    admin_discord_ids: DiscordIds = Field(frozenset(), validation_alias=_env("WEBSITE_ADMIN_DISCORD_IDS"))
    owner_user_id: str = Field("", pattern=r"^[0-9]*$", validation_alias=_env("OWNER_USER_ID"))

    # The game night
    zone: Zone = Field(ZoneInfo("Europe/Ljubljana"), validation_alias=_env("AVAILABILITY_PROMOTION_TIMEZONE"))
    day_starts_at: ClockTime = Field(time(0), validation_alias=_env("AVAILABILITY_DAY_STARTS_AT"))
    ready_threshold: PositiveInt = Field(6, validation_alias=_env("AVAILABILITY_SESSION_READY_THRESHOLD"))
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
    followup_channel_id: str = Field(
        "", pattern=r"^[0-9]*$", validation_alias=_env("AVAILABILITY_PROMOTION_FOLLOWUP_CHANNEL_ID")
    )
    announce_channel_id: str = Field(
        "", pattern=r"^[0-9]*$", validation_alias=_env("AVAILABILITY_DISCORD_ANNOUNCE_CHANNEL_ID")
    )
    summary_names: bool = Field(True, validation_alias=_env("AVAILABILITY_PROMOTION_SUMMARY_NAMES"))
    presence_max_age_seconds: int = Field(
        90, ge=20, le=600, validation_alias=_env("AVAILABILITY_PRESENCE_MAX_AGE_SECONDS")
    )

    @field_validator("*", mode="before")
    @classmethod
    def _strip_comment(cls, value: Any, field: ValidationInfo) -> Any:
        """What stands before the comment; where nothing does, the variable counts as not set."""
        plain = without_comment(value)
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
        ):
            if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
                raise ValueError(f"{name}: {url!r} is not an http address")
        allowed = self.discord_redirect_uri_allowlist
        if allowed and self.login_redirect_uri not in allowed:
            raise ValueError(
                f"DISCORD_REDIRECT_URI: {self.login_redirect_uri} is not in DISCORD_REDIRECT_URI_ALLOWLIST"
            )
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
            (lambda: settings.clock_file is not None, "SLOMIX_CLOCK_FILE: is for development only"),
        ]
    return [sentence for is_wrong, sentence in checks if is_wrong()]
