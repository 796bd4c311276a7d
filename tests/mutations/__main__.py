"""`python -m tests.mutations`: breaks the code in copies of the tree and looks whether the tests notice.

Exit status 1 when a mutation survives or the list does not fit the code any more.
"""

import argparse
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

from tests.mutations.listed import MUTATIONS
from tests.mutations.mutation import Mutation, out_of_date

ROOT = Path(__file__).parents[2]
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "node_modules", "var", ".*_cache", "__pycache__", ".hypothesis")
FORKS = Path(__file__).with_name("forks.py")
PYTEST = ("-n", "0", "-x", "-q", "-p", "no:cacheprovider", "--disable-warnings", "--tb=short", "-rfE")
# Of pytest: some tests failed. Anything else but 0 says that it could not run them.
TESTS_FAILED = 1
FAILED = re.compile(r"^FAILED (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """What pytest said to some tests."""

    status: int
    output: str
    seconds: float

    @property
    def first_failed(self) -> str | None:
        """The test that failed, without its parameters; None when none did, or pytest could not even run them."""
        found = FAILED.search(self.output)
        return found[1].partition("[")[0] if self.status == TESTS_FAILED and found else None


class Tree:
    """A copy of the project that may be broken, and a process that runs its tests."""

    def __init__(self, path: Path) -> None:
        self.path = path
        shutil.copytree(ROOT, path, ignore=NOT_COPIED, symlinks=True)
        (path / ".venv").symlink_to(ROOT / ".venv")
        # The code of the copy, not that of the editable installation; compiled once.
        env = {**os.environ, "PYTHONPATH": str(path / "src"), "PYTHONDONTWRITEBYTECODE": ""}
        run = functools.partial(subprocess.run, cwd=path, env=env, check=True)
        # Compared by their content: a mutation may come and go within a second and leave a file as long as it was.
        run([sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "src"])
        seen = run([sys.executable, "-c", "import slomix; print(slomix.__file__)"], capture_output=True, text=True)
        if Path(seen.stdout.strip()) != path / "src" / "slomix" / "__init__.py":
            raise RuntimeError(f"Tests in {path} would test {seen.stdout}")
        self._output = path.with_suffix(".txt")
        self._forks = subprocess.Popen(
            # With -P its own folder is no place to import from.
            [sys.executable, "-P", FORKS],
            cwd=path,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def test(self, tests: Sequence[str], *, seconds: float = 180) -> Run:
        """Run these tests until the first that fails."""
        started = time.monotonic()
        assert self._forks.stdin is not None
        assert self._forks.stdout is not None
        order = {"output": str(self._output), "arguments": [*PYTEST, *tests]}
        self._forks.stdin.write(json.dumps(order) + "\n")
        self._forks.stdin.flush()
        number = int(self._forks.stdout.readline())
        too_long = threading.Timer(seconds, os.kill, (number, signal.SIGINT))  # politely: it has servers to stop
        too_long.start()
        status = int(self._forks.stdout.readline())
        too_long.cancel()
        return Run(status, self._output.read_text(), time.monotonic() - started)

    @contextmanager
    def broken(self, mutation: Mutation) -> Iterator[None]:
        """The mutation holds as long as the block lasts."""
        file = self.path / mutation.file
        before = file.read_text()
        file.write_text(mutation.broken(self.path))
        try:
            yield
        finally:
            file.write_text(before)

    def close(self) -> None:
        """End its process."""
        self._forks.communicate()


def main(arguments: Sequence[str]) -> int:
    """Try the mutations and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("--only", metavar="NAME", action="append", default=[], help="this one; may be given again")
    parser.add_argument("--jobs", type=int, default=2, help="how many at the same time")
    parser.add_argument("--check", action="store_true", help="only look whether the list fits the code")
    options = parser.parse_args(arguments)
    unknown = set(options.only) - {mutation.name for mutation in MUTATIONS}
    if unknown:
        parser.error(f"there is no mutation {', '.join(sorted(unknown))}")
    chosen = [mutation for mutation in MUTATIONS if not options.only or mutation.name in options.only]
    problems = list(out_of_date(chosen, ROOT))
    if problems or options.check:
        print("\n".join([*problems, f"{len(chosen)} mutations, {len(problems)} problems"]))
        return 1 if problems else 0
    with tempfile.TemporaryDirectory(prefix="slomix-mutations-") as folder:
        return _try_all(chosen, Path(folder), max(1, options.jobs))


def _try_all(chosen: Sequence[Mutation], folder: Path, jobs: int) -> int:
    """Make the copies, look whether their tests pass, and break them, one mutation after the other."""
    started = time.monotonic()
    with ThreadPoolExecutor(jobs) as pool:
        copies = list(pool.map(Tree, [folder / f"tree{number}" for number in range(jobs)]))
    try:
        if not _is_green(copies, sorted({test for mutation in chosen for test in mutation.caught_by})):
            return 1
        caught = _caught(chosen, copies)
    finally:
        for tree in copies:
            tree.close()
    print(f"{caught} of {len(chosen)} mutations were caught, in {time.monotonic() - started:.0f} s")
    return 0 if caught == len(chosen) else 1


def _caught(chosen: Sequence[Mutation], copies: Sequence[Tree]) -> int:
    """Say of each mutation which test fails first; return how many some test noticed."""
    trees: Queue[Tree] = Queue()
    for copy in copies:
        trees.put(copy)
    width = max(len(mutation.name) for mutation in chosen)

    def attempt(mutation: Mutation) -> bool:
        tree = trees.get()
        try:
            with tree.broken(mutation):
                run = tree.test(mutation.caught_by)
        finally:
            trees.put(tree)
        caught = run.first_failed
        told = caught or ("SURVIVED" if run.status == 0 else f"COULD NOT BE TRIED (status {run.status})")
        print(f"{mutation.name:{width}}  {run.seconds:5.1f} s  {told}", flush=True)
        if caught is None and run.status != 0:
            print(run.output)
        return caught is not None

    with ThreadPoolExecutor(len(copies)) as pool:
        return sum(pool.map(attempt, chosen))


def _is_green(copies: Sequence[Tree], tests: Sequence[str]) -> bool:
    """Whether the tests pass while nothing is broken: else their failures would say nothing."""

    def run(number: int) -> Run:
        return copies[number].test(tests[number :: len(copies)], seconds=900)

    with ThreadPoolExecutor(len(copies)) as pool:
        runs = list(pool.map(run, range(min(len(copies), len(tests)))))
    for failed in (one for one in runs if one.status != 0):
        print(f"{failed.output}\nNothing is broken yet, and these tests fail already.")
    print(f"{len(tests)} tests and files of tests, nothing broken: {max(one.seconds for one in runs):.0f} s")
    return all(one.status == 0 for one in runs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
