"""The environment as operators write it: with comments, quotes and mistakes (W70)."""

import os
from datetime import time
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from slomix.config.settings import Settings, SettingsError, secret_variables, variable_names
from tests.rules.operator import KEY, bare_machine, read

__all__ = ["bare_machine", "read"]


HERE = "http://127.0.0.1:7000/auth/callback"

COMMENTED = [
    ("PORT", "7100", "port", 7100),
    ("SLOMIX_BIND", "10.0.0.7", "bind", "10.0.0.7"),
    ("SLOMIX_FORMATION", "web=2,worker=3", "formation", "web=2,worker=3"),
    ("SLOMIX_PROCESS", "worker.2", "process_name", "worker.2"),
    ("SLOMIX_SIMULATOR_URL", "http://127.0.0.1:7001", "simulator_url", "http://127.0.0.1:7001"),
    ("SLOMIX_WORKER_THREADS", "4", "worker_threads", 4),
    ("SLOMIX_RETENTION_DAYS", "90", "retention_days", 90),
    ("DISCORD_OAUTH_STATE_TTL_SECONDS", "300", "oauth_state_ttl_seconds", 300),
    ("AVAILABILITY_SESSION_READY_THRESHOLD", "4", "ready_threshold", 4),
    ("AVAILABILITY_PROMOTION_VOICE_CHECK_DELAY_SECONDS", "45", "voice_check_delay_seconds", 45),
    ("AVAILABILITY_PROMOTION_JOB_MAX_ATTEMPTS", "3", "job_max_attempts", 3),
    ("AVAILABILITY_PRESENCE_MAX_AGE_SECONDS", "60", "presence_max_age_seconds", 60),
    ("AVAILABILITY_DAY_STARTS_AT", "05:00", "day_starts_at", time(5)),
    ("AVAILABILITY_DAILY_REMINDER_TIME", "15:30", "daily_reminder_time", time(15, 30)),
    ("AVAILABILITY_DISCORD_CHANNEL_ANNOUNCE_ENABLED", "yes", "announce_enabled", True),
    ("AVAILABILITY_DISCORD_EVENING_MESSAGE_ENABLED", "off", "evening_message_enabled", False),
    ("AVAILABILITY_DISCORD_SCHEDULED_EVENT_ENABLED", "off", "scheduled_event_enabled", False),
    ("AVAILABILITY_PROMOTION_REMINDER_TIME", "19:45", "reminder_time", time(19, 45)),
    ("AVAILABILITY_PROMOTION_START_TIME", "22:00", "start_time", time(22)),
    ("SLOMIX_RELOAD", "true", "reloads", True),
    ("BOT_STARTUP_VALIDATE_ONLY", "yes", "validate_only", True),
    ("AVAILABILITY_PROMOTION_ENABLED", "off", "promotion_enabled", False),
    ("AVAILABILITY_PROMOTION_VOICE_CHECK_ENABLED", "0", "voice_check_enabled", False),
    ("AVAILABILITY_PROMOTION_GLOBAL_COOLDOWN", "false", "global_cooldown", False),
    ("AVAILABILITY_PROMOTION_DRY_RUN_DEFAULT", "true", "dry_run_default", True),
    ("AVAILABILITY_PROMOTION_SUMMARY_NAMES", "No", "summary_names", False),
    ("AVAILABILITY_PROMOTION_TIMEZONE", "Europe/London", "zone", ZoneInfo("Europe/London")),
    ("SLOMIX_ENV", "development", "environment", "development"),
    ("DISCORD_GUILD_ID", "901437285516304427", "discord_guild_id", "901437285516304427"),
    ("DISCORD_PUBLIC_KEY", "0a" * 32, "discord_public_key", "0a" * 32),
    ("AFK_VOICE_CHANNEL", "901437293741342763", "afk_voice_channel", "901437293741342763"),
    ("OWNER_USER_ID", "261803398874989485", "owner_user_id", "261803398874989485"),
    ("AVAILABILITY_PROMOTION_FOLLOWUP_CHANNEL_ID", "9014", "followup_channel_id", "9014"),
    ("AVAILABILITY_DISCORD_ANNOUNCE_CHANNEL_ID", "9015", "announce_channel_id", "9015"),
    ("AVAILABILITY_PLANNING_DISCORD_CREATE_THREAD", "off", "planning_create_thread", False),
    ("AVAILABILITY_PLANNING_THREAD_PARENT_CHANNEL_ID", "9016", "planning_thread_parent", "9016"),
    ("GAMING_VOICE_CHANNELS", "1, 2,", "gaming_voice_channels", ("1", "2")),
    ("PROMOTER_DISCORD_IDS", "241421356237309505", "promoter_discord_ids", frozenset({"241421356237309505"})),
    ("WEBSITE_ADMIN_DISCORD_IDS", "7,8", "admin_discord_ids", frozenset({"7", "8"})),
    ("DISCORD_OAUTH_RATE_LIMIT_MAX_REQUESTS", "5", "oauth_limit", 5),
    ("DISCORD_OAUTH_RATE_LIMIT_WINDOW_SECONDS", "10", "oauth_limit_seconds", 10),
    ("AVAILABILITY_TELEGRAM_ENABLED", "off", "telegram_enabled", False),
    ("AVAILABILITY_SIGNAL_ENABLED", "no", "signal_enabled", False),
    ("AVAILABILITY_LINK_TOKEN_MIN_INTERVAL_SECONDS", "0", "link_code_interval_seconds", 0),
    ("GAME_SERVER_HOST", "et.example.org", "game_server_host", "et.example.org"),
    ("GAME_SERVER_PORT", "27961", "game_server_port", 27961),
    ("AVAILABILITY_PROMOTION_SERVER_CHECK_ENABLED", "off", "server_check_enabled", False),
    ("PLAYER_LINK_APPROVAL", "true", "player_link_approval", True),
    ("TRUSTED_PROXIES", "127.0.0.1, fd00::/8", "trusted_proxies", (ip_network("127.0.0.1"), ip_network("fd00::/8"))),
    ("COMMUNITY_NAME", "Šlomix ET", "community_name", "Šlomix ET"),
    ("SLOMIX_LANGUAGES", "sl, en", "languages", ("sl", "en")),
    ("GAME_NAME", "Wolfenstein: ET", "game_name", "Wolfenstein: ET"),
    ("PUBLIC_URL", "https://slomix.test", "public_url", "https://slomix.test"),
    ("SLOMIX_CLOCK", "2026-03-28T20:40:00+01:00@20x", "clock", "2026-03-28T20:40:00+01:00@20x"),
    ("DISCORD_CLIENT_ID", "1187503316824064071", "discord_client_id", "1187503316824064071"),
    ("DISCORD_REDIRECT_URI", HERE, "discord_redirect_uri", HERE),
    ("DISCORD_API_BASE_URL", "http://127.0.0.1:7001/api/", "discord_api_base_url", "http://127.0.0.1:7001/api"),
    ("DISCORD_GATEWAY_URL", "ws://127.0.0.1:7001/", "discord_gateway_url", "ws://127.0.0.1:7001/"),
    ("DISCORD_AUTHORIZE_URL", "http://[::1]:7001/", "discord_authorize_url", "http://[::1]:7001/"),
    ("DISCORD_TOKEN_URL", "https://discord.test/token", "discord_token_url", "https://discord.test/token"),
    ("AVAILABILITY_TELEGRAM_API_BASE_URL", "https://telegram.test", "telegram_api_base_url", "https://telegram.test"),
    ("AVAILABILITY_SIGNAL_DAEMON_URL", "http://signal:8080", "signal_daemon_url", "http://signal:8080"),
    ("AVAILABILITY_SIGNAL_SENDER", "+38640123456", "signal_sender", "+38640123456"),
    ("DISCORD_REDIRECT_URI_ALLOWLIST", f"{HERE}, https://b/x", "discord_redirect_uri_allowlist", (HERE, "https://b/x")),
]


