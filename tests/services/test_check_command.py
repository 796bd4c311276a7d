"""`slomix check` tells what is in effect, what is wrong with it and what may not be meant; and never a secret."""

from datetime import timedelta
from pathlib import Path

import pytest

from slomix.cli.configuration import masked_value
from slomix.clock import wall_now
from slomix.config.settings import Settings, secret_variables, variable_names
from slomix.health import service
from slomix.health.models import BACKUP_ID, Backup
from tests.configuration import CONTACT_KEY
from tests.rules.operator import PRODUCTION, STRONG, bare_machine
from tests.simulators import NOBODY
from tests.steps import checked, do
from tests.world import World

__all__ = ["bare_machine"]


@pytest.fixture
def nothing(bare_machine: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty folder, and a port where no copy runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PORT", "64998")


def begins(sentences: list[str]) -> list[str]:
    return [sentence.partition(":")[0] for sentence in sentences]


def test_with_nothing_set_it_says_what_is_missing(nothing: None) -> None:
    answer = do("check")
    assert (answer.exit_code, answer.exception.__class__) == (1, SystemExit), answer.output
    for name in PRODUCTION:
        assert f"wrong   {name}: is not set" in answer.output
    for name in variable_names():
        assert f"\n{name} " in f"\n{answer.output}"
    for part in (
        "settings: see above",
        "database: is not set",
        "redis: is not set",
        "discord: DISCORD_BOT_TOKEN is not set",
    ):
        assert f"wrong   {part}" in answer.output
    assert "warning GAMING_VOICE_CHANNELS: " in answer.output


def test_each_variable_is_told_with_its_value_and_where_it_came_from(
    nothing: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("AVAILABILITY_DAILY_REMINDER_TIME=15:30\nGAMING_VOICE_CHANNELS=2,1\n")
    (tmp_path / "session").write_text(STRONG)
    monkeypatch.setenv("SESSION_SECRET_FILE", str(tmp_path / "session"))
    monkeypatch.setenv("GAME_SERVER_PORT", "seven")
    found = {one["name"]: (one["value"], one["source"]) for one in checked()["configuration"]}
    assert found.keys() == variable_names().keys()
    assert found["PORT"] == ("64998", "environment")
    assert found["AVAILABILITY_DAILY_REMINDER_TIME"] == ("15:30", ".env")
    assert found["GAMING_VOICE_CHANNELS"] == ("2,1", ".env")
    assert found["SESSION_SECRET"] == ("set (32 or more characters)", "file")
    assert found["AVAILABILITY_PROMOTION_TIMEZONE"] == ("Europe/Ljubljana", "default")
    assert found["GAME_SERVER_PORT"] == ("refused", "environment")


@pytest.mark.parametrize("formation", ["everything=2", "release=2", "web", "web=2,web=3"])
def test_a_formation_that_nothing_starts_with_is_a_problem(
    nothing: None, monkeypatch: pytest.MonkeyPatch, formation: str
) -> None:
    monkeypatch.setenv("SLOMIX_FORMATION", formation)
    assert "SLOMIX_FORMATION" in begins(checked()["problems"])
    monkeypatch.setenv("SLOMIX_FORMATION", "web=2,worker=3")
    assert "SLOMIX_FORMATION" not in begins(checked()["problems"])


def test_no_secret_is_told(nothing: None, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = {name: f"Yd8HsNf3-hidden-{name.lower()}" for name in secret_variables()}
    hidden |= {
        "DATABASE_URL": "postgresql://me:Yd8HsNf3@127.0.0.1:1/slomix?sslpassword=Yd8HsNf3",
        "REDIS_URL": "redis://me:Yd8HsNf3@127.0.0.1:1/0?password=Yd8HsNf3",
        "CONTACT_DATA_ENCRYPTION_KEY": "Yd8HsNf3",
        "AVAILABILITY_TELEGRAM_BOT_TOKEN": "7:Yd8HsNf3",
        "DISCORD_API_BASE_URL": "http://127.0.0.1:1",
        "PORT": f"Yd8HsNf3{STRONG}",
        "PUBLIC_URL": "https://me:Yd8HsNf3@slomix.test",
        "DISCORD_GUILD_ID": f"Yd8HsNf3{STRONG}",
    }
    for name, value in hidden.items():
        monkeypatch.setenv(name, value)
    for answer in (do("check"), do("check", "--json")):
        assert answer.exit_code == 1
        assert "Yd8HsNf3" not in answer.output
        assert "postgresql://me:***@127.0.0.1:1/slomix" in answer.output
        assert "redis://me:***@127.0.0.1:1/0" in answer.output


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://redis:6379/0", "redis://redis:6379/0"),
        ("redis://:hush@redis/1", "redis://:***@redis/1"),
        ("rediss://hush@redis", "rediss://***@redis"),
        ("unix:///run/valkey.sock", "unix:///run/valkey.sock"),
        ("unix://:hush@/run/valkey.sock?db=1", "unix://:***@/run/valkey.sock?db=1"),
    ],
)
def test_of_an_address_only_the_password_is_hidden(url: str, told: str) -> None:
    assert masked_value("REDIS_URL", Settings.model_validate({"REDIS_URL": url}).redis_url) == told


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"AVAILABILITY_PROMOTION_STRAT_TIME": "21:00"}, "AVAILABILITY_PROMOTION_STRAT_TIME"),
        ({"DISCORD_TOKEN": "hush"}, "DISCORD_TOKEN"),
        ({"DISCORD_CLIENT_ID_FILE": "/run/id"}, "DISCORD_CLIENT_ID_FILE"),
        ({"AFK_VOICE_CHANNEL": "7", "GAMING_VOICE_CHANNELS": "7"}, "AFK_VOICE_CHANNEL"),
        ({}, "AVAILABILITY_PROMOTION_FOLLOWUP_CHANNEL_ID"),
        ({"AVAILABILITY_DISCORD_CHANNEL_ANNOUNCE_ENABLED": "1"}, "AVAILABILITY_DISCORD_ANNOUNCE_CHANNEL_ID"),
        ({}, "GAME_SERVER_HOST"),
        ({}, "PROMOTER_DISCORD_IDS"),
        ({}, "WEBSITE_ADMIN_DISCORD_IDS"),
        (
            {"AVAILABILITY_TELEGRAM_ENABLED": "on", "AVAILABILITY_TELEGRAM_BOT_TOKEN": "7:a"},
            "CONTACT_DATA_ENCRYPTION_KEY",
        ),
        ({"AVAILABILITY_SIGNAL_DAEMON_URL": "http://127.0.0.1:8080"}, "AVAILABILITY_SIGNAL_ENABLED"),
        ({"AVAILABILITY_SIGNAL_DAEMON_URL": "http://signal:8080"}, "AVAILABILITY_SIGNAL_DAEMON_URL"),
        ({"AVAILABILITY_PROMOTION_ENABLED": "off"}, "AVAILABILITY_PROMOTION_ENABLED"),
        ({"AVAILABILITY_PROMOTION_DRY_RUN_DEFAULT": "on"}, "AVAILABILITY_PROMOTION_DRY_RUN_DEFAULT"),
        ({"BOT_STARTUP_VALIDATE_ONLY": "on"}, "BOT_STARTUP_VALIDATE_ONLY"),
        ({}, "TRUSTED_PROXIES"),
        ({"SLOMIX_ENV": "development"}, "SLOMIX_ENV"),
        ({"DISCORD_REDIRECT_URI": "https://elsewhere.test/auth/callback"}, "DISCORD_REDIRECT_URI"),
        ({"DISCORD_REDIRECT_URI": "https://slomix.test/callback"}, "DISCORD_REDIRECT_URI"),
        ({"DISCORD_API_BASE_URL": "http://127.0.0.1:1"}, "DISCORD_API_BASE_URL"),
        ({"PUBLIC_URL": "http://localhost:7000"}, "PUBLIC_URL"),
    ],
)
def test_what_may_not_be_meant_is_a_warning_and_keeps_nothing_from_starting(
    nothing: None, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], name: str
) -> None:
    offline = {"DISCORD_API_BASE_URL": "http://127.0.0.1:1", "REDIS_URL": "redis://127.0.0.1:1"}
    offline["DISCORD_GATEWAY_URL"] = "ws://127.0.0.1:1"
    offline["DATABASE_URL"] = "postgresql://me@127.0.0.1:1/slomix"
    for variable, value in (PRODUCTION | offline | environment).items():
        monkeypatch.setenv(variable, value)
    found = checked()
    assert name in begins(found["warnings"])
    assert (found["problems"], found["parts"]["settings"]) == ([], True)


