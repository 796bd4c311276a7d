"""What the operator has set: the environment, below it the file `.env`, and the files in which secrets stand."""

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
    """Every variable with its plain value and where it came from, and a sentence on each that could not be read.

    What is set in the environment wins over `.env`. A variable without a value is not set.
    """

    values: Mapping[str, str]
    sources: Mapping[str, str]
    problems: tuple[str, ...]

    @classmethod
    def read(cls, env_file: Path | None, *, secrets: Collection[str]) -> "Environment":
        """`NAME_FILE` names the file in which the secret NAME stands."""
        lines, problems = ({}, []) if env_file is None else _lines(env_file)
        found: dict[str, str] = {}
        sources: dict[str, str] = {}
        for source, raw in ((ENV_FILE, lines), (ENVIRONMENT, os.environ)):
            given = {name: text for name in raw if (text := values.strip_value(raw[name], is_secret=name in secrets))}
            for name in secrets:
                # However a secret is set here, it wins over however it is set below.
                if name in given or f"{name}_FILE" in given:
                    found.pop(name, None)
                    found.pop(f"{name}_FILE", None)
            found |= given
            sources |= dict.fromkeys(given, source)
        in_files, more_problems = _from_files(found, secrets)
        sources |= dict.fromkeys((name for name in secrets if f"{name}_FILE" in found), SECRET_FILE)
        return cls(found | in_files, sources, (*problems, *more_problems))

    def text(self, name: str) -> str:
        """Return the value of a variable, or nothing."""
        return self.values.get(name, "")

    def is_set(self, name: str) -> bool:
        """Tell whether it was meant to be set, even if that went wrong."""
        return name in self.values or f"{name}_FILE" in self.values


def _from_files(found: Mapping[str, str], secrets: Collection[str]) -> tuple[dict[str, str], list[str]]:
    """Read the secrets that stand in files of their own, with a sentence on each that does not."""
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
    """Read the variables of an env file as they stand there, with a sentence on each line that is none."""
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
    """Whether a quote begins it and none ends it: others would read on in the next line."""
    return value[:1] in {"'", '"'} and values.strip_value(value)[:1] == value[:1]


def _secret_in(file: Path) -> str:
    """Read a whole file but its last line end. Raise ValueError with a sentence that repeats nothing of it."""
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
