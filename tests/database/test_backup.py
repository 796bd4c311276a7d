"""A backup is the whole database of one moment; restored it is row by row the same, or nothing has changed."""

import stat
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from click.testing import Result

from slomix.cli import privileges
from slomix.database import migrations
from slomix.database.session import Base, libpq_url
from slomix.deliveries import pausing
from slomix.dev.embedded import Servers
from tests.database.steps import (
    Run,
    as_role,
    ask,
    content,
)
from tests.moments import at
from tests.world import World


def shape(url: str) -> list[tuple[object, ...]]:
    """All columns, constraints and indexes; how PostgreSQL words a condition changes when it reads its own words."""
    columns = (
        "SELECT table_name, column_name, data_type, column_default, is_nullable FROM information_schema.columns"
        " WHERE table_schema = 'public'"
    )
    constraints = (
        "SELECT conrelid::regclass::text, conname,"
        " CASE contype WHEN 'c' THEN '' ELSE pg_get_constraintdef(oid) END, '', ''"
        " FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
    )
    indexes = (
        "SELECT tablename, indexname, split_part(indexdef, ' WHERE ', 1), '', ''"
        " FROM pg_indexes WHERE schemaname = 'public'"
    )
    return ask(url, f"{columns} UNION ALL {constraints} UNION ALL {indexes} ORDER BY 1, 2, 3")


def test_what_is_restored_is_row_by_row_what_it_was(
    lived_in: World, backup: Path, servers: Servers, empty_database_url: str, elsewhere: Run
) -> None:
    before = content(servers.owner_url)
    assert [name for name, rows in before.items() if not rows] == [], "an empty table shows nothing"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    done = elsewhere("restore", str(backup))
    assert done.exit_code == 0, done.output
    after = content(empty_database_url)
    assert after.pop("heartbeats") == [], "they told of processes that are gone"
    assert after.pop("backups") == [], "it is recorded once it is whole"
    assert after == {name: rows for name, rows in before.items() if name not in {"heartbeats", "backups"}}
    assert shape(empty_database_url) == shape(servers.owner_url)
    migrations.check(empty_database_url)
    assert privileges.check_privileges(as_role(empty_database_url), is_production=True).problems == []
    assert "Sending is paused" in done.output


def test_what_was_said_tells_how_much_there_is(
    lived_in: World, slomix_lived_in: Run, tmp_path: Path, servers: Servers
) -> None:
    done = slomix_lived_in("backup", str(tmp_path / "a backup"))
    there = content(servers.owner_url)
    assert len(there["backups"]) == 1, "the age of this one is known from now on"
    rows = sum(len(rows) for name, rows in there.items() if name not in {"sequences", "backups"})
    newest = migrations.revisions()[0]
    assert f"{len(Base.metadata.tables) + 1} tables, {rows} rows at migration {newest}" in done.output
    assert f"{(tmp_path / 'a backup').stat().st_size:,} bytes" in done.output
    assert [one.name for one in tmp_path.iterdir()] == ["a backup"]


def test_in_a_folder_each_day_has_a_file_and_older_ones_go(slomix_lived_in: Run, tmp_path: Path) -> None:
    kept = ["2026-01-01.backup", "letters.backup", "notes"]
    for name in (*kept, "2025-12-30.backup", "2025-12-31.backup"):
        (tmp_path / name).write_text("")
    for _ in range(2):
        done = slomix_lived_in("backup", "--keep", "2", str(tmp_path))
        assert done.exit_code == 0, done.output
    [today] = {path.name for path in tmp_path.iterdir()} - set(kept)
    assert (tmp_path / today).stat().st_size > 1000
    refused = slomix_lived_in("backup", "--keep", "2", str(tmp_path / today))
    assert refused.exit_code == 2


def rehearse(elsewhere: Run, servers: Servers, backup: Path, into: str) -> Result:
    """With the lived-in database as the live one."""
    return elsewhere("restore", str(backup), "--into", into, owner=servers.owner_url, role=servers.database_url)