@pytest.mark.parametrize(("name", "text", "field", "value"), COMMENTED, ids=[name for name, *_ in COMMENTED])
def test_a_comment_behind_a_value_is_no_part_of_it(read: Any, name: str, text: str, field: str, value: object) -> None:
    assert getattr(read(**{name: f"{text}  # 20:45 = off, true"}), field) == value


@pytest.mark.parametrize("comment", ["", "  # small group", "\t# seven", " #"])
def test_a_comment_is_cut_off_however_it_is_set_apart(read: Any, comment: str) -> None:
    """Before a value's kind is looked at, so that one kind stands for all."""
    assert read(PORT=f"7010{comment}").port == 7010


def test_everything_but_secrets_is_in_the_table_above() -> None:
    secret = {field for variable, field in variable_names().items() if variable in secret_variables()}
    assert set(Settings.model_fields) - secret - {"clock_file"} == {field for _, _, field, _ in COMMENTED}


@pytest.mark.parametrize("text", ["  # the default is fine", "#", "", "   "])
def test_a_value_that_is_nothing_but_a_comment_is_not_set(read: Any, text: str) -> None:
    settings = read(PORT=text, AVAILABILITY_PROMOTION_TIMEZONE=text, GAMING_VOICE_CHANNELS=text, SLOMIX_CLOCK_FILE=text)
    assert (settings.port, settings.zone.key) == (7000, "Europe/Ljubljana")
    assert (settings.gaming_voice_channels, settings.clock_file) == ((), None)


