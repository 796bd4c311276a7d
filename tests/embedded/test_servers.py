"""PostgreSQL and Valkey from wheels come up wherever a clone may lie, and after whatever ended the run before."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from slomix.database.grants import ROLE
from slomix.database.session import libpq_url
from slomix.dev import embedded
from slomix.dev.embedded import identity, places, postgres, valkey
from slomix.dev.embedded.identity import DAC_OVERRIDE, UNPRIVILEGED, Identity
from tests.waiting import PATIENCE, until

is_root = os.geteuid() == 0
as_root = pytest.mark.skipif(not is_root, reason="only root has to become somebody else")


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder as a clone may have it: closed to others, deep, with a space in its name."""
    closed = Path(tempfile.mkdtemp())
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    folder = closed / "a clone" / ("deep" * 25) / "var" / "7000"
    yield folder
    for server in ("pg", "kv", "copy"):
        shutil.rmtree(Path(tempfile.gettempdir()) / places.server_tag(folder, server), ignore_errors=True)
    shutil.rmtree(closed)


def modes_above(folder: Path) -> list[int]:
    return [parent.stat().st_mode for parent in folder.parents]


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return connection.execute(query).fetchall()


def test_both_come_up_in_a_closed_folder_with_a_space_and_change_no_permission(home: Path) -> None:
    home.mkdir(parents=True)
    before = modes_above(home)
    with embedded.running(home) as servers:
        assert rows(servers.database_url, "SHOW server_encoding") == [("UTF8",)]
        assert rows(servers.database_url, "SELECT lower('ČŠŽ'), 'é' ~ '\\w'") == [("čšž", True)]
        assert rows(servers.database_url, "SHOW listen_addresses") == [("",)]
        with redis.Redis.from_url(servers.redis_url) as connection:
            assert connection.ping()
            assert connection.config_get("port") == {"port": "0"} or connection.config_get("port") == {b"port": b"0"}
    assert modes_above(home) == before
    assert not places.pids_of(places.server_tag(home, "pg"), ("postgres",))


def test_what_was_written_is_there_at_the_second_start_which_initialises_nothing(home: Path) -> None:
    version = postgres.prepare_postgres(home).data / "PG_VERSION"

    def made() -> tuple[int, int]:
        return version.stat().st_ino, version.stat().st_mtime_ns

    with embedded.running(home) as servers, psycopg.connect(servers.owner_url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    before = made()
    with embedded.running(home) as servers:
        assert made() == before
        assert rows(servers.owner_url, "SELECT number FROM kept") == [(7,)]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /dev/shm")
def test_it_does_without_shared_memory_where_that_is_missing_or_small(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_ROOM_FOR_SHARED_MEMORY", 0)
    assert postgres.shared_memory_settings() == {}
    monkeypatch.setattr(postgres, "_ROOM_FOR_SHARED_MEMORY", 1 << 62)
    assert postgres.shared_memory_settings() == {"dynamic_shared_memory_type": "mmap"}
    monkeypatch.setattr(postgres, "_SHARED_MEMORY", home / "missing")
    with embedded.running(home) as servers:
        assert rows(servers.database_url, "SHOW dynamic_shared_memory_type") == [("mmap",)]


@as_root
def test_root_hands_the_data_to_nobody_and_the_sockets_are_closed_to_others(home: Path) -> None:
    server = postgres.prepare_postgres(home)
    assert server.identity.uid == UNPRIVILEGED
    assert server.data.stat().st_uid == UNPRIVILEGED
    assert stat.S_IMODE(server.socket_folder.stat().st_mode) == 0o700
    assert len(str(server.socket_folder)) < 90


@as_root
@pytest.mark.parametrize(
    "allowed", [[Identity(UNPRIVILEGED), Identity(UNPRIVILEGED, DAC_OVERRIDE)], [Identity(UNPRIVILEGED)]]
)
def test_where_a_capability_is_missing_another_way_in_is_found(
    home: Path, allowed: list[Identity], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "candidate_identities", lambda: allowed)
    server = postgres.prepare_postgres(home)
    assert bool(server.note) == (len(allowed) == 1), "a server that runs elsewhere says so"
    with embedded.running(home) as servers:
        assert rows(servers.database_url, "SELECT 1") == [(1,)]


def test_an_initialisation_that_was_cut_off_is_done_again(home: Path) -> None:
    half = home / "postgres" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with embedded.running(home) as servers:
        assert rows(servers.database_url, "SELECT current_database()") == [("slomix",)]


def test_a_lock_file_that_names_a_process_which_lives_again_does_not_block(home: Path) -> None:
    server = postgres.prepare_postgres(home)
    # A process of the same user is the one that PostgreSQL cannot tell from itself.
    stranger = subprocess.Popen(["sleep", "60"], preexec_fn=server.drop_privileges)
    try:
        for lock in (server.data / "postmaster.pid", server.socket_folder / ".s.PGSQL.5432.lock"):
            lock.write_text(f"{stranger.pid}\n{server.data}\n1700000000\n5432\n{server.socket_folder}\n\n")
        with embedded.running(home) as servers:
            assert rows(servers.database_url, "SELECT 1") == [(1,)]
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_that_outlived_its_runner_is_ended_first(home: Path) -> None:
    server = postgres.prepare_postgres(home)
    orphan = subprocess.Popen(
        server.command, env=server.env, preexec_fn=server.drop_privileges, stderr=subprocess.DEVNULL
    )
    try:
        until(server.is_up, "the server")
        # Nobody reaps it here while `prepare` waits for its end, so it does that itself.
        signal.signal(signal.SIGCHLD, lambda *_: orphan.poll())
        with embedded.running(home) as servers:
            assert rows(servers.database_url, "SELECT 1") == [(1,)]
            assert orphan.wait(PATIENCE) == 0
    finally:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        orphan.kill()
        orphan.wait()


SERVER = """
import signal, subprocess, sys
from pathlib import Path
folder, tag = Path(sys.argv[1]), sys.argv[2]
if len(sys.argv) == 3:
    again = [sys.executable, "-c", sys.orig_argv[2], str(folder), tag, "child"]
    child = subprocess.Popen(again, stdin=subprocess.PIPE)
    def end(*_):
        child.stdin.close()
        child.wait()
        sys.exit(0)
    signal.signal(signal.SIGINT, end)
    while True:
        signal.pause()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
(folder / "ready").touch()
sys.stdin.read()  # until the server ends it; what else it was told waits
if signal.sigtimedwait([signal.SIGINT], 0.5):
    (folder / "told").touch()
"""


def test_a_server_that_is_left_over_ends_its_own_children(tmp_path: Path) -> None:
    tag = f"slomix-of-{tmp_path.name}"
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(tmp_path), tag])
    try:
        until((tmp_path / "ready").exists, "the server and its child")
        places.end_orphans(tag, (Path(sys.executable).name,), signal.SIGINT, seconds=PATIENCE)
        assert server.wait(PATIENCE) == 0
        assert not (tmp_path / "told").exists(), "the child was told by nobody else"
    finally:
        server.kill()
        server.wait()