def test_who_thought_of_everything_is_warned_of_nothing_but_what_is_no_discord(
    installation: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PORT=64998\n")
    (tmp_path / ".env").chmod(0o600)
    everything = PRODUCTION | {
        "SLOMIX_ENV": "production",
        "DATABASE_URL": installation.runtime.settings.database_url.get_secret_value(),
        "REDIS_URL": "redis://127.0.0.1:1",
        "TRUSTED_PROXIES": "127.0.0.1",
        "GAMING_VOICE_CHANNELS": "1,2",
        "AVAILABILITY_PROMOTION_FOLLOWUP_CHANNEL_ID": "3",
        "WEBSITE_ADMIN_DISCORD_IDS": "4",
        "PROMOTER_DISCORD_IDS": "5",
        "AVAILABILITY_TELEGRAM_ENABLED": "true",
        "AVAILABILITY_TELEGRAM_BOT_TOKEN": "7:a",
        "CONTACT_DATA_ENCRYPTION_KEY": CONTACT_KEY,
        "AVAILABILITY_PROMOTION_SERVER_CHECK_ENABLED": "off",
        "DISCORD_API_BASE_URL": "http://127.0.0.1:1",  # nobody calls the real one from a test
        "DISCORD_GATEWAY_URL": "ws://127.0.0.1:1",
    }
    for name, value in everything.items():
        monkeypatch.setenv(name, value)
    found = checked()
    assert (found["problems"], begins(found["warnings"])) == ([], ["DISCORD_API_BASE_URL"])
    assert (found["parts"]["database"], found["parts"]["redis"]) == (True, False)
    (tmp_path / ".env").chmod(0o644)
    assert begins(checked()["warnings"]) == ["DISCORD_API_BASE_URL", ".env"]


@pytest.fixture
def installed(installation: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A production whose providers are away."""
    url = installation.runtime.settings.database_url.get_secret_value()
    away = {"DISCORD_API_BASE_URL": "http://127.0.0.1:1", "DISCORD_GATEWAY_URL": "ws://127.0.0.1:1"}
    for name, value in (PRODUCTION | away | {"SLOMIX_ENV": "production", "DATABASE_URL": url}).items():
        monkeypatch.setenv(name, value)
    return installation


def test_before_the_first_start_processes_are_not_wrong(installed: World) -> None:
    found = checked()
    assert not [part for part in found["parts"] if part.endswith(" process")]
    assert found["notes"]["processes"] == "not started yet (scheduler, worker, discord)"
    assert found["notes"]["public_url"] == "not tried, as nothing was started yet"
    assert "note    processes: not started yet" in do("check").output
    assert found["parts"]["disk"]


def test_after_the_first_start_what_is_silent_is_wrong_and_public_url_has_to_lead_to_us(
    installed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLIC_URL", f"https://127.0.0.1:{NOBODY}")
    with installed.session() as session:
        service.record_heartbeat(session, "worker", "here/worker.1", wall=wall_now())
    found = checked()
    assert found["parts"]["worker process"]
    assert found["reasons"]["scheduler process"] == "was never seen"
    assert "cannot be reached" in found["reasons"]["public_url"]
    assert "processes" not in found["notes"]


def test_a_backup_that_is_old_is_wrong_and_none_at_all_is_noted(installed: World) -> None:
    assert checked()["notes"]["backup"] == "there is none yet"
    with installed.session() as session:
        session.add(Backup(id=BACKUP_ID, finished_at=wall_now() - timedelta(hours=40)))
    assert checked()["reasons"]["backup"] == "the last one is 40 hours old"


def test_a_gateway_that_nobody_answers_at_is_wrong(installed: World) -> None:
    assert "ws://127.0.0.1:1 cannot be used" in checked()["reasons"]["discord gateway"]
