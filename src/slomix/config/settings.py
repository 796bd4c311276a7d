"""All settings, read once from the environment; an invalid variable stops the start by name."""

import re
from datetime import time, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from slomix.clock import Anchor, wall_now
from slomix.config.environment import Environment
from slomix.config.messages import describe_problem, without_named
from slomix.config.types import (
    BaseUrl,
    ClockTime,
    DatabaseUrl,
    DiscordId,
    DiscordIdList,
    DiscordIds,
    Host,
    HttpUrl,
    HttpUrls,
    Keys,
    Languages,
    Line,
    LongToken,
    Networks,
    Number,
    PageUrl,
    PhoneNumber,
    PublicKey,
    RedisUrl,
    SocketUrl,
    Switch,
    TelegramToken,
    Token,
    WebhookSecret,
    Zone,
    same_database,
)

ENV_PATH = Path(".env")
_THREADS = "AVAILABILITY_PLANNING_DISCORD_CREATE_THREAD"
_EVENING_MESSAGE = "AVAILABILITY_DISCORD_EVENING_MESSAGE_ENABLED"
_SCHEDULED_EVENT = "AVAILABILITY_DISCORD_SCHEDULED_EVENT_ENABLED"


class SettingsError(Exception):
    """The settings are invalid; the text names each variable and what is wrong with it."""


