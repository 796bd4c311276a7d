"""The cells of the matrix: what goes wrong in each, and when."""

import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from slomix.clock import nap
from slomix.dev.rehearsal.matrix.harness import PROVIDERS, Harness

Action = Callable[[Harness], None]

# The phases of an evening in order, each with the latest moment of a strike, in seconds after its beginning.
PHASES = {"calling": 0.6, "reminders": 1.5, "between": 0.5, "start": 1.5, "voice check": 3.0}
MANY, FEW = 20, 5
# Slow enough to be killed in the middle.
LATENCY = 0.8


@dataclass(frozen=True)
class Scenario:
    """A kind of fault: `prepare` holds for a whole evening, `strike` comes at a random moment of it."""

    name: str
    description: str
    rounds: int = FEW
    prepare: Action = lambda _stage: None
    strike: Action | None = None
    phases: tuple[str, ...] = tuple(PHASES)
    # The share of a phase in which it may strike; faults that last begin before the messages leave.
    max_lateness: float = 1.0
    never_unknown: frozenset[str] = frozenset()
    # Whether something has to end as `unknown`, because it cannot be found out.
    shows_unknown: bool = False
    # Seconds in which a provider may still act after the evening seems over, such as on a slow request.
    aftermath: float = 1.0
    over_the_change: bool = False


def _slow(stage: Harness) -> None:
    for provider in PROVIDERS:
        stage.control.add_fault("latency", provider=provider, seconds=LATENCY)


def _kill(name: str) -> Action:
    return lambda stage: stage.kill_process(name)


def _restart_postgres(stage: Harness) -> None:
    """End PostgreSQL in either way: asked to stop, or killed."""
    stage.system.kill("postgres", stage.random.choice((signal.SIGINT, signal.SIGKILL)))


def _stop_valkey(stage: Harness) -> None:
    """Kill Valkey whenever it came back, for five seconds."""
    for _ in range(50):
        stage.system.kill("valkey")
        nap(0.1)


def _hang_valkey(stage: Harness) -> None:
    """Freeze Valkey for five seconds: it takes connections but doesn't answer."""
    stage.system.kill("valkey", signal.SIGSTOP)
    nap(5)
    stage.system.kill("valkey", signal.SIGCONT)


def _flush_valkey(stage: Harness) -> None:
    for _ in range(15):
        stage.flush()
        nap(0.1)


def _errors(stage: Harness) -> None:
    for provider in PROVIDERS:
        stage.control.add_fault("status", provider=provider, code=500, rate=0.3)


def _ask_to_wait(stage: Harness) -> None:
    for provider in PROVIDERS:
        # Signal does not say how long, so each of its refusals costs a minute.
        times = 3 if provider == "signal" else 12
        stage.control.add_fault("rate_limit", provider=provider, retry_after=stage.random.choice((1, 2)), times=times)


def _for_a_while(lasts: float, fault: str, **parameters: float) -> Action:
    """Break every provider at once, so that messages falling back meet the same fault."""

    def strike(stage: Harness) -> None:
        for provider in PROVIDERS:
            stage.control.add_fault(fault, provider=provider, **parameters)
        nap(lasts)
        stage.control.clear_faults()

    return strike


def _cut(provider: str) -> Action:
    return lambda stage: stage.control.add_fault(
        "cut_after_accept", provider=provider, times=stage.random.choice((1, 2, 3))
    )


def _answer_with_errors(*codes: int, html: bool) -> Action:
    """Have every provider take one to three messages and answer each with the error of a gateway."""

    def strike(stage: Harness) -> None:
        for provider in PROVIDERS:
            code, times = stage.random.choice(codes), stage.random.choice((1, 2, 3))
            stage.control.add_fault("error_after_accept", provider=provider, code=code, html=html, times=times)

    return strike


def _keep_worker_away(stage: Harness) -> None:
    """Kill the worker whenever it came back, until Discord's nonces of a minute are over."""
    for _ in range(650):
        stage.system.kill("worker")
        nap(0.1)


def _hide_room(stage: Harness) -> None:
    """Take all messages without a word, hide the room, and go on to the deadline when it was asked in vain."""
    stage.control.add_fault("no_history")
    stage.control.add_fault("error_after_accept", code=504)
    stage.wait(stage.has_asked_in_vain, seconds=300)
    stage.control.set_clock(stage.control.now() + timedelta(minutes=25))


