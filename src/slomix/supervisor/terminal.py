"""The output of a runner's processes: on the terminal under their name, and each in its own log file."""

import contextlib
import itertools
import os
import queue
import sys
import threading
from pathlib import Path
from typing import BinaryIO

_COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
_LONGEST_LINE = 64 * 1024


# Of so many runs before, `worker.log.1` is the last.
KEPT_RUNS = 5


class TerminalOutput:
    """Writes without blocking: the terminal may miss lines, the log files have all of them."""

    def __init__(self, log_dir: Path | None = None, *, quiet: frozenset[str] = frozenset(), width: int = 10) -> None:
        self._log_dir = log_dir
        self._quiet = quiet
        self._width = width
        self._names: list[str] = []
        self._logs: dict[str, BinaryIO] = {}
        self._terminal = None if sys.stdout is None else sys.stdout.fileno()
        self._coloured = self._terminal is not None and os.isatty(self._terminal) and "NO_COLOR" not in os.environ
        self._waiting: queue.Queue[str | None] = queue.Queue(maxsize=2000)
        self._writer = threading.Thread(target=self._write_terminal, daemon=True, name="terminal")
        self._writer.start()

    def source(self, name: str) -> "OutputSource":
        """Return the sink for the output of the process `name`."""
        return OutputSource(self, name)

    def print_line(self, name: str, text: str) -> None:
        """Put a line under `name`."""
        self._write_log(name, text)
        self.print_text(self._prefix(name) + text)

    def print_own_line(self, name: str, text: str) -> None:
        """Put a line that the process itself wrote; those of quiet processes go to the log file only."""
        if name in self._quiet:
            self._write_log(name, text)
        else:
            self.print_line(name, text)

    def print_text(self, text: str) -> None:
        """Put `text` on the terminal as it is."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(text)

    def close(self) -> None:
        """Write what is waiting to the terminal, for a second at most."""
        with contextlib.suppress(queue.Full):
            self._waiting.put(None, timeout=0.5)
        self._writer.join(timeout=1)
        for log in self._logs.values():
            log.close()
        self._logs.clear()

    def _prefix(self, name: str) -> str:
        if name not in self._names:
            self._names.append(name)
        label = f"{name.ljust(self._width)} | "
        if not self._coloured:
            return label
        return f"\x1b[{_COLOURS[self._names.index(name) % len(_COLOURS)]}m{label}\x1b[0m"

    def _write_log(self, name: str, text: str) -> None:
        if self._log_dir is None:
            return
        if name not in self._logs:
            self._log_dir.mkdir(parents=True, exist_ok=True)
            file = self._log_dir / f"{name}.log"
            _keep_earlier(file)
            self._logs[name] = file.open("wb", buffering=0)
        self._logs[name].write(text.encode(errors="replace") + b"\n")

    def _write_terminal(self) -> None:
        """Write without Python's buffer, which would block on exit if the terminal takes nothing."""
        while (text := self._waiting.get()) is not None:
            rest = f"{text}\n".encode(errors="replace")
            # A reader that went away (a closed terminal, `| head`) must not end the system.
            with contextlib.suppress(OSError):
                while rest and self._terminal is not None:
                    rest = rest[os.write(self._terminal, rest) :]


class OutputSource:
    """Splits what arrives on a descriptor into lines."""

    def __init__(self, output: TerminalOutput, name: str) -> None:
        self._output = output
        self._name = name
        self._rest = b""

    def read_from(self, descriptor: int) -> bool:
        """Read all that has arrived, without waiting; return False at the end of the stream."""
        while True:
            try:
                data = os.read(descriptor, _LONGEST_LINE)
            except BlockingIOError:
                return True
            if not data:
                self._end()
                return False
            *lines, self._rest = (self._rest + data).split(b"\n")
            if len(self._rest) > _LONGEST_LINE:
                lines, self._rest = [*lines, self._rest], b""
            for line in lines:
                self._output.print_own_line(self._name, line.decode(errors="replace").rstrip("\r"))

    def _end(self) -> None:
        if self._rest:
            self._output.print_own_line(self._name, self._rest.decode(errors="replace"))
        self._rest = b""


def _keep_earlier(file: Path) -> None:
    """Move the log of the run before, and those before it, one number further."""
    names = [file, *(file.with_name(f"{file.name}.{number}") for number in range(1, KEPT_RUNS + 1))]
    for earlier, later in reversed([*itertools.pairwise(names)]):
        if earlier.exists():
            earlier.replace(later)
