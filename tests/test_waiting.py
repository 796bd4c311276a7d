"""No test depends on how fast the machine is: bounds are events, counts, or ratios to what the same run measured."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

# What reads a clock that goes on by itself.
CLOCKS = {"monotonic", "perf_counter", "wall_now", "now", "utcnow", "time"}
SLEEPS = {"sleep", "nap"}
# What is given to these by its place ends the waiting; to anything else by the name of `timeout`.
WAITS = {"wait": 0, "join": 0, "result": 0, "exception": 0, "settimeout": 0, "wait_for": 1}

# Where one is really meant, and why.
ALLOWED = {
    "workers/test_evening_message_in_trouble.py: hears": "that nothing is heard takes a while to be known",
    "channels/test_rate_limit.py: naps": "what is tested pauses; the pause is noted and then made",
    "channels/test_rate_limit.py: probe": "when the next probe may leave",
    "channels/test_rate_limit.py: test_an_answer_that_was_overtaken_ends_no_longer_pause": "the shorter pause ends",
    "channels/test_rate_limit.py: turn": "a sender that is told to come later does",
    "channels/test_rate_limit.py: test_a_short_pause_of_one_route_is_not_waited_for_by_all": "Valkey forgets it",
    "deployment/test_two_of_each.py: test_a_stop_ends_all_in_time": "the promise to systemd is one about seconds",
    "deployment/test_two_of_each.py: test_restarting_every_process_in_the_middle_of_a_campaign_loses_nothing": (
        "a process that ends in its first ten seconds is one that had nothing to do"
    ),
    "deployment/watching.py: _run": "how often somebody reloads",
    "embedded/test_signals.py: test_told_by_any_signal_and_until_its_last_moment_it_ends_in_order": (
        "how often it is told"
    ),
    "properties/evening.py: minutes_pass_on_the_wall": "for how long Discord knows a nonce; nothing is asserted",
    "rules/test_singleflight.py: __call__": "lets others run; any pause will do",
    "test_procfile.py: stop_told": "so that the next signal is a later one by the clock",
    "services/test_redis_in_trouble.py: tried": "how soon a Redis that hangs is given up",
    "simulator/test_telegram.py: test_an_impatient_server_waits_for_nothing": "the whole time that was asked for",
    "services/test_nudges.py: test_workers_at_rest_ask_redis_and_wake_at_most_twice_a_second": "counts a second",
    "test_procfile.py: test_a_runner_sleeps_while_its_processes_live": "for how long it is watched",
    "simulator/test_telegram.py: test_a_long_poll_ends_when_nobody_does": "how long Telegram is asked to wait",
    "web/test_metrics.py: test_how_long_a_request_takes_is_what_is_measured": "is measured twice",
}


def name_of(call: ast.expr) -> str:
    """The last part of what is called."""
    if isinstance(call, ast.Call):
        call = call.func
    return call.attr if isinstance(call, ast.Attribute) else call.id if isinstance(call, ast.Name) else ""


def reads_a_clock(node: ast.AST) -> bool:
    """Whether a clock of the machine is read there; a frozen one that a test carries is none."""
    return any(
        isinstance(call, ast.Call) and name_of(call) in CLOCKS and "clock." not in ast.unparse(call.func)
        for call in ast.walk(node)
    )


def is_elapsed(node: ast.AST, known: set[str]) -> bool:
    """Whether this grows with what something took: a difference to a clock, or a name for one."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and not reads_a_clock(node.left):
        return is_elapsed(node.left, known)
    return any(
        (isinstance(part, ast.BinOp) and isinstance(part.op, ast.Sub) and reads_a_clock(part))
        or (isinstance(part, ast.Name) and part.id in known)
        or (isinstance(part, ast.Call) and name_of(part) in known)
        for part in ast.walk(node)
    )


def durations(tree: ast.AST) -> set[str]:
    """The names of variables and functions that tell how long something took."""
    known: set[str] = set()
    while True:
        before = len(known)
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and is_elapsed(node.value, known):
                known |= {name_of(target) for target in node.targets} - {""}
            elif isinstance(node, ast.FunctionDef) and any(
                isinstance(part, ast.Return) and part.value is not None and is_elapsed(part.value, known)
                for part in ast.walk(node)
            ):
                known.add(node.name)
            elif isinstance(node, ast.Call) and name_of(node) == "append" and is_elapsed(node.args[0], known):
                assert isinstance(node.func, ast.Attribute)
                known.add(name_of(node.func.value))
        if len(known) == before:
            return known