def _outage(stage: Harness) -> None:
    """Break every provider for two minutes, at ten times the speed."""
    for provider in PROVIDERS:
        stage.control.add_fault("status", provider=provider, code=503)
    stage.control.set_clock(speed=10)
    nap(12)
    stage.control.set_clock(speed=1)
    stage.control.clear_faults()


def _ban(stage: Harness) -> None:
    """Ban the bot for five seconds; it knocks again after a minute."""
    stage.control.add_fault("cloudflare", page=1015)
    nap(5)
    stage.control.clear_faults()


def _away(provider: str, lasts: float, *, speed: int = 10, also: Action = lambda _stage: None) -> Action:
    """Have one provider answer 503 to everybody for so many seconds of the evening."""

    def strike(stage: Harness) -> None:
        stage.control.add_fault("status", provider=provider, code=503)
        stage.control.set_clock(speed=speed)
        nap(lasts / speed / 2)
        also(stage)
        nap(lasts / speed / 2)
        stage.control.set_clock(speed=1)
        stage.end_outage()

    return strike


def _set_clock(minutes: int) -> Action:
    """Set the clock wrong for three seconds, then right again, so that it jumps both ways."""

    def strike(stage: Harness) -> None:
        stage.control.set_clock(stage.control.now() + timedelta(minutes=minutes))
        nap(3)
        stage.control.set_clock(stage.control.now() - timedelta(minutes=minutes))

    return strike


def _beside(name: str, number: int) -> Action:
    def prepare(stage: Harness) -> None:
        _slow(stage)
        stage.start_extra(name, number)
        nap(4)  # until they work

    return prepare


_ON_DISCORD = frozenset({"discord"})
EARLY = 0.15
# How long a provider is away; the longer ones faster than in life.
AWAY = (("47 s", 47, 1), ("4 min", 245, 10), ("12 min", 720, 10))
_SENDING = ("reminders", "start", "voice check")

