"""The runner keeps alive what should live, and leaves nothing behind. Played with real, short-lived processes."""

import asyncio
import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from slomix.supervisor.process import ManagedProcess
from slomix.supervisor.runner import Runner, parse_procfile
from slomix.supervisor.terminal import TerminalOutput
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).resolve().parents[1]


def test_a_procfile_is_names_and_commands_with_comments_and_blank_lines() -> None:
    assert parse_procfile('# note\n\nweb: gunicorn "a:b()"\nworker:  python w.py\n') == {
        "web": 'gunicorn "a:b()"',
        "worker": "python w.py",
    }


@pytest.mark.parametrize("text", ["web", "web:", "a b: c", "web: one\nweb: two", "web: one && two"])
def test_what_is_no_procfile_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(ValueError, match="line"):
        parse_procfile(text)


def test_development_runs_what_production_runs_and_the_simulator() -> None:
    production = parse_procfile((ROOT / "Procfile").read_text())
    development = parse_procfile((ROOT / "Procfile.dev").read_text())
    production.pop("release")
    assert development.pop("simulator")
    assert development == production


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


async def happens(condition: Callable[[], object]) -> None:
    await asyncio.to_thread(until, condition, "what the runner is to do")


@contextlib.asynccontextmanager
async def runner(folder: Path, **options: bool) -> AsyncIterator[Runner]:
    made = Runner(output=TerminalOutput(folder / "log"), pids_file=folder / "pids.json", **options)
    try:
        yield made
    finally:
        await made.stop()


def test_what_dies_is_started_again_each_time_a_little_later(tmp_path: Path) -> None:
    births = tmp_path / "births"

    async def play() -> None:
        async with runner(tmp_path) as running:
            running.first_delay = 0.1
            running.start([ManagedProcess("worker", f"""sh -c 'date +%s.%N >> "{births}"; exit 3'""")])
            await happens(lambda: births.exists() and len(births.read_text().split()) >= 4)

    asyncio.run(play())
    moments = [float(word) for word in births.read_text().split()]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    said = (tmp_path / "log" / "worker.log").read_text()
    for gap, delay in zip(gaps[:3], (0.1, 0.2, 0.4), strict=True):
        assert f"ended with status 3; starts again in {delay:g} s" in said
        assert gap > delay * 0.99, "a busy machine may take longer"


def test_a_runner_sleeps_while_its_processes_live(tmp_path: Path) -> None:
    async def play() -> int:
        async with runner(tmp_path) as running:
            running.start([ManagedProcess(f"p{number}", "sleep 60") for number in range(5)])
            await happens(lambda: len(running.pids) == 5)
            before = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
            await asyncio.sleep(2)
            return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw - before

    assert asyncio.run(play()) < 10, "it looks again and again whether they live"


def test_the_delay_never_grows_over_its_cap(tmp_path: Path) -> None:
    async def play() -> None:
        async with runner(tmp_path) as running:
            running.first_delay, running.longest_delay = 0.05, 0.1
            running.start([ManagedProcess("worker", "false")])
            log = tmp_path / "log" / "worker.log"
            await happens(lambda: log.exists() and log.read_text().count("again in 0.1 s") >= 3)

    asyncio.run(play())


def test_a_killed_process_lives_again_under_another_number(tmp_path: Path) -> None:
    async def play() -> None:
        async with runner(tmp_path) as running:
            running.start([ManagedProcess("worker", "sleep 60")])
            await happens(lambda: "worker" in running.pids)
            first = json.loads((tmp_path / "pids.json").read_text())["worker"]
            os.kill(first, signal.SIGKILL)
            await happens(lambda: running.pids.get("worker", first) != first)
            assert json.loads((tmp_path / "pids.json").read_text()) == running.pids

    asyncio.run(play())


def test_a_program_that_is_not_there_is_tried_again(tmp_path: Path) -> None:
    async def play() -> None:
        async with runner(tmp_path) as running:
            running.start([ManagedProcess("worker", [str(tmp_path / "later")])])
            await happens((tmp_path / "log" / "worker.log").exists)
            (tmp_path / "later").write_text("#!/bin/sh\nexec sleep 60\n")
            (tmp_path / "later").chmod(0o755)
            await happens(lambda: "worker" in running.pids)

    asyncio.run(play())


def test_exit_0_at_once_means_nothing_to_do_and_the_runner_ends_with_the_last(tmp_path: Path) -> None:
    async def play() -> None:
        async with runner(tmp_path) as running:
            running.finished_within = PATIENCE
            running.start([ManagedProcess("discord", "true")])
            await asyncio.wait_for(running.run_forever(), PATIENCE)

    asyncio.run(play())
    assert (tmp_path / "log" / "discord.log").read_text() == "has finished\n"


@pytest.mark.parametrize(("may_finish", "is_restarted"), [(False, True), (True, False)])
def test_exit_0_later_is_an_end_by_somebodys_hand_except_when_only_validating(
    tmp_path: Path, may_finish: bool, is_restarted: bool
) -> None:
    async def play() -> None:
        async with runner(tmp_path, may_finish=may_finish) as running:
            running.finished_within = 0.1
            running.start([ManagedProcess("worker", "sleep 0.3")])
            log = tmp_path / "log" / "worker.log"
            await happens(lambda: log.exists() and log.read_text().endswith("\n"))
            assert ("starts again" in log.read_text()) == is_restarted

    asyncio.run(play())


def test_output_goes_to_a_log_each_also_without_a_last_line_end(tmp_path: Path) -> None:
    async def play() -> int:
        async with runner(tmp_path) as running:
            return await running.run_once(ManagedProcess("release", """sh -c 'printf "one\\ntwo"; exit 4'"""))

    assert asyncio.run(play()) == 4
    assert (tmp_path / "log" / "release.log").read_text() == "one\ntwo\n"


