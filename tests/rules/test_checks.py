"""Production does not start on what is missing, weak or of development, and says all of it at once (W69)."""

import secrets
from typing import Any

import pytest
from pydantic import SecretStr

from slomix.config.checks import DEVELOPMENT_KEY, DEVELOPMENT_SECRET, all_problems, problems_for_start, weakness_of
from slomix.config.environment import Environment
from slomix.config.settings import SettingsError, secret_variables, variable_names
from slomix.dev.simulator import people
from tests.rules.operator import KEY, PRODUCTION, STRONG, bare_machine, read

__all__ = ["bare_machine", "read"]

SERVERS = ("DATABASE_URL", "REDIS_URL", "SESSION_SECRET")


def names_of(problems: list[str]) -> list[str]:
    return [problem.partition(":")[0] for problem in problems]


def test_production_starts_with_what_it_needs_and_no_more(read: Any) -> None:
    settings = read(**PRODUCTION)
    assert settings.environment == "production", "which is the default"
    assert problems_for_start(settings) == []


@pytest.mark.parametrize("name", PRODUCTION)
def test_each_of_them_is_needed(read: Any, name: str) -> None:
    assert problems_for_start(read(**PRODUCTION | {name: ""})) == [f"{name}: is not set"]


def test_all_that_is_missing_is_said_at_once(read: Any) -> None:
    assert names_of(problems_for_start(read())) == list(PRODUCTION)
    assert names_of(problems_for_start(read(SLOMIX_ENV="development"))) == list(SERVERS)


@pytest.mark.parametrize(
    "secret",
    [
        DEVELOPMENT_SECRET,
        "short",
        STRONG[:31],
        "a" * 40,
        "abc" * 20,
        "0123456789" * 4,
        "0123456789abcdef" * 2,
        "passw0rdpassw0rdpassw0rdpassw0rd12",
        "my-Pa55w0rd-that-nobody-will-ever-know",
        "abcdefghijklmnopqrstuvwxyz0123456789",
        "qwertyuiopasdfghjklzxcvbnm1234567890",
        "change-me-to-something-long-and-random",
        "<put a long random text of your own here>",
        "your_secret_goes_here_your_secret_goes_here",
    ],
)
@pytest.mark.parametrize("name", ["SESSION_SECRET", "INTERNAL_API_SECRET"])
def test_a_weak_secret_is_refused_and_not_repeated(read: Any, name: str, secret: str) -> None:
    secret = secret.replace(" ", "-")
    [problem] = problems_for_start(read(**PRODUCTION | {name: secret}))
    assert problem.startswith(f"{name}: is too weak")
    assert secret not in problem
    assert problems_for_start(read(SLOMIX_ENV="development")) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AVAILABILITY_TELEGRAM_WEBHOOK_SECRET", STRONG[:31]),
        ("INTERNAL_API_SECRET", STRONG),
        ("CONTACT_DATA_ENCRYPTION_KEY", f"{KEY}, {DEVELOPMENT_KEY}"),
        ("DATABASE_URL", "postgresql://website_app:Postgres@db.slomix.test/slomix?sslmode=require"),
        ("DATABASE_URL", "postgresql://hana:hana@db.slomix.test/slomix?sslmode=require"),
        ("PUBLIC_URL", "http://slomix.test"),
        ("DISCORD_REDIRECT_URI", "http://slomix.test/auth/callback"),
        ("DISCORD_API_BASE_URL", "http://discord.test/api/v10"),
        ("DISCORD_TOKEN_URL", "http://10.0.0.7/token"),
        ("DISCORD_AUTHORIZE_URL", "http://discord.test/authorize"),
        ("DISCORD_GATEWAY_URL", "ws://gateway.discord.test/"),
        ("AVAILABILITY_TELEGRAM_API_BASE_URL", "http://telegram.test"),
        ("TRUSTED_PROXIES", "127.0.0.1, 0.0.0.0/0"),
        ("TRUSTED_PROXIES", "0.0.0.0/1,128.0.0.0/1"),
        ("TRUSTED_PROXIES", "2000::/3"),
        ("AVAILABILITY_SIGNAL_DAEMON_URL", "http://192.0.2.7:8080"),
        ("REDIS_URL", "redis://:Yd8HsNf3@192.0.2.7:6379/0"),
        ("REDIS_URL", "rediss://192.0.2.7:6379/0"),
        ("DATABASE_URL", "postgresql://website_app:Yd8HsNf3@192.0.2.7/slomix"),
        ("DATABASE_URL", "postgresql://website_app:Yd8HsNf3@db.slomix.test/slomix?sslmode=prefer"),
        ("DATABASE_URL", "postgresql://website_app:Yd8HsNf3@/slomix?host=127.0.0.1,db.slomix.test"),
        ("PUBLIC_URL", "http://127.evil.example"),
        ("METRICS_TOKEN", "0123456789abcdef"),
        ("CONTACT_DATA_ENCRYPTION_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("SLOMIX_CLOCK", "2026-03-28T20:40:00+01:00"),
        ("SLOMIX_CLOCK_FILE", "/tmp/clock.json"),
        ("SLOMIX_SIMULATOR_URL", "http://127.0.0.1:7001/"),
        ("SLOMIX_RELOAD", "1"),
        ("DISCORD_BOT_TOKEN", people.BOT_TOKEN),
        ("DISCORD_CLIENT_SECRET", people.CLIENT_SECRET),
    ],
)
def test_what_is_not_for_production_is_refused_by_name(read: Any, name: str, value: str) -> None:
    [problem] = problems_for_start(read(**PRODUCTION | {name: value}))
    wrong = "SESSION_SECRET" if value == STRONG else name
    assert problem.startswith(f"{wrong}: ")
    assert STRONG not in problem
    assert problems_for_start(read(SLOMIX_ENV="development")) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "http://127.0.0.1:7000"),
        ("DISCORD_API_BASE_URL", "http://localhost:7001/api/v10"),
        ("DISCORD_GATEWAY_URL", "ws://[::1]:7001/"),
        ("DATABASE_URL", "postgresql://postgres:postgres@localhost/slomix"),
        ("DATABASE_URL", "postgresql:///slomix"),
        ("REDIS_URL", "unix:///run/valkey.sock"),
        ("AVAILABILITY_SIGNAL_DAEMON_URL", "http://signal:8080"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
    ],
)
def test_what_stays_on_this_machine_may_be_plain(read: Any, name: str, value: str) -> None:
    assert problems_for_start(read(**PRODUCTION | {name: value})) == []


