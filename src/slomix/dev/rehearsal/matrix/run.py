"""Plays the cells: their evenings take turns on copies side by side, so that faults of one kind are spread out."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

import httpx2
from sqlalchemy.exc import OperationalError

from slomix.dev.rehearsal.matrix.calendar import EveningCalendar
from slomix.dev.rehearsal.matrix.evening import EveningRun, PlayedEvening
from slomix.dev.rehearsal.matrix.harness import Harness
from slomix.dev.rehearsal.matrix.scenarios import Scenario
from slomix.dev.rehearsal.matrix.table import ScenarioResult, describe_evening
from slomix.dev.rehearsal.people import UnexpectedAnswer
from slomix.dev.rehearsal.system import running

OPENING = "2026-04-01T20:40:00+02:00"
REPORT_EVERY = 60.0

Say = Callable[[str], None]


class EveningPlayer:
    """Plays evenings one after the other on one copy."""

    def __init__(self, stage: Harness, calendar: EveningCalendar, seed: int) -> None:
        self._stage, self._calendar, self._seed = stage, calendar, seed
        self._seen = len(stage.control.messages())

    def play(self, cell: Scenario, number: int) -> PlayedEvening:
        """Play one evening; one that cannot be finished has broken a promise too."""
        began = time.monotonic()
        night = self._calendar.next_clock_change() if cell.over_the_change else self._calendar.next_evening()
        # The same seed strikes the same evening at the same moment, whatever was played before.
        self._stage.random = random.Random(f"{self._seed} {cell.name} {number}")
        late = self._stage.control.messages(after=self._seen)
        self._seen += len(late)
        evening = EveningRun(self._stage, cell, night, number, seen=self._seen)
        try:
            played = evening.play()
        except (UnexpectedAnswer, httpx2.HTTPError, OperationalError) as error:
            self._stage.restore_calm()
            played = evening.abandoned(f"could not be played to its end: {type(error).__name__}: {error}")
        self._seen = max(self._seen, played.seen)
        if late:
            stray = f"{len(late)} messages came after the evening before had ended"
            played = replace(played, count=played.count.add_flaws([stray]))
        return replace(played, took=time.monotonic() - began)


class MatrixRun:
    """All rounds of all cells, and the evenings played."""

    def __init__(self, cells: Sequence[Scenario], *, rounds: int | None, seed: int, say: Say) -> None:
        self._seed, self._say = seed, say
        self._cells = [cell if rounds is None else replace(cell, rounds=rounds) for cell in cells]
        self._played: dict[str, list[PlayedEvening]] = {cell.name: [] for cell in self._cells}
        most = max((cell.rounds for cell in self._cells), default=0)
        self._waiting = [(cell, number) for number in range(most) for cell in self._cells if number < cell.rounds]
        self._total = len(self._waiting)
        self._lock = threading.Lock()
        self._began = self._reported = time.monotonic()

    def play(self, copies: int) -> list[ScenarioResult]:
        """Play everything, on that many copies at once."""
        number = max(1, min(copies, self._total))
        with ThreadPoolExecutor(max_workers=number) as pool:
            jobs = [pool.submit(self._play_on_one) for _ in range(number)]
            try:
                for job in jobs:
                    job.result()
            except BaseException:
                self._waiting.clear()  # evenings under way are played to their end
                raise
        return [ScenarioResult(cell, self._played[cell.name]) for cell in self._cells]

    def _play_on_one(self) -> None:
        with ExitStack() as stack:
            stage = Harness(stack.enter_context(running(OPENING)))
            stack.callback(stage.close)
            stage.open()
            players = EveningPlayer(stage, EveningCalendar(), self._seed)
            while (following := self._next()) is not None:
                self._note(following[0], players.play(*following))

    def _next(self) -> tuple[Scenario, int] | None:
        with self._lock:
            return self._waiting.pop(0) if self._waiting else None

    def _note(self, cell: Scenario, played: PlayedEvening) -> None:
        with self._lock:
            done = self._played[cell.name]
            done.append(played)
            if played.count.flaws:
                self._say(describe_evening(played, self._seed))
            if len(done) == cell.rounds:
                self._say("  ".join(ScenarioResult(cell, done).as_columns()))
            now = time.monotonic()
            if now - self._reported >= REPORT_EVERY and self._waiting:
                self._reported = now
                finished = sum(map(len, self._played.values()))
                left = (now - self._began) / finished * (self._total - finished) / 60
                self._say(f"{finished} of {self._total} evenings, about {left:.0f} minutes to go")


def play_matrix(
    cells: Sequence[Scenario], *, rounds: int | None = None, seed: int = 1, copies: int = 2, say: Say
) -> list[ScenarioResult]:
    """Play these cells and return their results."""
    return MatrixRun(cells, rounds=rounds, seed=seed, say=say).play(copies)
