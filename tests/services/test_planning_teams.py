"""Teams by hand: who places whom, who leads, whole teams at once, and that leaving the night is leaving the team."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from slomix.accounts.models import User
from slomix.availability import service as availability
from slomix.availability.rules import Status
from slomix.planning import proposing, queries, rules
from slomix.planning.models import Room, TeamMember
from slomix.privacy import unlinking
from tests.moments import TODAY
from tests.services.planning import A, B, Tonight, opened, with_spare
from tests.world import LINKED, World


@pytest.fixture
def tonight(world: World) -> Tonight:
    return opened(world)


def test_the_owner_and_promoters_place_by_hand_and_move_and_take_out(tonight: Tonight) -> None:
    tonight.places("alice", "erik", A)
    tonight.places("bob", "franka", A)
    tonight.places("alice", "alice", B)
    assert tonight.sides() == ("erik franka", "alice")
    tonight.places("alice", "erik", B)
    tonight.places("alice", "alice", None)
    assert tonight.sides() == ("franka", "erik")
    assert tonight.pool() == "alice bob goran dora"


def test_placing_where_somebody_is_already_changes_nothing(tonight: Tonight) -> None:
    tonight.places("alice", "erik", A)
    before = tonight.version
    tonight.places("alice", "erik", A)
    tonight.places("alice", "goran", None)
    assert tonight.version == before


def test_nobody_else_places_anybody_not_even_themselves(tonight: Tonight) -> None:
    for who, side in (("erik", A), ("goran", B), ("erik", None)):
        with pytest.raises(rules.NotTheOwner):
            tonight.places("erik", who, side)
    assert tonight.sides() == ("", "")


@pytest.mark.parametrize("status", [None, Status.MAYBE, Status.NOT_PLAYING])
def test_who_is_not_in_for_sure_is_placed_by_nobody_and_leads_nobody(tonight: Tonight, status: Status | None) -> None:
    """W67: who had said maybe could be drafted and be captain."""
    tonight.world.says("goran", status)
    deeds: list[Callable[[], None]] = [
        lambda: tonight.places("alice", "goran", A),
        lambda: tonight.leads("alice", A, "goran"),
        lambda: tonight.saves("alice", "erik goran", "franka"),
    ]
    for deed in deeds:
        with pytest.raises(rules.NotCommitted):
            deed()
    with pytest.raises((rules.NotTheOwner, rules.NotCommitted)):
        tonight.leads("goran", A, "goran")
    assert tonight.sides() == ("", "")


def test_who_never_logged_in_on_the_web_has_a_place_like_everybody(tonight: Tonight) -> None:
    """W4: one of these in the list and the teams of all were gone."""
    with_spare(tonight.world)
    tonight.places("alice", "spare", A)
    tonight.saves("alice", "spare erik", "franka goran", "spare", "goran")
    assert tonight.sides() == ("SPARE erik", "franka GORAN")


def test_captains_are_named_volunteer_and_step_down(tonight: Tonight) -> None:
    tonight.leads("alice", A, "erik")
    tonight.leads("franka", B, "franka")
    assert tonight.sides() == ("ERIK", "FRANKA")
    tonight.leads("franka", B, None)
    assert tonight.sides() == ("ERIK", "franka")
    tonight.leads("bob", B, "goran")
    assert tonight.sides() == ("ERIK", "GORAN franka")
    tonight.leads("alice", B, None)
    assert tonight.sides() == ("ERIK", "goran franka")


@pytest.mark.parametrize(
    ("deed", "refusal"),
    [
        (lambda tonight: tonight.leads("franka", A, "franka"), rules.HasCaptain),
        (lambda tonight: tonight.leads("erik", B, "erik"), rules.AlreadyPicked),
        (lambda tonight: tonight.leads("dora", B, "dora"), rules.AlreadyPicked),
        (lambda tonight: tonight.leads("franka", B, "goran"), rules.NotTheOwner),
        (lambda tonight: tonight.leads("franka", A, None), rules.NotTheOwner),
    ],
    ids=["a side that has one", "a captain for both", "from the other team", "for another", "deposing another"],
)
def test_a_volunteer_takes_no_place_from_anybody(
    tonight: Tonight, deed: Callable[[Tonight], None], refusal: type[Exception]
) -> None:
    tonight.leads("alice", A, "erik")
    tonight.places("alice", "dora", A)
    with pytest.raises(refusal):
        deed(tonight)
    assert tonight.sides() == ("ERIK dora", "")


def test_a_captain_by_hand_moves_from_one_side_to_the_other(tonight: Tonight) -> None:
    tonight.saves("alice", "erik goran", "franka", "erik", "franka")
    tonight.leads("alice", B, "erik")
    assert tonight.sides() == ("goran", "ERIK franka")


def test_whole_teams_replace_those_that_were_there(tonight: Tonight) -> None:
    tonight.saves("alice", "erik goran alice", "franka dora bob", "goran", "bob")
    assert tonight.sides() == ("erik GORAN alice", "franka dora BOB")
    tonight.saves("bob", "dora", "erik")
    assert tonight.sides() == ("dora", "erik")
    with pytest.raises(rules.NotTheOwner):
        tonight.saves("erik", "erik", "franka")


def test_teams_made_from_an_older_page_change_nothing_and_the_sentence_says_so(tonight: Tonight) -> None:
    tonight.saves("alice", "erik", "franka", "erik", "franka")
    seen = tonight.version
    tonight.places("bob", "goran", B)
    with pytest.raises(rules.TeamsChanged) as refused:
        tonight.saves("alice", "erik goran", "franka", version=seen)
    assert "nothing was saved" in str(refused.value)
    assert tonight.sides() == ("ERIK", "FRANKA goran")
    tonight.saves("alice", "erik goran", "franka", version=tonight.version)
    assert tonight.sides() == ("erik goran", "franka")


def test_one_who_is_not_in_and_nothing_of_the_whole_is_saved(tonight: Tonight) -> None:
    """W4: the teams were lost and the captains of the failed request stayed."""
    tonight.saves("alice", "erik alice", "franka goran", "erik", "franka")
    tonight.leaves("dora")
    before, stored = tonight.version, tonight.stored()
    with pytest.raises(rules.NotCommitted) as refused:
        tonight.saves("alice", "goran dora", "erik", "goran", "erik")
    assert str(refused.value) == "Not in tonight, so in no team: Dora."
    assert tonight.sides() == ("ERIK alice", "FRANKA goran")
    assert (tonight.version, tonight.stored()) == (before, stored)


def test_nobody_is_in_both_and_no_captain_leads_from_outside(tonight: Tonight) -> None:
    with pytest.raises(rules.OnBothSides):
        tonight.saves("alice", "erik goran", "franka goran")
    with pytest.raises(rules.CaptainElsewhere):
        tonight.saves("alice", "erik", "franka", "goran")
    assert tonight.sides() == ("", "")


def unlinks(world: World, name: str) -> None:
    with world.session() as session:
        user = session.get_one(User, world.users[name])
        unlinking.unlink_profile(session, user, today=TODAY, now=world.clock.now())


WAYS_TO_LEAVE: dict[str, Callable[[Tonight], None]] = {
    "the room's own button": lambda tonight: tonight.leaves("erik"),
    "not playing": lambda tonight: tonight.world.says("erik", Status.NOT_PLAYING),
    "maybe": lambda tonight: tonight.world.says("erik", Status.MAYBE),
    "cleared": lambda tonight: tonight.world.says("erik", None),
    "unlinked": lambda tonight: unlinks(tonight.world, "erik"),
}


@pytest.mark.parametrize("way", WAYS_TO_LEAVE)
def test_who_leaves_for_the_night_leaves_team_and_captaincy_for_good(tonight: Tonight, way: str) -> None:
    """W67: who said not playing stayed in the saved teams."""
    tonight.saves("alice", "erik goran", "franka dora", "erik", "franka")
    tonight.world.clock.forward(timedelta(minutes=1))
    WAYS_TO_LEAVE[way](tonight)
    assert tonight.sides() == ("goran", "FRANKA dora")
    tonight.world.clock.forward(timedelta(minutes=1))
    tonight.world.says("erik", Status.LOOKING)
    assert tonight.sides() == ("goran", "FRANKA dora")
    assert tonight.pool() == "alice bob erik", "back at the end of the line"
    tonight.places("alice", "erik", A)
    assert tonight.sides() == ("goran erik", "FRANKA dora")


def test_between_looking_and_available_nobody_leaves(tonight: Tonight) -> None:
    tonight.saves("alice", "erik goran", "franka", "erik", "franka")
    for status in (Status.AVAILABLE, Status.LOOKING):
        tonight.world.clock.forward(timedelta(minutes=1))
        tonight.world.says("erik", status)
        assert tonight.sides() == ("ERIK goran", "FRANKA")


def test_a_captain_takes_a_substitute_only_while_their_side_is_the_smaller(tonight: Tonight) -> None:
    tonight.saves("alice", "erik alice", "franka goran", "erik", "franka")
    with pytest.raises(rules.NotTheOwner):
        tonight.places("franka", "dora", B)
    tonight.leaves("goran")
    with pytest.raises(rules.AlreadyPicked):
        tonight.places("franka", "alice", B)
    with pytest.raises(rules.NotTheOwner):
        tonight.places("erik", "dora", A)
    tonight.places("franka", "dora", B)
    assert tonight.sides() == ("ERIK alice", "FRANKA dora")


def test_who_left_is_stored_no_more_once_the_teams_change(tonight: Tonight) -> None:
    tonight.saves("alice", "erik goran", "franka", "erik", "franka")
    tonight.leaves("erik")
    tonight.places("alice", "dora", A)
    with tonight.world.session() as session:
        stored = {row.player_id for row in session.scalars(select(TeamMember))}
    assert stored == {tonight.world.players[name] for name in ("goran", "franka", "dora")}


def test_proposals_keep_the_captains_on_their_sides(tonight: Tonight) -> None:
    tonight.saves("alice", "erik", "franka", "erik", "franka")
    erik, franka = (tonight.world.players[name] for name in ("erik", "franka"))
    with tonight.world.session() as session:
        view = tonight.view()
        found = proposing.propose_teams(session, view)
    assert found.balanced
    for one in found.balanced:
        assert (erik in one.a, franka in one.b) == (True, True)
        assert sorted([*one.a, *one.b]) == sorted(tonight.world.players[name] for name in LINKED)
        assert abs(len(one.a) - len(one.b)) <= 1
    assert found.last_time is None


def test_afterwards_the_teams_can_still_be_read_and_are_those_of_last_time(tonight: Tonight) -> None:
    tonight.saves("alice", "erik goran", "franka dora", "erik", "franka")
    tomorrow = TODAY + timedelta(days=1)
    tonight.world.clock.forward(timedelta(days=1))
    now = tonight.world.clock.now()
    with tonight.world.session() as session:
        for name in LINKED:
            player = tonight.world.players[name]
            availability.record_status(session, player, tomorrow, Status.LOOKING, today=tomorrow, now=now)
    assert tonight.sides() == ("ERIK goran", "FRANKA dora")
    with tonight.world.session() as session:
        room = Room(day=tomorrow, created_at=now, version=0)
        session.add(room)
        session.flush()
        found = proposing.propose_teams(session, queries.view_room(session, room))
    assert found.last_day == TODAY


def test_undo_goes_back_step_by_step_to_the_very_beginning(tonight: Tonight) -> None:
    tonight.leads("alice", A, "erik")
    tonight.saves("alice", "erik alice", "franka", "erik", "franka")
    tonight.places("bob", "dora", B)
    for sides in (("ERIK alice", "FRANKA"), ("ERIK", ""), ("", "")):
        tonight.undoes("alice")
        assert tonight.sides() == sides
    with pytest.raises(rules.NothingToUndo):
        tonight.undoes("alice")


def test_undo_does_not_put_back_who_has_left(tonight: Tonight) -> None:
    tonight.saves("alice", "erik goran", "franka dora", "erik", "franka")
    tonight.saves("alice", "alice", "bob")
    tonight.leaves("erik")
    tonight.undoes("alice")
    assert tonight.sides() == ("goran", "FRANKA dora")


def test_undo_does_not_put_back_who_left_and_came_back_either(tonight: Tonight) -> None:
    tonight.saves("alice", "erik goran", "franka dora", "erik", "franka")
    tonight.saves("alice", "alice", "bob")
    tonight.leaves("erik")
    tonight.world.clock.forward(timedelta(minutes=1))
    tonight.joins("erik", is_sure=True)
    tonight.undoes("alice")
    assert tonight.sides() == ("goran", "FRANKA dora")


def test_who_runs_nothing_undoes_nothing(tonight: Tonight) -> None:
    tonight.places("alice", "goran", A)
    tonight.leads("franka", B, "franka")
    for name in ("franka", "erik"):
        with pytest.raises(rules.NothingToUndo):
            tonight.undoes(name)
    assert tonight.sides() == ("goran", "FRANKA")


def test_only_the_last_fifty_changes_are_kept_to_be_undone(tonight: Tonight) -> None:
    for number in range(rules.UNDO_DEPTH + 5):
        tonight.places("alice", "goran", A if number % 2 == 0 else B)
    assert tonight.stored()["planning_undo"] == rules.UNDO_DEPTH


def test_a_volunteer_makes_no_complete_team_larger(tonight: Tonight) -> None:
    tonight.saves("alice", "erik goran", "franka bob")
    with pytest.raises(rules.SideIsFull):
        tonight.leads("dora", A, "dora")
