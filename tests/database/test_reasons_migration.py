"""Stored sentences become codes with their details, and come back as they were."""

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Engine, bindparam, create_engine, text
from sqlalchemy.exc import IntegrityError

from slomix.database import migrations
from slomix.reasons.codes import Explanation, Reason
from slomix.reasons.column import ExplanationType

BEFORE, AFTER = "0012", "0013"

# What a detail may be: also what stands around it in a sentence, and several lines.
DETAILS = ["", "ReadTimeout", "Missing Access (50001)", "502 Bad; gateway", "a\nb: 'c' \"d\" {e} %s é 👋"]
KNOWN = {
    "quiet hours": Explanation(Reason.QUIET_HOURS),
    "cancelled": Explanation(Reason.WITHDRAWN),
    "this person's DMs are closed to the bot": Explanation(Reason.DMS_CLOSED),
    "already in voice": Explanation(Reason.ALREADY_IN_VOICE),
    "already sent": Explanation(Reason.ALREADY, "sent"),
    "Discord: Missing Access (50001)": Explanation(Reason.DISCORD_SAID, "Missing Access (50001)"),
    "Discord asks us to slow down (429)": Explanation(Reason.DISCORD_IS_BUSY),
    "Signal: a\nb (500)": Explanation(Reason.SIGNAL_SAID, "a\nb (500)"),
    "Discord did not answer (ReadError); expired": Explanation(
        Reason.DISCORD_DID_NOT_ANSWER, "ReadError", Explanation(Reason.EXPIRED)
    ),
    "the answer was not seen; cancelled by an operator": Explanation(
        Reason.ANSWER_NOT_SEEN, then=Explanation(Reason.CANCELLED_BY_OPERATOR)
    ),
    "no answer; not linked": Explanation(Reason.OTHER, "no answer", Explanation(Reason.NOT_LINKED)),
    "nobody knows who is in voice: Discord answered 503": Explanation(
        Reason.VOICE_NOT_KNOWN, then=Explanation(Reason.DISCORD_ANSWERED, "503")
    ),
    "ValueError: a bug of ours": Explanation(Reason.OTHER, "ValueError: a bug of ours"),
    "Quiet hours": Explanation(Reason.OTHER, "Quiet hours"),
    "it broke; it broke": Explanation(Reason.OTHER, "it broke; it broke"),
    "Discord: Bad; expired; expired": Explanation(Reason.DISCORD_SAID, "Bad; expired", Explanation(Reason.EXPIRED)),
    '{"code": "expired"}': Explanation(Reason.OTHER, '{"code": "expired"}'),
}
# What stood there then, by the migration itself: today's texts are others.
WRITTEN = runpy.run_path(str(Path(__file__).parents[2] / "alembic/versions/0013_reasons.py"))["SENTENCES"].values()
MADE = {template.replace("%", detail) for template in WRITTEN for detail in DETAILS}
SENTENCES = [*KNOWN, *sorted(MADE - set(KNOWN))]

ROWS = (
    "INSERT INTO players (id, guid, name, aliases, created_at) VALUES (:id, :name, 'p', '{}', now())",
    "INSERT INTO jobs (id, kind, subject, lane, status, run_at, attempts, max_attempts, claims, nudges, created_at,"
    " reason, last_error) VALUES (:id, 'k', :name, 'general', 'failed', now(), 0, 5, 0, 0, now(), :said, :said)",
    "INSERT INTO notifications_ledger (id, destination, event_key, channel, notice, subject, status, nonce, created_at,"
    " reason) VALUES (:id, '1', :name, 'discord', 'n', 's', 'failed', 'n', now(), :said)",
    "INSERT INTO delivery_attempts (delivery_id, claim, event, status, at, wall_at, error)"
    " VALUES (:id, 1, 'ended', 'failed', now(), now(), :said)",
    "INSERT INTO contacts (id, player_id, channel, verified_at, unusable_reason, last_error)"
    " VALUES (:id, :id, 'discord', now(), :said, :said)",
    "INSERT INTO planning_sessions (id, day, version, created_at) VALUES (:id, DATE '2026-01-01' + :id, 0, now())",
    "INSERT INTO planning_threads (session_id, members, error) VALUES (:id, '{}', :said)",
)
COLUMNS = [
    ("jobs", "reason", "id"),
    ("jobs", "last_error", "id"),
    ("notifications_ledger", "reason", "id"),
    ("delivery_attempts", "error", "delivery_id"),
    ("contacts", "unusable_reason", "id"),
    ("contacts", "last_error", "id"),
    ("planning_threads", "error", "session_id"),
]


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    """A database of the version before, with every sentence, and with none, in every column that may hold one."""
    command.upgrade(migrations.configuration(empty_database_url), BEFORE)
    engine = create_engine(empty_database_url)
    with engine.begin() as connection:
        told = enumerate([*SENTENCES, None], start=1)
        values = [{"id": number, "name": str(number), "said": sentence} for number, sentence in told]
        for rows in ROWS:
            connection.execute(text(rows), values)
    yield engine
    engine.dispose()


