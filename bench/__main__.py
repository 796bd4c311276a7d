"""`python -m bench [NAME …]`: runs the benchmarks, all or those named, and writes `bench.json`.

Exit status 1 when a promise was broken. A new benchmark is one more line in BENCHMARKS.
"""

import json
import os
import platform
import sys
from collections.abc import Callable

import aiohttp

from bench import floods, live, notices, presses
from bench.figures import BenchmarkResult, CannotMeasure, Say
from slomix.clock import wall_now
from slomix.database.session import ROOT
from slomix.dev.rehearsal.people import UnexpectedAnswer

BENCHMARKS: dict[str, Callable[[Say], BenchmarkResult]] = {
    "streams": live.streams,
    "pages": live.pages,
    "punctual": notices.punctual,
    "throughput": notices.throughput,
    "presses": presses.presses,
    "floods": floods.floods,
}


def main(names: list[str]) -> int:
    """Run the benchmarks with these names, or all; return the exit status."""
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        print(f"There is no benchmark {', '.join(sorted(unknown))}, only {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    results = []
    for name in names or BENCHMARKS:
        print(name, flush=True)
        try:
            result = BENCHMARKS[name](lambda words: print(f"  {words}", flush=True))
        except (CannotMeasure, UnexpectedAnswer, aiohttp.ClientError) as error:
            print(f"{name} could not be measured: {error}", file=sys.stderr)
            return 1
        print("\n".join(["", *result.lines(), ""]), flush=True)
        results.append(result)
    record = {
        "date": wall_now().isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "benchmarks": [result.as_record() for result in results],
    }
    (ROOT / "bench.json").write_text(json.dumps(record, indent=1) + "\n")
    return 0 if all(result.kept for result in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
