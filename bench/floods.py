"""Floods: whatever one client does, the pages of others stay under three times what they take while it is quiet.

The flood comes from a process of its own, which takes a core of this machine; that is part of the figures.
"""

import asyncio
import contextlib
import multiprocessing
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from time import perf_counter

import aiohttp

from bench import machine
from bench.figures import BenchmarkResult, Figure, Say, percentile
from bench.stage import DAY, Cookies, LiveSystem, running_live_system

CONNECTIONS = 4000
# As many in so many seconds, again and again.
WAVE_SECONDS = 2.5
DRIPPING = 500
READERS = 40
WRITERS = 8
# What a board without names costs most: a whole page with a month beside it.
HEAVIEST = f"/day/{DAY}"
SAMPLES, EVERY = 160, 0.05
# So many look at the board, each every three seconds: players in turn, and as many strangers from their own addresses.
PEOPLE = 60
SETTLED = 2.0
MOST_SLOWER = 3.0
LONGEST = 30.0

# Not the address of the proxies that the system trusts, so that it is counted.
ATTACKER = "127.0.0.2"
STREAM = b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
SLOW = (
    b"POST /day/%s/status HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
) % DAY.encode()


async def _connections(port: int, said: bytes) -> None:
    """Open so many connections that all say this, then leave, again and again."""
    while True:
        async with AsyncExitStack() as closing:
            for _ in range(CONNECTIONS):
                closing.push_async_callback(_closed, await _said(port, said))
                await asyncio.sleep(WAVE_SECONDS / CONNECTIONS)


async def _said(port: int, said: bytes) -> asyncio.StreamWriter | None:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(ATTACKER, 0))
        writer.write(said)
    except OSError:
        return None
    return writer


async def _closed(writer: asyncio.StreamWriter | None) -> None:
    if writer is not None:
        writer.close()


async def _streams(port: int, _cookies: Cookies) -> None:
    await _connections(port, STREAM)


async def _silence(port: int, _cookies: Cookies) -> None:
    await _connections(port, b"")


async def _bodies(port: int, _cookies: Cookies) -> None:
    """Send bodies a byte a second."""

    async def drip() -> None:
        while True:
            writer = await _said(port, SLOW)
            with contextlib.suppress(OSError):
                while writer is not None and not writer.is_closing():
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(1)
            await asyncio.sleep(0.1)

    await asyncio.gather(*(drip() for _ in range(DRIPPING)))


def _reader(address: Callable[[int], str]) -> "FloodStart":
    async def read(port: int, _cookies: Cookies) -> None:
        async def again_and_again(number: int) -> None:
            connector = aiohttp.TCPConnector(local_addr=(address(number), 0))
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", connector=connector) as session:
                while True:
                    with contextlib.suppress(aiohttp.ClientError):
                        async with session.get(HEAVIEST) as answer:
                            await answer.read()

        await asyncio.gather(*(again_and_again(number) for number in range(READERS)))

    return read


async def _writes(port: int, cookies: Cookies) -> None:
    """Say something else about today as fast as it is answered, as a member with a login."""
    url = f"http://127.0.0.1:{port}"
    jar = aiohttp.CookieJar(unsafe=True)
    headers = {"X-Requested-With": "XMLHttpRequest", "Origin": url}
    async with aiohttp.ClientSession(url, cookies=cookies, cookie_jar=jar, headers=headers) as session:

        async def write(number: int) -> None:
            while True:
                for status in ("LOOKING", "MAYBE"):
                    with contextlib.suppress(aiohttp.ClientError):
                        body = {"date": DAY, "status": status}
                        async with session.post("/api/availability", json=body) as answer:
                            await answer.read()

        await asyncio.gather(*(write(number) for number in range(WRITERS)))


