"""One evening on its own day in processes that have seen others: called, disturbed, waited for, counted."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import OperationalError

from slomix.campaigns import rules
from slomix.clock import nap
from slomix.dev.rehearsal.matrix.calendar import MatrixEvening
from slomix.dev.rehearsal.matrix.harness import CAST, PROMOTER, Harness
from slomix.dev.rehearsal.matrix.results import EveningCount, ExpectedEvening, count_evening, read_row
from slomix.dev.rehearsal.matrix.scenarios import PHASES, Scenario
from slomix.dev.rehearsal.people import UnexpectedAnswer
from slomix.dev.rehearsal.verdict import FOLLOW_UP, REMINDER, START, SUMMARY

# A killed worker's lease, the recovery after it, and a margin for a slow machine.
SETTLES_WITHIN = 180.0
# The clock is set to so long before a moment.
BEFORE = timedelta(seconds=0.3)


@dataclass(frozen=True)
class PlayedEvening:
    """A played evening, with everything needed to look into it."""

    cell: str
    number: int
    night: MatrixEvening
    phase: str
    delay: float
    campaign: str
    count: EveningCount
    ledger: list[dict[str, Any]] = field(default_factory=list)
    seen: int = 0
    took: float = 0.0


class EveningRun:
    """The script of one evening; two players change their minds during it."""

    def __init__(self, stage: Harness, cell: Scenario, night: MatrixEvening, number: int, *, seen: int) -> None:
        self._stage, self._cell, self._night, self._number = stage, cell, night, number
        self._seen = seen
        self._phase = stage.random.choice(cell.phases)
        self._delay = stage.random.uniform(0, PHASES[self._phase] * cell.max_lateness)
        players = [name for name in CAST if name != PROMOTER]
        self._withdraws, self._walks_in = stage.random.sample(players, 2)
        self._troubles: list[str] = []
        self._campaign: str | None = None

    def play(self) -> PlayedEvening:
        stage, night = self._stage, self._night
        stage.back_at = None
        stage.control.set_clock(night.opens_at)
        if not stage.wait(stage.system.is_healthy):
            raise UnexpectedAnswer("the system is not healthy before the evening begins")
        stage.log_in()
        for name in CAST:
            stage.set_status(name, night.day, "AVAILABLE" if name in ("Jana", "Luka") else "LOOKING")
        self._cell.prepare(stage)
        self._campaign = self._call_together()
        self._send(rules.REMINDER, "reminders", night.start_at - timedelta(minutes=15) - BEFORE)
        self._change_minds()
        self._send(rules.START, "start", night.start_at - BEFORE)
        with self._disturbed_in("voice check"):
            self._forward_to(night.start_at + timedelta(seconds=29.5))
            self._settle(self._is_over)
        if not self._is_over():
            self._force_an_end()
        stage.restore_calm()
        nap(self._cell.aftermath)
        return self._judge(self._campaign)

    def abandoned(self, why: str) -> PlayedEvening:
        """Record what is known of an evening that could not be finished."""
        try:
            ledger = self._shown()["ledger"]
        except OperationalError:
            ledger = []
        return self._record(EveningCount(flaws=(why, *self._troubles)), ledger, seen=self._seen)

    def _record(self, result: EveningCount, ledger: list[dict[str, Any]], *, seen: int) -> PlayedEvening:
        return PlayedEvening(
            cell=self._cell.name,
            number=self._number,
            night=self._night,
            phase=self._phase,
            delay=self._delay,
            campaign=self._campaign or "",
            count=result,
            ledger=ledger,
            seen=seen,
        )

    def _call_together(self) -> str:
        """Submit the same campaign until there is an answer; it stays one campaign."""
        with self._disturbed_in("calling"):
            answer = self._stage.press(
                PROMOTER,
                "/api/availability/promotions/campaigns",
                {"include_available": True, "include_maybe": False, "dry_run": False, "start": self._night.start},
                key=f"{self._night.day}-{self._number}",
            )
        return str(answer["campaign_id"])

    def _send(self, kind: str, phase: str, moment: datetime) -> None:
        with self._disturbed_in(phase):
            self._forward_to(moment)
            self._settle(lambda: self._is_settled(kind))

    def _change_minds(self) -> None:
        who = self._stage.ids[self._walks_in]
        with self._disturbed_in("between"):
            self._stage.set_status(self._withdraws, self._night.day, "NOT_PLAYING")
            self._stage.control.move_voice(who, "default")
            if not self._stage.wait(lambda: who in self._stage.system.people_in_voice()):
                self._troubles.append(f"{self._walks_in} was not seen in voice")

    @contextmanager
    def _disturbed_in(self, phase: str) -> Iterator[None]:
        """If the fault belongs to this phase, start it in the middle of the block and wait for its end."""
        strike = self._cell.strike
        if strike is None or phase != self._phase:
            yield
            return
        failed: list[BaseException] = []

        def wait_and_strike() -> None:
            nap(self._delay)
            try:
                strike(self._stage)
            except Exception as error:  # noqa: BLE001 - raised again on the evening's own thread
                failed.append(error)

        thread = threading.Thread(target=wait_and_strike, daemon=True)
        thread.start()
        try:
            yield
        finally:
            thread.join()
        if failed:
            raise failed[0]
        self._settle(self._is_quiet)

    def _forward_to(self, moment: datetime) -> None:
        if self._stage.control.now() < moment:
            self._stage.control.set_clock(moment)

    def _settle(self, condition: Any) -> None:
        self._stage.wait(condition, seconds=SETTLES_WITHIN)

    def _shown(self) -> dict[str, Any]:
        """Return the evidence in the tables so far."""
        return self._stage.evidence(self._campaign) if self._campaign is not None else {"jobs": [], "ledger": []}

    def _is_settled(self, kind: str) -> bool:
        """Check whether the job of this notice has ended, as it does when its messages have."""
        return any(job["kind"] == kind and _is_over(job) for job in self._shown()["jobs"])

    def _is_quiet(self) -> bool:
        """Check that no message is being sent at this moment."""
        return not any(row["status"] == "sending" for row in self._shown()["ledger"])

    def _is_over(self) -> bool:
        shown = self._shown()
        rows = shown["ledger"]
        has_summary = any(row["event_key"].startswith("SUMMARY:") for row in rows)
        return (
            all(_is_over(job) for job in shown["jobs"])
            and has_summary
            and not any(row["status"] in {"pending", "sending"} for row in rows)
        )

    def _force_an_end(self) -> None:
        """Set the clock past all deadlines, so that open messages end now or never."""
        self._troubles.append("the evening ended by its deadlines only")
        self._stage.control.clear_faults()
        self._stage.control.set_clock(self._night.start_at + timedelta(minutes=45))
        self._settle(self._is_over)

    def _judge(self, campaign: str) -> PlayedEvening:
        stage, night = self._stage, self._night
        shown = self._shown()
        messages = stage.control.messages(after=self._seen)
        asked = frozenset(stage.ids[name] for name in CAST)
        gone = frozenset({stage.ids[self._withdraws]})
        here = frozenset({stage.ids[self._walks_in]})
        rows = [read_row(row, self._whom(row["to"])) for row in shown["ledger"]]
        # Players who didn't get the start get no follow-up, and no player does if presence is unknown.
        told = frozenset(row.person for row in rows if row.notice == START and row.status in {"sent", "unknown"})
        if any(row["event_key"].startswith("PRESENCE_UNKNOWN:") for row in shown["ledger"]):
            told = frozenset()
        script = ExpectedEvening(
            wanted={
                REMINDER: asked,
                START: asked - gone - here,
                FOLLOW_UP: (asked - gone - here) & told,
                SUMMARY: frozenset({stage.room}),
            },
            unwanted={START: gone, FOLLOW_UP: gone | here},
        )
        result = count_evening(
            messages,
            rows,
            script,
            start_at=night.start_at,
            back_at=stage.back_at,
            never_unknown=self._cell.never_unknown,
        )
        broken = [f"broken: {promise['promise']}" for promise in shown["verdict"] if not promise["kept"]]
        flaws = [*broken, *self._troubles, *self._other_campaigns(campaign)]
        if self._cell.shows_unknown and not result.unknown:
            flaws.append("nothing is unknown, though it could not be found out")
        return self._record(result.add_flaws(flaws), shown["ledger"], seen=self._seen + len(messages))

    def _whom(self, shown: str) -> str:
        return shown.removeprefix("room ") if shown.startswith("room ") else self._stage.players[shown]

    def _other_campaigns(self, campaign: str) -> list[str]:
        """Check that repeated submits made only one campaign."""
        made = self._stage.campaigns_of(self._night.day)
        return [] if made == [campaign] else [f"there are {len(made)} campaigns that day"]


def _is_over(job: dict[str, Any]) -> bool:
    return job["status"] not in {"pending", "running"}
