"""Migrations go up, match the models, and come down again."""

import os
import subprocess
import sys
import time

import pytest
from alembic import command
from sqlalchemy import create_engine, text

from slomix.database import migrations
from slomix.database import session as db
from tests.waiting import PATIENCE


def test_up_check_down_up(empty_database_url: str) -> None:
    config = migrations.configuration(empty_database_url)
    command.upgrade(config, "head")
    command.check(config)
    command.downgrade(config, "base")
    engine = create_engine(empty_database_url)
    with engine.connect() as connection:
        left = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
    assert left == ["alembic_version"]
    command.upgrade(config, "head")
    engine.dispose()


@pytest.mark.usefixtures("brought_up")
def test_rooms_that_go_leave_no_job_and_no_message_that_nobody_knows(empty_database_url: str) -> None:
    config = migrations.configuration(empty_database_url)
    engine = create_engine(empty_database_url)
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO notifications_ledger (destination, event_key, channel, notice, subject, status, nonce,"
                " created_at) VALUES ('1', 'MORE_NEEDED:1', 'discord', 'planning_ask', 'planning:1', 'pending', 'n',"
                " now())"
            )
        )
        for kind, subject in (("planning_turn", "planning:1:7"), ("planning_thread", "planning:1"), ("delivery", "1")):
            connection.execute(
                text(
                    "INSERT INTO jobs (kind, subject, lane, status, run_at, attempts, max_attempts, claims, nudges,"
                    " created_at) VALUES (:kind, :subject, 'general', 'pending', now(), 0, 5, 0, 0, now())"
                ),
                {"kind": kind, "subject": subject},
            )
    command.downgrade(config, "0005")
    with engine.connect() as connection:
        for table in ("jobs", "notifications_ledger"):
            assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == 0
    engine.dispose()


def test_every_time_is_stored_with_its_zone(database_url: str) -> None:
    database = db.Database(database_url)
    with database.transaction() as session:
        naive = session.execute(
            text(
                "SELECT table_name, column_name FROM information_schema.columns"
                " WHERE table_schema = 'public' AND data_type = 'timestamp without time zone'"
            )
        ).all()
    database.close()
    assert naive == []


def upgrade(url: str, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "slomix", "db", "upgrade", *options],
        env=os.environ | {"DATABASE_URL": url, "SLOMIX_ENV": "production"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_release_commands_of_two_hosts_at_once_both_end_well(empty_database_url: str) -> None:
    runs = [upgrade(empty_database_url) for _ in range(2)]
    said = [run.communicate(timeout=PATIENCE) for run in runs]
    assert [(out.splitlines()[0], err) for out, err in said] == [("The database is up to date.", "")] * 2
    assert [run.returncode for run in runs] == [0, 0]
    migrations.check(empty_database_url)


def test_a_database_that_does_not_answer_is_a_sentence() -> None:
    began = time.monotonic()
    run = upgrade("postgresql+psycopg://nobody:of-nowhere@127.0.0.1:1/nothing", "--wait", "2")
    said, complaint = run.communicate(timeout=PATIENCE)
    assert run.returncode == 1
    assert said == ""
    waits, gives_up = complaint.splitlines()
    assert waits.startswith("The database does not answer: ") and waits.endswith("; waiting for it.")
    assert gives_up.startswith("Error: The database does not answer: ")
    assert "Traceback" not in complaint
    assert "of-nowhere" not in complaint
    assert time.monotonic() - began > 1.5
