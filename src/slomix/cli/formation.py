"""How many copies of each process run: `web=2,worker=3`, and one of each that is not named.

`small` stands for one process that does what worker, scheduler, Discord client and inbox do; numbers may follow it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slomix.config.settings import SettingsError
from slomix.supervisor.runner import parse_procfile

WEB = "web"
SMALL = "small"
_IN_ONE = frozenset({"worker", "scheduler", "discord", "inbox"})
_BACKGROUND = {"background": "python workers/background.py"}
MAX_PROCESSES = 50
LAST_PORT = 65535

_PART = re.compile(r"(?P<kind>[A-Za-z0-9_-]+)\s*=\s*(?P<number>[0-9]{1,4})")


@dataclass(frozen=True)
class ProcfileCommands:
    """The commands of a Procfile by kind, and the release command, if any."""

    processes: Mapping[str, str]
    release: str | None


@dataclass(frozen=True)
class ProcessInstance:
    """A process to run, perhaps one of several of its kind."""

    kind: str
    number: int
    name: str
    command: str
    environment: Mapping[str, str]


def commands_of(procfile: Path) -> ProcfileCommands:
    """Read a Procfile. Raise SettingsError with the reason."""
    try:
        found = parse_procfile(procfile.read_text())
    except ValueError as error:
        raise SettingsError(str(error)) from None
    release = found.pop("release", None)
    return ProcfileCommands(found, release)


def instances(commands: Mapping[str, str], formation: str, *, port: int) -> list[ProcessInstance]:
    """List the processes of a formation. Raise SettingsError with the reason if it makes no sense.

    Several of a kind are called web.1, web.2 …; the first web process listens on `port`, each further one on the next.
    """
    first, _, rest = formation.partition(",")
    if first.strip() == SMALL:
        formation = rest
        commands = {kind: command for kind, command in commands.items() if kind not in _IN_ONE} | _BACKGROUND
    counts = _counts(formation, commands)
    last = port + counts.get(WEB, 1) - 1
    if last > LAST_PORT:
        raise SettingsError(f"PORT: {port} leaves no ports for {counts[WEB]} web processes: {last} is none")
    return [
        ProcessInstance(
            kind,
            number,
            f"{kind}.{number}" if counts[kind] > 1 else kind,
            command,
            {"SLOMIX_PROCESS": f"{kind}.{number}"} | ({"PORT": str(port + number - 1)} if kind == WEB else {}),
        )
        for kind, command in commands.items()
        for number in range(1, counts[kind] + 1)
    ]


def web_ports(running: list[ProcessInstance]) -> list[int]:
    """Return the ports of the web processes."""
    return [int(instance.environment["PORT"]) for instance in running if instance.kind == WEB]


def _counts(formation: str, commands: Mapping[str, str]) -> dict[str, int]:
    said: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in formation.split(","))):
        found = _PART.fullmatch(part)
        if found is None:
            raise SettingsError(f"SLOMIX_FORMATION: {part!r} is not a name and a number, such as web=2,worker=3")
        kind, number = found["kind"], int(found["number"])
        if kind not in commands:
            raise SettingsError(f"SLOMIX_FORMATION: there is no process {kind!r}, only {', '.join(commands)}")
        if kind in said:
            raise SettingsError(f"SLOMIX_FORMATION: {kind} is named twice")
        if number > MAX_PROCESSES:
            raise SettingsError(f"SLOMIX_FORMATION: {kind}={number} is more than {MAX_PROCESSES}")
        said[kind] = number
    return {kind: said.get(kind, 1) for kind in commands}
