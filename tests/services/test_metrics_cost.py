"""What a monitor costs the database, also when there is a lot in it."""

import time
from collections.abc import Callable

from hypothesis import settings
from sqlalchemy import text

from slomix.clock import wall_now
from slomix.database.session import Database
from slomix.metrics import readings
from slomix.metrics.readings import Readings
from tests.moments import TODAY
from tests.steps import counted
from tests.world import World, build_world

ROWS = 20_000 if settings.get_current_profile_name() == "brief" else 200_000
STATEMENTS = 6
# Of the time that looking at every row once takes; with nothing else to do it is less than three, and 0.2 s.
MOST = 10


def read(world: World) -> Readings:
    now = world.clock.now()
    with world.session() as session:
        return readings.take_readings(session, today=TODAY, settings=world.runtime.settings, now=now, wall=wall_now())


LEDGER = """
INSERT INTO notifications_ledger
  (player_id, event_key, channel, notice, subject, status, nonce, text, created_at, settled_at)
SELECT (CAST(:players AS bigint[]))[1 + n % 6], 'PROMOTE:' || n, 'discord', 'send_start_2100', 'campaign:' || n / 100,
  'sent', n, repeat('x', 200), moment, moment
FROM (
  SELECT n, CAST(:now AS timestamptz) - n * interval '80 seconds' AS moment FROM generate_series(1, :rows) n
) numbered
"""
JOBS = """
INSERT INTO jobs
  (kind, subject, lane, status, run_at, due_at, attempts, max_attempts, claims, nudges, created_at, finished_at)
SELECT 'delivery', id, 'discord', 'sent', settled_at, settled_at, 1, 5, 1, 0, created_at, settled_at
FROM notifications_ledger
"""


def fill(world: World) -> None:
    """A season of evenings: most of it is old, a thousand rows are of the last day, and every row has its job."""
    players = list(world.players.values())
    assert len(players) == 6
    with world.session() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))  # a slow machine may take its time to make them
        session.execute(text(LEDGER), {"now": world.clock.now(), "rows": ROWS, "players": players})
        session.execute(text(JOBS))


def look_at_every_row(world: World) -> None:
    with world.session() as session:
        session.execute(text("SELECT max(settled_at), count(text) FROM notifications_ledger"))
        session.execute(text("SELECT max(finished_at), count(subject) FROM jobs"))


def fastest(work: Callable[[], object]) -> float:
    """The shortest of five: what else the machine does only adds to it."""
    took = []
    for _ in range(5):
        began = time.monotonic()
        work()
        took.append(time.monotonic() - began)
    return min(took)


def test_many_rows_cost_six_statements_and_little_more_than_looking_at_each(committed: Database) -> None:
    world = build_world(committed)
    fill(world)
    found = read(world)
    with counted(committed) as cost:
        read(world)
    assert fastest(lambda: read(world)) < MOST * fastest(lambda: look_at_every_row(world))
    assert (cost["statements"], cost["commits"]) == (STATEMENTS, 1)
    [sent] = found.deliveries
    assert sent.settled_in_day == 24 * 3600 // 80 - 1, "older ones are not told of"


def test_an_empty_system_costs_as_much(committed: Database) -> None:
    world = build_world(committed)
    with counted(committed) as cost:
        found = read(world)
    assert cost["statements"] == STATEMENTS
    assert (found.jobs, found.deliveries, found.presence_age) == ([], [], None)
