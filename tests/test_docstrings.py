"""What a docstring says of errors is true of the code: a name that it says is raised exists."""

import ast
import builtins
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

RAISES = re.compile(r"\b[Rr]aises? ((?:`?[A-Z]\w+`?(?:, (?:or |and )?| or | and )?)+)")
# An acronym or the beginning of a sentence is no class.
CLASS = re.compile(r"\b[A-Z][a-z]+(?:[A-Z][a-z0-9]*)+\b")


def raised(source: str) -> Iterator[str]:
    """Yield the names of errors that docstrings say are raised."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for found in RAISES.finditer(ast.get_docstring(node) or ""):
                yield from CLASS.findall(found[1])


def test_every_error_that_a_docstring_names_exists(root: Path) -> None:
    sources = {path: path.read_text() for path in sorted((root / "src").rglob("*.py"))}
    names = {
        node.asname or node.name if isinstance(node, ast.alias) else node.name
        for source in sources.values()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef | ast.alias)
    } | {
        node.attr
        for source in sources.values()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
    }
    unknown = [
        f"{path.relative_to(root)}: {name}"
        for path, source in sources.items()
        for name in raised(source)
        if name not in names and not hasattr(builtins, name)
    ]
    assert unknown == []


@pytest.mark.parametrize(
    "docstring",
    [
        "Store it. Raise NoSuchRoom when it is gone.",
        "Raise JobRunning, NotPending or NoSuchRoom.",
        "It raises `NoSuchRoom`.",
    ],
)
def test_a_name_is_found(docstring: str) -> None:
    assert "NoSuchRoom" in set(raised(f'def f():\n    """{docstring}"""'))