FloodStart = Callable[[int, Cookies], Awaitable[None]]
FLOODS: dict[str, FloodStart] = {
    f"{CONNECTIONS:,} streams of one address": _streams,
    f"{CONNECTIONS:,} silent connections": _silence,
    f"{DRIPPING} bodies, a byte a second": _bodies,
    f"{READERS} readers of one address": _reader(lambda _: ATTACKER),
    f"{READERS} readers of {READERS} addresses": _reader(lambda number: f"127.0.1.{number + 1}"),
    "one member writes without end": _writes,
}


def _run(name: str, port: int, cookies: Cookies) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    machine.prepare(files=CONNECTIONS + 200)
    asyncio.run(FLOODS[name](port, cookies))  # type: ignore[arg-type]


@contextmanager
def _flooding(name: str, stage: LiveSystem) -> Iterator[None]:
    process = multiprocessing.get_context("spawn").Process(
        target=_run, args=(name, stage.system.port, stage.linked[-1]), daemon=True
    )
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def floods(say: Say) -> BenchmarkResult:
    """Measure whether pages of others stay under 3 x their quiet p95 during each kind of flood."""
    machine.prepare(files=2 * CONNECTIONS)
    say("starting every process, with an empty database")
    with running_live_system() as stage:
        return asyncio.run(_floods(stage, say))


async def _floods(stage: LiveSystem, say: Say) -> BenchmarkResult:
    figures, slowest, failed = [], 0.0, 0
    async with _others(stage) as others:
        await _look(others)  # so that all is loaded that a request needs
        for name in FLOODS:
            await asyncio.sleep(SETTLED)
            before = await _look(others)
            with _flooding(name, stage):
                await asyncio.sleep(SETTLED)
                during = await _look(others)
            await asyncio.sleep(SETTLED)
            quiet = min(percentile(looks.seconds, 95) for looks in (before, await _look(others)))
            loud = percentile(during.seconds, 95)
            say(f"{name}: p95 {loud * 1000:.0f} ms, quiet {quiet * 1000:.0f} ms")
            figures.append(Figure(f"{name}, p95", loud * 1000, "ms", quiet * 1000))
            slowest, failed = max(slowest, loud / quiet), failed + during.failed
    return BenchmarkResult(
        name="floods",
        promise=f"pages of others stay under {MOST_SLOWER:.0f} x their quiet p95 during every flood",
        kept=slowest < MOST_SLOWER and not failed,
        seen=f"at most {slowest:.1f} x; {failed} of {len(FLOODS) * SAMPLES} pages failed",
        floor="the same pages just before and just after",
        figures=figures,
    )


@dataclass(frozen=True)
class _Looks:
    """How long pages took, and how many did not come."""

    seconds: Sequence[float]
    failed: int


@asynccontextmanager
async def _others(stage: LiveSystem) -> AsyncIterator[list[aiohttp.ClientSession]]:
    """Yield the people who look at the board, but for the player who writes without end."""
    async with AsyncExitStack() as closing:
        people = []
        for number in range(PEOPLE):
            cookies = stage.linked[number // 2 % (len(stage.linked) - 1)] if number % 2 else {}
            address = f"127.0.2.{number + 1}"
            session = aiohttp.ClientSession(
                stage.system.web_url,
                cookies=cookies,
                cookie_jar=aiohttp.CookieJar(unsafe=True),
                connector=aiohttp.TCPConnector(local_addr=(address, 0)),
                timeout=aiohttp.ClientTimeout(total=LONGEST),
            )
            people.append(await closing.enter_async_context(session))
        yield people


async def _look(people: Sequence[aiohttp.ClientSession]) -> _Looks:
    """Let each look at the board in turn, at an even pace, however long one look takes."""
    begins = perf_counter()

    async def look(number: int) -> float | None:
        await asyncio.sleep(begins + number * EVERY - perf_counter())
        began = perf_counter()
        try:
            async with people[number % len(people)].get("/") as answer:
                await answer.read()
                return perf_counter() - began if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError):
            return None

    took = await asyncio.gather(*(look(number) for number in range(SAMPLES)))
    seconds = [one if one is not None else LONGEST for one in took]
    return _Looks(seconds, took.count(None))
