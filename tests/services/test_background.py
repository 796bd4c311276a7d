"""All that runs beside the web, in one process: when a part of it fails, all of it is started anew."""

import ast
import threading
from functools import partial

import pytest

from slomix.database.session import ROOT
from slomix.processes.background import run_together
from tests.waiting import PATIENCE


def wait(stopping: threading.Event, ended: list[str], name: str) -> None:
    assert stopping.wait(PATIENCE)
    ended.append(name)


def fail(stopping: threading.Event) -> None:
    raise RuntimeError("this part is broken")


def leave(stopping: threading.Event) -> None:
    """End without being asked."""


def test_what_is_told_to_end_ends_well_when_all_parts_have() -> None:
    stopping, ended = threading.Event(), list[str]()
    threading.Timer(0.01, stopping.set).start()
    run_together({name: partial(wait, ended=ended, name=name) for name in "abc"}, stopping)
    assert sorted(ended) == ["a", "b", "c"]


@pytest.mark.parametrize("broken", [fail, leave])
def test_a_part_that_ends_by_itself_ends_the_others_in_order_and_the_process_badly(broken: "partial[None]") -> None:
    stopping, ended = threading.Event(), list[str]()
    with pytest.raises(SystemExit) as status:
        run_together({"a": partial(wait, ended=ended, name="a"), "broken": partial(broken)}, stopping)
    assert status.value.code == 1
    assert ended == ["a"], "asked to end, like by an operator"


def test_every_process_of_workers_is_a_part_of_the_one_for_small_machines() -> None:
    """What `run_alone` runs elsewhere is run there: a new kind of process would be missing on small machines."""
    alone, together = set(), set()
    for path in (ROOT / "src/slomix/processes").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "run_alone":
                alone.add(ast.unparse(node.args[1]))
            if isinstance(node, ast.Call) and path.name == "background.py" and ast.unparse(node.func) == "partial":
                together.add(ast.unparse(node.args[0]).rpartition(".")[2])
    assert alone == together
    assert len(alone) == len([*(ROOT / "workers").glob("*.py")]) - 1
