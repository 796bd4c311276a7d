"""What Linux says about processes: their memory and the processor time they took; and how many files we may open."""

import os
import resource
from dataclasses import dataclass
from pathlib import Path

from bench.figures import CannotMeasure

_TICKS = os.sysconf("SC_CLK_TCK")
# Where the times stand in /proc/<pid>/stat behind the name: own, and of children that have ended.
_TIMES = slice(11, 15)


@dataclass(frozen=True)
class Memory:
    """Resident memory in MiB. `rss` counts what processes share in each of them, `pss` once."""

    rss: float
    pss: float

    def __add__(self, other: "Memory") -> "Memory":
        return Memory(self.rss + other.rss, self.pss + other.pss)


def prepare(files: int) -> None:
    """Let this process open `files` files at once. Raise CannotMeasure where that, or any measuring, is impossible."""
    if not Path("/proc/self/smaps_rollup").exists():
        raise CannotMeasure("Memory and processor time are read from Linux' /proc, which is not here.")
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < files:
        raise CannotMeasure(f"This account may open {most} files and {files} are needed; see ulimit -Hn.")
    if now != resource.RLIM_INFINITY and now < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))


def memory(pid: int) -> Memory:
    """Return the memory of a process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kib = {name: int(value.removesuffix("kB")) for name, _, value in (line.partition(":") for line in lines)}
    return Memory(kib["Rss"] / 1024, kib["Pss"] / 1024)


def children(pid: int) -> list[int]:
    """Return the processes that `pid` has started and that still live."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def processor_seconds(pid: int) -> float:
    """Return the processor seconds of `pid` and everything below it, also of what has ended."""
    try:
        times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[_TIMES]
        return sum(int(ticks) for ticks in times) / _TICKS + sum(processor_seconds(child) for child in children(pid))
    except (FileNotFoundError, ProcessLookupError):  # ended while we looked; its parent has its time
        return 0.0


def all_processor_seconds() -> float:
    """Return the processor seconds of the whole machine so far, on all cores."""
    user, nice, system, _idle, _waiting, *interrupts = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    return sum(int(ticks) for ticks in (user, nice, system, *interrupts)) / _TICKS
