"""What goes wrong in each cell of the matrix, and when."""

import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from slomix.clock import nap
from slomix.dev.rehearsal.matrix.harness import PROVIDERS, Stage

Deed = Callable[[Stage], None]

# The stretches of an evening, in their order, and how long after its beginning the latest strike falls into each.
PHASES = {"calling": 0.6, "reminders": 1.5, "between": 0.5, "start": 1.5, "voice check": 3.0}
MANY, FEW = 20, 5
# Slow enough that there is a middle to be killed in.
LATENCY = 0.8


@dataclass(frozen=True)
class Cell:
    """One kind of trouble: `prepare` holds for a whole evening, `strike` comes at a random moment of it."""

    name: str
    does: str
    rounds: int = FEW
    prepare: Deed = lambda _stage: None
    strike: Deed | None = None
    phases: tuple[str, ...] = tuple(PHASES)
    # Which part of such a stretch comes into question; what lasts for a while begins before the messages leave.
    within: float = 1.0
    never_unknown: frozenset[str] = frozenset()
    # What a provider may still do after the evening seems over, such as take a slow request.
    aftermath: float = 1.0
    over_the_change: bool = False


def _slow(stage: Stage) -> None:
    for provider in PROVIDERS:
        stage.control.add_fault("latency", provider=provider, seconds=LATENCY)


def _kill(name: str) -> Deed:
    return lambda stage: stage.insist_on_killing(name)


def _restart_postgres(stage: Stage) -> None:
    """Either way that a server goes: told to, or without a chance to write anything down."""
    stage.system.kill("postgres", stage.random.choice((signal.SIGINT, signal.SIGKILL)))


def _stop_valkey(stage: Stage) -> None:
    """It is gone again whenever it came back, for five seconds."""
    for _ in range(50):
        stage.system.kill("valkey")
        nap(0.1)


def _hang_valkey(stage: Stage) -> None:
    """It takes connections and answers nobody, for five seconds."""
    stage.system.kill("valkey", signal.SIGSTOP)
    nap(5)
    stage.system.kill("valkey", signal.SIGCONT)


def _flush_valkey(stage: Stage) -> None:
    for _ in range(15):
        stage.flush()
        nap(0.1)


def _errors(stage: Stage) -> None:
    for provider in PROVIDERS:
        stage.control.add_fault("status", provider=provider, code=500, rate=0.3)


def _ask_to_wait(stage: Stage) -> None:
    for provider in PROVIDERS:
        stage.control.add_fault("rate_limit", provider=provider, retry_after=stage.random.choice((1, 2)), times=12)


def _for_a_while(lasts: float, fault: str, **parameters: float) -> Deed:
    """Every provider at once, so that one that hangs meets the others where they hang too."""

    def strike(stage: Stage) -> None:
        for provider in PROVIDERS:
            stage.control.add_fault(fault, provider=provider, **parameters)
        nap(lasts)
        stage.control.clear_faults()

    return strike


def _cut(provider: str) -> Deed:
    return lambda stage: stage.control.add_fault(
        "cut_after_accept", provider=provider, times=stage.random.choice((1, 2, 3))
    )


def _outage(stage: Stage) -> None:
    """Two minutes without any provider, at ten times the speed."""
    for provider in PROVIDERS:
        stage.control.add_fault("status", provider=provider, code=503)
    stage.control.set_clock(speed=10)
    nap(12)
    stage.control.set_clock(speed=1)
    stage.control.clear_faults()


def _set_clock(minutes: int) -> Deed:
    """Wrong by so much for three seconds, then right again: both ways at once."""

    def strike(stage: Stage) -> None:
        stage.control.set_clock(stage.control.now() + timedelta(minutes=minutes))
        nap(3)
        stage.control.set_clock(stage.control.now() - timedelta(minutes=minutes))

    return strike


def _beside(name: str, number: int) -> Deed:
    def prepare(stage: Stage) -> None:
        _slow(stage)
        stage.start_beside(name, number)
        nap(4)  # until they work

    return prepare


