"""Real processes: the rehearsal and the matrix can fail, and the short form of the matrix does not.

One copy for all, in the order of its clock, because its start takes longer than an evening.
"""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from slomix.database import session as db
from slomix.dev.rehearsal.evening import OPENING, play_evening_on
from slomix.dev.rehearsal.matrix.calendar import EveningCalendar
from slomix.dev.rehearsal.matrix.harness import Harness
from slomix.dev.rehearsal.matrix.run import EveningPlayer
from slomix.dev.rehearsal.matrix.scenarios import SHORT, Scenario
from slomix.dev.rehearsal.matrix.table import describe_evening
from slomix.dev.rehearsal.system import RunningSystem, running
from slomix.dev.simulator.people import PEOPLE

SEED = 20

REDO = text(
    "UPDATE jobs SET status = 'pending', finished_at = NULL, attempts = 0, nudge_again_at = NULL"
    " WHERE kind = 'delivery' AND subject = :row"
)


def break_the_ledger(system: RunningSystem) -> None:
    """Forget that one start notice was sent, nonce and all, and promise it again."""
    database = system.database()
    with database.transaction() as session:
        row = session.scalar(
            text(
                "UPDATE notifications_ledger SET status = 'pending', nonce = 'another', settled_at = NULL,"
                " deadline_at = NULL WHERE id = (SELECT max(id) FROM notifications_ledger"
                " WHERE event_key LIKE 'PROMOTE:T0:%' AND status = 'sent' AND channel = 'discord') RETURNING id"
            )
        )
        session.execute(REDO, {"row": str(row)})
        db.notify(session, db.JOBS_CHANNEL)
    database.close()


@pytest.fixture(scope="module")
def system() -> Iterator[RunningSystem]:
    with running(OPENING) as running_copy:
        yield running_copy


@pytest.fixture(scope="module")
def players(system: RunningSystem) -> Iterator[EveningPlayer]:
    stage = Harness(system)
    stage.open()
    yield EveningPlayer(stage, EveningCalendar(), SEED)
    stage.close()


def test_a_broken_ledger_breaks_the_verdict_of_the_rehearsal(system: RunningSystem) -> None:
    said: list[str] = []
    result = play_evening_on(system, said.append, kill_worker=False, meddle=break_the_ledger)
    broken = [promise.text for promise in result.promises if not promise.kept]
    assert broken == ["every recipient got exactly one T0"], said
    assert (result.duplicates, result.losses) == (1, 0)
    assert not result.is_kept


def test_a_broken_ledger_is_a_duplicate_in_the_matrix(players: EveningPlayer) -> None:
    cell = Scenario(
        "broken", "", strike=lambda stage: break_the_ledger(stage.system), phases=("voice check",), max_lateness=0
    )
    played = players.play(cell, 0)
    assert played.count.duplicates == 1, describe_evening(played, SEED)
    assert played.count.losses == 0
    assert any(flaw.startswith("T0 to ") and flaw.endswith(" came 2 times") for flaw in played.count.flaws)


@pytest.mark.parametrize("cell", SHORT, ids=lambda cell: cell.name)
def test_the_short_form_keeps_every_promise(players: EveningPlayer, cell: Scenario) -> None:
    played = players.play(cell, 0)
    assert played.count.flaws == (), describe_evening(played, SEED)
    assert (played.count.duplicates, played.count.losses) == (0, 0)


def test_the_logs_of_these_evenings_hold_no_secret_and_no_address(
    system: RunningSystem, players: EveningPlayer
) -> None:
    """Every process's, and PostgreSQL's and Valkey's own; the simulator's are those of the outside world."""
    logs = {file.stem: file.read_text() for file in (system.folder / "log").glob("*.log") if file.stem != "simulator"}
    assert set(logs) >= {"web", "worker", "scheduler", "discord"}, "who has nothing to say has no file"
    assert all(event in logs["worker"] for event in ("job.tried", "delivery.tried"))
    cast = [
        address
        for person in PEOPLE
        for address in (
            person.id,
            person.dm_channel,
            str(person.telegram_chat_id),
            person.signal_number,
            person.signal_aci,
        )
    ]
    secrets = [value for name, value in system.environment.items() if re.search("SECRET|TOKEN|KEY", name)]
    said = {line for one in system.control.messages() for line in one["text"].splitlines() if len(line) > 12}
    assert len(secrets) > 4
    assert len(said) > 10
    found = [
        (part, one)
        for part, log in logs.items()
        for one in {*cast, *secrets, *said, "/stop/"}
        if re.search(rf"(?<![0-9A-Za-z]){re.escape(one)}(?![0-9A-Za-z])", log)
    ]
    assert found == []
