"""The script of one evening, 20:40 to 21:05, played by people at browsers; the clock skips the dull stretches."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import redis
from sqlalchemy import select

from slomix.accounts.models import Player, User
from slomix.clock import nap
from slomix.dev.rehearsal import verdict
from slomix.dev.rehearsal.people import BrowserUser, SimulatorControl, UnexpectedAnswer
from slomix.dev.rehearsal.system import RunningSystem, running
from slomix.dev.rehearsal.verdict import ExpectedNotices, JudgedPromise, Lateness

OPENING = "2026-03-27T20:40:00+01:00"
START_AT = datetime.fromisoformat("2026-03-27T21:00:00+01:00")
DAY = "2026-03-27"

# Slow, and one message at a time, so that the worker can be killed in the middle.
ENVIRONMENT = {"SLOMIX_WORKER_THREADS": "1"}
LATENCY = 0.4
# In seconds; messages that haven't come by then never will, however busy the machine.
TIMEOUT_SECONDS = 120
KILL_AFTER = 2
PREFERENCES = "/api/availability/promotion-preferences"
# Repeating a submit sends the same key again.
SUBMIT = {"include_available": "on", "start": "21:00", "key": "rehearsal"}


@dataclass(frozen=True)
class RehearsalResult:
    """The result of the evening."""

    promises: list[JudgedPromise]
    lateness: Lateness | None
    duplicates: int
    losses: int
    evidence: dict[str, Any]

    @property
    def is_kept(self) -> bool:
        """Check that every promise was kept, and each of the ten steps."""
        return all(promise.kept for promise in self.promises) and all(step["is_so"] for step in self.evidence["steps"])


Say = Callable[[str], None]
Interfere = Callable[[RunningSystem], None]


def play_evening(say: Say, *, kill_worker: bool = True, meddle: Interfere | None = None) -> RehearsalResult:
    """Play once from an empty database; call `meddle` between the start notices and the voice check."""
    say("starting every process, with an empty database")
    with running(OPENING, **ENVIRONMENT) as system:
        return play_evening_on(system, say, kill_worker=kill_worker, meddle=meddle)


def play_evening_on(
    system: RunningSystem, say: Say, *, kill_worker: bool = True, meddle: Interfere | None = None
) -> RehearsalResult:
    """Play on a copy that has seen nothing later than this evening."""
    system.control.set_clock(datetime.fromisoformat(OPENING))
    return _Evening(system, say).play(kill_worker=kill_worker, meddle=meddle)


class _Evening:
    def __init__(self, system: RunningSystem, say: Say) -> None:
        self._system, self._tell = system, say
        self._control: SimulatorControl = system.control
        self._cast = {entry["name"]: entry for entry in self._control.people()}
        self._people: dict[str, BrowserUser] = {}

    def play(self, *, kill_worker: bool, meddle: Interfere | None) -> RehearsalResult:
        campaign = self._call_together()
        self._reminder()
        killed_after = self._start(kill_worker=kill_worker)
        if meddle is not None:
            meddle(self._system)
        self._walk_in_late()
        self._wait("the summary", lambda: bool(self._got(verdict.SUMMARY)))
        nap(3)  # time for anything that should not come
        again = self._run_again(campaign) if kill_worker else None
        result = self._judge(campaign, killed_after, again)
        self._people["Ivan"].call(PREFERENCES, {"quiet_hours": None})
        self._control.set_game_players([])
        return result

    def _say(self, words: str) -> None:
        self._tell(f"{self._control.now().astimezone(START_AT.tzinfo):%H:%M:%S}  {words}")

    def _call_together(self) -> str:
        for name in ("Alice", "Erik", "Franka", "Goran", "Hana", "Ivan", "Jana", "Luka", "Bob"):
            self._people[name] = self._system.person(self._cast[name])
        self._people["Hana"].post("/preferences", allow_promotions="off")  # Hana wants no calls
        self._people["Ivan"].call(PREFERENCES, {"allow_promotions": True})
        for name in ("Alice", "Erik", "Franka", "Goran", "Hana", "Ivan", "Bob"):
            self._people[name].set_status(DAY, "LOOKING")
        self._people["Jana"].set_status(DAY, "AVAILABLE")
        self._people["Luka"].set_status(DAY, "MAYBE")
        campaign = self._people["Bob"].promote(**SUBMIT)
        self._say(
            "seven are looking, one is available; Hana opted out, Luka says maybe; Bob calls the evening together"
        )
        return campaign

    def _reminder(self) -> None:
        self._control.set_clock(START_AT - timedelta(minutes=15, seconds=1))
        self._wait("the reminders", lambda: len(self._got(verdict.REMINDER)) >= 7)
        self._say("reminders are out; Goran says he is not playing after all, Alice walks into voice")
        self._people["Goran"].set_status(DAY, "NOT_PLAYING")
        self._walk_in("Alice")

    def _start(self, *, kill_worker: bool) -> int | None:
        self._control.add_fault("latency", seconds=LATENCY)
        self._control.set_clock(START_AT - timedelta(seconds=2))
        killed_after = None
        if kill_worker:
            self._wait("the first start notices", lambda: len(self._got(verdict.START)) >= KILL_AFTER)
            self._system.kill("worker")
            killed_after = len(self._got(verdict.START))
            self._say(f"killed the worker after {killed_after} start notices; the rest must come, and none twice")
        self._wait("the other start notices", lambda: len(self._got(verdict.START)) >= 5)
        self._control.clear_faults()
        self._say("start notices are out")
        return killed_after

    def _walk_in_late(self) -> None:
        self._people["Ivan"].call(PREFERENCES, {"quiet_hours": {"start": "20:00", "end": "08:00"}})
        self._control.set_game_players(self._player_names("Erik", "Franka"))
        self._walk_in("Erik")
        self._say("Ivan wants quiet from now on, Erik and Franka are on the game server, Erik walks into voice")
        if self._control.now() < START_AT + timedelta(seconds=25):
            self._control.set_clock(START_AT + timedelta(seconds=28))

    def _walk_in(self, name: str) -> None:
        who = self._cast[name]["id"]
        self._control.move_voice(who, "default")
        self._wait(f"{name} to be seen in voice", lambda: who in self._system.people_in_voice())

    def _run_again(self, campaign: str) -> JudgedPromise:
        """Do all that could cause a second message: submit again, empty Redis, kill scheduler and worker."""
        before = len(self._control.messages())
        same = self._people["Bob"].promote(**SUBMIT) == campaign
        with redis.Redis.from_url(self._system.environment["REDIS_URL"]) as connection:
            connection.flushall()
        for name in ("scheduler", "worker"):
            self._system.kill(name)
        self._say("Bob's browser sends the form again, Redis is emptied, scheduler and worker are killed")
        nap(2)
        self._wait("every process to be back", self._system.is_healthy)
        nap(3)
        more = len(self._control.messages()) - before
        seen = f"{more} messages more, {'the same' if same else 'another'} campaign"
        return JudgedPromise("running it all again sent nothing again", same and not more, seen)

    def _player_names(self, *names: str) -> list[str]:
        """Return the players' names in the game."""
        ids = {self._cast[name]["id"] for name in names}
        database = self._system.database()
        with database.transaction() as session:
            query = select(Player.name).join(User, User.player_id == Player.id).where(User.discord_id.in_(ids))
            found = list(session.scalars(query))
        database.close()
        return found

    def _got(self, kind: str) -> list[str]:
        return [str(message["to"]) for message in self._control.messages() if verdict.kind_of(message) == kind]

    def _wait(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait for a condition; if it doesn't come, the evening goes on, and the verdict will say so."""
        for _ in range(TIMEOUT_SECONDS * 20):
            if condition():
                return
            nap(0.05)
        self._say(f"waited {TIMEOUT_SECONDS} s for {what} in vain")

    def _judge(self, campaign: str, killed_after: int | None, again: JudgedPromise | None) -> RehearsalResult:
        shown = self._system.run_command("campaign", "show", campaign, "--json")
        if not shown.stdout:
            raise UnexpectedAnswer(f"slomix campaign show: {shown.stderr}")
        evidence = json.loads(shown.stdout)
        messages = self._control.messages()
        expected = ExpectedNotices(
            reminder=self._ids("Alice", "Bob", "Erik", "Franka", "Goran", "Ivan", "Jana"),
            start=self._ids("Bob", "Erik", "Franka", "Ivan", "Jana"),
            follow_up=self._ids("Bob", "Franka", "Jana"),
            in_voice=self._ids("Alice", "Erik"),
        )
        return RehearsalResult(
            promises=verdict.judge_promises(
                messages,
                expected,
                jobs=[job["kind"] for job in evidence["jobs"]],
                ledger=evidence["ledger"],
                killed_after=killed_after,
            )
            + ([again] if again is not None else []),
            lateness=verdict.measure_lateness(messages, START_AT),
            duplicates=verdict.count_duplicates(messages),
            losses=verdict.count_losses(messages, expected),
            evidence=evidence,
        )

    def _ids(self, *names: str) -> frozenset[str]:
        return frozenset(self._cast[name]["id"] for name in names)
