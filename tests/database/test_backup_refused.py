"""What cannot be backed up or restored is refused in a sentence, and nothing has changed."""

import os
import sys
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from slomix.cli import archive, dev_environment
from slomix.clock import wall_now
from slomix.database.session import Database, libpq_url
from slomix.dev.embedded import Servers, postgres
from slomix.health import service as health
from tests.database.steps import Run, as_role, ask, content
from tests.world import World


def test_a_file_that_ends_too_early_changes_nothing(
    lived_in: World, backup: Path, empty_database_url: str, elsewhere: Run
) -> None:
    assert elsewhere("restore", str(backup)).exit_code == 0
    before = content(empty_database_url)
    for part in (2, 3, 4, 5, 6, 7, 8, 9):
        cut = backup.with_name("cut")
        cut.write_bytes(backup.read_bytes()[: backup.stat().st_size * part // 10])
        refused = elsewhere("restore", "--force", str(cut))
        assert refused.exit_code == 1, refused.output
        assert "Traceback" not in refused.output
    assert content(empty_database_url) == before


def test_what_is_no_backup_of_slomix_is_refused(
    empty_database_url: str, elsewhere: Run, tmp_path: Path, servers: Servers
) -> None:
    (tmp_path / "letter").write_text("Dear all,")
    refused = elsewhere("restore", str(tmp_path / "letter"))
    assert (refused.exit_code, "is no backup of Slomix" in refused.output) == (1, True)
    ask(empty_database_url, "CREATE TABLE recipes (id int)")
    program = archive.pg_dump(18, beside=postgres.postgres_programs())
    done = program.run("--format=custom", f"--file={tmp_path / 'recipes'}", f"--dbname={libpq_url(empty_database_url)}")
    assert done.returncode == 0
    refused = elsewhere("restore", "--force", str(tmp_path / "recipes"))
    assert (refused.exit_code, "is a backup of something else than Slomix" in refused.output) == (1, True)
    assert "so there is nothing to back up" in elsewhere("backup", str(tmp_path / "none")).output


def test_a_database_of_something_else_is_left_alone(backup: Path, empty_database_url: str, elsewhere: Run) -> None:
    ask(empty_database_url, "CREATE TABLE recipes AS SELECT 'soup' AS name")
    refused = elsewhere("restore", "--force", str(backup))
    assert (refused.exit_code, "is not of Slomix (recipes …)" in refused.output) == (1, True)
    assert ask(empty_database_url, "SELECT * FROM recipes") == [("soup",)]


@pytest.mark.usefixtures("brought_up")
def test_a_backup_of_a_later_version_is_refused(empty_database_url: str, elsewhere: Run, tmp_path: Path) -> None:
    ask(empty_database_url, "UPDATE alembic_version SET version_num = '9999'")
    assert elsewhere("backup", str(tmp_path / "later")).exit_code == 0
    refused = elsewhere("restore", str(tmp_path / "later"))
    assert (refused.exit_code, "'9999', which this version does not know" in refused.output) == (1, True)


@pytest.mark.usefixtures("brought_up")
def test_nothing_is_restored_while_slomix_runs(
    lived_in: World, backup: Path, empty_database_url: str, elsewhere: Run
) -> None:
    with psycopg.connect(libpq_url(as_role(empty_database_url))):
        refused = elsewhere("restore", str(backup))
        assert (refused.exit_code, "website_app is connected to this database (1 conn" in refused.output) == (1, True)
    database = Database(empty_database_url)
    with database.transaction() as session:
        health.record_heartbeat(session, "worker", "here/1", wall=wall_now())
    refused = elsewhere("restore", "--force", str(backup))
    assert (refused.exit_code, "Slomix runs on this database (worker in the last 30" in refused.output) == (1, True)
    with database.transaction() as session:
        health.record_heartbeat(session, "worker", "here/1", wall=wall_now() - timedelta(seconds=31))
    database.close()
    assert elsewhere("restore", str(backup)).exit_code == 0


@pytest.fixture
def only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with what a test puts there, and no wheel."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(dev_environment, "find_spec", lambda _: None)
    return folder


def test_without_its_program_or_with_an_old_one_there_is_no_backup(
    slomix_lived_in: Run, database_url: str, only: Path, tmp_path: Path
) -> None:
    refused = slomix_lived_in("backup", str(tmp_path / "file"))
    assert (refused.exit_code, "There is no pg_dump here" in refused.output) == (1, True)
    (only / "pg_dump").write_text(f"#!{sys.executable}\nprint('pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)')\n")
    (only / "pg_dump").chmod(0o755)
    refused = slomix_lived_in("backup", str(tmp_path / "file"))
    assert (refused.exit_code, "is of PostgreSQL 15.18 and the server of 18" in refused.output) == (1, True)
    assert [one.name for one in tmp_path.iterdir()] == ["bin"]


def test_a_pg_dump_that_fails_leaves_no_file_and_says_why(
    slomix_lived_in: Run, database_url: str, only: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what it is told holds no password."""
    monkeypatch.setenv("DATABASE_OWNER_URL", os.environ["DATABASE_OWNER_URL"].replace("postgres@", "postgres:s3cret@"))
    (only / "pg_dump").write_text(
        f"#!{sys.executable}\nimport os, sys\n"
        "if '--version' in sys.argv: print('pg_dump (PostgreSQL) 18.1'); sys.exit()\n"
        "print('pg_dump: error: no space left', 's3cret' in ' '.join(sys.argv), os.environ['PGPASSWORD'] == 's3cret',"
        " file=sys.stderr)\nsys.exit(1)\n"
    )
    (only / "pg_dump").chmod(0o755)
    refused = slomix_lived_in("backup", str(tmp_path / "file"))
    assert (refused.exit_code, "error: no space left False True" in refused.output) == (1, True)
    assert [one.name for one in tmp_path.iterdir()] == ["bin"]