def test_a_hash_inside_a_word_stays(read: Any) -> None:
    settings = read(SESSION_SECRET="abc#123", DATABASE_URL="postgresql+psycopg://me:p#w@host/slomix  # here")
    assert settings.session_secret.get_secret_value() == "abc#123"
    assert settings.database_url.get_secret_value() == "postgresql+psycopg://me:p#w@host/slomix"


NONSENSE = [
    ("PORT", "seven"),
    ("PORT", "0"),
    ("PORT", "65535"),
    ("PORT", "7000.5"),
    ("PORT", "7_000"),
    ("SLOMIX_ENV", "staging"),
    ("SLOMIX_WORKER_THREADS", "0"),
    ("AVAILABILITY_SESSION_READY_THRESHOLD", "-1"),
    ("AVAILABILITY_SESSION_READY_THRESHOLD", "0"),
    ("AVAILABILITY_PROMOTION_GLOBAL_COOLDOWN", "maybe"),
    ("AVAILABILITY_PROMOTION_START_TIME", "21"),
    ("AVAILABILITY_PROMOTION_START_TIME", "24:00"),
    ("AVAILABILITY_PROMOTION_START_TIME", "9:00"),
    ("AVAILABILITY_PROMOTION_START_TIME", "75600"),
    ("AVAILABILITY_PROMOTION_TIMEZONE", "Europe/Lubljana"),
    ("AVAILABILITY_PROMOTION_TIMEZONE", "../etc/passwd"),
    ("AVAILABILITY_PROMOTION_TIMEZONE", "Europe"),
    ("PROMOTER_DISCORD_IDS", "241421356237309505, @bob"),
    ("PROMOTER_DISCORD_IDS", "２４１"),
    ("DISCORD_GUILD_ID", "my server"),
    ("AVAILABILITY_PLANNING_THREAD_PARENT_CHANNEL_ID", "game-night"),
    ("DISCORD_API_BASE_URL", "discord.com/api"),
    ("DISCORD_TOKEN_URL", "file:///etc/passwd"),
    ("DATABASE_URL", "sqlite:///slomix.database.session"),
    ("DATABASE_URL", "localhost/slomix"),
    ("DATABASE_URL", "postgresql://me:two words@host/slomix"),
    ("REDIS_URL", "localhost:6379"),
    ("DISCORD_OAUTH_RATE_LIMIT_MAX_REQUESTS", "0"),
    ("DISCORD_OAUTH_RATE_LIMIT_MAX_REQUESTS", "100001"),
    ("DISCORD_OAUTH_RATE_LIMIT_WINDOW_SECONDS", "3601"),
    ("AVAILABILITY_LINK_TOKEN_MIN_INTERVAL_SECONDS", "-1"),
    ("AVAILABILITY_TELEGRAM_API_BASE_URL", "api.telegram.org"),
    ("AVAILABILITY_SIGNAL_DAEMON_URL", "localhost:8080"),
    ("SLOMIX_LANGUAGES", "sl,xx"),
    ("SLOMIX_LANGUAGES", ","),
    ("COMMUNITY_NAME", "x" * 65),
    ("COMMUNITY_NAME", "two\nlines"),
    ("GAME_SERVER_HOST", "et.example.org:27960"),
    ("GAME_SERVER_HOST", "udp://et.example.org"),
    ("GAME_SERVER_PORT", "65536"),
    ("SLOMIX_BIND", "10.0.0.7:7000"),
    ("TRUSTED_PROXIES", "my-proxy"),
    ("TRUSTED_PROXIES", "10.0.0.1/8"),
    ("PUBLIC_URL", "ftp://"),
    ("PUBLIC_URL", "https://slomix.test/game-nights"),
    ("PUBLIC_URL", "https://me:word@slomix.test"),
    ("PUBLIC_URL", "https://${HOST}"),
    ("PUBLIC_URL", "https://slomix.test:web"),
    ("DISCORD_API_BASE_URL", "foo"),
    ("DISCORD_GATEWAY_URL", "https://gateway.discord.gg"),
    ("DISCORD_AUTHORIZE_URL", "https:///authorize"),
    ("DISCORD_REDIRECT_URI", "/auth/callback"),
    ("DISCORD_REDIRECT_URI_ALLOWLIST", "https://slomix.test/auth/callback, slomix"),
    ("DISCORD_CLIENT_ID", "slomix"),
    ("DISCORD_CLIENT_SECRET", "two words"),
    ("DISCORD_BOT_TOKEN", "Bot abc"),
    ("AFK_VOICE_CHANNEL", "0"),
    ("OWNER_USER_ID", "@dora"),
    ("GAMING_VOICE_CHANNELS", "1;2"),
    ("AVAILABILITY_SESSION_READY_THRESHOLD", "6 players"),
    ("AVAILABILITY_SESSION_READY_THRESHOLD", "1" * 30),
    ("AVAILABILITY_PROMOTION_VOICE_CHECK_ENABLED", "enabled"),
    ("AVAILABILITY_DAY_STARTS_AT", "５:00"),
    ("AVAILABILITY_TELEGRAM_BOT_TOKEN", "bot1:a"),
    ("AVAILABILITY_TELEGRAM_WEBHOOK_SECRET", "with blanks in it"),
    ("AVAILABILITY_SIGNAL_SENDER", "040 123 456"),
    ("DATABASE_URL", "postgresql://me@host:five/slomix"),
    ("DATABASE_URL", "host=localhost dbname=slomix"),
    ("REDIS_URL", "redis://localhost:port"),
    ("REDIS_URL", "redis://localhost/slomix"),
    ("REDIS_URL", "redis://:p#w@localhost"),
    ("SLOMIX_CLOCK", "tonight"),
    ("CONTACT_DATA_ENCRYPTION_KEY", ","),
    ("CONTACT_DATA_ENCRYPTION_KEY", "short"),
    ("CONTACT_DATA_ENCRYPTION_KEY", f"{KEY}, {KEY[:-4]}"),
    ("CONTACT_DATA_ENCRYPTION_KEY", f"{KEY[:-1]}\u010d"),
]


