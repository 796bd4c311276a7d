"""Every way in which a name comes to us goes through `clean_name`, and every search through `name_key`."""

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import ARRAY, Text, insert, text
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.orm import Session

import slomix.models  # noqa: F401
from slomix.accounts import claims, logins, players_csv
from slomix.accounts import service as accounts
from slomix.accounts.models import Player, User
from slomix.accounts.rules import LinkAction
from slomix.cli import data
from slomix.contacts.rules import ChannelName
from slomix.database.session import Base
from slomix.deliveries.models import Delivery
from slomix.errors import DomainError
from slomix.legacy_import import people
from slomix.legacy_import.people import CurrentState
from slomix.legacy_import.report import ImportReport
from slomix.legacy_import.source import SourceSnapshot
from slomix.planning.models import TeamName
from slomix.presence.game_names import clean_name, mixes_alphabets
from slomix.presence.name_column import NameType
from tests.services.planning import Tonight
from tests.web.conftest import Browse
from tests.web.planning import PAGE, arranged
from tests.web.reading import read
from tests.world import World

# Columns with a name of something else, or of somebody who is named by Discord and shown by `plain_name`.
NO_NAMES = {
    "planning_team_names.name_key",
    "players.name_keys",
    "website_users.discord_username",
    "website_users.display_name",
    "website_users.name_keys",
}


def is_text(column: object) -> bool:
    kind = getattr(column, "type", None)
    kind = kind.item_type if isinstance(kind, ARRAY) else kind
    return isinstance(kind, Text | NameType)


def is_name(column: object) -> bool:
    kind = getattr(column, "type", None)
    return isinstance(kind.item_type if isinstance(kind, ARRAY) else kind, NameType)


def test_every_column_for_names_takes_nothing_that_was_not_cleaned() -> None:
    named = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if re.search("name|alias|nick|title|called", column.name) and is_text(column) and not is_name(column)
    }
    assert named == NO_NAMES


@pytest.mark.parametrize("name", ["Ali\u200bce", "\u3164", "x" * 65, " Alice", "S\u030ckrjanc"], ids=ascii)
def test_no_column_for_names_takes_what_was_not_cleaned(world: World, name: str) -> None:
    when = world.clock.now()
    rows = [
        insert(Player).values(guid="x", name=name, aliases=[], created_at=when),
        insert(Player).values(guid="x", name="Alice", aliases=["Ali", name], created_at=when),
        insert(TeamName).values(session_id=1, name=name, name_key="x", created_at=when),
    ]
    for row in rows:
        with pytest.raises((StatementError, DomainError)) as refused, world.session() as session:
            session.execute(row)
        assert not isinstance(refused.value, DBAPIError), "refused before the database was asked"


# The entrances: each takes a name and returns what is stored of it, or the sentence of the refusal.


def by_page(world: World, browse: Browse, name: str) -> str:
    tonight: Tonight = arranged(world)
    answer = browse("erik").post(f"{PAGE}/names", {"name": name})
    if answer.status_code != 303:
        return read(answer.text).by_id("main").words
    return next(one.name for one in tonight.view().suggestions if one.name != "Ants")


def by_json(world: World, browse: Browse, name: str) -> str:
    tonight: Tonight = arranged(world)
    answer = browse("erik").call("POST", "/api/planning/today/suggestions", {"name": name})
    if not answer.json or answer.status_code >= 400:
        return str(answer.get_json()["detail"])
    return next(one.name for one in tonight.view().suggestions if one.name != "Ants")


def by_file(world: World, browse: Browse, name: str) -> str:
    """A file that an admin uploads; the command line reads it by the same two functions."""
    try:
        profiles = players_csv.parse_profiles(f'guid,name,aliases\nnew-1,One,"{name}"\n')
    except DomainError as error:
        return str(error)
    with world.session() as session:
        players_csv.import_profiles(session, profiles, actor=None, now=world.clock.now())
        return str(session.scalar(text("SELECT aliases[1] FROM players WHERE guid = 'new-1'")))


def by_import(world: World, browse: Browse, name: str) -> str:
    """The earlier site's profile; what is no name there is not moved."""
    row = {"user_id": "1", "player_guid": "new-1", "player_name": name}
    tables: dict[str, Any] = {
        table: [] for table in ("player_links", "discord_accounts", "website_users", "availability_entries")
    }
    there = SourceSnapshot(tables | {"user_player_links": [row]}, {})
    current = CurrentState(accounts={}, profiles=set(), moved=set(), released=set())
    [person] = people.decide_people(there, current, ImportReport()).people.values()
    with world.session() as session:
        accounts.import_players(session, [(person.guid, person.name, [])], now=world.clock.now())
        stored = str(session.scalar(text("SELECT name FROM players WHERE guid = 'new-1'")))
    return stored if stored != "new-1" else "The name needs a letter or a digit: it has 1 to 64 characters, at most 4"


