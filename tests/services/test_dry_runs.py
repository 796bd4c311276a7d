"""A promoter tries out now and then; the evening does not wait for it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from slomix.campaigns import rules
from slomix.campaigns.models import Campaign
from slomix.campaigns.service import DryRunTooSoon
from slomix.database import session as db
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from tests.steps import call
from tests.world import World, build_world


def try_out(world: World, key: str, name: str = "bob") -> int:
    return call(world, name, key=key, dry_run=True)[0]


def let_it_end(world: World) -> None:
    with world.session() as session:
        session.execute(
            update(Job)
            .where(Job.kind == rules.DRY_RUN)
            .values(status=JobStatus.SENT, finished_at=world.clock.now(), lease_until=None)
        )


def test_one_dry_run_at_a_time(world: World) -> None:
    first = try_out(world, "a")
    with pytest.raises(DryRunTooSoon, match="on its way"):
        try_out(world, "b")
    assert try_out(world, "a") == first, "the same submit, once more"
    assert try_out(world, "a", "alice") != first, "another promoter's"
    let_it_end(world)
    assert try_out(world, "b") != first


def test_five_in_ten_minutes(world: World) -> None:
    for number in range(rules.MOST_DRY_RUNS):
        try_out(world, f"{number}")
        let_it_end(world)
        world.clock.forward(timedelta(minutes=1))
    with pytest.raises(DryRunTooSoon, match=r"^That was 5 dry runs in a short time") as refused:
        try_out(world, "one more")
    assert refused.value.retry_after == timedelta(minutes=5)
    world.clock.forward(refused.value.retry_after)
    assert try_out(world, "one more")


def test_one_that_never_ends_does_not_forbid_the_next_for_good(world: World) -> None:
    try_out(world, "a")
    world.clock.forward(rules.DRY_RUN_WINDOW)
    assert try_out(world, "b")


def test_of_many_at_once_one_is_made(committed: db.Database) -> None:
    world = build_world(committed)

    def submit(number: int) -> bool:
        try:
            try_out(world, f"{number}")
        except DryRunTooSoon:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(submit, range(8))) == 1
    with world.session() as session:
        assert len(session.scalars(select(Campaign.id)).all()) == 1
