"""However Slomix is started, what keeps it from starting is a sentence a line, exit status 2, and never a traceback."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from slomix.cli import main
from slomix.database.session import ROOT
from tests.rules.operator import PRODUCTION, bare_machine
from tests.waiting import PATIENCE

__all__ = ["bare_machine"]

GUNICORN = ["gunicorn", "--config", "python:slomix.app.gunicorn", "slomix.app:create_app()"]
PROCESSES = [["python", f"workers/{name}.py"] for name in ("worker", "scheduler", "bot", "inbox")]
STARTS = [*PROCESSES, GUNICORN, ["python", "-m", "slomix", "up", "--prod"]]
PYTHON = Path(sys.executable).parent


def run(folder: Path, *command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A program of ours to its end, in `folder`, which has its own source."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    ours = {"PATH": f"{PYTHON}:{os.environ['PATH']}", "PYTHONPATH": str(folder / "src")}
    return subprocess.run(
        command, cwd=folder, env=kept | ours | environment, capture_output=True, text=True, timeout=PATIENCE
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what production runs from, so that an `.env` can stand beside it."""
    copy = tmp_path_factory.mktemp("clone with a blank")
    for name in ("Makefile", "Procfile", "pyproject.toml"):
        shutil.copy(ROOT / name, copy)
    for name in ("src", "workers", "alembic"):
        shutil.copytree(ROOT / name, copy / name)  # with what is compiled: the copies are as old as the originals
    return copy


@pytest.fixture
def clone(source: Path) -> Iterator[Path]:
    """The same without an `.env` of an earlier test."""
    yield source
    (source / ".env").unlink(missing_ok=True)


@pytest.fixture
def offline(clone: Path) -> dict[str, str]:
    """What production needs; nobody answers there."""
    values = PRODUCTION | {
        "DATABASE_URL": "postgresql://me@127.0.0.1:1/slomix",
        "REDIS_URL": "redis://127.0.0.1:1",
        "DISCORD_API_BASE_URL": "http://127.0.0.1:1",
    }
    (clone / ".env").write_text("".join(f'{name}="{value}"  # set\r\n' for name, value in values.items()))
    return values


@pytest.mark.parametrize("command", STARTS, ids=lambda command: " ".join(command[:4]))
def test_every_start_is_refused_by_name(clone: Path, command: list[str]) -> None:
    refused = run(clone, *command, PORT="seven", SESSION_SECRET="hush-hush")
    assert refused.returncode == 2, refused.stderr
    lines = refused.stderr.splitlines()
    assert lines[0] == "Slomix does not start:"
    named = [line.partition(":")[0] for line in lines[1:]]
    assert sorted(named) == sorted({"PORT", *PRODUCTION})
    assert "hush-hush" not in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr


@pytest.mark.parametrize("command", ["db upgrade", "db check", "pause", "campaign list", "roles grant 1 admin"])
def test_every_command_refuses_nonsense_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {"PORT": "64998", "GAME_SERVER_PORT": "x", "AVAILABILITY_PROMOTION_START_TIME": "9"}.items():
        monkeypatch.setenv(name, value)
    refused = CliRunner().invoke(main, command.split())
    assert (refused.exit_code, refused.exception.__class__) == (2, SystemExit)
    named = [line.partition(":")[0] for line in refused.stderr.splitlines()]
    assert named == ["AVAILABILITY_PROMOTION_START_TIME", "GAME_SERVER_PORT"]


def test_a_process_that_only_looks_at_its_settings_ends_well_or_says_what_is_wrong(
    clone: Path, offline: dict[str, str]
) -> None:
    valid = run(clone, "python", "workers/bot.py", BOT_STARTUP_VALIDATE_ONLY="'yes' # only look")
    assert valid.returncode == 0, valid.stderr
    refused = run(clone, "python", "workers/bot.py", BOT_STARTUP_VALIDATE_ONLY="true", DISCORD_GUILD_ID="my server")
    assert (refused.returncode, refused.stderr.splitlines()[1].partition(":")[0]) == (2, "DISCORD_GUILD_ID")


@pytest.mark.parametrize("switch", ["1", "'true'", '"1"  # nothing to fetch here'])
def test_what_stands_on_makes_command_line_wins_over_the_file(
    clone: Path, offline: dict[str, str], switch: str
) -> None:
    with (clone / ".env").open("a") as file:
        file.write("PORT=7333\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run(clone, "make", "prod", f"PORT='{port}' # mine", SKIP_INSTALL=switch)
        assert f"Port {port} is taken by another program" in refused.stderr


def test_a_weak_secret_on_makes_command_line_is_refused_though_the_file_has_a_strong_one(
    clone: Path, offline: dict[str, str]
) -> None:
    refused = run(clone, "make", "prod", "SESSION_SECRET=short", "SKIP_HEALTHCHECK=perhaps", "SKIP_INSTALL=1")
    assert refused.stderr.splitlines()[:3] == [
        "Slomix does not start:",
        "SESSION_SECRET: is too weak: it has fewer than 32 characters; `openssl rand -hex 32` makes one",
        "SKIP_HEALTHCHECK: 'perhaps' is neither true nor false",
    ]


def test_a_secret_in_a_file_is_a_real_one_for_the_whole_system(clone: Path, offline: dict[str, str]) -> None:
    missing = clone / "nowhere"
    refused = run(clone, "python", "-m", "slomix", "up", SLOMIX_ENV="development", DISCORD_BOT_TOKEN_FILE=str(missing))
    assert (refused.returncode, refused.stderr) == (
        2,
        "Slomix does not start:\nDISCORD_BOT_TOKEN_FILE: there is no such file\n",
    )
