"""How many of each process run: `web=2,worker=3`, and one of each that is not named."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slomix.config.settings import SettingsError
from slomix.supervisor.runner import parse

WEB = "web"
MOST = 50
LAST_PORT = 65535

_PART = re.compile(r"(?P<kind>[A-Za-z0-9_-]+)\s*=\s*(?P<number>[0-9]{1,4})")


@dataclass(frozen=True)
class Commands:
    """What a Procfile says: what runs, by its kind, and what comes before, if anything does."""

    processes: Mapping[str, str]
    release: str | None


@dataclass(frozen=True)
class Instance:
    """One process to run, of its kind perhaps one of several."""

    kind: str
    number: int
    name: str
    command: str
    environment: Mapping[str, str]


def commands_of(procfile: Path) -> Commands:
    """Raise SettingsError with a sentence on a file that cannot be read so."""
    try:
        found = parse(procfile.read_text())
    except ValueError as error:
        raise SettingsError(str(error)) from None
    release = found.pop("release", None)
    return Commands(found, release)


def instances(commands: Mapping[str, str], formation: str, *, port: int) -> list[Instance]:
    """The processes of these commands, in this formation. Raise SettingsError with a sentence when it makes no sense.

    Of several they are called web.1, web.2 …; the first web process listens on `port`, each further one on the next.
    """
    counts = _counts(formation, commands)
    last = port + counts.get(WEB, 1) - 1
    if last > LAST_PORT:
        raise SettingsError(f"PORT: {port} leaves no ports for {counts[WEB]} web processes: {last} is none")
    return [
        Instance(
            kind,
            number,
            f"{kind}.{number}" if counts[kind] > 1 else kind,
            command,
            {"SLOMIX_PROCESS": f"{kind}.{number}"} | ({"PORT": str(port + number - 1)} if kind == WEB else {}),
        )
        for kind, command in commands.items()
        for number in range(1, counts[kind] + 1)
    ]


def web_ports(running: list[Instance]) -> list[int]:
    """Where the web processes listen."""
    return [int(one.environment["PORT"]) for one in running if one.kind == WEB]


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
        if number > MOST:
            raise SettingsError(f"SLOMIX_FORMATION: {kind}={number} is more than {MOST}")
        said[kind] = number
    return {kind: said.get(kind, 1) for kind in commands}