SCENARIOS = (
    *(
        Scenario(
            f"kill {name}", f"`kill -9` of the {name} process", MANY, _slow, _kill(name), never_unknown=_ON_DISCORD
        )
        for name in ("worker", "scheduler", "web", "discord")
    ),
    Scenario("postgres restarts", "PostgreSQL restarted, politely or by `kill -9`", FEW, _slow, _restart_postgres),
    Scenario("valkey stops", "Valkey gone for five seconds", FEW, _slow, _stop_valkey),
    Scenario("valkey hangs", "Valkey answers no request for five seconds", FEW, _slow, _hang_valkey),
    Scenario("valkey restarts", "Valkey killed once", FEW, _slow, _kill("valkey")),
    Scenario("valkey flushed", "FLUSHALL, fifteen times in a row", FEW, _slow, _flush_valkey),
    Scenario("two schedulers", "one more scheduler", FEW, _beside("scheduler", 1)),
    Scenario("three schedulers", "two more schedulers", FEW, _beside("scheduler", 2)),
    Scenario("five workers", "four more workers", FEW, _beside("worker", 4)),
    Scenario(
        "latency 10 s",
        "every provider takes its time for 15 s: 10 s for a request, longer than we wait for an answer",
        strike=_for_a_while(15, "latency", seconds=10),
        phases=_SENDING,
        max_lateness=EARLY,
        aftermath=11,
        never_unknown=_ON_DISCORD,
    ),
    Scenario("5xx 30 %", "three of ten requests to every provider answered with 500", prepare=_errors),
    Scenario(
        "429 storm",
        "a dozen times 429 with Retry-After, on every provider",
        FEW,
        strike=_ask_to_wait,
        phases=_SENDING,
        max_lateness=EARLY,
    ),
    Scenario(
        "time-outs",
        "no provider answers for 10 s",
        strike=_for_a_while(10, "timeout"),
        phases=_SENDING,
        max_lateness=EARLY,
        never_unknown=_ON_DISCORD,
    ),
    *(
        Scenario(
            f"cut {provider}",
            f"{provider.title()} takes one to three messages and the line is cut before the answer",
            MANY,
            strike=_cut(provider),
            phases=_SENDING,
            max_lateness=EARLY,
            never_unknown=_ON_DISCORD,
        )
        for provider in PROVIDERS
    ),
    Scenario(
        "gateway errors",
        "every provider takes one to three messages and a gateway answers 502 or 504, as JSON",
        strike=_answer_with_errors(502, 504, html=False),
        phases=("start",),
    ),
    Scenario(
        "discord unreadable",
        "Discord takes one to three messages, and its answers are pages of another service",
        strike=lambda stage: stage.control.add_fault(
            "unreadable", body="html", at="messages", times=stage.random.choice((1, 2, 3))
        ),
        phases=_SENDING,
        max_lateness=EARLY,
        never_unknown=_ON_DISCORD,
    ),
    Scenario(
        "proxy pages",
        "every provider takes one to three messages and a proxy answers with a page: 500, 502, 503, 504 or 524",
        strike=_answer_with_errors(500, 502, 503, 504, 524, html=True),
        phases=("start",),
    ),
    Scenario(
        "discord refuses",
        "Discord refuses one to three messages for good",
        strike=lambda stage: stage.control.add_fault(
            "refusal", error=stage.random.choice((20009, 50278, 200000)), times=stage.random.choice((1, 2, 3))
        ),
        phases=_SENDING,
        max_lateness=EARLY,
        never_unknown=_ON_DISCORD,
    ),
    Scenario(
        "worker away",
        "`kill -9` of the worker, and again whenever it comes back, for 65 s",
        FEW,
        _slow,
        _keep_worker_away,
        ("start",),
        max_lateness=0.8,
        never_unknown=_ON_DISCORD,
    ),
    Scenario(
        "room hidden",
        "Discord answers no message that it takes, and the bot may not read the room of the summary",
        strike=_hide_room,
        phases=("voice check",),
        max_lateness=EARLY,
        shows_unknown=True,
    ),
    Scenario(
        "discord bans",
        "Cloudflare bans our address for 5 s, and says neither when it is over nor whose page it is",
        strike=_ban,
        phases=_SENDING,
        max_lateness=EARLY,
        never_unknown=_ON_DISCORD,
    ),
    Scenario(
        "outage", "every provider answers 503 for two minutes", strike=_outage, phases=_SENDING, max_lateness=EARLY
    ),
    *(
        Scenario(
            f"{provider} away {name}",
            f"{provider.title()} answers 503 to everybody from just before the start, for {name}",
            strike=_away(provider, lasts, speed=speed),
            phases=("start",),
            max_lateness=0,
            never_unknown=frozenset(PROVIDERS),
        )
        for provider in PROVIDERS
        for name, lasts, speed in AWAY
    ),
    Scenario(
        "discord away and a kill",
        "the same for four minutes, and the worker killed while it probes",
        strike=_away("discord", 245, also=_kill("worker")),
        phases=("start",),
        max_lateness=0,
        never_unknown=frozenset(PROVIDERS),
    ),
    Scenario("clock back", "the clock a minute behind for three seconds", FEW, _slow, _set_clock(-1)),
    Scenario("clock forward", "the clock a minute ahead for three seconds", FEW, _slow, _set_clock(1)),
    Scenario("summer time", "evenings and nights on which the clocks change", over_the_change=True),
)
BY_NAME = {cell.name: cell for cell in SCENARIOS}


def _both(first: Action, second: Action) -> Action:
    def strike(stage: Harness) -> None:
        first(stage)
        second(stage)

    return strike


# Takes a minute: kills, data loss, cut lines and a process too many, two of them an evening.
SHORT = (
    Scenario(
        "worker, telegram",
        "the worker killed, its leases over at once; Telegram cuts the line",
        1,
        _both(_slow, _cut("telegram")),
        _both(_kill("worker"), Harness.expire_leases),
        ("start",),
        max_lateness=0.8,
        never_unknown=_ON_DISCORD,
    ),
    Scenario(
        "scheduler, discord",
        "the scheduler killed; Discord cuts the line",
        1,
        _both(_slow, _cut("discord")),
        _kill("scheduler"),
        _SENDING,
        never_unknown=_ON_DISCORD,
    ),
    Scenario(
        "valkey, schedulers",
        "Valkey flushed, and one scheduler more than there should be",
        1,
        _beside("scheduler", 1),
        _flush_valkey,
        _SENDING,
        never_unknown=_ON_DISCORD,
    ),
)
