"""The system under test: a whole Slomix on a quiet evening, its cast logged in, and what its processes cost."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from operator import add, sub
from time import perf_counter, process_time

import psycopg

from bench import machine
from bench.figures import median
from slomix.database.session import libpq_url, listen
from slomix.dev.rehearsal.people import BrowserUser
from slomix.dev.rehearsal.system import RunningSystem, running

# After the daily reminder and before the evening's campaign would begin: nothing happens by itself.
OPENING = "2026-03-27T18:00:00+01:00"
DAY = "2026-03-27"
NOTIFICATIONS = 200
_CHANNEL = "slomix_bench"

Cookies = dict[str, str]


class _Guest(BrowserUser):
    """A user who hands out the cookies of their browser."""

    def cookies(self) -> Cookies:
        return {cookie.name: cookie.value or "" for cookie in self._http.cookies.jar}


@dataclass(frozen=True)
class LiveSystem:
    """A running Slomix and the cookies of its linked players."""

    system: RunningSystem
    linked: list[Cookies]

    def notify_seconds(self) -> float:
        """Measure the floor of everything live: from a bare NOTIFY to its LISTEN on the same server, the median."""
        url = self.system.database().url
        took = []
        with listen(url, _CHANNEL) as hearing, psycopg.connect(libpq_url(url), autocommit=True) as speaking:
            for _ in range(NOTIFICATIONS):
                began = perf_counter()
                speaking.execute(f"NOTIFY {_CHANNEL}")
                next(hearing.notifies(timeout=5, stop_after=1))
                took.append(perf_counter() - began)
        return median(took)

    def web_memory(self) -> dict[str, machine.Memory]:
        """Return the memory of the web process: gunicorn's master, its worker, and both together."""
        master = self.system.pid("web")
        own, worker = machine.memory(master), [machine.memory(pid) for pid in machine.children(master)]
        return {"master": own, "worker": sum(worker, machine.Memory(0, 0)), "sum": sum(worker, own)}


@dataclass(frozen=True)
class ProcessorCost:
    """Processor seconds so far: of the system's two busy processes, of ourselves, and of everything else here."""

    web: float = 0.0
    postgres: float = 0.0
    client: float = 0.0
    others: float = 0.0

    @classmethod
    def of(cls, stage: LiveSystem) -> "ProcessorCost":
        web, postgres = (machine.processor_seconds(stage.system.pid(name)) for name in ("web", "postgres"))
        client = process_time()
        return cls(web, postgres, client, machine.all_processor_seconds() - web - postgres - client)

    def __add__(self, other: "ProcessorCost") -> "ProcessorCost":
        return ProcessorCost(*map(add, astuple(self), astuple(other)))

    def __sub__(self, other: "ProcessorCost") -> "ProcessorCost":
        return ProcessorCost(*map(sub, astuple(self), astuple(other)))


@contextmanager
def running_live_system() -> Iterator[LiveSystem]:
    """Run a Slomix of our own from an empty database, with all linked players of the cast logged in."""
    # So that each page may come from an address of its own.
    with running(OPENING, TRUSTED_PROXIES="127.0.0.1") as system:
        linked = []
        for entry in system.control.people():
            if entry["role"] != "unlinked":
                guest = _Guest(system.web_url, entry["id"], entry["name"])
                guest.log_in()
                linked.append(guest.cookies())
        yield LiveSystem(system, linked)