_ON_DISCORD = frozenset({"discord"})
EARLY = 0.15
_SENDING = ("reminders", "start", "voice check")

CELLS = (
    *(
        Cell(f"kill {name}", f"`kill -9` of the {name} process", MANY, _slow, _kill(name), never_unknown=_ON_DISCORD)
        for name in ("worker", "scheduler", "web", "discord")
    ),
    Cell("postgres restarts", "PostgreSQL restarted, politely or by `kill -9`", FEW, _slow, _restart_postgres),
    Cell("valkey stops", "Valkey gone for five seconds", FEW, _slow, _stop_valkey),
    Cell("valkey hangs", "Valkey answers nobody for five seconds", FEW, _slow, _hang_valkey),
    Cell("valkey restarts", "Valkey killed once", FEW, _slow, _kill("valkey")),
    Cell("valkey flushed", "FLUSHALL, fifteen times in a row", FEW, _slow, _flush_valkey),
    Cell("two schedulers", "one more scheduler", FEW, _beside("scheduler", 1)),
    Cell("three schedulers", "two more schedulers", FEW, _beside("scheduler", 2)),
    Cell("five workers", "four more workers", FEW, _beside("worker", 4)),
    Cell(
        "latency 10 s",
        "every provider takes its time for 15 s: 10 s for a request, longer than we wait for an answer",
        strike=_for_a_while(15, "latency", seconds=10),
        phases=_SENDING,
        within=EARLY,
        aftermath=11,
    ),
    Cell("5xx 30 %", "three of ten requests to every provider answered with 500", prepare=_errors),
    Cell(
        "429 storm",
        "a dozen times 429 with Retry-After, on every provider",
        FEW,
        strike=_ask_to_wait,
        phases=_SENDING,
        within=EARLY,
    ),
    Cell(
        "time-outs", "no provider answers for 10 s", strike=_for_a_while(10, "timeout"), phases=_SENDING, within=EARLY
    ),
    *(
        Cell(
            f"cut {provider}",
            f"{provider.title()} takes one to three messages and the line is cut before the answer",
            MANY,
            strike=_cut(provider),
            phases=_SENDING,
            within=EARLY,
            never_unknown=_ON_DISCORD,
        )
        for provider in PROVIDERS
    ),
    Cell("outage", "every provider answers 503 for two minutes", strike=_outage, phases=_SENDING, within=EARLY),
    Cell("clock back", "the clock a minute behind for three seconds", FEW, _slow, _set_clock(-1)),
    Cell("clock forward", "the clock a minute ahead for three seconds", FEW, _slow, _set_clock(1)),
    Cell("summer time", "evenings and nights on which the clocks change", over_the_change=True),
)
BY_NAME = {cell.name: cell for cell in CELLS}


def _both(first: Deed, second: Deed) -> Deed:
    def strike(stage: Stage) -> None:
        first(stage)
        second(stage)

    return strike


# In a minute: what kills, what forgets, what cuts, and one too many of something; two of them an evening.
SHORT = (
    Cell(
        "worker, telegram",
        "the worker killed, its leases over at once; Telegram cuts the line",
        1,
        _both(_slow, _cut("telegram")),
        _both(_kill("worker"), Stage.end_leases),
        ("start",),
        within=0.8,
        never_unknown=_ON_DISCORD,
    ),
    Cell(
        "scheduler, discord",
        "the scheduler killed; Discord cuts the line",
        1,
        _both(_slow, _cut("discord")),
        _kill("scheduler"),
        _SENDING,
        never_unknown=_ON_DISCORD,
    ),
    Cell(
        "valkey, schedulers",
        "Valkey flushed, and one scheduler more than there should be",
        1,
        _beside("scheduler", 1),
        _flush_valkey,
        _SENDING,
        never_unknown=_ON_DISCORD,
    ),
)
