"""However a running copy is told to stop, it ends alike: in order, with status 0, and with no process left.

The copies are real, and so are shells, make and terminals; what the copies run is a Procfile of short shell scripts.
"""

import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from slomix.database.session import MIGRATION_LOCK, ROOT, libpq_url
from slomix.dev.embedded import Servers, places
from slomix.dev.simulator.ports import free_pair
from tests.embedded.copies import (
    STOP_SIGNALS,
    Copy,
    children_of,
    deaf,
    has,
    is_gone,
    masks,
    on_a_terminal,
)
from tests.rules.operator import PRODUCTION
from tests.waiting import PATIENCE, until

# Told to stop it waits for a file: until then it can only end by force, and has not said goodbye.
CHILD = """
trap 'echo told >>"$1.said"; while [ ! -e go ]; do sleep 0.05; done; echo bye >>"$1.said"; exit 0' TERM
grep -E '^Sig(Blk|Ign)' /proc/self/status >"$1.signals"
echo $$ >"$1.pid"
while :; do sleep 60 & wait; done
"""
PROCFILE = "release: sh release.sh\nweb: sh child.sh web\nworker: sh child.sh worker\n"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clone with a blank")
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "src", folder / "src")
    (folder / "Procfile").write_text(PROCFILE)
    (folder / "child.sh").write_text(CHILD)
    return folder


@pytest.fixture
def copy(source: Path) -> Iterator[Copy]:
    (source / "release.sh").write_text("true\n")
    command = (sys.executable, "-m", "slomix", "up", "--prod")
    made = Copy(source, free_pair(), source / "errors", command, PRODUCTION | {"SKIP_HEALTHCHECK": "1"})
    yield made
    made.end()
    for left in [source / "go", *source.glob("*.said"), *source.glob("*.pid")]:
        left.unlink(missing_ok=True)
    shutil.rmtree(source / "var", ignore_errors=True)


@pytest.mark.parametrize("number", STOP_SIGNALS)
@pytest.mark.parametrize("born", [None, deaf], ids=["as usual", "with signals ignored and blocked"])
def test_told_by_any_signal_and_until_its_last_moment_it_ends_in_order(
    copy: Copy, born: Callable[[], None] | None, number: signal.Signals
) -> None:
    running = copy.start(born=born)
    pids = copy.is_up()
    assert (copy.signals_of("web")["SigIgn"], copy.signals_of("web")["SigBlk"]) == (0, 0), "its children hear all"
    for _ in range(2):
        running.send_signal(number)
    copy.let_go()
    while running.poll() is None:
        running.send_signal(signal.SIGTERM)
        time.sleep(0.01)
    assert running.returncode == 0
    copy.has_ended(pids)


def test_started_in_a_scripts_background_it_hears_a_ctrl_c(copy: Copy) -> None:
    script = copy.in_background()
    pids = copy.is_up()
    os.kill(pids[0], signal.SIGINT)
    copy.let_go()
    assert script.wait(PATIENCE) == 0
    copy.has_ended(pids)


def test_a_hangup_that_nohup_ignores_stays_ignored(copy: Copy) -> None:
    script = copy.in_background("nohup", *copy.command)
    pids = copy.is_up()
    seen = masks(Path(f"/proc/{pids[0]}/status").read_text())
    assert [has(seen["SigIgn"], number) for number in STOP_SIGNALS] == [False, False, True]
    os.killpg(script.pid, signal.SIGHUP)  # of which the script itself dies
    assert script.wait(PATIENCE) == -signal.SIGHUP
    assert copy.said("web") == []
    os.kill(pids[0], signal.SIGTERM)
    copy.let_go()
    until(lambda: is_gone(pids[0]), "the copy to end")
    copy.errors.write_text("")  # what nohup said
    copy.has_ended(pids)


def test_when_its_terminal_closes_it_ends_in_order(copy: Copy) -> None:
    ours, theirs = os.openpty()
    running = copy.start(born=on_a_terminal, output=theirs)
    os.close(theirs)
    pids = copy.is_up()
    os.close(ours)
    copy.let_go()
    assert running.wait(PATIENCE) == 0
    copy.has_ended(pids)


def test_when_the_terminal_of_its_shell_closes_it_ends_in_order(copy: Copy) -> None:
    """The kernel tells the shell, whose end takes the terminal from what runs in front."""
    ours, theirs = os.openpty()
    shell = copy.start("sh", "-c", '"$@"; true', "sh", *copy.command, born=on_a_terminal, output=theirs)
    os.close(theirs)
    pids = copy.is_up()
    os.close(ours)
    copy.let_go()
    assert shell.wait(PATIENCE) == -signal.SIGHUP
    copy.has_ended(pids)


def test_a_ctrl_c_ends_it_also_below_make(copy: Copy) -> None:
    ours, theirs = os.openpty()
    make = copy.start("make", "prod", "SKIP_INSTALL=1", born=on_a_terminal, output=theirs)
    os.close(theirs)
    pids = copy.is_up()
    os.write(ours, b"\x03")
    copy.let_go()
    make.wait(PATIENCE)
    assert copy.errors.read_text().count("Error") == 0
    copy.errors.write_text("")  # make has said that it was interrupted
    copy.has_ended([*pids, make.pid])
    os.close(ours)