def test_a_restore_is_rehearsed_beside_the_live_database_and_gives_a_verdict(
    lived_in: World, backup: Path, servers: Servers, empty_database_url: str, elsewhere: Run
) -> None:
    before = content(servers.owner_url)
    for into in ("empty", empty_database_url):
        ask(empty_database_url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
        done = rehearse(elsewhere, servers, backup, into)
        assert done.exit_code == 0, done.output
        assert f"{backup} is GOOD: it was restored whole into empty" in done.output
    assert content(servers.owner_url) == before
    assert len(content(empty_database_url)["players"]) == len(before["players"])
    again = rehearse(elsewhere, servers, backup, "empty")
    assert (again.exit_code, "There are data in this database" in again.output) == (1, True)


def test_a_rehearsal_makes_its_database_where_the_owner_may(
    lived_in: World, backup: Path, servers: Servers, elsewhere: Run
) -> None:
    done = rehearse(elsewhere, servers, backup, "slomix_try")
    assert done.exit_code == 0, done.output
    with psycopg.connect(libpq_url(servers.owner_url), autocommit=True) as admin:
        admin.execute("DROP DATABASE slomix_try")


def test_a_rehearsal_that_cannot_be_says_what_to_type_and_never_takes_the_live_database(
    lived_in: World, backup: Path, servers: Servers, elsewhere: Run, modest: str
) -> None:
    before = content(servers.owner_url)
    live = rehearse(elsewhere, servers, backup, "slomix")
    assert (live.exit_code, "names the live database" in live.output) == (1, True)
    refused = elsewhere("restore", str(backup), "--into", "slomix_try", owner=modest)
    assert refused.exit_code == 1
    assert "sudo -u postgres createdb --owner modest --template template0 slomix_try" in refused.output
    assert content(servers.owner_url) == before


@pytest.mark.usefixtures("brought_up")
def test_a_backup_without_anybody_in_it_is_not_good(
    slomix: Run, elsewhere: Run, empty_database_url: str, servers: Servers, tmp_path: Path
) -> None:
    assert elsewhere("backup", str(tmp_path / "file")).exit_code == 0
    done = elsewhere("restore", str(tmp_path / "file"), "--into", "slomix_try")
    assert (done.exit_code, "is NOT GOOD: there are no players" in done.output) == (1, True)
    with psycopg.connect(libpq_url(servers.owner_url), autocommit=True) as admin:
        admin.execute("DROP DATABASE slomix_try")


def test_a_backup_is_overwritten_only_by_force(backup: Path, slomix_lived_in: Run, tmp_path: Path) -> None:
    kept = backup.read_bytes()
    refused = slomix_lived_in("backup", str(backup))
    assert (refused.exit_code, "--force overwrites it" in refused.output) == (1, True)
    assert backup.read_bytes() == kept
    assert slomix_lived_in("backup", "--force", str(backup)).exit_code == 0
    lost = slomix_lived_in("backup", str(tmp_path / "no folder" / "file"))
    assert (lost.exit_code, "There is no folder" in lost.output) == (1, True)


def test_sending_is_paused_although_it_was_not_when_the_backup_was_made(
    lived_in: World, slomix_lived_in: Run, tmp_path: Path, empty_database_url: str, elsewhere: Run
) -> None:
    with lived_in.session() as session:
        pausing.resume(session, by="command line", now=lived_in.clock.now())
    assert slomix_lived_in("backup", str(tmp_path / "file")).exit_code == 0
    said = elsewhere("restore", str(tmp_path / "file")).output
    waits = "SELECT count(*) FROM notifications_ledger WHERE status IN ('pending', 'sending')"
    [(waiting,)] = ask(empty_database_url, waits)
    assert waiting != 0
    assert f"Sending is paused: {waiting} messages waited when the backup was made" in said
    assert "Sending is paused, since" in elsewhere("pause", "status").output
    assert elsewhere("pause", "off").output == "Messages go out again.\n"


# The first there was, the last before there were two roles, and the last before this version.
@pytest.mark.parametrize("revision", ["0001", "0009", migrations.revisions()[1]])
def test_a_backup_of_an_earlier_version_is_brought_up(
    revision: str, empty_database_url: str, elsewhere: Run, tmp_path: Path
) -> None:
    config = migrations.configuration(empty_database_url)
    command.upgrade(config, revision)
    with psycopg.connect(libpq_url(empty_database_url)) as connection:
        more, of_it = (", name_keys", ", '{kept,a}'") if revision >= "0020" else ("", "")
        kept = (
            f"INSERT INTO players (guid, name, aliases, created_at{more}) VALUES ('kept', 'Kept', '{{a}}', %s{of_it})"
        )
        connection.execute(kept, [at(20)])
    done = elsewhere("backup", str(tmp_path / "old"))
    assert f"at migration {revision}; " in done.output, done.output
    command.downgrade(config, "base")
    done = elsewhere("restore", str(tmp_path / "old"))
    assert done.exit_code == 0, done.output
    assert f"Brought up to migration {migrations.revisions()[0]}." in done.output
    migrations.check(empty_database_url)
    assert privileges.check_privileges(as_role(empty_database_url), is_production=True).problems == []
    assert ask(empty_database_url, "SELECT by FROM sending_pauses") == [("command line",)]
    assert ask(empty_database_url, "SELECT guid, created_at FROM players") == [("kept", at(20))]


def test_data_that_are_there_are_replaced_only_by_force(
    lived_in: World, backup: Path, empty_database_url: str, elsewhere: Run
) -> None:
    assert elsewhere("restore", str(backup)).exit_code == 0
    ask(
        empty_database_url,
        "DELETE FROM availability_entries",
        "CREATE VIEW seen AS SELECT id FROM players",
        "CREATE FUNCTION later() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TABLE of_a_later_version (id bigserial)",
    )
    before = content(empty_database_url)
    refused = elsewhere("restore", str(backup))
    assert (refused.exit_code, "There are data in this database" in refused.output) == (1, True)
    assert content(empty_database_url) == before
    assert elsewhere("restore", "--force", str(backup)).exit_code == 0
    assert len(content(empty_database_url)["availability_entries"]) == len(lived_in.players)
    assert ask(empty_database_url, "SELECT to_regclass('of_a_later_version'), to_regproc('later')") == [(None, None)]


def test_an_owner_without_power_over_the_server_backs_up_and_restores(
    lived_in: World, backup: Path, empty_database_url: str, modest: str, elsewhere: Run, servers: Servers
) -> None:
    done = elsewhere("restore", str(backup), owner=modest)
    assert done.exit_code == 0, done.output
    done = elsewhere("backup", str(backup.with_name("again")), owner=modest)
    assert done.exit_code == 0, done.output
    done = elsewhere("restore", "--force", str(backup.with_name("again")), owner=modest)
    assert done.exit_code == 0, done.output
    after = content(empty_database_url)
    left_out: dict[str, Any] = {"heartbeats": [], "backups": []}
    assert after | left_out == content(servers.owner_url) | left_out