def read(engine: Engine, table: str, column: str, key: str) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.scalars(text(f"SELECT {column} FROM {table} ORDER BY {key}")))


def test_every_sentence_becomes_a_code_and_comes_back(engine: Engine, empty_database_url: str) -> None:
    config = migrations.configuration(empty_database_url)
    command.upgrade(config, AFTER)
    for column in COLUMNS:
        *stored, nothing = read(engine, *column)
        found = [Explanation.of_json(one) for one in stored]
        assert found[: len(KNOWN)] == list(KNOWN.values()), column
        assert [one.as_json() for one in found] == stored, column
        assert nothing is None
    command.downgrade(config, BEFORE)
    for column in COLUMNS:
        assert read(engine, *column) == [*SENTENCES, None], column


def test_what_is_stored_is_one_of_the_codes(engine: Engine, empty_database_url: str) -> None:
    command.upgrade(migrations.configuration(empty_database_url), "head")
    for table, column, _ in COLUMNS:
        change = text(f"UPDATE {table} SET {column} = :said").bindparams(bindparam("said", type_=ExplanationType))
        with engine.begin() as connection:
            for reason in Reason:
                connection.execute(change, {"said": Explanation(Reason.EXPIRED, then=Explanation(reason, "a"))})
        for said in (
            '{"code": "no_such"}',
            '{"detail": "a"}',
            '{"code": "expired", "then": {"code": "no_such"}}',
            "[]",
        ):
            with engine.begin() as connection, pytest.raises(IntegrityError, match=f"ck_{table}_{column}_known"):
                connection.execute(text(f"UPDATE {table} SET {column} = CAST(:said AS jsonb)"), {"said": said})


def test_reasons_that_came_later_become_the_nearest_of_before(engine: Engine, empty_database_url: str) -> None:
    """Also where they follow another one, and with their details."""
    config = migrations.configuration(empty_database_url)
    command.upgrade(config, "0018")
    later = {
        Reason.DISCORD_BLOCKS_US: Reason.DISCORD_IS_BUSY,
        Reason.DISCORD_TOKEN_REFUSED: Reason.DISCORD_IS_BUSY,
        Reason.NO_MUTUAL_SERVER: Reason.DMS_CLOSED,
    }
    for table, column, key in COLUMNS:
        change = text(f"UPDATE {table} SET {column} = :said WHERE {key} = :id").bindparams(
            bindparam("said", type_=ExplanationType)
        )
        with engine.begin() as connection:
            for number, reason in enumerate(later, start=1):
                stored = Explanation(Reason.VOICE_NOT_KNOWN, then=Explanation(reason, "no_mutual_server"))
                connection.execute(change, {"said": stored, "id": number})
    command.downgrade(config, "0017")
    for where in COLUMNS:
        found = [Explanation.of_json(one) for one in read(engine, *where)[: len(later)]]
        assert found == [
            Explanation(Reason.VOICE_NOT_KNOWN, then=Explanation(before, "no_mutual_server"))
            for before in later.values()
        ], where
    command.upgrade(config, "head")
