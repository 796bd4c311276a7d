"""Whatever stores what a player wants to hear also introduces us to them on Discord, which opens the way there."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

STORES = {"save_preferences", "change_preferences"}
INTRODUCES = "plan_introduction"
# The module that stores, and the demo, whose players are known to Discord.
ELSEWHERE = {"contacts/preferences.py", "cli/demo.py"}


def without_introduction(source: str) -> Iterator[str]:
    """Yield the functions that store preferences and introduce nobody."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            called = {call.attr for call in ast.walk(node) if isinstance(call, ast.Attribute)}
            if called & STORES and INTRODUCES not in called:
                yield node.name


def test_each_way_to_switch_messages_on_introduces_us(root: Path) -> None:
    src = root / "src" / "slomix"
    found = {
        f"{path.relative_to(src).as_posix()}: {name}"
        for path in src.rglob("*.py")
        if path.relative_to(src).as_posix() not in ELSEWHERE
        for name in without_introduction(path.read_text())
    }
    assert found == set()


@pytest.mark.parametrize(
    "call", ["preferences.save_preferences(session, 1)", "preferences.change_preferences(session)"]
)
def test_one_that_does_not_is_found(call: str) -> None:
    assert list(without_introduction(f"def view():\n    {call}\n")) == ["view"]
