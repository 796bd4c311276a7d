"""Names for tonight's teams: who suggests them and how many, and everybody's one vote."""

from datetime import timedelta

import pytest

from slomix.availability.rules import Status
from slomix.planning import rules
from slomix.planning.models import Room, TeamName
from tests.moments import TODAY
from tests.services.planning import Tonight, opened
from tests.world import World


@pytest.fixture
def tonight(world: World) -> Tonight:
    return opened(world)


def test_each_may_suggest_three_names_and_one_more_after_deleting_one(tonight: Tonight) -> None:
    """W67: there was no limit, and no way to take one back."""
    first, *_ = [tonight.suggests("erik", name) for name in ("Ants", "Bees", "Cats")]
    with pytest.raises(rules.TooManyNames):
        tonight.suggests("erik", "Dogs")
    assert tonight.suggests("franka", "Dogs"), "the limit is each player's own"
    tonight.deletes("erik", first)
    tonight.suggests("erik", "Eels")
    assert [one.name for one in tonight.view().suggestions] == ["Bees", "Cats", "Dogs", "Eels"]


def test_a_name_in_other_letters_is_taken_and_the_sentence_says_to_vote_for_it(tonight: Tonight) -> None:
    tonight.suggests("erik", "Red Devils")
    for again in ("red devils", "RED  DEVILS", " Red Devils "):
        with pytest.raises(rules.NameTaken) as refused:
            tonight.suggests("franka", again)
        assert "Vote for it" in str(refused.value)
    assert [one.name for one in tonight.view().suggestions] == ["Red Devils"]


def test_others_names_are_deleted_by_nobody_but_who_runs_the_room(tonight: Tonight) -> None:
    one, two = tonight.suggests("erik", "Ants"), tonight.suggests("erik", "Bees")
    with pytest.raises(rules.NoSuchName):
        tonight.deletes("franka", one)
    tonight.deletes("alice", one)
    tonight.deletes("bob", two)
    assert tonight.view().suggestions == ()
    with pytest.raises(rules.NoSuchName):
        tonight.deletes("erik", one)


@pytest.mark.parametrize("status", [None, Status.NOT_PLAYING])
def test_who_is_not_in_suggests_nothing_and_votes_for_nothing(tonight: Tonight, status: Status | None) -> None:
    ants = tonight.suggests("erik", "Ants")
    tonight.world.says("goran", status)
    for deed in (lambda: tonight.suggests("goran", "Bees"), lambda: tonight.votes("goran", ants)):
        with pytest.raises(rules.NotAParticipant):
            deed()
    assert tonight.view().votes == {}


def test_who_perhaps_comes_suggests_and_votes(tonight: Tonight) -> None:
    tonight.world.says("goran", Status.MAYBE)
    ants = tonight.suggests("goran", "Ants")
    tonight.votes("goran", ants)
    assert tonight.view().suggestions[0].votes == 1


def test_a_vote_is_one_can_be_changed_and_taken_back(tonight: Tonight) -> None:
    ants, bees = tonight.suggests("erik", "Ants"), tonight.suggests("erik", "Bees")
    goran = tonight.world.players["goran"]
    for name_id in (ants, ants, bees):
        tonight.votes("goran", name_id)
        assert tonight.view().votes == {goran: name_id}
    assert [(one.name, one.votes) for one in tonight.view().suggestions] == [("Bees", 1), ("Ants", 0)]
    tonight.votes("goran", None)
    tonight.votes("goran", None)
    assert tonight.view().votes == {}


def test_the_two_names_with_most_votes_name_the_teams(tonight: Tonight) -> None:
    ants, bees, cats = (tonight.suggests("erik", name) for name in ("Ants", "Bees", "Cats"))
    assert [team.name for team in tonight.view().teams.values()] == [None, None]
    for name, name_id in (("goran", cats), ("dora", cats), ("franka", ants)):
        tonight.votes(name, name_id)
    assert [team.name for team in tonight.view().teams.values()] == ["Cats", "Ants"]
    tonight.deletes("erik", cats)
    assert [team.name for team in tonight.view().teams.values()] == ["Ants", None]
    assert bees


def test_votes_go_with_the_name_that_is_deleted(tonight: Tonight) -> None:
    ants = tonight.suggests("erik", "Ants")
    tonight.votes("goran", ants)
    tonight.deletes("erik", ants)
    assert (tonight.view().votes, tonight.stored()["planning_votes"]) == ({}, 0)
    with pytest.raises(rules.NoSuchName):
        tonight.votes("goran", ants)


def test_nobody_votes_for_a_name_of_another_days_room(tonight: Tonight) -> None:
    with tonight.world.session() as session:
        yesterdays = Room(day=TODAY - timedelta(days=1), created_at=tonight.world.clock.now(), version=0)
        session.add(yesterdays)
        session.flush()
        name = TeamName(session_id=yesterdays.id, name="Ants", name_key="ants", created_at=tonight.world.clock.now())
        session.add(name)
        session.flush()
    with pytest.raises(rules.NoSuchName):
        tonight.votes("goran", name.id)
    with pytest.raises(rules.NoSuchName):
        tonight.deletes("bob", name.id)


def test_the_vote_of_who_has_left_for_the_night_counts_no_more(tonight: Tonight) -> None:
    ants, bees = (tonight.suggests("erik", name) for name in ("Ants", "Bees"))
    tonight.votes("goran", bees)
    tonight.votes("erik", ants)
    tonight.leaves("goran")
    assert [(one.name, one.votes) for one in tonight.view().suggestions] == [("Ants", 1), ("Bees", 0)]
