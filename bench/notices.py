"""The evening's messages: how soon the first leaves, and how fast many do, within what Discord allows."""

import math
from datetime import datetime, timedelta
from time import perf_counter

import httpx2
import psycopg
import redis

from bench.crowd import LoadTestSystem, running_load_test_system
from bench.figures import BenchmarkResult, CannotMeasure, Figure, Say, median, percentile, spread
from slomix.clock import nap
from slomix.database.session import libpq_url
from slomix.dev.simulator.people import BOT_TOKEN, LOAD_TEST_USERS

CAMPAIGNS, ASKED = 100, 3
APART = timedelta(milliseconds=700)
SOON = 0.25  # seconds

CROWDS = (20, 200, 1000)
LATENCY = 0.1
ALLOWED = 1.15
PER_SECOND = 50


def punctual(say: Say) -> BenchmarkResult:
    """Measure whether a campaign's first start notice is accepted within 250 ms of its moment (p95)."""
    say("starting every process, with a crowd of a thousand")
    with running_load_test_system() as hall:
        bare = _bare_path(hall)
        say(f"one row due, one nudge, one call: {bare * 1000:.1f} ms; now {CAMPAIGNS} campaigns of {ASKED}")
        first = hall.control.now() + timedelta(seconds=20)
        moments: dict[str, datetime] = {}
        with hall.database.transaction() as session:
            for number in range(CAMPAIGNS):
                asked = range(number * ASKED, (number + 1) * ASKED)
                start_at = first + number * APART
                hall.create_campaign(session, number, [hall.players[place] for place in asked], start_at=start_at)
                moments |= {LOAD_TEST_USERS[place].id: start_at for place in asked}
        if hall.control.now() > first:
            raise CannotMeasure("Planning took longer than it may.")
        late = _wait_for(hall, len(moments), (max(moments.values()) - hall.control.now()).total_seconds() + 30)
    by_campaign: dict[datetime, float] = {}
    for person, accepted_at in late:
        start_at = moments[person]
        seconds = (accepted_at - start_at).total_seconds()
        by_campaign[start_at] = min(by_campaign.get(start_at, math.inf), seconds)
    firsts = list(by_campaign.values())
    early = sum(seconds < 0 for seconds in firsts)
    p95 = percentile(firsts, 95)
    return BenchmarkResult(
        name="punctual",
        promise=f"the first start notice is accepted within {SOON * 1000:.0f} ms of its moment (p95)",
        kept=p95 <= SOON and len(firsts) == CAMPAIGNS and not early and len(late) == len(moments),
        seen=f"p95 {p95 * 1000:.0f} ms, at most {max(firsts) * 1000:.0f} ms; {len(firsts)} campaigns, "
        f"{early} too early, {len(late)} of {len(moments)} messages",
        floor="the bare path: one row due, one nudge, one HTTP call, the median",
        figures=spread("from the moment to accepted", firsts, bare),
    )


def throughput(say: Say) -> BenchmarkResult:
    """Measure whether N players are told within 1.15 x max(N / 50 s, 0.3 s), never over 50 a second.

    The provider takes 100 ms for an answer.
    """
    say("starting every process, with a crowd of a thousand")
    figures, seen, kept = [], [], True
    with running_load_test_system() as hall:
        hall.control.add_fault("latency", seconds=LATENCY)
        for number, size in enumerate(CROWDS):
            before = len(hall.accepted_starts())
            start_at = hall.control.now() + timedelta(seconds=3 + size / 200)
            with hall.database.transaction() as session:
                hall.create_campaign(session, number, hall.players[:size], start_at=start_at)
            if hall.control.now() > start_at - timedelta(seconds=0.5):
                raise CannotMeasure("Planning took longer than it may.")
            fastest = max(size / PER_SECOND, 0.3)
            told = _wait_for(hall, before + size, 3 * fastest + 20)[before:]
            took = (max(at for _, at in told) - start_at).total_seconds()
            say(f"{len(told)} of {size} told within {took:.2f} s")
            figures.append(Figure(f"the last of {size} is told after", took, "s", fastest))
            kept = kept and took <= ALLOWED * fastest and len({who for who, _ in told}) == len(told) == size
            busiest = _busiest_second([at for _, at in told])
            figures.append(Figure("  accepted in the busiest second", busiest, "", PER_SECOND))
            kept = kept and busiest <= PER_SECOND
            seen.append(f"{size} in {took:.2f} s")
        stats = httpx2.get(f"http://127.0.0.1:{hall.system.port + 1}/control/stats").json()
    figures.append(Figure("requests refused with 429", stats["refused_429"], ""))
    return BenchmarkResult(
        name="throughput",
        promise=f"N are told within {ALLOWED} x max(N / {PER_SECOND} s, 0.3 s), at most {PER_SECOND} in any second",
        kept=kept and stats["refused_429"] == 0,
        seen=", ".join(seen) + f"; {stats['refused_429']} refused",
        floor=f"what Discord allows: {PER_SECOND} requests in a second",
        figures=figures,
    )


def _wait_for(hall: LoadTestSystem, messages: int, seconds: float) -> list[tuple[str, datetime]]:
    """Return what was accepted, as soon as it is so many or the time is up."""
    until = perf_counter() + seconds
    while True:
        nap(1)
        found = hall.accepted_starts()
        if len(found) >= messages or perf_counter() > until:
            nap(1)
            return hall.accepted_starts()


def _busiest_second(moments: list[datetime]) -> int:
    return max(sum(start <= moment < start + timedelta(seconds=1) for moment in moments) for start in moments)


def _bare_path(hall: LoadTestSystem) -> float:
    """Measure the floor: what a row that comes due, a nudge over Redis and a call to the provider take at least."""
    environment = hall.system.environment
    broker = redis.Redis.from_url(environment["REDIS_URL"])
    took = []
    with (
        psycopg.connect(libpq_url(environment["DATABASE_OWNER_URL"]), autocommit=True) as database,
        httpx2.Client(base_url=f"http://127.0.0.1:{hall.system.port + 1}/api/v10") as provider,
    ):
        database.execute("CREATE TEMPORARY TABLE due (id int, is_done bool)")
        for number in range(50):
            database.execute("INSERT INTO due VALUES (%s, false)", [number])
            began = perf_counter()
            found = database.execute("UPDATE due SET is_done = true WHERE NOT is_done RETURNING id").fetchall()
            broker.lpush("slomix:bench", found[0][0])
            broker.brpop(["slomix:bench"], timeout=5)
            provider.get("/users/@me", headers={"Authorization": f"Bot {BOT_TOKEN}"}).raise_for_status()
            took.append(perf_counter() - began)
            nap(0.03)
    return median(took)
