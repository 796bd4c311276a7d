"""Real processes, as on a small machine: one beside the web. A kill ends all of it at once, and loses nothing."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from slomix.cli.formation import SMALL
from slomix.dev.rehearsal.evening import OPENING
from slomix.dev.rehearsal.matrix.calendar import EveningCalendar
from slomix.dev.rehearsal.matrix.harness import Harness
from slomix.dev.rehearsal.matrix.run import EveningPlayer
from slomix.dev.rehearsal.matrix.scenarios import BY_NAME, Action
from slomix.dev.rehearsal.matrix.table import describe_evening
from slomix.dev.rehearsal.system import RunningSystem, running

SEED = 21


def kill(stage: Harness) -> None:
    stage.kill_process("background")


def kill_and_end_leases(stage: Harness) -> None:
    kill(stage)
    stage.expire_leases()


@pytest.fixture(scope="module")
def system() -> Iterator[RunningSystem]:
    with running(OPENING, SLOMIX_FORMATION=SMALL) as running_copy:
        yield running_copy


@pytest.fixture(scope="module")
def players(system: RunningSystem) -> Iterator[EveningPlayer]:
    stage = Harness(system)
    stage.open()
    yield EveningPlayer(stage, EveningCalendar(), SEED)
    stage.close()


def test_there_is_one_process_beside_the_web(system: RunningSystem) -> None:
    running = json.loads((system.folder / "pids.json").read_text())
    assert set(running) == {"postgres", "valkey", "web", "background", "simulator"}


@pytest.mark.parametrize(
    ("phase", "strike"), [("start", kill_and_end_leases), ("voice check", kill)], ids=["at the start", "in the check"]
)
def test_a_kill_loses_nothing_and_repeats_nothing(players: EveningPlayer, phase: str, strike: Action) -> None:
    cell = replace(
        BY_NAME["kill worker"], name=f"background, {phase}", strike=strike, phases=(phase,), max_lateness=0.8
    )
    played = players.play(cell, 0)
    assert played.count.flaws == (), describe_evening(played, SEED)
    assert (played.count.duplicates, played.count.losses) == (0, 0)