def bounds(tree: ast.AST) -> Iterator[ast.expr]:
    """Comparisons by which something must not have taken longer than a number that was not measured."""
    known = durations(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            for left, operator, right in zip(sides, node.ops, sides[1:], strict=False):
                small, large = (left, right) if isinstance(operator, ast.Lt | ast.LtE) else (right, left)
                is_order = isinstance(operator, ast.Lt | ast.LtE | ast.Gt | ast.GtE)
                if is_order and is_elapsed(small, known) and not (is_elapsed(large, known) or reads_a_clock(large)):
                    yield node


def sleeps(tree: ast.AST) -> Iterator[ast.expr]:
    """Pauses of a certain length, after which a slow machine has not come as far as a fast one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name_of(node) in SLEEPS and ast.unparse(node.args[0]) != "0":
            yield node


def limits(tree: ast.AST) -> Iterator[ast.expr]:
    """Waits with a limit of their own in place of PATIENCE."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            place = WAITS.get(name_of(node), len(node.args))
            named = [keyword.value for keyword in node.keywords if keyword.arg == "timeout"]
            given = [*node.args[place : place + 1], *named]
            if any(isinstance(one, ast.Constant) and isinstance(one.value, int | float) and one.value for one in given):
                yield node


def faults(source: str) -> Iterator[tuple[str, int, str]]:
    """Where a test depends on speed: the function, the line, and what stands there."""
    tree = ast.parse(source)
    owners: dict[ast.AST, str] = {}
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
        owners |= {part: owners.get(function, function.name) for part in ast.walk(function)}
    for found in (*bounds(tree), *sleeps(tree), *limits(tree)):
        yield owners.get(found, ""), found.lineno, ast.unparse(found)


@pytest.mark.parametrize(
    "line",
    [
        "assert time.monotonic() - began < 5",
        "assert 0.3 <= monotonic() - began < 5",
        "assert 2 > perf_counter() - started, 'too slow'",
        "took = time.monotonic() - began\nassert took <= 1",
        "def took():\n    return monotonic() - began\nassert took() < 1",
        "times.append(monotonic() - began)\nassert max(times) < SLOWEST",
        "while time.monotonic() - began < 5: pass",
        "assert wall_now() - began < timedelta(seconds=1)",
        "time.sleep(0.3)",
        "await asyncio.sleep(0.01)",
        "nap(1)",
        "process.wait(timeout=5)",
        "thread.join(5)",
        "asyncio.wait_for(happens, 3)",
        "threading.Barrier(2, timeout=10)",
        "subprocess.run(command, timeout=60)",
    ],
)
def test_what_a_slow_machine_would_break_is_found(line: str) -> None:
    assert list(faults(line))


@pytest.mark.parametrize(
    "line",
    [
        "assert time.monotonic() - began >= 1",
        "assert 1 < monotonic() - began",
        "took = monotonic() - began\nassert measured <= took",
        "first = monotonic() - began\nlast = monotonic() - then\nassert last < 5 * first",
        "assert 60 - (wall_now() - began) <= left",
        "assert world.clock.now() - began < SECOND",
        "until(lambda: pids, 'processes')",
        "process.wait(PATIENCE)",
        "await asyncio.sleep(0)",
        "queue.get(timeout=PATIENCE)",
        "','.join(names)",
    ],
)
def test_what_a_slow_machine_does_not_break_is_left_alone(line: str) -> None:
    assert list(faults(line)) == []


def test_no_test_depends_on_how_fast_the_machine_is() -> None:
    found: dict[str, list[str]] = {}
    for file in sorted(TESTS.rglob("*.py")):
        if file != Path(__file__):
            name = file.relative_to(TESTS).as_posix()
            for function, line, said in faults(file.read_text()):
                found.setdefault(f"{name}: {function}", []).append(f"{name}:{line}: {said}")
    assert [line for place, lines in found.items() if place not in ALLOWED for line in lines] == []
    assert sorted(ALLOWED.keys() - found.keys()) == [], "nothing stands there any more"
