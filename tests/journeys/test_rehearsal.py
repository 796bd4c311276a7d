"""The rehearsal can fail: when the ledger is broken behind its back it says so and does not pass."""

import pytest
from sqlalchemy import text

from slomix import db
from slomix.rehearsal.evening import Result, play
from slomix.rehearsal.system import System

REDO = text(
    "UPDATE jobs SET status = 'pending', finished_at = NULL, attempts = 0, nudge_again_at = NULL"
    " WHERE kind = 'delivery' AND subject = :row"
)


def break_the_ledger(system: System) -> None:
    """Forget that one start notice was sent, nonce and all, and promise it again."""
    database = system.database()
    with database.transaction() as session:
        row = session.scalar(
            text(
                "UPDATE notifications_ledger SET status = 'pending', nonce = 'another', settled_at = NULL,"
                " deadline_at = NULL WHERE event_key LIKE 'PROMOTE:T0:%' AND status = 'sent'"
                " AND player_id = (SELECT id FROM players WHERE name = 'franka') RETURNING id"
            )
        )
        session.execute(REDO, {"row": str(row)})
        db.notify(session, db.JOBS)
    database.close()


@pytest.mark.xdist_group("journeys")
def test_a_broken_ledger_breaks_the_verdict() -> None:
    said: list[str] = []
    result: Result = play(said.append, kill_worker=False, meddle=break_the_ledger)
    broken = [promise.text for promise in result.promises if not promise.kept]
    assert broken == ["every recipient got exactly one T0"], said
    assert (result.duplicates, result.losses) == (1, 0)
    assert not result.is_kept
