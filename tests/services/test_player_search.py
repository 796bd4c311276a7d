"""Finding one's profile: free ones first, colours aside, wildcards taken literally."""

from typing import Any

import pytest

from slomix.accounts import logins
from slomix.accounts import service as accounts
from slomix.accounts.models import User
from tests.moments import at
from tests.world import World

NOW = at(20, 30)
PROFILES = [
    ("g-1", "^1Bad^7Boy", ["^3Good^7Girl"]),
    ("g-2", "100%", []),
    ("g-3", "1000", ["a_b"]),
    ("g-4", "axb", ["back\\slash"]),
    ("g-5", "ŽŠČ^9čar", []),
    ("g-6", "A^ B^", []),
    ("g-7", "zed", ["old zed", "Zed^4Dead"]),
]


@pytest.fixture
def filled(world: World) -> World:
    with world.session() as session:
        assert accounts.import_players(session, PROFILES, now=NOW).counts == (7, 0)
    return world


def search(world: World, words: str, **more: Any) -> list[str]:
    with world.session() as session:
        return [player.guid for player in accounts.search_profiles(session, words, **more)]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("badboy", ["g-1"]),
        ("BADB", ["g-1"]),
        ("^2bad^3boy", ["g-1"]),
        ("goodgirl", ["g-1"]),
        ("zeddead", ["g-7"]),
        ("žšč", ["g-5"]),
        ("ab", ["g-6"]),
        ("  zed  ", ["g-7"]),
        ("nobody", []),
        ("spare", ["guid-spare"]),
    ],
)
def test_a_name_or_an_alias_is_found_whatever_its_colours(filled: World, words: str, found: list[str]) -> None:
    assert search(filled, words) == found


@pytest.mark.parametrize(
    ("words", "found"),
    [("00%", ["g-2"]), ("%%", []), ("__", []), ("a_b", ["g-3"]), ("k\\s", ["g-4"]), ("\\%", []), ("' OR 1=1 --", [])],
)
def test_wildcards_are_letters(filled: World, words: str, found: list[str]) -> None:
    assert search(filled, words) == found


@pytest.mark.parametrize("words", ["", " ", "z", "%", "_", " z ", "^1z"])
def test_fewer_than_two_letters_find_nothing(filled: World, words: str) -> None:
    assert search(filled, words) == []


def test_profiles_of_others_are_found_but_not_offered(filled: World) -> None:
    """Somebody who finds their own profile taken can say so; suggestions are only what can be had at once."""
    assert search(filled, "alice") == ["guid-alice"]
    assert search(filled, "alice", only_free=True) == []
    with filled.session() as session:
        newcomer = logins.log_in(
            session, discord_id="100000000000000042", username="alice", display_name="Alice", now=NOW
        )
        assert accounts.suggest_profiles(session, newcomer) == []
        accounts.unlink_player(session, session.get_one(User, filled.users["alice"]), now=NOW)
        assert [player.guid for player in accounts.suggest_profiles(session, newcomer)] == ["guid-alice"]
    assert search(filled, "alice", only_free=True) == ["guid-alice"]


def test_free_profiles_come_before_those_of_others_which_are_marked(filled: World) -> None:
    with filled.session() as session:
        accounts.import_players(session, [("x-1", "^2alicia", []), ("x-2", "zalice", [])], now=NOW)
    assert search(filled, "alic") == ["x-1", "x-2", "guid-alice"]
    with filled.session() as session:
        found = accounts.search_profiles(session, "alic")
        assert accounts.linked_player_ids(session, found) == {filled.players["alice"]}
        assert accounts.linked_player_ids(session, []) == set()
        owner = accounts.user_of_player(session, found[-1])
        assert owner is not None
        assert owner.id == filled.users["alice"]
        assert accounts.user_of_player(session, found[0]) is None


def test_what_is_found_comes_by_name_and_not_without_end(filled: World) -> None:
    with filled.session() as session:
        accounts.import_players(session, [(f"m-{n}", f"many {n:02}", []) for n in reversed(range(30))], now=NOW)
    assert search(filled, "many", limit=3) == ["m-0", "m-1", "m-2"]
    assert len(search(filled, "many")) == 20


def test_suggestions_come_from_both_discord_names_each_profile_once(filled: World) -> None:
    with filled.session() as session:
        user = logins.log_in(session, discord_id="100000000000000042", username="zed", display_name="^1bad", now=NOW)
        assert [player.guid for player in accounts.suggest_profiles(session, user)] == ["g-1", "g-7"]
        user = logins.log_in(session, discord_id="100000000000000042", username="zed", display_name="zed", now=NOW)
        assert [player.guid for player in accounts.suggest_profiles(session, user)] == ["g-7"]


def test_an_import_adds_and_updates_and_keeps_links(filled: World) -> None:
    rows = [("guid-alice", "^5Alice", ["ali"]), ("g-8", "new", [])]
    with filled.session() as session:
        assert accounts.import_players(session, rows, now=NOW).counts == (1, 1)
        assert accounts.import_players(session, [], now=NOW).counts == (0, 0)
        assert accounts.player_names(session, [filled.players["alice"]]) == {filled.players["alice"]: "^5Alice"}
        assert (
            accounts.discord_ids_of(session, filled.players.values())[filled.players["alice"]] == "100000000000000001"
        )
