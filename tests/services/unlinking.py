"""Unlinking in the worst moment: between the look-up of who acts and the commit of what they do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, text

from slomix.accounts.models import User
from slomix.privacy import unlinking
from tests.moments import TODAY
from tests.waiting import PATIENCE, until
from tests.world import World


def unlink(world: World, name: str) -> None:
    with world.session() as session:
        user = session.get_one(User, world.users[name])
        unlinking.unlink_profile(session, user, today=TODAY, now=world.clock.now())


def until_it_waits(world: World, thread: threading.Thread) -> None:
    """Return when a thread has to wait for a lock in the database, or has ended."""
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")

    def is_settled() -> bool:
        with world.runtime.database.engine.connect() as other:
            return bool(other.scalar(waiting)) or not thread.is_alive()

    until(is_settled, "the other transaction")


@contextmanager
def unlinked_before_writing(world: World, name: str, table: str) -> Iterator[threading.Event]:
    """Unlink a player just before the first row of `table` is written, and wait until that is done or has to wait.

    The event is set when it was done at once, before whatever writes has ended.
    """
    engine, at_once = world.runtime.database.engine, threading.Event()
    thread = threading.Thread(target=unlink, args=(world, name), daemon=True)

    def before(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith(f"INSERT INTO {table} ") and thread.ident is None:
            thread.start()
            until_it_waits(world, thread)
            if not thread.is_alive():
                at_once.set()

    event.listen(engine, "before_cursor_execute", before)
    try:
        yield at_once
    finally:
        event.remove(engine, "before_cursor_execute", before)
    assert thread.ident is not None, f"nothing was written to {table}"
    thread.join(PATIENCE)