@pytest.mark.parametrize("tell", [os.kill, os.killpg], ids=["make alone", "its whole group"])
def test_below_make_it_is_told_once_or_twice_and_ends_in_order(copy: Copy, tell: Callable[[int, int], None]) -> None:
    """What its group has got already, make passes on once more, and whoever began the group tells the group."""
    make = copy.start("make", "prod", "SKIP_INSTALL=1")
    pids = copy.is_up()
    tell(make.pid, signal.SIGTERM)
    copy.let_go()
    assert make.wait(PATIENCE) == -signal.SIGTERM
    copy.errors.write_text("")  # make has said that it was terminated
    copy.has_ended(pids)


def test_a_reader_of_its_output_that_went_away_changes_nothing(copy: Copy) -> None:
    reading, writing = os.pipe()
    running = copy.start(output=writing)
    os.close(writing)
    os.close(reading)
    pids = copy.is_up()
    running.send_signal(signal.SIGTERM)
    copy.let_go()
    assert running.wait(PATIENCE) == 0
    copy.has_ended(pids)


def test_told_while_it_reads_its_own_code_it_does_not_start(copy: Copy) -> None:
    script = copy.start("sh", "-c", '"$@" & echo $! >up.pid; wait $!', "sh", *copy.command)
    pid = copy.pid_of("up")
    status = Path(f"/proc/{pid}/status")
    # The last of the three; and unlike SIGINT no shell that is still to become our program catches it.
    until(lambda: has(masks(status.read_text())["SigCgt"], signal.SIGHUP), "the first line of code")
    os.kill(pid, signal.SIGINT)
    assert script.wait(PATIENCE) == 0
    assert not copy.lock.exists()
    assert copy.errors.read_text() == ""


def test_told_while_it_waits_for_its_port_it_does_not_start(copy: Copy) -> None:
    """After a run that was cut off it waits for what is still ending."""
    copy.lock.parent.mkdir(parents=True)
    copy.lock.write_text("1")
    with socket.create_server(("127.0.0.1", copy.port)):
        script = copy.in_background()
        until(lambda: copy.lock.read_text() not in ("", "1"), "the copy to hold its folder")
        os.kill(copy.pid, signal.SIGINT)
        assert script.wait(PATIENCE) == 0
    assert copy.lock.read_text() == ""
    assert copy.errors.read_text() == ""


def test_told_while_the_release_command_runs_it_starts_nothing(copy: Copy) -> None:
    shutil.copy(copy.folder / "child.sh", copy.folder / "release.sh")
    (copy.folder / "release.sh").write_text("set -- release\n" + CHILD)
    script = copy.in_background()
    pids = [copy.pid, copy.pid_of("release")]
    os.kill(pids[0], signal.SIGINT)
    until(lambda: copy.said("release") == ["told"], "the release command to be told")
    (copy.folder / "go").touch()
    assert script.wait(PATIENCE) == 0
    assert copy.said("release") == ["told", "bye"]
    assert all(is_gone(pid) for pid in pids)
    assert not (copy.folder / "web.pid").exists()


@pytest.fixture
def development(tmp_path: Path) -> Iterator[Copy]:
    """The real thing: what `make run` starts, on a port of its own."""
    command = (sys.executable, "-m", "slomix", "up")
    made = Copy(ROOT, free_pair(), tmp_path / "errors", command, {"SLOMIX_ENV": "development"})
    yield made
    made.end()
    shutil.rmtree(ROOT / "var" / str(made.port), ignore_errors=True)


def test_told_while_migrations_wait_for_a_lock_it_does_not_wait_with_them(
    development: Copy, servers: Servers, empty_database_url: str
) -> None:
    with psycopg.connect(libpq_url(empty_database_url), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        development.given |= {"DATABASE_URL": empty_database_url, "REDIS_URL": servers.redis_url}
        script = development.in_background()
        waiting = "SELECT FROM pg_locks JOIN pg_database ON oid = database WHERE datname = 'empty' AND NOT granted"
        until(lambda: other.execute(waiting).fetchone() is not None, "the migrations to wait")
        os.kill(development.pid, signal.SIGINT)
        assert script.wait(PATIENCE) == 0
    assert development.errors.read_text() == ""


def test_a_ctrl_c_while_the_database_is_made_lets_it_be_made(development: Copy) -> None:
    """It goes to everything in front of the terminal."""
    ours, theirs = os.openpty()
    running = development.start(born=on_a_terminal, output=theirs)
    os.close(theirs)
    until(lambda: "initdb" in children_of(running.pid).values(), "the database to be made")
    os.write(ours, b"\x03")
    assert running.wait(PATIENCE) == 0
    os.close(ours)
    tag = places.server_tag(development.lock.parent, "pg")
    assert places.pids_of(tag, ("postgres", "initdb")) == []
    assert development.errors.read_text() == ""
