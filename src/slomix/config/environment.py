"""Reads what the operator has set: the environment, the file `.env` below it, and files with secrets."""

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from slomix.config import types as values

ENVIRONMENT, ENV_FILE, SECRET_FILE = "environment", ".env", "file"
LONGEST_SECRET = 16 * 1024

_LINE = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)\s*=(?P<value>.*)")


@dataclass(frozen=True)
class Environment:
    """Every variable with its value and source, and a sentence on each that could not be read.

    The environment wins over `.env`. A variable without a value is not set.
    """

    values: Mapping[str, str]
    sources: Mapping[str, str]
    problems: tuple[str, ...]

    @classmethod
    def read(cls, env_file: Path | None, *, secrets: Collection[str]) -> "Environment":
        """Read the environment and `env_file`; `NAME_FILE` names the file that holds the secret NAME."""
        lines, problems = ({}, []) if env_file is None else _lines(env_file)
        found: dict[str, str] = {}
        sources: dict[str, str] = {}
        for source, raw in ((ENV_FILE, lines), (ENVIRONMENT, os.environ)):
            given = {name: text for name in raw if (text := values.strip_value(raw[name], is_secret=name in secrets))}
            for name in secrets:
                # A secret that is set here, either way, replaces that from below, however set.
                if name in given or f"{name}_FILE" in given:
                    found.pop(name, None)
                    found.pop(f"{name}_FILE", None)
            found |= given
            sources |= dict.fromkeys(given, source)
        in_files, more_problems = _from_files(found, secrets)
        sources |= dict.fromkeys((name for name in secrets if f"{name}_FILE" in found), SECRET_FILE)
        return cls(found | in_files, sources, (*problems, *more_problems))

    def text(self, name: str) -> str:
        """Return the value of a variable; empty if it is not set."""
        return self.values.get(name, "")

    def is_set(self, name: str) -> bool:
        """Check whether a variable is set, even if its file could not be read."""
        return name in self.values or f"{name}_FILE" in self.values


def _from_files(found: Mapping[str, str], secrets: Collection[str]) -> tuple[dict[str, str], list[str]]:
    """Read secrets from their files; return them, and a sentence on each that cannot be read."""
    read, problems = {}, []
    for name in sorted(name for name in secrets if f"{name}_FILE" in found):
        if name in found:
            problems.append(f"{name}: is set twice, and once as {name}_FILE")
            continue
        try:
            read[name] = _secret_in(Path(found[f"{name}_FILE"]))
        except ValueError as error:
            problems.append(f"{name}_FILE: {error}")
    return read, problems


def _lines(file: Path) -> tuple[dict[str, str], list[str]]:
    """Read the raw variables of an env file; return them, and a sentence on each line that is wrong."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return {}, []
    except OSError as error:
        return {}, [f"{file.name}: cannot be read ({error.strerror})"]
    except UnicodeDecodeError:
        return {}, [f"{file.name}: is not text in UTF-8"]
    found, problems = {}, []
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if match and _is_left_open(match["value"].strip()):
            problems.append(f"{file.name}, line {number}: {match['name']} has a quote that is not closed")
        elif match:
            found[match["name"]] = match["value"]
        else:
            problems.append(f"{file.name}, line {number}: is not NAME=value")
    return found, problems


def _is_left_open(value: str) -> bool:
    """Check whether a quote is opened and not closed; other readers would go on in the next line."""
    return value[:1] in {"'", '"'} and values.strip_value(value)[:1] == value[:1]


def _secret_in(file: Path) -> str:
    """Read a file without its last line end. Raise ValueError with a sentence that does not quote it."""
    try:
        if not file.is_file():
            raise ValueError("there is no such file")
        with file.open("rb") as opened:
            content = opened.read(LONGEST_SECRET + 1)
    except OSError as error:
        raise ValueError(f"the file cannot be read ({error.strerror})") from None
    if len(content) > LONGEST_SECRET:
        raise ValueError(f"the file is larger than the {LONGEST_SECRET} bytes that a secret may have")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("the file is not text in UTF-8") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text.strip():
        raise ValueError("the file is empty")
    return text
