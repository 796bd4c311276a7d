"""The live board: a thousand open streams in little memory, and a change on every open page within a second.

The client is one process with one event loop, which reads a thousand messages, or 200 fragments, one after the other.
What that takes is part of the figures, so they look a little worse than they are; "client" says how much it was. A run
in which "others" is large beside "web" was made on a busy machine.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import cycle, islice
from time import perf_counter

import aiohttp

from bench import machine
from bench.figures import BenchmarkResult, CannotMeasure, Figure, Say, median, percentile, spread
from bench.page import FRAGMENT, Listener, Page, StatusPresser, browser
from bench.stage import LiveSystem, ProcessorCost, running_live_system
from slomix.web.live import MOST_OF_ACCOUNT

STREAMS = 1000
HEARD_CHANGES = 5
MOST_MEMORY = 300.0  # MiB

LINKED, ANONYMOUS = 150, 50
CHANGES = 10
MOST_SECONDS = 1.0
# The statuses set before; with the player who presses, not yet enough for a session.
SAID = ("LOOKING", "LOOKING", "LOOKING", "AVAILABLE", "AVAILABLE", "MAYBE", "NOT_PLAYING")
LOOKING = SAID.count("LOOKING")

ALONE = 30  # fragments fetched by one page while nothing else happens
QUIET = 1.0  # between two changes
LOST = 10.0  # a page that has not seen a change by then never will


def streams(say: Say) -> BenchmarkResult:
    """Measure whether 1,000 open `/events` take less than 300 MiB of one web process, and each hears of a change."""
    machine.prepare(files=STREAMS + 200)
    say("starting every process, with an empty database")
    with running_live_system() as stage:
        return asyncio.run(_streams(stage, say))


async def _streams(stage: LiveSystem, say: Say) -> BenchmarkResult:
    async with AsyncExitStack() as closing:
        presser = await _player(stage, closing, 0)
        await _fragment_seconds(presser.session)  # so that all is loaded that a request needs
        notify = await asyncio.to_thread(stage.notify_seconds)
        before = stage.web_memory()
        say(f"the web process takes {before['sum'].rss:.1f} MiB; opening {STREAMS} streams")
        began = perf_counter()
        strangers = [browser(stage.system.web_url, {}) for _ in range(STREAMS)]
        for stranger in strangers:
            closing.push_async_callback(stranger.close)
        crowd = [Listener(stranger) for stranger in strangers]
        reading = [asyncio.create_task(listener.read()) for listener in crowd]
        greeted, _ = await asyncio.wait([listener.hello for listener in crowd], timeout=60)
        say(f"{len(greeted)} are greeted after {perf_counter() - began:.1f} s")
        heard: list[float] = []
        spent = ProcessorCost()
        for number in range(HEARD_CHANGES):
            await asyncio.sleep(QUIET)
            for listener in crowd:
                listener.expect()
            start = ProcessorCost.of(stage)
            sent_at = await presser.press("MAYBE" if number % 2 else "LOOKING")
            done, _ = await asyncio.wait([listener.topic for listener in crowd], timeout=LOST)
            spent += ProcessorCost.of(stage) - start
            heard += [topic.result() - sent_at for topic in done]
        after = stage.web_memory()
        still_open = sum(not task.done() for task in reading)
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
    missing = STREAMS * HEARD_CHANGES - len(heard)
    return BenchmarkResult(
        name="streams",
        promise=f"{STREAMS} open /events on one web process under {MOST_MEMORY:.0f} MiB",
        kept=len(greeted) == still_open == STREAMS and missing == 0 and after["sum"].rss < MOST_MEMORY,
        seen=f"{after['sum'].rss:.1f} MiB; {len(greeted)} greeted, {still_open} still open, {missing} topics missing",
        floor="memory: the same processes without a stream; time: a bare NOTIFY until its LISTEN hears",
        figures=[
            *(
                Figure(f"{kind}, web {part}", getattr(after[part], kind), "MiB", getattr(before[part], kind))
                for kind in ("rss", "pss")
                for part in ("master", "worker", "sum")
            ),
            Figure("rss a stream", (after["sum"].rss - before["sum"].rss) * 1024 / STREAMS, "KiB"),
            *spread("from press to topic", heard, notify),
            *_costs(spent, HEARD_CHANGES),
        ],
    )


def pages(say: Say) -> BenchmarkResult:
    """Measure whether a status change is on each of 200 open pages within a second (p95)."""
    machine.prepare(files=3 * (LINKED + ANONYMOUS) + 200)
    say("starting every process, with an empty database")
    with running_live_system() as stage:
        return asyncio.run(_pages(stage, say))


async def _pages(stage: LiveSystem, say: Say) -> BenchmarkResult:
    async with AsyncExitStack() as closing:
        presser, *others = [await _player(stage, closing, number) for number in range(len(stage.linked))]
        for other, status in zip(others, SAID, strict=False):
            await other.press(status)
        fragment = await _fragment_seconds(presser.session)
        say(f"one fragment alone takes {fragment * 1000:.1f} ms")
        single = await _open(stage, closing, 1, 0)
        say(f"{CHANGES} changes before one page alone")
        alone = await _change(stage, presser, single)
        for page in single:
            await page.close()
        crowd = await _open(stage, closing, LINKED, ANONYMOUS)
        say(f"{CHANGES} changes before {len(crowd)} pages: {sum(page.is_linked for page in crowd)} of linked players")
        full = await _change(stage, presser, crowd)
        say(f"all {len(stage.linked)} players press Looking at once")
        burst = await _burst([presser, *others], crowd)
    p95 = percentile(full.seen, 95) if full.seen else LOST
    trouble, went_back = sum(page.trouble for page in crowd), sum(page.went_back for page in crowd)
    return BenchmarkResult(
        name="pages",
        promise=f"a status change is on each of {len(crowd)} open pages within {MOST_SECONDS:.0f} s (p95)",
        kept=p95 <= MOST_SECONDS and not full.missed,
        seen=f"p95 {p95:.2f} s; {full.missed} of {CHANGES * len(crowd)} never came, "
        f"{trouble} cuts and failed fetches, {went_back} went back",
        floor="the same with one page alone, the median; for a fetch, one fragment while nothing else happens",
        figures=[
            Figure("fragment alone, p50", fragment * 1000, "ms"),
            *spread("from press to page", full.seen, median(alone.seen)),
            *spread("  from press to topic", full.heard, median(alone.heard)),
            *spread("  fetch of the fragment", full.fetched, fragment),
            *spread("from many presses at once to page", burst, median(alone.seen)),
            *_costs(full.spent, CHANGES, alone.spent),
            Figure(
                "web busy while pages wait",
                100 * full.spent.web / full.waited,
                "%",
                100 * alone.spent.web / alone.waited,
            ),
        ],
    )


async def _player(stage: LiveSystem, closing: AsyncExitStack, number: int) -> StatusPresser:
    session = await closing.enter_async_context(browser(stage.system.web_url, stage.linked[number]))
    presser = StatusPresser(session)
    await presser.arrive()
    return presser


async def _fragment_seconds(session: aiohttp.ClientSession) -> float:
    """Return how long one fragment takes while nothing else happens, the median of some."""
    took = []
    for _ in range(ALONE):
        began = perf_counter()
        async with session.get(FRAGMENT, headers={"HX-Request": "true"}) as answer:
            await answer.read()
        took.append(perf_counter() - began)
    return median(took)


async def _open(stage: LiveSystem, closing: AsyncExitStack, linked: int, anonymous: int) -> list[Page]:
    """Open pages and wait until each shows how many look now."""
    # An account holds no more streams than this; strangers make up for the rest.
    with_login = min(linked, MOST_OF_ACCOUNT * len(stage.linked))
    cookies = [*islice(cycle(stage.linked), with_login), *[{}] * (anonymous + linked - with_login)]
    opened = [Page(browser(stage.system.web_url, jar), is_linked=bool(jar)) for jar in cookies]
    for page in opened:
        closing.push_async_callback(page.close)
        page.expect(LOOKING)
    try:
        async with asyncio.timeout(60):
            await asyncio.gather(*(page.open() for page in opened))
    except TimeoutError:
        raise CannotMeasure(f"{len(opened)} pages do not open within a minute.") from None
    if not all(page.sight.done() for page in opened):
        raise CannotMeasure("Not every page shows every player's status.")
    return opened


@dataclass
class _Seen:
    """What became of some changes, in seconds since the form was sent."""

    seen: list[float] = field(default_factory=list)
    heard: list[float] = field(default_factory=list)
    fetched: list[float] = field(default_factory=list)
    missed: int = 0
    waited: float = 0.0
    spent: ProcessorCost = field(default_factory=ProcessorCost)


async def _change(stage: LiveSystem, presser: StatusPresser, watching: Sequence[Page]) -> _Seen:
    """Change one status again and again, each time after every page has seen the change before."""
    found = _Seen()
    for number in range(CHANGES):
        await asyncio.sleep(QUIET)
        for page in watching:
            page.expect(LOOKING + (number + 1) % 2)
        start = ProcessorCost.of(stage)
        sent_at = await presser.press("MAYBE" if number % 2 else "LOOKING")
        _, missing = await asyncio.wait([page.sight for page in watching], timeout=LOST)
        found.spent += ProcessorCost.of(stage) - start
        found.missed += len(missing)
        sights = [page.sight.result() for page in watching if page.sight.done()]
        found.waited += max((sight.seen_at for sight in sights), default=sent_at + LOST) - sent_at
        found.seen += [sight.seen_at - sent_at for sight in sights]
        found.heard += [sight.heard_at - sent_at for sight in sights if sight.heard_at]
        found.fetched += [sight.seen_at - sight.asked_at for sight in sights]
    return found


async def _burst(pressers: Sequence[StatusPresser], watching: Sequence[Page]) -> list[float]:
    """Let all players press Looking at once; return how long until each page shows all of them."""
    await asyncio.sleep(QUIET)
    for page in watching:
        page.expect(len(pressers))
    sent_at = min(await asyncio.gather(*(presser.press("LOOKING") for presser in pressers)))
    await asyncio.wait([page.sight for page in watching], timeout=LOST)
    return [page.sight.result().seen_at - sent_at for page in watching if page.sight.done()]


def _costs(spent: ProcessorCost, changes: int, alone: ProcessorCost | None = None) -> list[Figure]:
    """Return the processor time a change, of each process that takes part."""
    return [
        Figure(
            f"processor time a change, {name}",
            getattr(spent, name) * 1000 / changes,
            "ms",
            getattr(alone, name) * 1000 / changes if alone is not None else None,
        )
        for name in ("web", "postgres", "client", "others")
    ]
