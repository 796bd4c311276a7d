"""Answers on Discord: many people press at once, and each sees what came of it before they wonder."""

import asyncio
from typing import Any

import aiohttp

from bench import machine
from bench.crowd import LoadTestSystem, running_load_test_system
from bench.figures import BenchmarkResult, CannotMeasure, Figure, Say, median, percentile, spread
from slomix.dev.simulator.people import LOAD_TEST_USERS

PEOPLE = 40
PRESSES, WITHIN = 200, 10.0  # so many in so many seconds, evenly
ALONE = 20  # presses while nothing else happens
SOON, LATEST = 0.3, 3.0  # p95 and the worst; Discord gives up after three seconds
LABELS = ("Maybe", "Looking")


def presses(say: Say) -> BenchmarkResult:
    """Measure whether 200 presses of 40 people in ten seconds are answered within 300 ms (p95), none after 3 s."""
    say("starting every process, with a crowd of a thousand")
    with running_load_test_system() as hall:
        return asyncio.run(_presses(hall, say))


async def _presses(hall: LoadTestSystem, say: Say) -> BenchmarkResult:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{hall.system.port + 1}") as session:
        people = [person.id for person in LOAD_TEST_USERS[:PEOPLE]]
        messages = {person: str((await _set(session, person))["message_id"]) for person in people}
        alone = [await _press(session, people[0], messages[people[0]], LABELS[turn % 2]) for turn in range(ALONE)]
        say(f"a press alone takes {median(alone) * 1000:.0f} ms; now {PRESSES} of {PEOPLE} people in {WITHIN:.0f} s")
        people = people[1:] + people[:1]  # who pressed alone has pressed often in this minute
        pressing, before = [], _spent(hall)
        for turn in range(PRESSES):
            person = people[turn % PEOPLE]
            label = LABELS[turn // PEOPLE % 2]
            pressing.append(asyncio.create_task(_press(session, person, messages[person], label)))
            await asyncio.sleep(WITHIN / PRESSES)
        took = await asyncio.gather(*pressing)
        spent = {name: seconds - before[name] for name, seconds in _spent(hall).items()}
    p95, worst = percentile(took, 95), max(took)
    return BenchmarkResult(
        name="presses",
        promise=f"{PRESSES} presses in {WITHIN:.0f} s are answered within {SOON * 1000:.0f} ms (p95), none after 3 s",
        kept=p95 <= SOON and worst <= LATEST,
        seen=f"p95 {p95 * 1000:.0f} ms, at most {worst * 1000:.0f} ms",
        floor="a press while nothing else happens, the median",
        figures=[
            Figure("a press alone, p50", median(alone) * 1000, "ms"),
            *spread("a press", took, median(alone)),
            *(
                Figure(f"processor time a press, {name}", seconds * 1000 / PRESSES, "ms")
                for name, seconds in spent.items()
            ),
        ],
    )


def _spent(hall: LoadTestSystem) -> dict[str, float]:
    """Return the processor seconds so far of the processes that answer."""
    return {name: machine.processor_seconds(hall.system.pid(name)) for name in ("web", "postgres", "simulator")}


async def _set(session: aiohttp.ClientSession, person: str) -> dict[str, Any]:
    return await _control(
        session,
        "command",
        {"user_id": person, "command": "avail set", "options": {"day": "today", "status": "Looking"}},
    )


async def _press(session: aiohttp.ClientSession, person: str, message: str, label: str) -> float:
    """Press a button and return how long the answer took, in seconds."""
    seen = await _control(session, "press", {"user_id": person, "message_id": message, "button": label})
    if label.casefold() not in str(seen["text"]).casefold():
        raise CannotMeasure(f"A press of {label} was answered with: {seen['text']}")
    return float(seen["ms"]) / 1000


async def _control(session: aiohttp.ClientSession, what: str, body: dict[str, Any]) -> dict[str, Any]:
    async with session.post(f"/control/discord/{what}", json=body) as answer:
        if answer.status != 200:
            raise CannotMeasure(f"The simulator answers {answer.status} to a {what}: {await answer.text()}")
        found: dict[str, Any] = await answer.json()
        return found