def test_telegram_posts_to_an_https_address_only(read: Any) -> None:
    values = {"AVAILABILITY_TELEGRAM_WEBHOOK_SECRET": STRONG[::-1], "PUBLIC_URL": "http://127.0.0.1:7000"}
    assert names_of(problems_for_start(read(**PRODUCTION | values))) == ["PUBLIC_URL"]


def test_nonsense_and_what_is_missing_or_weak_is_said_at_once_and_each_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "PORT": "seven",
        "SESSION_SECRET": "short",
        "REDIS_URL": "localhost",
        "PUBLIC_URL": "ftp://",
        "DISCORD_REDIRECT_URI_ALLOWLIST": "https://slomix.test/auth/callback",
        "AVAILABILITY_PROMOTION_START_TIME": "nine",
        "AVAILABILITY_PROMOTION_REMINDER_TIME": "22:45",
        "AVAILABILITY_TELEGRAM_ENABLED": "yes",
    }.items():
        monkeypatch.setenv(name, value)
    _, problems = all_problems(Environment.read(None, secrets=secret_variables()))
    assert sorted(names_of(problems)) == sorted(
        {
            *("PORT", "REDIS_URL", "PUBLIC_URL", "AVAILABILITY_PROMOTION_START_TIME"),
            *("AVAILABILITY_TELEGRAM_BOT_TOKEN", "DATABASE_URL", "SESSION_SECRET", "DISCORD_CLIENT_ID"),
            *("DISCORD_CLIENT_SECRET", "DISCORD_BOT_TOKEN", "DISCORD_GUILD_ID"),
        }
    )


def test_where_nobody_knows_which_environment_is_meant_nothing_more_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOMIX_ENV", "developement")
    assert names_of(all_problems(Environment.read(None, secrets=secret_variables()))[1]) == ["SLOMIX_ENV"]


def test_every_setting_that_can_be_an_address_is_looked_at(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that comes later: what it can be is tried, not where it stands in a list."""
    found = set()
    for name in variable_names():
        for scheme in ("http", "ws", "redis", "postgresql"):
            path = "" if scheme == "http" else "/0" if scheme == "redis" else "/slomix"
            login = "website_app:Yd8HsNf3@" if scheme in {"redis", "postgresql"} else ""
            try:
                settings = read(**PRODUCTION | {name: f"{scheme}://{login}elsewhere.test{path}"})
            except SettingsError:
                continue
            finally:
                monkeypatch.delenv(name, raising=False)
            value = getattr(settings, variable_names()[name])
            if isinstance(value, str | SecretStr | tuple):
                found.add(name)
                assert name in names_of(problems_for_start(settings)), f"{name}={scheme}://…"
    assert found >= {"PUBLIC_URL", "REDIS_URL", "DATABASE_URL", "AVAILABILITY_SIGNAL_DAEMON_URL"}


def test_every_secret_of_our_own_is_looked_at(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = set()
    for name in sorted(secret_variables() - {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"}):
        try:
            settings = read(**PRODUCTION | {name: "change-me-change-me-change-me-change-me"})
        except SettingsError:
            continue  # of a form of its own, such as a key
        finally:
            monkeypatch.delenv(name, raising=False)
        assert name in names_of(problems_for_start(settings)), name
        looked.add(name)
    assert "SESSION_SECRET" in looked


@pytest.mark.parametrize("kind", [secrets.token_hex, secrets.token_urlsafe])
def test_what_is_random_is_strong(kind: Any) -> None:
    assert [weak for weak in (weakness_of(kind(32)) for _ in range(500)) if weak] == []


def test_the_ranges_of_a_large_provider_of_proxies_may_be_trusted(read: Any) -> None:
    ranges = "173.245.48.0/20,103.21.244.0/22,141.101.64.0/18,104.16.0.0/13,172.64.0.0/13,2400:cb00::/32,2a06:98c0::/29"
    assert problems_for_start(read(**PRODUCTION | {"TRUSTED_PROXIES": ranges})) == []
