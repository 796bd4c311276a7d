"""Compares this process's clock with the database's, at the start and every ten seconds."""

import threading
from datetime import datetime

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from slomix import clock
from slomix.clock import nap
from slomix.database.session import Database

log = structlog.get_logger()

COMPARE_EVERY = 10.0


def watch_clock(database: Database) -> None:
    """Compare now, and from now on on a thread of its own. A database that is away is asked again later."""
    _compare(database)
    threading.Thread(target=_compare_for_ever, args=(database,), daemon=True, name="clock").start()


def _compare_for_ever(database: Database) -> None:
    while True:
        nap(COMPARE_EVERY)
        _compare(database)


def _compare(database: Database) -> None:
    before = clock.offset()
    try:
        with database.engine.connect() as connection:

            def ask() -> datetime:
                return connection.execute(text("SELECT clock_timestamp()")).scalar_one()  # type: ignore[no-any-return]

            ask()  # the first statement also begins the transaction
            clock.follow(ask)
    except SQLAlchemyError as error:
        log.warning("clock.not_compared", error=type(error).__name__)
        return
    if abs(clock.offset() - before) > clock.TOLERANCE:
        log.warning("clock.corrected", seconds=round(clock.offset().total_seconds(), 3))