@pytest.mark.parametrize(("name", "text"), NONSENSE)
def test_nonsense_is_refused_by_the_name_of_its_variable(read: Any, name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{name}: ."):
        read(**{name: text})


def test_all_that_is_wrong_is_said_at_once(read: Any) -> None:
    with pytest.raises(SettingsError) as refused:
        read(PORT="seven", AVAILABILITY_PROMOTION_TIMEZONE="Nowhere", PROMOTER_DISCORD_IDS="bob")
    names = [line.partition(":")[0] for line in str(refused.value).splitlines()]
    assert names == ["PORT", "PROMOTER_DISCORD_IDS", "AVAILABILITY_PROMOTION_TIMEZONE"]


def test_a_secret_that_makes_no_sense_elsewhere_is_not_repeated_in_the_complaint(read: Any) -> None:
    with pytest.raises(SettingsError) as refused:
        read(PORT="seven", SESSION_SECRET="very-secret-indeed", DISCORD_BOT_TOKEN="token-of-the-bot")
    assert "very-secret" not in str(refused.value)
    assert "token-of" not in str(refused.value)


def test_a_secret_in_the_wrong_place_is_not_repeated_in_the_complaint(read: Any) -> None:
    with pytest.raises(SettingsError) as refused:
        read(PORT=KEY)
    assert KEY not in str(refused.value)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_an_env_file_may_have_quotes_comments_and_windows_line_ends(tmp_path: Path, line_end: str) -> None:
    lines = [
        "# what this copy is",
        "export PORT=7300  # the web",
        'AVAILABILITY_PROMOTION_TIMEZONE="Europe/London"',
        "PROMOTER_DISCORD_IDS='1,2'  # Bob and Ivan",
        "AVAILABILITY_PROMOTION_GLOBAL_COOLDOWN=off # tonight",
        'AVAILABILITY_SESSION_READY_THRESHOLD="4  # quoted by mistake"',
        "SESSION_SECRET='with # inside'",
        "AVAILABILITY_DAY_STARTS_AT=",
        "SOMEBODY_ELSES=variable",
    ]
    file = tmp_path / ".env"
    file.write_bytes(line_end.join([*lines, ""]).encode())
    settings = Settings.from_env(file)
    assert (settings.port, settings.zone.key, settings.ready_threshold) == (7300, "Europe/London", 4)
    assert settings.promoter_discord_ids == {"1", "2"}
    assert settings.global_cooldown is False
    assert settings.day_starts_at == time(0)


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_text("PORT=7300\nAVAILABILITY_SESSION_READY_THRESHOLD=4\n")
    monkeypatch.setenv("PORT", "7400")
    settings = Settings.from_env(file)
    assert (settings.port, settings.ready_threshold) == (7400, 4)
    assert "AVAILABILITY_SESSION_READY_THRESHOLD" not in os.environ


def test_a_channel_that_is_switched_on_needs_all_it_speaks_with(read: Any) -> None:
    with pytest.raises(SettingsError, match=r"^AVAILABILITY_TELEGRAM_BOT_TOKEN: is not set"):
        read(AVAILABILITY_TELEGRAM_ENABLED="true")
    read(AVAILABILITY_TELEGRAM_BOT_TOKEN="1:a", AVAILABILITY_SIGNAL_DAEMON_URL="http://signal:8080")
    with pytest.raises(SettingsError, match=r"^AVAILABILITY_SIGNAL_SENDER: is not set"):
        read(AVAILABILITY_SIGNAL_ENABLED="true")
    with pytest.raises(SettingsError, match=r"^AVAILABILITY_SIGNAL_SENDER: is not a phone number"):
        read(AVAILABILITY_SIGNAL_SENDER="040123456")
    assert read(AVAILABILITY_SIGNAL_SENDER="+38640123456").channels_on == {"discord"}, "without a key nothing is kept"
    assert read(CONTACT_DATA_ENCRYPTION_KEY=KEY).channels_on == {"discord", "telegram", "signal"}


OURS = "https://slomix.example/auth/callback"


@pytest.mark.parametrize(
    "environment",
    [
        {"DISCORD_REDIRECT_URI": OURS},
        {"DISCORD_REDIRECT_URI": OURS + "/"},
        {"PUBLIC_URL": "https://slomix.example"},
        {},
    ],
)
def test_a_redirect_uri_that_is_not_on_the_list_stops_the_start(read: Any, environment: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"^DISCORD_REDIRECT_URI: .* is not in DISCORD_REDIRECT_URI_ALLOWLIST"):
        read(**environment, DISCORD_REDIRECT_URI_ALLOWLIST="https://elsewhere.example/auth/callback")


@pytest.mark.parametrize("environment", [{"DISCORD_REDIRECT_URI": OURS}, {"PUBLIC_URL": "https://slomix.example/"}])
def test_a_redirect_uri_on_the_list_is_used(read: Any, environment: dict[str, str]) -> None:
    settings = read(**environment, DISCORD_REDIRECT_URI_ALLOWLIST=f"https://elsewhere.example/, {OURS}")
    assert settings.login_redirect_uri == OURS


@pytest.mark.parametrize(
    ("reminder", "start", "day_starts", "makes_sense"),
    [
        ("20:45", "21:00", "00:00", True),
        ("21:00", "21:00", "00:00", False),
        ("21:15", "21:00", "00:00", False),
        ("23:45", "00:30", "00:00", False),
        ("23:45", "00:30", "05:00", True),
    ],
)
def test_the_reminder_comes_before_the_start_of_the_same_evening(
    read: Any, reminder: str, start: str, day_starts: str, makes_sense: bool
) -> None:
    values = {
        "AVAILABILITY_PROMOTION_REMINDER_TIME": reminder,
        "AVAILABILITY_PROMOTION_START_TIME": start,
        "AVAILABILITY_DAY_STARTS_AT": day_starts,
    }
    if makes_sense:
        read(**values)
    else:
        with pytest.raises(SettingsError, match="AVAILABILITY_PROMOTION_REMINDER_TIME"):
            read(**values)
