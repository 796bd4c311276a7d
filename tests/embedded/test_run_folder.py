"""`slomix up` refuses what cannot work in a sentence, and what is set in the environment wins over `.env`."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from slomix.cli import run_folder
from slomix.cli.run_folder import Folder, Given
from slomix.config.settings import Settings, SettingsError


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "DISCORD_BOT_TOKEN", "DISCORD_CLIENT_SECRET", "SKIP_HEALTHCHECK"):
        monkeypatch.delenv(name, raising=False)


def test_the_environment_wins_over_the_file_and_an_empty_value_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("PORT=7040\nSKIP_HEALTHCHECK=1 # in a sandbox\nDISCORD_BOT_TOKEN=\n")
    assert Given.read(tmp_path).text("PORT") == "7040"
    assert Given.read(tmp_path).is_on("SKIP_HEALTHCHECK")
    assert not Given.read(tmp_path).has_credentials
    monkeypatch.setenv("PORT", "7050")
    assert Given.read(tmp_path).text("PORT") == "7050"


def test_a_credential_in_the_file_is_a_real_one(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DISCORD_CLIENT_SECRET=real\n")
    assert Given.read(tmp_path).has_credentials


def test_what_a_copy_gives_its_processes_replaces_a_secret_that_stands_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("real\n")
    monkeypatch.setenv("DISCORD_BOT_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("DISCORD_BOT_TOKEN", "")
    assert Given.read(tmp_path).text("DISCORD_BOT_TOKEN") == "real"
    run_folder.put({"DISCORD_BOT_TOKEN": "simulated"})
    given = Given.read(tmp_path)
    assert (given.text("DISCORD_BOT_TOKEN"), given.environment.problems) == ("simulated", ())


@pytest.mark.parametrize("beside", [0, 1])
def test_a_port_that_is_taken_is_named(beside: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"Port {port} is taken"):
            run_folder.refuse_taken_ports([port - 1, port] if beside else [port], patience=0)


def test_two_runs_of_one_folder_do_not_meet(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "7000")
    with folder.held(), pytest.raises(SettingsError, match=f"port 7000 .process {os.getpid()}"), folder.held():
        pass
    with folder.held() as was_cut_off:
        assert not was_cut_off


def test_a_run_that_was_killed_holds_nothing_and_is_known_to_have_been_cut_off(tmp_path: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from slomix.cli.run_folder import Folder
with Folder(Path(sys.argv[1])).held():
    os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "7000")])
    assert done.returncode == -signal.SIGKILL
    with Folder(tmp_path / "7000").held() as was_cut_off:
        assert was_cut_off


def test_other_commands_reach_the_servers_of_the_copy_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "SESSION_SECRET"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("REDIS_URL", "redis://mine")
    monkeypatch.setenv("SESSION_SECRET_FILE", str(tmp_path / "nowhere"))
    folder = Folder(tmp_path / "var" / "7000")
    with folder.held():
        folder.publish(
            {"DATABASE_URL": "postgresql://embedded", "REDIS_URL": "unix://embedded", "SESSION_SECRET": "known"}
        )
        assert run_folder.join_running_copy(tmp_path) == {"DATABASE_URL"}
    assert os.environ["DATABASE_URL"] == "postgresql://embedded"
    assert os.environ["REDIS_URL"] == "redis://mine"
    assert not folder.environment.exists()


@pytest.mark.parametrize(
    ("database", "owner", "joined"),
    [
        ("", "", "postgresql://as-owner"),
        ("", "postgresql://of-another", "postgresql://as-owner"),
        ("postgresql://mine", "", ""),
        ("postgresql://mine", "postgresql://mine-as-owner", "postgresql://mine-as-owner"),
    ],
)
def test_the_owner_is_always_that_of_the_same_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: str, owner: str, joined: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("DATABASE_OWNER_URL", owner)
    folder = Folder(tmp_path / "var" / "7000")
    with folder.held():
        folder.publish({"DATABASE_URL": "postgresql://embedded", "DATABASE_OWNER_URL": "postgresql://as-owner"})
        run_folder.join_running_copy(tmp_path)
    assert os.environ["DATABASE_URL"] == (database or "postgresql://embedded")
    assert os.environ["DATABASE_OWNER_URL"] == joined


def test_an_owner_without_a_database_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://as-owner@host/slomix")
    with pytest.raises(SettingsError, match="DATABASE_OWNER_URL: is set and DATABASE_URL is not"):
        Settings.from_env(None)


def test_an_owner_of_another_database_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://website_app@host/slomix")
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://owner@elsewhere/slomix_old")
    with pytest.raises(SettingsError, match="DATABASE_OWNER_URL: names another database than DATABASE_URL"):
        Settings.from_env(None)
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://owner@elsewhere/slomix")
    assert Settings.from_env(None).database_owner_url


def test_what_is_started_does_not_get_the_owners_address(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_OWNER_URL", "DATABASE_OWNER_URL_FILE"):
        monkeypatch.setenv(name, "anything")
    run_folder.forget_owner()
    assert [name for name in os.environ if "OWNER_URL" in name] == []
