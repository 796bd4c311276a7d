"""The whole system of `make run` with all its servers, started by a script in the background and told to stop."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from slomix.database.session import ROOT
from slomix.dev.embedded import places
from slomix.dev.simulator.ports import free_pair
from tests.deployment.conftest import NOT_OURS
from tests.waiting import PATIENCE, until

PARTS = {"postgres", "valkey", "web", "background", "simulator"}


def family() -> dict[int, list[int]]:
    """The living processes of this machine, by the one that has started them."""
    found: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = status.read_text().rpartition(") ")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            found.setdefault(int(parent), []).append(int(status.parent.name))
    return found


def descendants(pid: int) -> set[int]:
    children, found, waiting = family(), set(), [pid]
    while waiting:
        more = children.get(waiting.pop(), [])
        found |= set(more)
        waiting += more
    return found


def living() -> set[int]:
    return {pid for pids in family().values() for pid in pids}


@pytest.fixture
def folder() -> Iterator[Path]:
    """Of a port on which nothing runs yet."""
    port = free_pair()
    yield (made := ROOT / "var" / str(port))
    if (made / "up.lock").exists() and (pid := (made / "up.lock").read_text()):
        os.kill(int(pid), signal.SIGKILL)
    shutil.rmtree(made, ignore_errors=True)


def test_a_script_that_says_ctrl_c_ends_every_process(folder: Path, tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith((*NOT_OURS, "DATABASE", "REDIS"))}
    said = tmp_path / "said.log"
    with said.open("wb") as log:
        script = subprocess.Popen(
            ["sh", "-c", '"$@" & wait $!', "sh", sys.executable, "-m", "slomix", "up"],
            cwd=ROOT,
            env=kept | {"SLOMIX_ENV": "development", "PORT": folder.name},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    until(lambda: script.poll() is not None or "Slomix runs on" in said.read_text(), "Slomix to be up")
    assert script.poll() is None, said.read_text()
    runner = int((folder / "up.lock").read_text())
    everything = descendants(runner)
    assert set(json.loads((folder / "pids.json").read_text())) == PARTS
    assert len(everything) > len(PARTS), "some have children of their own"
    sockets = [Path(tempfile.gettempdir()) / places.server_tag(folder, name) for name in ("pg", "kv")]
    assert [socket.is_dir() for socket in sockets] == [True, True]
    os.kill(runner, signal.SIGINT)
    assert script.wait(PATIENCE) == 0
    assert not ({runner} | everything) & living()
    assert [socket.exists() for socket in sockets] == [False, False]
    assert json.loads((folder / "pids.json").read_text()) == {}
    assert not (folder / "environment.json").exists()
    assert "SIGKILL" not in said.read_text()
