"""The role that Slomix runs as gets its rights whenever it is made, and also on what is made later."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from alembic import command

from slomix.cli import privileges
from slomix.database import grants, migrations
from slomix.database.grants import ROLE, GrantOutcome
from slomix.database.session import Base
from slomix.dev.embedded import Servers
from tests.database.steps import Run, as_role, ask


def rights(url: str) -> set[tuple[object, ...]]:
    """What the role may do where, as it was granted."""
    return set(
        ask(
            url,
            "SELECT relname, privilege_type FROM pg_class, aclexplode(relacl)"
            f" WHERE relnamespace = 'public'::regnamespace AND pg_get_userbyid(grantee) = '{ROLE}'",
        )
    )


def expected() -> set[tuple[object, ...]]:
    tables = [table.name for table in Base.metadata.sorted_tables]
    numbered = [*(f"{name}_id_seq" for name in tables), "granted_roles_number_seq"]
    return (
        {(name, right) for name in tables for right in grants.ON_TABLES}
        - {(name, right) for name in grants.APPEND_ONLY for right in ("UPDATE", "DELETE")}
        | {("alembic_version", "SELECT")}
        | {(name, right) for name in numbered for right in ("USAGE", "SELECT")}
    )


def without_sequences_that_are_not_there(url: str, wanted: set[tuple[object, ...]]) -> set[tuple[object, ...]]:
    there = {name for (name,) in ask(url, "SELECT relname FROM pg_class WHERE relkind = 'S'")}
    return {(name, right) for name, right in wanted if not str(name).endswith("_seq") or name in there}


@contextmanager
def nobody_called_that(servers: Servers) -> Iterator[None]:
    """The role does not exist on this server, meanwhile."""
    ask(servers.owner_url, f"ALTER ROLE {ROLE} RENAME TO somebody_else")
    try:
        yield
    finally:
        ask(servers.owner_url, f"ALTER ROLE somebody_else RENAME TO {ROLE}")


def test_the_migration_grants_what_is_needed_and_takes_all_of_it_back(empty_database_url: str) -> None:
    config = migrations.configuration(empty_database_url)
    command.upgrade(config, "head")
    wanted = without_sequences_that_are_not_there(empty_database_url, expected())
    assert rights(empty_database_url) == wanted
    assert ask(empty_database_url, "SELECT count(*) FROM pg_default_acl") == [(2,)]
    command.downgrade(config, "0006")
    assert rights(empty_database_url) == set()
    assert ask(empty_database_url, "SELECT count(*) FROM pg_default_acl") == [(0,)]
    command.upgrade(config, "head")
    assert rights(empty_database_url) == wanted


def test_migrations_go_up_and_down_where_nobody_has_that_role(empty_database_url: str, servers: Servers) -> None:
    with nobody_called_that(servers):
        assert migrations.upgrade(empty_database_url) is GrantOutcome.NO_ROLE
        assert ask(empty_database_url, "SELECT count(*) FROM pg_default_acl") == [(0,)]
        command.downgrade(migrations.configuration(empty_database_url), "base")


def test_a_role_that_is_made_late_gets_its_rights_by_a_command(
    empty_database_url: str, servers: Servers, slomix: Run
) -> None:
    with nobody_called_that(servers):
        assert "There is no role website_app" in slomix("db", "upgrade").output
        refused = slomix("db", "grant")
        assert (refused.exit_code, "make it, then run" in refused.output) == (1, True)
    found = slomix("check").output
    assert "website_app may not SELECT, INSERT, UPDATE or DELETE on players: run `slomix db grant`" in found
    for _ in range(2):
        assert slomix("db", "grant").output == "website_app may read and write its rows.\n"
    assert rights(empty_database_url) == without_sequences_that_are_not_there(empty_database_url, expected())
    assert "ok      schema, and the rights of website_app on it" in slomix("check").output


@pytest.mark.usefixtures("brought_up")
def test_what_the_owner_makes_later_the_role_may_use(empty_database_url: str) -> None:
    ask(empty_database_url, "CREATE TABLE later (id bigserial PRIMARY KEY, words text)")
    role = as_role(empty_database_url)
    assert ask(role, "INSERT INTO later (words) VALUES ('a')", "UPDATE later SET words = 'b' RETURNING id") == [(1,)]
    assert ask(role, "DELETE FROM later RETURNING words") == [("b",)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(role, "TRUNCATE later")


def test_a_role_that_owns_everything_keeps_all_it_has(servers: Servers, empty_database_url: str) -> None:
    """A small installation may have one role for everything, whatever it is called."""
    ask(empty_database_url, f"GRANT CREATE ON SCHEMA public TO {ROLE}")
    role = as_role(empty_database_url)
    assert migrations.upgrade(role) is GrantOutcome.OURSELVES
    config = migrations.configuration(role)
    command.downgrade(config, "base")
    command.upgrade(config, "head")
    warned = privileges.check_privileges(role, is_production=True)
    assert (warned.problems, len(warned.warnings)) == ([], 1)
    assert warned.warnings[0].startswith("website_app owns tables, so it could change or drop them")


def test_an_owner_without_any_power_over_the_server_is_enough(empty_database_url: str, modest: str) -> None:
    """As docs/operations/database.md makes it: it owns the database and is nothing else."""
    assert migrations.upgrade(modest) is GrantOutcome.YES
    assert privileges.check_privileges(as_role(empty_database_url), is_production=True) == privileges.PrivilegeFindings(
        ROLE, [], []
    )
    command.downgrade(migrations.configuration(modest), "base")


@pytest.mark.usefixtures("brought_up")
@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ("REVOKE UPDATE ON jobs FROM website_app", "website_app may not UPDATE on jobs: run `slomix db grant`"),
        (
            "REVOKE INSERT, DELETE ON heartbeats FROM website_app",
            "website_app may not INSERT or DELETE on heartbeats: run `slomix db grant`",
        ),
        (
            "REVOKE USAGE ON SEQUENCE jobs_id_seq FROM website_app",
            "website_app may not use the sequence jobs_id_seq: run `slomix db grant`",
        ),
        (
            "REVOKE ALL ON SCHEMA public FROM website_app, PUBLIC",
            "website_app may not enter the schema public: run `slomix db grant`",
        ),
        ("REVOKE SELECT ON alembic_version FROM website_app", "website_app may not SELECT on alembic_version"),
        ("DROP TABLE heartbeats", "the table heartbeats is missing: run `slomix db upgrade`"),
        ("ALTER TABLE heartbeats ADD COLUMN more text", "the database is not what this version expects"),
        ("UPDATE alembic_version SET version_num = '0005'", "the database is not what this version expects"),
    ],
)
def test_the_check_names_what_is_missing(empty_database_url: str, slomix: Run, broken: str, sentence: str) -> None:
    ask(empty_database_url, broken)
    answer = slomix("check")
    assert answer.exit_code == 1
    assert f"wrong   {sentence}" in answer.output
    assert "wrong   schema, and the rights of website_app on it" in answer.output
    if "GRANT" in sentence.upper():
        assert slomix("db", "grant").exit_code == 0
        assert privileges.check_privileges(as_role(empty_database_url), is_production=True).problems == []


@pytest.mark.usefixtures("brought_up")
def test_the_check_leaves_every_row_and_every_number_as_it_was(empty_database_url: str) -> None:
    ask(empty_database_url, "INSERT INTO heartbeats (part, copy, seen_at) VALUES ('worker', 'a/1', now())")
    before = ask(empty_database_url, "SELECT part, seen_at, xmin::text FROM heartbeats")
    assert privileges.check_privileges(as_role(empty_database_url), is_production=False).problems == []
    assert ask(empty_database_url, "SELECT part, seen_at, xmin::text FROM heartbeats") == before
    assert ask(empty_database_url, "SELECT count(*) FROM pg_sequences WHERE last_value IS NOT NULL") == [(0,)]


@pytest.mark.usefixtures("brought_up")
def test_who_runs_as_a_superuser_is_warned_in_production_only(empty_database_url: str) -> None:
    warned = privileges.check_privileges(empty_database_url, is_production=True)
    assert (warned.problems, len(warned.warnings)) == ([], 1)
    assert warned.warnings[0].startswith("postgres is a superuser")
    assert privileges.check_privileges(empty_database_url, is_production=False).warnings == []


def test_whoever_may_not_change_the_schema_is_told_whose_address_is_needed(
    empty_database_url: str, slomix: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_OWNER_URL")
    refused = slomix("db", "upgrade")
    assert (refused.exit_code, "DATABASE_OWNER_URL names that role" in refused.output) == (1, True)
    migrations.upgrade(empty_database_url)
    again = slomix("db", "upgrade")
    assert again.exit_code == 0
    assert "DATABASE_OWNER_URL names who owns the tables" in again.output
    assert slomix("db", "grant").exit_code == 1


def test_what_another_role_made_is_named(
    empty_database_url: str, modest: str, slomix: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outage that the predecessor had."""
    migrations.upgrade(modest)
    ask(empty_database_url, "CREATE TABLE strange (id int)")
    monkeypatch.setenv("DATABASE_OWNER_URL", modest)
    for words in (("db", "upgrade"), ("db", "grant")):
        refused = slomix(*words)
        assert (refused.exit_code, "permission denied for table strange" in refused.output) == (1, True)
    ask(empty_database_url, "ALTER TABLE strange OWNER TO modest")
    assert slomix("db", "grant").exit_code == 0


@pytest.mark.usefixtures("brought_up")
def test_the_way_back_is_asked_about_and_knows_its_migrations(empty_database_url: str, slomix: Run) -> None:
    at = "SELECT version_num FROM alembic_version"
    newest = ask(empty_database_url, at)
    assert slomix("db", "downgrade", "0005", input="n\n").exit_code == 1
    unknown = slomix("db", "downgrade", "9999", "--yes")
    assert (unknown.exit_code, "'9999' is none of this version's migrations: 0001, 0002" in unknown.output) == (1, True)
    assert ask(empty_database_url, at) == newest
    assert slomix("db", "downgrade", "0005", "--yes").output == "The database is at 0005.\n"
    assert ask(empty_database_url, at) == [("0005",)]
