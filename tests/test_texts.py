"""What a person reads is looked up in a catalogue; here the code is looked through for what is not."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

# Read by operators, and by those who write programs against the JSON API.
OPERATORS = {
    "cli",
    "config",
    "dev",
    "legacy_import",
    "metrics",
    "supervisor",
    "web/openapi",
    "app/gunicorn.py",
    "web/assets.py",
    "logs.py",
}
PROGRAMS = {"api.py", "schemas.py"}

LOOKS_UP = {"_", "gettext", "ngettext", "pgettext", "N_", "later", "in_all_languages"}
SENTENCE = re.compile(r"[A-Z]\S* .*[.!?](\s|$)", re.DOTALL)


def sentences(code: str) -> Iterator[tuple[int, str]]:
    """The string literals that look like a sentence for people, with their lines; docstrings are none."""
    tree = ast.parse(code)
    passed = set(_docstrings(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            passed.update(node.values)  # looked at as a whole
        if isinstance(node, ast.Call) and ast.unparse(node.func) in LOOKS_UP:
            passed.update(node.args)
        if isinstance(node, ast.expr) and node not in passed and SENTENCE.match(text := _text(node).strip()):
            yield node.lineno, text


def _docstrings(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr):
                yield first.value


def _text(node: ast.AST) -> str:
    """What a literal says, with an X for each blank of an f-string; nothing for all that is no string."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) or "X" for part in parts)
        case _:
            return ""


def test_what_people_read_is_looked_up(root: Path) -> None:
    package = root / "src/slomix"
    astray = [
        f"{path.relative_to(root)}:{line}: {text}"
        for path in sorted(package.rglob("*.py"))
        if path.name not in PROGRAMS and not any(path.is_relative_to(package / name) for name in OPERATORS)
        for line, text in sentences(path.read_text())
    ]
    assert astray == []


@pytest.mark.parametrize(
    "code",
    [
        'flash("You are logged out.", "done")',
        'raise Invalid(f"The field {name} must be a text.")',
        'raise Taken(f"{name} is taken already.")',
        'say("See you there?")',
        'say("Everybody is here. " + links)',
        'say("One sentence "\n    "in two parts!")',
        'say(f"Stop it here. Or here: {link}")',
        'def f():\n    """Say it."""\n    return "It is said."',
    ],
)
def test_a_sentence_is_found(code: str) -> None:
    assert len(list(sentences(code))) == 1


@pytest.mark.parametrize(
    "code",
    [
        '"""A module that does one thing."""',
        'class Viewer:\n    """Somebody who looks."""',
        'async def f():\n    """Say it."""',
        'log.info("delivery.sent", id=1)',
        'execute("SELECT 1")',
        'headers["Vary"] = "Cookie, HX-Request"',
        'f"{hour:%H:%M} {day}"',
        'kind = "Saved"',
        "# A comment says why.",
        'flash(_("You are logged out."), "done")',
        'sentence = N_("That is not possible.")',
        'ngettext("One is here. Hurry!", "{number} are here. Hurry!", number)',
    ],
)
def test_what_is_no_sentence_is_not(code: str) -> None:
    assert list(sentences(code)) == []


def test_a_finding_says_where_and_what() -> None:
    assert list(sentences('\n\nsay(f"Called by {name} today.")')) == [(3, "Called by X today.")]