def test_both_end_with_a_killed_starter_and_start_again(home: Path) -> None:
    script = """
import sys, time
from pathlib import Path
from slomix.dev import embedded
with embedded.running(Path(sys.argv[1])):
    print("up", flush=True)
    time.sleep(60)
"""
    starter = subprocess.Popen([sys.executable, "-c", script, str(home)], stdout=subprocess.PIPE)
    assert starter.stdout is not None
    assert starter.stdout.readline() == b"up\n"
    starter.kill()
    starter.wait()
    starter.stdout.close()
    until(
        lambda: not any(places.pids_of(places.server_tag(home, name), ("postgres", "valkey")) for name in ("pg", "kv")),
        "the end of both",
    )
    with embedded.running(home) as servers:
        assert rows(servers.database_url, "SELECT 1") == [(1,)]


def test_a_socket_folder_that_somebody_else_made_is_refused(home: Path) -> None:
    folder = Path(tempfile.gettempdir()) / places.server_tag(home, "kv")
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    with pytest.raises(embedded.EmbeddedError, match="is not ours"):
        valkey.prepare_valkey(home)


def test_data_of_another_version_are_not_touched(home: Path) -> None:
    server = postgres.prepare_postgres(home)
    (server.data / "PG_VERSION").write_text("12\n")
    with pytest.raises(embedded.EmbeddedError, match="made by PostgreSQL 12"):
        postgres.prepare_postgres(home)


def test_who_is_not_root_stays_who_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert identity.candidate_identities() == [Identity()]


def test_data_of_a_version_that_knew_no_role_get_it_at_the_next_start(home: Path) -> None:
    with embedded.running(home) as servers, psycopg.connect(libpq_url(servers.owner_url)) as connection:
        connection.execute(f"DROP OWNED BY {ROLE}")
        connection.execute(f"DROP ROLE {ROLE}")
    with embedded.running(home) as servers:
        assert rows(servers.database_url, "SELECT current_user::text") == [(ROLE,)]
        assert rows(servers.owner_url, f"SELECT rolsuper FROM pg_roles WHERE rolname = '{ROLE}'") == [(False,)]
