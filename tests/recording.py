"""Writes down which statements Slomix asks while tests run: `pytest -p tests.recording`, as `make release` does.

They become what the next versions are tried with: `tests/deployment/test_version_before.py`.
"""

import json
import os
import re
import shutil
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from sqlalchemy import Engine, event

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "var" / "statements"
OURS = str(ROOT / "src" / "slomix")
# Not of the processes that run beside the next version: `slomix check` proves rights by statements of its own.
OTHERS = ("/slomix/dev/", "/slomix/cli/")
# What a statement begins with that reads or writes rows.
ROWS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
_PARAMETER = r"%\(\w+\)s(?:::[A-Z][A-Z0-9_ ]*(?:\(\d+\))?(?:\[\])*)?"
_LIST = re.compile(rf"IN \(({_PARAMETER})(?:, {_PARAMETER})+\)")
# The second and further rows of an INSERT of many.
_MORE_ROWS = re.compile(r", \((?:[^()]|\([^()]*\))*?%\(\w+_[_m][1-9][0-9]*\)s(?:[^()]|\([^()]*\))*\)")

_found: set[str] = set()


def normalise(statement: str) -> str:
    """Return a statement as PostgreSQL prepares it, alike however many values its lists have."""
    short = _MORE_ROWS.sub("", _LIST.sub(r"IN (\1)", " ".join(statement.split())))
    numbers: dict[str, int] = {}

    def numbered(name: "re.Match[str]") -> str:
        return f"${numbers.setdefault(name[1], len(numbers) + 1)}"

    prepared = re.sub(r"%\((\w+)\)s", numbered, short).replace("%%", "%")
    # What is added to a moment has no type in the statement; psycopg sends it as what it is.
    return re.sub(r"([-+] \$\d+)(?![\d:])", r"\1::INTERVAL", prepared)


def _is_ours(frame: "FrameType | None") -> bool:
    """Check whether Slomix, and no test, is the first above the libraries."""
    while frame is not None and "site-packages" in frame.f_code.co_filename:
        frame = frame.f_back
    file = "" if frame is None else frame.f_code.co_filename
    return file.startswith(OURS) and not any(folder in file for folder in OTHERS)


@event.listens_for(Engine, "before_cursor_execute")
def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
    if statement.lstrip().startswith(ROWS) and _is_ours(sys._getframe(1)):
        _found.add(normalise(statement))


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(FOLDER, ignore_errors=True)


def pytest_sessionfinish() -> None:
    if _found:
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / f"{os.getpid()}.json").write_text(json.dumps(sorted(_found)))
