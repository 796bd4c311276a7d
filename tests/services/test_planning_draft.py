"""A draft by two captains: 1, 2, 2, 1, whose turn it is, the clock of a turn, and what can be undone."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from slomix.availability.rules import Status
from slomix.jobs.rules import JobStatus
from slomix.planning import rules
from slomix.planning.models import Room
from slomix.reasons.codes import Explanation, Reason
from tests.services.planning import A, B, Tonight, opened
from tests.world import World

MINUTE = timedelta(minutes=1)


@pytest.fixture
def tonight(world: World) -> Tonight:
    """Erik and Franka lead; Alice, who runs the room, Bob, Goran and Dora are left, in this order."""
    tonight = opened(world)
    tonight.saves("alice", "erik", "franka", "erik", "franka")
    return tonight


def test_the_captains_pick_1_2_2_1_until_nobody_is_left(tonight: Tonight) -> None:
    tonight.drafts("alice", B)
    for captain, player, side in (("franka", "goran", B), ("erik", "dora", A), ("erik", "alice", A)):
        assert tonight.turn() is side
        tonight.places(captain, player, side)
    assert tonight.turn() is B
    tonight.places("franka", "bob", B)
    assert tonight.sides() == ("ERIK dora alice", "FRANKA goran bob")
    assert tonight.turn() is None
    assert tonight.view().room.first_pick is None
    with pytest.raises(rules.NoDraft):
        tonight.ends_draft("alice")


def test_with_so_many_a_side_the_rest_are_substitutes(tonight: Tonight) -> None:
    tonight.drafts("alice", A, size=2)
    tonight.places("erik", "goran", A)
    tonight.places("franka", "dora", B)
    assert tonight.turn() is None
    assert tonight.pool() == "alice bob"


def test_a_draft_begins_with_the_captains_alone_and_needs_both(tonight: Tonight) -> None:
    tonight.places("alice", "goran", A)
    tonight.drafts("alice")
    assert tonight.sides() == ("ERIK", "FRANKA")
    tonight.ends_draft("alice")
    tonight.leads("franka", B, None)
    with pytest.raises(rules.NeedsCaptains):
        tonight.drafts("alice")


def test_only_who_runs_the_room_begins_and_ends_a_draft(tonight: Tonight) -> None:
    for name in ("erik", "goran"):
        with pytest.raises(rules.NotTheOwner):
            tonight.drafts(name)
    tonight.drafts("bob")
    for name in ("erik", "goran"):
        with pytest.raises(rules.NotTheOwner):
            tonight.ends_draft(name)
    tonight.places("erik", "goran", A)
    tonight.ends_draft("alice")
    assert tonight.sides() == ("ERIK goran", "FRANKA")


@pytest.mark.parametrize(
    ("deed", "refusal"),
    [
        (lambda tonight: tonight.places("erik", "dora", A), rules.NotYourTurn),
        (lambda tonight: tonight.places("erik", "dora", B), rules.NotYourTurn),
        (lambda tonight: tonight.places("franka", "dora", A), rules.NotYourTurn),
        (lambda tonight: tonight.places("franka", "goran", B), rules.AlreadyPicked),
        (lambda tonight: tonight.places("franka", "erik", B), rules.AlreadyPicked),
        (lambda tonight: tonight.places("franka", "goran", None), rules.NotYourTurn),
        (lambda tonight: tonight.places("dora", "dora", B), rules.NotTheOwner),
        (lambda tonight: tonight.places("alice", "goran", B), rules.AlreadyPicked),
        (lambda tonight: tonight.places("bob", "dora", A), rules.NotYourTurn),
    ],
    ids=[
        "not your turn",
        "for the other side",
        "onto the other side",
        "already picked",
        "the other captain",
        "throwing out",
        "who is picked",
        "the owner takes over who is picked",
        "a promoter out of turn",
    ],
)
def test_on_frankas_turn_only_franka_picks_and_only_who_is_left(
    tonight: Tonight, deed: Callable[[Tonight], None], refusal: type[Exception]
) -> None:
    tonight.drafts("alice")
    tonight.places("erik", "goran", A)
    with pytest.raises(refusal):
        deed(tonight)
    assert tonight.sides() == ("ERIK goran", "FRANKA")
    assert tonight.turn() is B


def test_who_runs_the_room_picks_for_a_captain_who_is_away(tonight: Tonight) -> None:
    tonight.drafts("alice")
    tonight.places("alice", "goran", A)
    tonight.places("bob", "dora", B)
    assert tonight.sides() == ("ERIK goran", "FRANKA dora")


def test_who_comes_late_can_still_be_picked_and_who_leaves_is_made_up_for(tonight: Tonight) -> None:
    tonight.world.says("dora", None)
    tonight.drafts("alice")
    for captain, player, side in (("erik", "goran", A), ("franka", "bob", B)):
        tonight.places(captain, player, side)
    tonight.world.clock.forward(MINUTE)
    tonight.world.says("dora", Status.LOOKING)
    assert tonight.pool() == "alice dora"
    tonight.leaves("goran")
    assert tonight.turn() is A
    tonight.places("erik", "dora", A)
    assert tonight.sides() == ("ERIK dora", "FRANKA bob")


def until(tonight: Tonight) -> object:
    turn = tonight.view().turn
    assert turn is not None
    return turn.until


def test_the_clock_of_a_turn_is_stored_with_it_and_begins_anew_with_each_pick(tonight: Tonight) -> None:
    tonight.drafts("alice", seconds=60)
    begun = tonight.world.clock.now()
    assert until(tonight) == begun + MINUTE
    tonight.world.clock.forward(timedelta(seconds=40))
    assert until(tonight) == begun + MINUTE, "looking at it anew does not wind it"
    tonight.places("erik", "goran", A)
    assert until(tonight) == begun + timedelta(seconds=100)


def test_when_the_time_is_up_the_first_in_line_is_picked_and_the_next_turn_begins(tonight: Tonight) -> None:
    tonight.drafts("alice", seconds=60)
    assert tonight.time_is_up() == (JobStatus.SENT, None)
    assert tonight.sides() == ("ERIK alice", "FRANKA")
    assert (tonight.turn(), until(tonight)) == (B, tonight.world.clock.now() + MINUTE)
    for sides in (("ERIK alice", "FRANKA bob"), ("ERIK alice", "FRANKA bob goran")):
        tonight.time_is_up()
        assert tonight.sides() == sides
    tonight.time_is_up()
    assert tonight.sides() == ("ERIK alice dora", "FRANKA bob goran")
    assert tonight.turn() is None
    assert len(tonight.clocks()) == 4, "a draft that is over has no clock"


def test_a_clock_that_was_beaten_does_nothing(tonight: Tonight) -> None:
    tonight.drafts("alice", seconds=60)
    [first] = tonight.clocks()
    tonight.places("erik", "goran", A)
    tonight.ends_draft("alice")
    assert tonight.time_is_up() == (JobStatus.SKIPPED, Explanation(Reason.PICKED_IN_TIME))
    assert tonight.sides() == ("ERIK goran", "FRANKA")
    assert first.run_at == tonight.world.clock.now()


def test_the_clock_of_a_turn_that_is_over_leaves_the_next_turn_alone(tonight: Tonight) -> None:
    tonight.drafts("alice", seconds=60)
    tonight.world.clock.forward(timedelta(seconds=59))
    tonight.places("erik", "goran", A)
    assert tonight.time_is_up(0) == (JobStatus.SKIPPED, Explanation(Reason.PICKED_IN_TIME))
    assert (tonight.sides(), tonight.turn()) == (("ERIK goran", "FRANKA"), B)
    assert tonight.time_is_up() == (JobStatus.SENT, None)
    assert tonight.sides() == ("ERIK goran", "FRANKA alice")


def test_without_a_clock_a_turn_takes_as_long_as_it_takes(tonight: Tonight) -> None:
    tonight.drafts("alice")
    assert (until(tonight), tonight.clocks()) == (None, [])


def test_when_the_captain_has_left_the_clock_waits_until_there_is_another(tonight: Tonight) -> None:
    tonight.drafts("alice", seconds=60)
    tonight.leaves("erik")
    assert (tonight.turn(), until(tonight)) == (A, None)
    assert tonight.time_is_up() == (JobStatus.SKIPPED, Explanation(Reason.NOBODY_PICKED))
    assert tonight.sides() == ("", "FRANKA")
    tonight.leads("goran", A, "goran")
    assert (tonight.turn(), until(tonight)) == (A, tonight.world.clock.now() + MINUTE)
    assert tonight.time_is_up() == (JobStatus.SENT, None)
    assert tonight.sides() == ("GORAN alice", "FRANKA")


def test_when_everybody_else_has_left_the_draft_is_over(tonight: Tonight) -> None:
    tonight.drafts("alice", seconds=60)
    for name in ("bob", "goran", "dora", "alice"):
        tonight.leaves(name)
    assert tonight.turn() is None
    assert tonight.time_is_up() == (JobStatus.SKIPPED, Explanation(Reason.NOBODY_PICKED))
    with tonight.world.session() as session:
        room = session.get_one(Room, tonight.view().room.id, populate_existing=True)
        assert (room.first_pick, room.turn_until) == (None, None)


def test_a_captain_undoes_their_own_pick_while_it_is_the_last(tonight: Tonight) -> None:
    tonight.drafts("alice", seconds=60)
    tonight.places("erik", "goran", A)
    tonight.world.clock.forward(timedelta(seconds=30))
    with pytest.raises(rules.NothingToUndo):
        tonight.undoes("franka")
    tonight.undoes("erik")
    assert (tonight.sides(), tonight.turn()) == (("ERIK", "FRANKA"), A)
    assert until(tonight) == tonight.world.clock.now() + MINUTE, "and has all the time again"
    tonight.places("erik", "dora", A)
    tonight.places("franka", "goran", B)
    with pytest.raises(rules.NothingToUndo):
        tonight.undoes("erik")


def test_the_clocks_pick_is_undone_by_who_runs_the_room(tonight: Tonight) -> None:
    tonight.drafts("alice", seconds=60)
    tonight.time_is_up()
    with pytest.raises(rules.NothingToUndo):
        tonight.undoes("erik")
    tonight.undoes("alice")
    assert (tonight.sides(), tonight.turn()) == (("ERIK", "FRANKA"), A)


def test_who_runs_the_room_undoes_the_whole_draft(tonight: Tonight) -> None:
    tonight.places("alice", "bob", B)
    tonight.drafts("alice")
    tonight.places("erik", "goran", A)
    tonight.places("franka", "dora", B)
    tonight.ends_draft("alice")
    tonight.undoes("alice")
    assert tonight.turn() is B, "the draft goes on"
    for _ in range(3):
        tonight.undoes("bob")
    assert (tonight.sides(), tonight.turn()) == (("ERIK", "FRANKA bob"), None)


def test_a_turn_that_goes_over_to_the_other_captain_because_somebody_left_has_its_whole_time(tonight: Tonight) -> None:
    tonight.drafts("alice", A, seconds=60)
    tonight.places("erik", "goran", A)
    tonight.places("franka", "alice", B)
    assert (tonight.turn(), until(tonight)) == (B, tonight.world.clock.now() + MINUTE)
    tonight.leaves("goran")
    assert (tonight.turn(), until(tonight)) == (A, None), "that was not his time"
    assert tonight.time_is_up()[0] is JobStatus.SKIPPED
    assert tonight.sides() == ("ERIK", "FRANKA alice")
    assert (tonight.turn(), until(tonight)) == (A, tonight.world.clock.now() + MINUTE)
    assert tonight.time_is_up()[0] is JobStatus.SENT
    assert tonight.sides() == ("ERIK bob", "FRANKA alice")


def test_a_clock_that_comes_on_the_next_day_picks_nobody(tonight: Tonight) -> None:
    tonight.drafts("alice", A, seconds=60)
    tonight.world.clock.forward(timedelta(hours=6))
    assert tonight.time_is_up() == (JobStatus.SKIPPED, Explanation(Reason.TOO_LATE))
    assert tonight.sides() == ("ERIK", "FRANKA")
    assert tonight.view().room.first_pick is None, "and the draft is over"


def test_a_draft_that_is_under_way_is_not_begun_anew_from_an_old_page(tonight: Tonight) -> None:
    tonight.drafts("alice")
    tonight.places("erik", "goran", A)
    with pytest.raises(rules.TeamsChanged):
        tonight.drafts("bob")
    assert tonight.sides() == ("ERIK goran", "FRANKA")
