"""What telling one more person costs the database: a fixed number of statements and commits, however many they are."""

from collections import Counter

import pytest

from slomix.availability.rules import Status
from slomix.database import session as db
from slomix.deliveries.service import JOB_KIND
from slomix.jobs.runner import execute
from slomix.processes import dispatch
from tests.configuration import ROOM
from tests.moments import at
from tests.steps import call, counted
from tests.workers.stage import go, in_voice
from tests.world import World, build_world

STATEMENTS, COMMITS = 6, 2


@pytest.fixture
def called(committed: db.Database) -> World:
    world = build_world(committed)
    for name in ("alice", "bob", "erik", "franka", "goran"):
        world.says(name, Status.LOOKING)
    call(world)
    return world


def deliver(world: World) -> list[Counter[str]]:
    """Carry what is due, and say what each message cost."""
    costs = []
    for job in dispatch.release_jobs(world.runtime):
        with counted(world.runtime.database) as cost:
            execute(world.runtime, dispatch.HANDLERS[job.kind], job.id)
        if job.kind == JOB_KIND:
            costs.append(cost)
    return costs


@pytest.mark.parametrize("hour", [(20, 45), (21, 0)])
def test_a_message_that_leaves_costs_at_most_six_statements_and_two_commits(
    called: World, hour: tuple[int, int]
) -> None:
    called.clock.move_to(at(*hour))
    in_voice(called, dora=ROOM)
    costs = deliver(called)
    assert len(called.discord.sent) >= 5
    for cost in costs:
        assert cost["statements"] <= STATEMENTS, costs
        assert cost["commits"] <= COMMITS, costs


def test_a_follow_up_costs_no_more_also_to_who_is_on_the_game_server(called: World) -> None:
    called.game_server.on_it = ["Alice"]
    go(called, 21)
    called.clock.move_to(at(21, 0, 30))
    in_voice(called, dora=ROOM)
    deliver(called)  # the voice check, which plans them
    costs = deliver(called)
    assert len(costs) == 5
    assert all(cost["statements"] <= STATEMENTS and cost["commits"] <= COMMITS for cost in costs), costs


def test_a_message_that_does_not_leave_costs_no_more(called: World) -> None:
    called.clock.move_to(at(20, 45))
    called.says("erik", Status.NOT_PLAYING)
    called.prefers("franka", called=False)
    costs = deliver(called)
    assert {len(called.discord.sent), len(costs)} == {3, 5}
    assert all(cost["statements"] <= STATEMENTS and cost["commits"] <= COMMITS for cost in costs), costs


def test_calling_costs_as_many_statements_for_few_as_for_many(committed: db.Database) -> None:
    world = build_world(committed, global_cooldown=False)
    world.says("alice", Status.LOOKING)
    with counted(committed) as for_one:
        call(world, "dora")
    for name in ("bob", "erik", "franka", "goran"):
        world.says(name, Status.LOOKING)
    with counted(committed) as for_five:
        call(world, "bob")
    assert for_five["statements"] <= for_one["statements"]
    assert for_five["commits"] == for_one["commits"] == 1