class Settings(BaseModel):
    """The operator's decisions. Frozen; made by `Settings.from_env()` and passed on inside `Runtime`."""

    model_config = ConfigDict(frozen=True, extra="ignore", arbitrary_types_allowed=True, populate_by_name=True)

    # The process
    environment: Literal["production", "development"] = Field("production", validation_alias="SLOMIX_ENV")
    port: Number = Field(7000, ge=1, le=65534, validation_alias="PORT")
    bind: Host = Field("127.0.0.1", validation_alias="SLOMIX_BIND")
    # How many of each process `slomix up` and the units of systemd run: web=2,worker=3; one of what is not named.
    formation: str = Field("", validation_alias="SLOMIX_FORMATION")
    # The name of a process among its kind on this machine, such as worker.2; set where several are started.
    process_name: str = Field("", validation_alias="SLOMIX_PROCESS")
    community_name: Line = Field("Slomix", validation_alias="COMMUNITY_NAME")
    game_name: Line = Field("ET:Legacy", validation_alias="GAME_NAME")
    # That of rooms, and of who chose none, comes first.
    languages: Languages = Field(("en", "sl"), validation_alias="SLOMIX_LANGUAGES")
    public_url: PageUrl = Field("", validation_alias="PUBLIC_URL")
    clock_file: Path | None = Field(None, validation_alias="SLOMIX_CLOCK_FILE")
    # The simulator that `slomix up` has started beside this copy, if any.
    simulator_url: HttpUrl = Field("", validation_alias="SLOMIX_SIMULATOR_URL")
    clock: str = Field("", validation_alias="SLOMIX_CLOCK")
    database_url: DatabaseUrl = Field(SecretStr(""), validation_alias="DATABASE_URL")
    database_owner_url: DatabaseUrl = Field(SecretStr(""), validation_alias="DATABASE_OWNER_URL")
    redis_url: RedisUrl = Field(SecretStr(""), validation_alias="REDIS_URL")
    session_secret: SecretStr = Field(SecretStr(""), validation_alias="SESSION_SECRET")
    internal_api_secret: Token = Field(SecretStr(""), validation_alias="INTERNAL_API_SECRET")
    contact_encryption_key: Keys = Field(SecretStr(""), validation_alias="CONTACT_DATA_ENCRYPTION_KEY")
    trusted_proxies: Networks = Field((), validation_alias="TRUSTED_PROXIES")
    metrics_token: LongToken = Field(SecretStr(""), validation_alias="METRICS_TOKEN")
    retention_days: Number = Field(180, ge=7, le=3650, validation_alias="SLOMIX_RETENTION_DAYS")
    worker_threads: Number = Field(16, ge=1, le=200, validation_alias="SLOMIX_WORKER_THREADS")
    reloads: Switch = Field(False, validation_alias="SLOMIX_RELOAD")
    validate_only: Switch = Field(False, validation_alias="BOT_STARTUP_VALIDATE_ONLY")

    # Discord
    discord_client_id: DiscordId = Field("", validation_alias="DISCORD_CLIENT_ID")
    discord_client_secret: Token = Field(SecretStr(""), validation_alias="DISCORD_CLIENT_SECRET")
    discord_redirect_uri: HttpUrl = Field("", validation_alias="DISCORD_REDIRECT_URI")
    discord_redirect_uri_allowlist: HttpUrls = Field((), validation_alias="DISCORD_REDIRECT_URI_ALLOWLIST")
    discord_public_key: PublicKey = Field("", validation_alias="DISCORD_PUBLIC_KEY")
    discord_bot_token: Token = Field(SecretStr(""), validation_alias="DISCORD_BOT_TOKEN")
    discord_guild_id: DiscordId = Field("", validation_alias="DISCORD_GUILD_ID")
    discord_api_base_url: BaseUrl = Field("https://discord.com/api/v10", validation_alias="DISCORD_API_BASE_URL")
    discord_gateway_url: SocketUrl = Field("wss://gateway.discord.gg/", validation_alias="DISCORD_GATEWAY_URL")
    discord_authorize_url: HttpUrl = Field(
        "https://discord.com/oauth2/authorize", validation_alias="DISCORD_AUTHORIZE_URL"
    )
    discord_token_url: HttpUrl = Field("https://discord.com/api/oauth2/token", validation_alias="DISCORD_TOKEN_URL")
    gaming_voice_channels: DiscordIdList = Field((), validation_alias="GAMING_VOICE_CHANNELS")
    afk_voice_channel: DiscordId = Field("", validation_alias="AFK_VOICE_CHANNEL")
    oauth_state_ttl_seconds: Number = Field(600, ge=30, le=3600, validation_alias="DISCORD_OAUTH_STATE_TTL_SECONDS")
    oauth_limit: Number = Field(40, ge=1, le=100_000, validation_alias="DISCORD_OAUTH_RATE_LIMIT_MAX_REQUESTS")
    oauth_limit_seconds: Number = Field(60, ge=1, le=3600, validation_alias="DISCORD_OAUTH_RATE_LIMIT_WINDOW_SECONDS")

    # Telegram and Signal
    telegram_enabled: Switch = Field(False, validation_alias="AVAILABILITY_TELEGRAM_ENABLED")
    telegram_bot_token: TelegramToken = Field(SecretStr(""), validation_alias="AVAILABILITY_TELEGRAM_BOT_TOKEN")
    telegram_api_base_url: BaseUrl = Field(
        "https://api.telegram.org", validation_alias="AVAILABILITY_TELEGRAM_API_BASE_URL"
    )
    telegram_webhook_secret: WebhookSecret = Field(
        SecretStr(""), validation_alias="AVAILABILITY_TELEGRAM_WEBHOOK_SECRET"
    )
    signal_enabled: Switch = Field(False, validation_alias="AVAILABILITY_SIGNAL_ENABLED")
    signal_daemon_url: BaseUrl = Field("", validation_alias="AVAILABILITY_SIGNAL_DAEMON_URL")
    signal_sender: PhoneNumber = Field("", validation_alias="AVAILABILITY_SIGNAL_SENDER")
    link_code_interval_seconds: Number = Field(
        30, ge=0, le=3600, validation_alias="AVAILABILITY_LINK_TOKEN_MIN_INTERVAL_SECONDS"
    )

    # People with rights
    player_link_approval: Switch = Field(False, validation_alias="PLAYER_LINK_APPROVAL")
    promoter_discord_ids: DiscordIds = Field(frozenset(), validation_alias="PROMOTER_DISCORD_IDS")
    admin_discord_ids: DiscordIds = Field(frozenset(), validation_alias="WEBSITE_ADMIN_DISCORD_IDS")
    owner_user_id: DiscordId = Field("", validation_alias="OWNER_USER_ID")

    # The game night
    zone: Zone = Field(ZoneInfo("Europe/Ljubljana"), validation_alias="AVAILABILITY_PROMOTION_TIMEZONE")
    day_starts_at: ClockTime = Field(time(0), validation_alias="AVAILABILITY_DAY_STARTS_AT")
    ready_threshold: Number = Field(6, ge=1, le=200, validation_alias="AVAILABILITY_SESSION_READY_THRESHOLD")
    daily_reminder_time: ClockTime = Field(time(16), validation_alias="AVAILABILITY_DAILY_REMINDER_TIME")
    promotion_enabled: Switch = Field(True, validation_alias="AVAILABILITY_PROMOTION_ENABLED")
    reminder_time: ClockTime = Field(time(20, 45), validation_alias="AVAILABILITY_PROMOTION_REMINDER_TIME")
    start_time: ClockTime = Field(time(21), validation_alias="AVAILABILITY_PROMOTION_START_TIME")
    voice_check_delay_seconds: Number = Field(
        30, ge=0, le=1200, validation_alias="AVAILABILITY_PROMOTION_VOICE_CHECK_DELAY_SECONDS"
    )
    voice_check_enabled: Switch = Field(True, validation_alias="AVAILABILITY_PROMOTION_VOICE_CHECK_ENABLED")
    global_cooldown: Switch = Field(True, validation_alias="AVAILABILITY_PROMOTION_GLOBAL_COOLDOWN")
    dry_run_default: Switch = Field(False, validation_alias="AVAILABILITY_PROMOTION_DRY_RUN_DEFAULT")
    job_max_attempts: Number = Field(5, ge=1, le=50, validation_alias="AVAILABILITY_PROMOTION_JOB_MAX_ATTEMPTS")
    followup_channel_id: DiscordId = Field("", validation_alias="AVAILABILITY_PROMOTION_FOLLOWUP_CHANNEL_ID")
    announce_enabled: Switch = Field(False, validation_alias="AVAILABILITY_DISCORD_CHANNEL_ANNOUNCE_ENABLED")
    announce_channel_id: DiscordId = Field("", validation_alias="AVAILABILITY_DISCORD_ANNOUNCE_CHANNEL_ID")
    evening_message_enabled: Switch = Field(False, validation_alias=_EVENING_MESSAGE)
    scheduled_event_enabled: Switch = Field(False, validation_alias=_SCHEDULED_EVENT)
    planning_create_thread: Switch = Field(False, validation_alias=_THREADS)
    planning_thread_parent: DiscordId = Field("", validation_alias="AVAILABILITY_PLANNING_THREAD_PARENT_CHANNEL_ID")
    summary_names: Switch = Field(True, validation_alias="AVAILABILITY_PROMOTION_SUMMARY_NAMES")
    presence_max_age_seconds: Number = Field(
        90, ge=20, le=600, validation_alias="AVAILABILITY_PRESENCE_MAX_AGE_SECONDS"
    )

    # The game server: a name or an address without its port
    game_server_host: Host = Field("", validation_alias="GAME_SERVER_HOST")
    game_server_port: Number = Field(27960, ge=1, le=65535, validation_alias="GAME_SERVER_PORT")
    server_check_enabled: Switch = Field(True, validation_alias="AVAILABILITY_PROMOTION_SERVER_CHECK_ENABLED")

    @field_validator("clock")
    @classmethod
    def _is_a_moment(cls, spec: str) -> str:
        if spec:
            Anchor.parse(spec, wall=wall_now())
        return spec

    @classmethod
    def read(cls, given: Environment) -> tuple["Settings", list[str]]:
        """Read the settings as far as they are valid; return them, and a sentence on each that is not."""
        known = {name: given.values[name] for name in variable_names() if name in given.values}
        wrong: dict[str, str] = {}
        try:
            settings = cls.model_validate(known)
        except ValidationError as error:
            wrong = {str(problem["loc"][0]): describe_problem(problem) for problem in error.errors()}
            settings = cls.model_validate({name: known[name] for name in known if name not in wrong})
        problems = [*given.problems, *wrong.values()]
        return settings, problems + without_named(settings.contradictions(), by=problems)

    @classmethod
    def from_env(cls, env_file: Path | None = ENV_PATH) -> "Settings":
        """Read the environment, which wins over `env_file`. Raise SettingsError naming all that is invalid."""
        settings, problems = cls.read(Environment.read(env_file, secrets=secret_variables()))
        if problems:
            raise SettingsError("\n".join(problems))
        return settings

    def contradictions(self) -> list[str]:
        """List settings that contradict each other, though each is valid by itself."""
        found = []
        if self.database_owner_url and not self.database_url:
            found.append("DATABASE_OWNER_URL: is set and DATABASE_URL is not; they name one database")
        elif self.database_owner_url and not same_database(self.database_owner_url, self.database_url):
            found.append("DATABASE_OWNER_URL: names another database than DATABASE_URL")
        night = [(moment < self.day_starts_at, moment) for moment in (self.reminder_time, self.start_time)]
        if night[0] >= night[1]:
            found.append(
                "AVAILABILITY_PROMOTION_REMINDER_TIME: is not before AVAILABILITY_PROMOTION_START_TIME of the same"
                " evening, as AVAILABILITY_DAY_STARTS_AT counts it"
            )
        allowed = self.discord_redirect_uri_allowlist
        if allowed and self.login_redirect_uri not in allowed:
            whence = "" if self.discord_redirect_uri else ", which follows from PUBLIC_URL and PORT,"
            found.append(
                f"DISCORD_REDIRECT_URI: {self.login_redirect_uri}{whence} is not in DISCORD_REDIRECT_URI_ALLOWLIST"
            )
        telegram, signal, thread = self.telegram_enabled, self.signal_enabled, self.planning_create_thread
        message, event = self.evening_message_enabled, self.scheduled_event_enabled
        needed: list[tuple[bool, str, str | SecretStr, str]] = [
            (telegram, "AVAILABILITY_TELEGRAM_BOT_TOKEN", self.telegram_bot_token, "AVAILABILITY_TELEGRAM_ENABLED"),
            (signal, "AVAILABILITY_SIGNAL_DAEMON_URL", self.signal_daemon_url, "AVAILABILITY_SIGNAL_ENABLED"),
            (signal, "AVAILABILITY_SIGNAL_SENDER", self.signal_sender, "AVAILABILITY_SIGNAL_ENABLED"),
            (thread, "AVAILABILITY_PLANNING_THREAD_PARENT_CHANNEL_ID", self.planning_thread_parent, _THREADS),
            (thread, "DISCORD_GUILD_ID", self.discord_guild_id, _THREADS),
            (message, "AVAILABILITY_DISCORD_ANNOUNCE_CHANNEL_ID", self.announce_channel_id, _EVENING_MESSAGE),
            (event, "DISCORD_GUILD_ID", self.discord_guild_id, _SCHEDULED_EVENT),
        ]
        found += [
            f"{name}: is not set, and {switch}, which needs it, is on"
            for is_on, name, value, switch in needed
            if is_on and not value
        ]
        return found

    # What follows from the settings

    def by_name(self) -> dict[str, Any]:
        """Return the value of every variable."""
        return {variable: getattr(self, name) for variable, name in variable_names().items()}

    @property
    def is_development(self) -> bool:
        return self.environment == "development"

    def language_for(self, *chosen: str | None) -> str:
        """Return the first of these that is spoken here, else the community's own: that of rooms."""
        return next((language for language in chosen if language in self.languages), self.languages[0])

    @property
    def base_url(self) -> str:
        """Return the address of the pages, which messages link to."""
        return (self.public_url or f"http://127.0.0.1:{self.port}").rstrip("/")

    @property
    def local_url(self) -> str:
        """Return the host at which a web process of this machine answers this machine."""
        if self.bind in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
            return "127.0.0.1"
        return f"[{self.bind}]" if ":" in self.bind else self.bind

    @property
    def web_processes(self) -> int:
        """Return how many web processes share what a client or an account may hold."""
        found = re.search(r"(?:^|,)\s*web\s*=\s*([0-9]{1,4})", self.formation)
        return max(1, int(found[1])) if found else 1

    @property
    def login_redirect_uri(self) -> str:
        return self.discord_redirect_uri or f"{self.base_url}/auth/callback"

    @property
    def summary_channel_id(self) -> str:
        """Return the room that the summary is sent to; empty for none."""
        return self.followup_channel_id or self.announce_channel_id

    @property
    def contact_keys(self) -> tuple[str, ...]:
        """Return the keys that seal addresses, the newest first."""
        return tuple(key.strip() for key in self.contact_encryption_key.get_secret_value().split(",") if key.strip())

    @property
    def channels_on(self) -> frozenset[str]:
        """Return the names of the channels that messages may take."""
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


def variable_names() -> dict[str, str]:
    """Return the field of every setting by the name of its variable."""
    return {str(field.validation_alias): name for name, field in Settings.model_fields.items()}


def secret_variables() -> frozenset[str]:
    """Return the variables whose values are never shown, and may be in a file instead."""
    return frozenset(
        variable for variable, name in variable_names().items() if Settings.model_fields[name].annotation is SecretStr
    )