ENTRANCES: dict[str, Callable[[World, Browse, str], str]] = {
    "planning/buttons.py": by_page,
    "planning/api.py": by_json,
    "accounts/players_csv.py": by_file,
    "legacy_import/people.py": by_import,
}
# These pass on what comes through the entrances, or show what is stored.
WAYS = {
    "accounts/service.py",
    "planning/rules.py",
    "planning/service.py",
    "presence/game_names.py",
    "presence/name_column.py",
    "legacy_import/service.py",
    "cli/demo.py",
}


@pytest.mark.parametrize("entrance", ENTRANCES.values(), ids=ENTRANCES)
@pytest.mark.parametrize(
    "name",
    ["Ali\u200bce", "  Al\u202eice ", "S\u030ckr  janc", "🏴\u200d☠\ufe0f Pirates", "Zo\u061ce"],
    ids=ascii,
)
def test_what_can_be_seen_is_stored(
    world: World, browse: Browse, entrance: Callable[[World, Browse, str], str], name: str
) -> None:
    assert entrance(world, browse, name) == clean_name(name)


@pytest.mark.parametrize("entrance", ENTRANCES.values(), ids=ENTRANCES)
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("\u3164\u3164", "letter or a digit"),
        ("\u200b\u2800", "letter or a digit"),
        ("x" * 65, "characters"),
        ("Z" + "\u0301" * 5, "at most 4"),
        ("^1^2", "letter or a digit"),
    ],
    ids=ascii,
)
def test_what_is_no_name_is_refused_and_told_why(
    world: World, browse: Browse, entrance: Callable[[World, Browse, str], str], name: str, why: str
) -> None:
    assert why in entrance(world, browse, name)


def test_every_entrance_is_in_the_table(root: Path) -> None:
    """What calls one of these functions, or stores a name with their result, takes names in."""
    storing = {"clean_name", "usable_name", "clean_team_name", "import_players", "suggest_name"}
    package = root / "src/slomix"
    found = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Name) and node.id in storing)
        or (isinstance(node, ast.Attribute) and node.attr in storing)
    }
    assert found == ENTRANCES.keys() | WAYS


def test_nobody_else_judges_letters(root: Path) -> None:
    """Forms, categories and cases of letters are looked at in one module: elsewhere they would be a second rule."""
    judging = {
        f"{path.relative_to(root / 'src/slomix')}: {word}"
        for path in (root / "src/slomix").rglob("*.py")
        if path.name != "game_names.py"
        for word in re.findall(
            r"unicodedata|casefold|isprintable|\.ilike|func\.(?:lower|upper|unaccent)", path.read_text()
        )
    }
    assert judging == {
        "accounts/rules.py: isprintable",  # of a path that a login may lead to
        "admin/search.py: .ilike",  # of a job's subject
        "config/types.py: isprintable",  # of a setting
        "runtime/logs.py: isprintable",  # of a line of the log
    }


# The searches, each with who asks and what the page shows of who was found.
SEARCHES = {
    "board/profile.html": ("charlie", "/profile?q={}"),
    "admin/players.html": ("dora", "/admin/players?q={}"),
    "admin/links.html": ("dora", "/admin/links?q={}"),
    "admin/roles.html": ("dora", "/admin/roles?q={}"),
    "admin/ledger.html": ("dora", "/admin/ledger?q={}"),
    "admin/audit.html": ("dora", "/admin/audit?q={}"),
}


@pytest.mark.parametrize(("who", "path"), SEARCHES.values(), ids=SEARCHES)
@pytest.mark.parametrize("typed", ["skrjanc", "ŠKRJANC", "S%CC%8Ckrjanc", "^1Škr^2janc", "škr%E2%80%8Bjanc"])
def test_a_search_finds_a_name_however_it_is_typed(
    world: World, browse: Browse, who: str, path: str, typed: str
) -> None:
    with world.session() as session:
        accounts.import_players(session, [("guid-alice", "^4Škr^2janc", [])], now=world.clock.now())
        user = session.get_one(User, world.users["alice"])
        logins.log_in(session, discord_id=user.discord_id, username="a", display_name="Škrjanc", now=world.clock.now())
        mentioned(session, world)
    browser = browse(who)
    assert "Škrjanc" in browser.page(path.format(typed.replace("^", "%5E"))).by_id("main").words
    assert "Škrjanc" not in browser.page(path.format("bob")).by_id("main").words


