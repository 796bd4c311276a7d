"""What is written for a player goes through `as_player()` or a sister of it: nothing opens a transaction beside it."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

WRITING = {"post", "put", "patch", "delete"}
GATES = {"require_player", "require_promoter", "PLAYERS", "PROMOTERS", "ACTORS"}
VIEWER = {"who", "viewer"}
OF_A_PLAYER = {"player_id", "profile_id"}
Functions = Mapping[str, ast.FunctionDef]


def methods(function: ast.FunctionDef) -> set[str]:
    """Return the HTTP methods that a function answers, as its decorators say."""
    found = set()
    for decorator in function.decorator_list:
        if not (isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute)):
            continue
        if decorator.func.attr in {"get", *WRITING}:
            found.add(decorator.func.attr)
        for keyword in decorator.keywords if decorator.func.attr == "route" else ():
            if keyword.arg == "methods":
                found |= {str(method).lower() for method in ast.literal_eval(keyword.value)}
    return found


def reachable(name: str, functions: Functions) -> set[str]:
    """Return the functions of the module that this one calls, with itself."""
    found, waiting = set(), [name]
    while waiting:
        found.add(here := waiting.pop())
        called = {node.id for node in ast.walk(functions[here]) if isinstance(node, ast.Name)}
        waiting.extend(called & functions.keys() - found)
    return found


def acts_as_player(function: ast.FunctionDef) -> bool:
    """Whether a gate for players stands in a function or above it, or the viewer's player is read."""
    for node in ast.walk(function):
        if (
            isinstance(node, ast.Name | ast.Attribute)
            and (node.id if isinstance(node, ast.Name) else node.attr) in GATES
        ):
            return True
        if isinstance(node, ast.Attribute) and node.attr in OF_A_PLAYER:
            owner = node.value
            if isinstance(owner, ast.Call) or (isinstance(owner, ast.Name) and owner.id in VIEWER):
                return True
    return False


def transactions(function: ast.FunctionDef) -> Iterator[int]:
    """Yield the lines on which a function opens a transaction of its own."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "transaction":
            yield node.lineno


def beside_the_gate(source: str) -> set[int]:
    """Return the lines where something that writes for a player opens a transaction without holding the link.

    What a reading view calls too only reads.
    """
    functions = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    views = {name: methods(function) for name, function in functions.items()}
    reading = {other for name, how in views.items() if how == {"get"} for other in reachable(name, functions)}
    found = set()
    for name, how in views.items():
        if not how & WRITING:
            continue
        own = [functions[other] for other in (reachable(name, functions) - reading) | {name}]
        if any(map(acts_as_player, own)):
            found |= {line for function in own for line in transactions(function)}
    return found


def test_no_view_writes_for_a_player_without_holding_the_link(root: Path) -> None:
    found = [
        f"{path.relative_to(root)}:{line}"
        for path in sorted((root / "src/slomix").rglob("*.py"))
        if path.name != "acting.py"
        for line in sorted(beside_the_gate(path.read_text()))
    ]
    assert found == []


def test_no_view_holds_a_link_by_hand(root: Path) -> None:
    calling = {
        str(path.relative_to(root / "src/slomix"))
        for path in sorted((root / "src/slomix").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "lock_link"
    }
    assert calling == {"accounts/acting.py", "legacy_import/service.py"}


def test_no_chat_command_looks_up_its_player_without_holding_the_link(root: Path) -> None:
    found = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in sorted((root / "src/slomix/chat").glob("*.py"))
        for function in ast.parse(path.read_text()).body
        if not (isinstance(function, ast.FunctionDef) and function.name in {"_hold", "_is_of"})
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and node.attr in {"player_of_address", *OF_A_PLAYER}
    ]
    assert found == []


GOES_ROUND = [
    """
@blueprint.post("/x")
def view():
    player_id = gates.require_player()
    with current.runtime().transaction() as session:
        service.write(session, player_id)
""",
    """
@blueprint.delete("/x")
@calls.call("x", PROMOTERS, "Done.")
def view(promoter_id):
    with runtime().transaction() as session:
        service.write(session, promoter_id)
""",
    """
@blueprint.route("/x", methods=["GET", "PUT"])
def view():
    _write(require_user().profile_id)

def _write(player_id):
    with runtime().transaction() as session:
        service.write(session, player_id)
""",
    """
@blueprint.post("/x")
def view(who):
    with as_player() as (session, player_id):
        service.write(session, player_id)
    with runtime().transaction() as session:
        service.write(session, who.player_id)
""",
]
DOES_NOT = [
    """
@blueprint.post("/x")
def view():
    with as_player() as (session, player_id):
        service.write(session, player_id)
    return _page(gates.require_player())

@blueprint.get("/x")
def show():
    return _page(gates.require_player())

def _page(player_id):
    with current.runtime().transaction() as session:
        return service.read(session, player_id)
""",
    """
@blueprint.post("/x")
def view():
    who = require_admin()
    with current.runtime().transaction() as session:
        service.write(session, who.discord_id)
""",
]


@pytest.mark.parametrize("source", GOES_ROUND)
def test_a_view_that_goes_round_it_is_found(source: str) -> None:
    assert beside_the_gate(source)


@pytest.mark.parametrize("source", DOES_NOT)
def test_a_view_that_does_not_is_not(source: str) -> None:
    assert not beside_the_gate(source)
