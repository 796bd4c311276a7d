"""`slomix import-predecessor` at the command line: what it says, and what it answers to a source that is none."""

import json
from pathlib import Path

import pytest
from click.testing import Result

from slomix.clock import Anchor, set_anchor, wall_now
from tests.steps import do
from tests.world import World

from .earlier import PEOPLE, SECRETS, Earlier, everything, full, there

__all__ = ["full", "there"]


@pytest.fixture
def here(installation: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    """The installation on the evening of the tests."""
    set_anchor(tmp_path / "clock.json", Anchor(wall_now(), installation.clock.now(), 0))
    monkeypatch.setenv("SLOMIX_CLOCK_FILE", str(tmp_path / "clock.json"))
    return installation


def run(url: str, *words: str) -> Result:
    answer = do("import-predecessor", url, *words)
    assert "Traceback" not in answer.output
    return answer


def test_without_apply_it_is_a_dry_run_and_with_it_it_is_written_once(here: World, full: Earlier) -> None:
    before = everything(here)
    dry = run(full.url)
    assert (dry.exit_code, dry.output.splitlines()[-1]) == (
        0,
        "This was a dry run: nothing was written. With --apply it is.",
    )
    assert everything(here) == before
    applied = run(full.url, "--apply")
    assert applied.output.splitlines()[:-1] == dry.output.splitlines()[:-1], "the dry run said what would be done"
    assert applied.output.splitlines()[-1].startswith("Moved in.")
    after = everything(here)
    assert after != before
    assert run(full.url, "--apply").output.splitlines()[-1] == "There is nothing new to take; nothing was written."
    assert everything(here) == after


def test_it_says_how_many_of_what_and_why_and_each_row_when_asked(here: World, full: Earlier) -> None:
    short, long = run(full.url).output, run(full.url, "--verbose").output
    for line in (
        "links\n      9 taken\n",
        "      1 left: user_player_links names another profile for this account\n",
        "WARNING: The earlier site has 1 campaign from today on",
    ):
        assert line in short, short
    assert "Nina" not in short
    assert "          Nina  guid-nina\n" in long
    rows = json.loads(run(full.url, "--json").output)["rows"]
    assert {"kind": "links", "outcome": "taken", "reason": "", "who": "Nina", "what": "guid-nina", "number": 1} in rows
    for output in (long, json.dumps(rows)):
        assert [secret for secret in (*SECRETS, *PEOPLE.values()) if secret in output] == []


def test_the_address_may_come_from_the_environment(here: World, full: Earlier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREDECESSOR_DATABASE_URL", full.url)
    assert do("import-predecessor").exit_code == 0


def test_the_source_is_only_read(here: World, full: Earlier) -> None:
    full.run("CREATE VIEW writing AS SELECT 1")
    full.run("ALTER TABLE discord_accounts RENAME TO accounts_before")
    full.run("CREATE SEQUENCE counter")
    full.run(
        "CREATE VIEW discord_accounts AS SELECT nextval('counter')::text AS username, user_id, discord_user_id,"
        " display_name FROM accounts_before"
    )
    answer = run(full.url, "--apply")
    assert answer.exit_code == 1
    assert "cannot be read: cannot execute nextval() in a read-only transaction" in answer.output


def test_an_older_database_is_read_as_far_as_it_goes(here: World, there: Earlier) -> None:
    """Before its second migration there were links by the bot alone, without display names."""
    there.old_link("otto")
    there.run("ALTER TABLE player_links DROP display_name, DROP display_name_source, DROP display_name_updated_at")
    for table in (
        *("availability_promotion_send_logs", "availability_promotion_jobs", "availability_promotion_campaigns"),
        *("subscription_preferences", "notifications_ledger", "availability_subscriptions", "user_player_links"),
        *("availability_channel_links", "availability_user_settings", "availability_entries", "user_permissions"),
        *("discord_accounts", "website_users", "account_link_audit_log"),
    ):
        there.run(f"DROP TABLE {table}")
    answer = run(there.url, "--apply")
    assert answer.exit_code == 0, answer.output
    assert "availability_entries: left, there is no such table there" in answer.output
    assert "links\n      1 taken\n" in answer.output


def test_a_table_of_another_shape_is_left(here: World, full: Earlier) -> None:
    full.run("ALTER TABLE availability_entries RENAME entry_date TO day")
    assert "availability_entries: left, the table has no entry_date" in run(full.url).output


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://somebody:hunter2@127.0.0.1/x", "This is not a PostgreSQL address"),
        ("hunter2", "This is not a PostgreSQL address"),
        ("postgresql://somebody:hunt@er2@127.0.0.1:1/x", "This is not a PostgreSQL address"),
        ("postgresql://somebody:hunter2@127.0.0.1:1/x", "cannot be opened"),
        ("postgresql://somebody:hunter2@127.0.0.1:port/x", "This is not a PostgreSQL address"),
        ("postgresql://somebody:hunter2/7@127.0.0.1:1/x", "This is not a PostgreSQL address"),
        ("postgresql://somebody:12/hunter2@127.0.0.1:1/x", "This is not a PostgreSQL address"),
        ("postgresql://somebody:hunter2@127.0.0.1:1/x?colour=blue", "This is not a PostgreSQL address"),
    ],
)
def test_a_wrong_address_is_a_sentence_without_the_password(here: World, url: str, said: str) -> None:
    answer = run(url, "--apply")
    assert answer.exit_code == 1
    assert said in answer.output
    assert "hunter2" not in answer.output
    assert "er2@" not in answer.output


def test_a_database_of_anything_else_is_a_sentence(here: World, empty_database_url: str) -> None:
    for url in (empty_database_url, here.runtime.settings.database_url.get_secret_value()):
        answer = run(url, "--apply")
        assert answer.exit_code == 1
        assert "There is nothing of the earlier site in this database" in answer.output


def test_a_table_that_may_not_be_read_is_a_sentence(here: World, full: Earlier) -> None:
    full.run("CREATE ROLE somebody_else LOGIN PASSWORD 'hunter2'")
    try:
        full.run("GRANT SELECT ON player_links TO somebody_else")
        options = "&" if "?" in full.url else "?"
        answer = run(f"{full.url}{options}options=-c%20role%3Dsomebody_else")
        assert answer.exit_code == 1
        assert "cannot be read: permission denied for table website_users" in answer.output
    finally:
        full.run("DROP OWNED BY somebody_else")
        full.run("DROP ROLE somebody_else")


def test_the_address_may_stand_in_a_file_as_sudo_drops_variables(
    here: World, full: Earlier, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (file := tmp_path / "earlier").write_text(f"{full.url}\n")
    monkeypatch.setenv("PREDECESSOR_DATABASE_URL_FILE", str(file))
    assert "This was a dry run" in do("import-predecessor").output
    monkeypatch.setenv("PREDECESSOR_DATABASE_URL_FILE", str(tmp_path / "none"))
    assert "none: No such file or directory" in do("import-predecessor").output
    monkeypatch.delenv("PREDECESSOR_DATABASE_URL_FILE")
    nobody = do("import-predecessor")
    assert (nobody.exit_code, "give PREDECESSOR_DATABASE_URL_FILE" in nobody.output) == (2, True)