def test_a_stop_ends_the_whole_family_the_stubborn_ones_too(tmp_path: Path) -> None:
    family = tmp_path / "family"
    stubborn = f"""sh -c 'trap "" TERM; echo $$ >> "{family}"; sleep 61 & echo $! >> "{family}"; sleep 62 & wait'"""

    async def play() -> None:
        async with runner(tmp_path) as running:
            running.grace = 0.5
            running.start([ManagedProcess("server", "sleep 60")])
            running.start([ManagedProcess("worker", stubborn)])
            await happens(lambda: family.exists() and len(family.read_text().split()) == 2)

    asyncio.run(play())
    until(lambda: all(gone(int(pid)) for pid in family.read_text().split()), "the end of the family")
    assert json.loads((tmp_path / "pids.json").read_text()) == {}


async def stop_told(folder: Path, on_term: str, signals: list[signal.Signals]) -> None:
    """End a process that does this when it is told to end; the runner is told these signals, and waits for an hour."""
    async with runner(folder) as running:
        running.same_request, running.grace = 0.0, 3600.0
        running.start(
            [ManagedProcess("worker", f"""sh -c 'trap "{on_term}" TERM; echo ready; while :; do sleep 0.1; done'""")]
        )
        log = folder / "log" / "worker.log"
        await happens(lambda: log.exists() and "ready" in log.read_text())
        running.handle_signal(signals[0])
        stopping = asyncio.ensure_future(running.stop())
        for number in signals[1:]:
            await asyncio.sleep(0.05)  # later, by the clock
            running.handle_signal(number)
        (folder / "go").touch()
        await asyncio.wait_for(stopping, PATIENCE)


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_a_ctrl_c_later_on_waits_for_nothing(tmp_path: Path, first: signal.Signals) -> None:
    asyncio.run(stop_told(tmp_path, ":", [first, signal.SIGINT]))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_any_other_signal_later_on_changes_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """Whoever starts us may tell us in more ways than one, and one of them later than the other."""
    goodbye = f"while [ ! -e {tmp_path}/go ]; do sleep 0.01; done; echo bye; exit 0"
    asyncio.run(stop_told(tmp_path, goodbye, [signal.SIGINT, number, number]))
    assert (tmp_path / "log" / "worker.log").read_text().endswith("bye\n")


def test_what_a_process_forked_does_not_live_on_beside_its_successor(tmp_path: Path) -> None:
    children = tmp_path / "children"

    async def play() -> None:
        async with runner(tmp_path) as running:
            running.start([ManagedProcess("web", f"""sh -c 'sleep 60 & echo $! >> "{children}"; exit 1'""")])
            await happens(lambda: children.exists() and len(children.read_text().split()) >= 2)
            await happens(lambda: gone(int(children.read_text().split()[0])))

    asyncio.run(play())


@pytest.fixture
def runner_process(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A runner in a process of its own, with two processes of which one ignores a polite end."""
    script = """
import asyncio, sys
from pathlib import Path
from slomix.supervisor.process import ManagedProcess, on_stop_signal
from slomix.supervisor.runner import Runner
async def main():
    runner = Runner(pids_file=Path(sys.argv[1]))
    loop = asyncio.get_running_loop()
    on_stop_signal(lambda number: loop.call_soon_threadsafe(runner.handle_signal, number))
    deaf = f"sh -c 'trap \\"\\" TERM; : > {sys.argv[1]}.deaf; while :; do sleep 1; done'"
    runner.start([ManagedProcess("one", "sleep 60"), ManagedProcess("two", deaf)])
    await runner.run_forever()
    runner.grace = 0.5
    await runner.stop()
asyncio.run(main())
"""
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "pids.json")], stdout=subprocess.DEVNULL)
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_however_the_runner_ends_nothing_stays(
    tmp_path: Path, runner_process: "subprocess.Popen[bytes]", number: signal.Signals
) -> None:
    pids = tmp_path / "pids.json"
    until(lambda: pids.exists() and len(json.loads(pids.read_text())) == 2, "both processes")
    until((tmp_path / "pids.json.deaf").exists, "the one that ignores a polite end to do so")
    children = json.loads(pids.read_text()).values()
    runner_process.send_signal(number)
    until(lambda: all(gone(pid) for pid in children), "the end of both")


@pytest.mark.parametrize("reader", ["takes nothing", "is gone", "never was"])
def test_the_end_is_a_good_one_whatever_becomes_of_the_terminal(tmp_path: Path, reader: str) -> None:
    script = """
import sys
from pathlib import Path
from slomix.supervisor.terminal import TerminalOutput
output = TerminalOutput(Path(sys.argv[1]))
for number in range(1500):
    output.print_line("web", f"{number} " + "x" * 1000)
output.close()
"""
    reading, writing = os.pipe()
    if reader == "is gone":
        os.close(reading)
    close_it = (lambda: os.close(1)) if reader == "never was" else None
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        stdout=writing,
        stderr=subprocess.PIPE,
        preexec_fn=close_it,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert len((tmp_path / "web.log").read_text().splitlines()) == 1500
    os.close(writing)
    if reader != "is gone":
        os.close(reading)


def test_a_process_that_is_told_to_end_hears_it_whatever_it_does_at_that_moment() -> None:
    """Also while it holds the lock of the very event, and also when it is told again meanwhile."""
    script = """
import os, signal
from slomix.processes.common import stop_event
signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in a script's background
stopping = stop_event()
with stopping._cond:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(os.getpid(), number)
stopping.wait()
"""
    assert subprocess.run([sys.executable, "-c", script], timeout=PATIENCE).returncode == 0