def mentioned(session: Session, world: World) -> None:
    """Alice stands in the audit log and in the ledger."""
    user, now = session.get_one(User, world.users["alice"]), world.clock.now()
    accounts.record_action(session, LinkAction.SIGNED_OUT, user=user, now=now)
    rest = {"channel": ChannelName.DISCORD, "notice": "x", "subject": "x", "nonce": "x", "created_at": now}
    session.add(Delivery(player_id=user.player_id, event_key="x", **rest))


def test_every_search_is_in_the_table(root: Path) -> None:
    searches = {
        str(path.relative_to(root / "templates"))
        for path in (root / "templates").rglob("*.html")
        if 'type="search"' in path.read_text()
    }
    assert searches == SEARCHES.keys() | {"admin/jobs.html"}, "jobs have subjects and no names"


def test_stored_names_that_would_be_refused_today_are_listed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "open_database", lambda: (world.runtime.database, world.runtime.settings))
    assert "All profiles are as an import" in CliRunner().invoke(data.players, ["check"]).output
    with world.session() as session:
        session.execute(text("UPDATE players SET name = U&'\\200b' WHERE guid = 'guid-alice'"))
        session.execute(text("UPDATE players SET name = U&'Fran\\200bka', aliases = '{x}' WHERE guid = 'guid-bob'"))
        session.execute(text("UPDATE players SET guid = 'guid-bob#2' WHERE guid = 'guid-erik'"))
    said = CliRunner().invoke(data.players, ["check"]).output
    for line in (
        "guid-alice: The name needs a letter or a digit that can be seen; it has 1 to 64 characters.",
        "guid-bob: Franka has invisible characters",
        "guid-bob#2: its guid was that of guid-bob in other letters",
        "all are called franka, apart from case",
        "4 to look at.",
    ):
        assert line in said, said


# Letters that look like those of another alphabet

ALIKE = [
    "\u0410lice",
    "Al\u0456ce",
    "\u0391lpha",
    "^1\u0410^2lice",
    "Alpha \u0412eta",
    "Bo\u03bf",
    "\u200b\u0410lice",
    "Å\u0441e",
]
PLAIN = [
    "Вова",
    "Alice Вова",
    "Ωmega team"[1:],
    "Škrjanc",
    "ÆØÅ",
    "Łódź",
    "日本 team",
    "Αθήνα",
    "ＡＢＣ abc",
    "123",
    "x²",
]


@pytest.mark.parametrize("name", ALIKE, ids=ascii)
def test_a_word_of_two_alphabets_that_look_alike_is_known(name: str) -> None:
    assert mixes_alphabets(name)


@pytest.mark.parametrize("name", PLAIN, ids=ascii)
def test_a_name_in_one_alphabet_or_in_words_of_its_own_is_left(name: str) -> None:
    assert not mixes_alphabets(name)


@pytest.mark.parametrize("entrance", [by_page, by_json])
@pytest.mark.parametrize("name", ALIKE[:3], ids=ascii)
def test_a_team_is_not_named_so(
    world: World, browse: Browse, entrance: Callable[[World, Browse, str], str], name: str
) -> None:
    assert "two alphabets" in entrance(world, browse, name)


@pytest.mark.parametrize("path", ["/admin/players?q=lice", "/admin/links", "/admin/claims", "/admin/roles?q=bob"])
def test_an_admin_sees_it_beside_the_name(world: World, browse: Browse, path: str) -> None:
    """A player of a file, and what an account is called on Discord, which nobody can refuse."""
    dora = browse("dora")
    assert "two alphabets" not in dora.get(path).text
    with world.session() as session:
        accounts.import_players(session, [("guid-alice", ALIKE[0], [])], now=world.clock.now())
        for name in ("bob", "charlie"):
            session.get_one(User, world.users[name]).display_name = "B\u043eb"
        charlie = session.get_one(User, world.users["charlie"])
        claims.request_profile(session, charlie, accounts.get_profile(session, "guid-alice"), "", now=world.clock.now())
        assert any("two alphabets" in found for found in accounts.find_doubtful_profiles(session))
    assert "two alphabets" in dora.get(path).text
