"""Several in the planning room in the same moment: one consistent state, and a sentence for who was slower."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select

from slomix.accounts import service as accounts
from slomix.accounts.models import User
from slomix.availability.rules import Status
from slomix.database.session import Database
from slomix.planning import rules, service
from slomix.planning.models import Room, TeamMember, Undo
from slomix.privacy import unlinking
from tests.moments import TODAY
from tests.services.planning import A, B, Tonight, everybody_says, opened, under
from tests.services.racing import at_once
from tests.services.unlinking import until_it_waits
from tests.waiting import PATIENCE
from tests.world import World, build_world

ROUNDS = 4


def drafting(database: Database) -> Tonight:
    """Erik and Franka lead and Franka, who has two picks now, is at it."""
    tonight = opened(build_world(database))
    tonight.saves("alice", "erik", "franka", "erik", "franka")
    tonight.drafts("alice")
    tonight.places("erik", "alice", A)
    return tonight


def check(tonight: Tonight) -> None:
    """Nobody twice, at most one captain a side, who is in it, and as many changes to undo as were made."""
    with tonight.world.session() as session:
        rows = session.scalars(select(TeamMember).order_by(TeamMember.side, TeamMember.place)).all()
        assert len({row.player_id for row in rows}) == len(rows)
        for side in (A, B):
            own = [row for row in rows if row.side is side]
            assert [row.place for row in own] == list(range(len(own)))
            assert sum(row.is_captain for row in own) <= 1
        numbers = session.scalars(select(Undo.number).order_by(Undo.number)).all()
        assert list(numbers) == list(range(1, len(numbers) + 1))


def outcomes(found: list[Any]) -> tuple[int, list[type]]:
    """How many were done, and what the others were told."""
    refused = [one for one in found if isinstance(one, Exception)]
    return len(found) - len(refused), [type(one) for one in refused]


def test_three_who_open_it_at_once_open_one_and_one_is_told_it_is_new(committed: Database) -> None:
    """W64: three presses made three threads, and each was told that the room was theirs."""
    world = build_world(committed)
    everybody_says(world, Status.LOOKING)
    tonight = Tonight(world)
    found = at_once([partial(tonight.opens, name) for name in ("alice", "erik", "bob")])
    assert sorted(found) == [False, False, True]
    with world.session() as session:
        [room] = session.scalars(select(Room)).all()
    assert room.owner_id == room.created_by


def test_asked_at_once_it_is_asked_once(committed: Database) -> None:
    world = under(build_world(committed), announce_enabled=True, announce_channel_id="900000000000000007")
    tonight = opened(world)
    world.says("goran", None)
    found = at_once([lambda: tonight.asks("alice"), lambda: tonight.asks("erik"), lambda: tonight.asks("bob")])
    assert outcomes(found) == (1, [rules.AskedAlready, rules.AskedAlready])


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_one_player_picked_by_three_at_once_is_picked_once(committed: Database, round_: int) -> None:
    tonight = drafting(committed)
    found = at_once([partial(tonight.places, name, "goran", B) for name in ("franka", "alice", "bob")])
    assert outcomes(found) == (1, [rules.AlreadyPicked, rules.AlreadyPicked])
    too_late = "Too late: that player is in a team already."
    assert [str(one) for one in found if one is not None] == [too_late, too_late]
    assert tonight.sides() == ("ERIK alice", "FRANKA goran")
    check(tonight)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_on_the_same_turn_the_other_captain_gets_nobody(committed: Database, round_: int) -> None:
    tonight = drafting(committed)
    found = at_once([lambda: tonight.places("franka", "goran", B), lambda: tonight.places("erik", "goran", A)])
    assert found[0] is None
    assert type(found[1]) in {rules.AlreadyPicked, rules.NotYourTurn}
    assert tonight.sides() == ("ERIK alice", "FRANKA goran")
    check(tonight)


def test_of_three_picks_at_once_no_more_count_than_the_turn_has(committed: Database) -> None:
    tonight = drafting(committed)
    found = at_once([partial(tonight.places, "franka", name, B) for name in ("bob", "goran", "dora")])
    assert outcomes(found) == (2, [rules.NotYourTurn])
    assert tonight.turn() is A
    check(tonight)


def test_a_pick_and_the_clock_at_once_are_one_pick_of_that_turn(committed: Database) -> None:
    tonight = opened(build_world(committed))
    tonight.saves("alice", "erik", "franka", "erik", "franka")
    tonight.drafts("alice", seconds=60)
    tonight.world.clock.move_to(tonight.clocks()[-1].run_at)
    found = at_once([lambda: tonight.places("erik", "dora", A), tonight.time_is_up])
    assert tonight.turn() is B, found
    assert tonight.sides()[0] in {"ERIK dora", "ERIK alice"}
    assert tonight.sides()[1] == "FRANKA"
    check(tonight)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_of_two_who_save_whole_teams_from_the_same_page_one_wins_and_all_of_it(
    committed: Database, round_: int
) -> None:
    tonight = opened(build_world(committed))
    seen = tonight.version
    found = at_once(
        [
            lambda: tonight.saves("alice", "erik goran", "franka dora", "erik", "dora", version=seen),
            lambda: tonight.saves("bob", "dora erik", "goran alice", "dora", "goran", version=seen),
        ]
    )
    assert outcomes(found) == (1, [rules.TeamsChanged])
    first_won = found[0] is None
    assert tonight.sides() == (("ERIK goran", "franka DORA") if first_won else ("DORA erik", "GORAN alice"))
    check(tonight)


def test_two_who_move_somebody_by_hand_at_once_leave_them_in_one_team(committed: Database) -> None:
    tonight = opened(build_world(committed))
    assert (
        at_once([lambda: tonight.places("alice", "goran", A), lambda: tonight.places("bob", "goran", B)]) == [None] * 2
    )
    assert sorted(tonight.sides()) == ["", "goran"]
    check(tonight)


def test_two_volunteers_at_once_are_one_captain(committed: Database) -> None:
    tonight = opened(build_world(committed))
    found = at_once([partial(tonight.leads, name, A, name) for name in ("erik", "franka", "goran")])
    assert outcomes(found) == (1, [rules.HasCaptain, rules.HasCaptain])
    check(tonight)


WAYS: dict[str, Callable[[Tonight], None]] = {
    "by the room's button": lambda tonight: tonight.leaves("goran"),
    "on the board": lambda tonight: tonight.world.says("goran", Status.NOT_PLAYING),
    "clearing": lambda tonight: tonight.world.says("goran", None),
}


@pytest.mark.parametrize("way", WAYS)
def test_who_leaves_while_they_are_picked_is_in_no_team_afterwards(committed: Database, way: str) -> None:
    tonight = drafting(committed)
    found = at_once([lambda: tonight.places("franka", "goran", B), lambda: WAYS[way](tonight)])
    assert found[1] is None
    assert found[0] is None or type(found[0]) is rules.NotCommitted
    assert tonight.sides() == ("ERIK alice", "FRANKA")
    assert tonight.turn() is B
    check(tonight)


def deletes_account(world: World, name: str) -> None:
    with world.session() as session:
        unlinking.delete_account(session, session.get_one(User, world.users[name]), now=world.clock.now())


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_who_deletes_their_account_while_teams_are_saved_is_in_none_of_them(committed: Database, round_: int) -> None:
    tonight = drafting(committed)
    goran = tonight.world.players["goran"]
    found = at_once(
        [
            lambda: deletes_account(tonight.world, "goran"),
            lambda: tonight.saves("bob", "erik goran", "franka", "erik", "franka"),
            lambda: tonight.places("alice", "dora", B),
        ]
    )
    assert found[0] is None
    with tonight.world.session() as session:
        assert not session.scalar(select(func.count()).select_from(TeamMember).where(TeamMember.player_id == goran))
        assert not [one for one in session.scalars(select(Undo)) if goran in one.before["sides"]["A"]]


def test_who_deletes_their_account_while_pressing_a_button_waits_for_it(committed: Database) -> None:
    """Both lock the link first and the room afterwards, or each would wait for the other."""
    tonight = drafting(committed)
    world = tonight.world
    deletion = threading.Thread(target=deletes_account, args=(world, "goran"), daemon=True)
    with world.session() as session:
        accounts.lock_link(session, world.users["goran"], world.players["goran"])
        deletion.start()
        until_it_waits(world, deletion)
        service.vote_for_name(session, TODAY, world.players["goran"], None)
    deletion.join(PATIENCE)
    with world.session() as session:
        assert session.get(User, world.users["goran"]) is None


def test_one_name_suggested_by_two_at_once_is_one_name(committed: Database) -> None:
    tonight = opened(build_world(committed))
    found = at_once([lambda: tonight.suggests("erik", "Red Devils"), lambda: tonight.suggests("franka", "RED devils")])
    assert outcomes(found) == (1, [rules.NameTaken])
    assert len(tonight.view().suggestions) == 1


def test_five_names_in_five_tabs_at_once_are_three(committed: Database) -> None:
    tonight = opened(build_world(committed))
    found = at_once([partial(tonight.suggests, "erik", f"Name {n}") for n in range(5)])
    assert outcomes(found) == (3, [rules.TooManyNames, rules.TooManyNames])


def test_a_vote_for_a_name_that_goes_at_once_is_no_vote(committed: Database) -> None:
    tonight = opened(build_world(committed))
    ants = tonight.suggests("erik", "Ants")
    found = at_once([lambda: tonight.votes("goran", ants), lambda: tonight.deletes("erik", ants)])
    assert found[1] is None
    assert found[0] is None or type(found[0]) is rules.NoSuchName
    assert tonight.view().votes == {}


def test_two_votes_of_one_player_at_once_are_one(committed: Database) -> None:
    tonight = opened(build_world(committed))
    names = [tonight.suggests("erik", name) for name in ("Ants", "Bees")]
    assert at_once([partial(tonight.votes, "goran", one) for one in names]) == [None] * 2
    assert list(tonight.view().votes) == [tonight.world.players["goran"]]


def test_two_who_undo_the_same_change_at_once_undo_it_once(committed: Database) -> None:
    tonight = opened(build_world(committed))
    for name in ("erik", "franka", "goran"):
        tonight.places("alice", name, A)
    seen = tonight.version
    found = at_once([partial(tonight.undoes, name, seen) for name in ("alice", "bob")])
    assert outcomes(found) == (1, [rules.TeamsChanged])
    assert tonight.sides() == ("erik franka", "")
    check(tonight)


def test_the_last_change_is_undone_once(committed: Database) -> None:
    tonight = opened(build_world(committed))
    tonight.places("alice", "erik", A)
    seen = tonight.version
    found = at_once([partial(tonight.undoes, name, seen) for name in ("alice", "bob")])
    assert outcomes(found) == (1, [rules.NothingToUndo])
    assert tonight.sides() == ("", "")


def test_two_who_take_over_at_once_leave_one_owner_who_is_there(committed: Database) -> None:
    tonight = opened(build_world(committed))
    tonight.leaves("alice")
    found = at_once([partial(tonight.hands_over, name, name) for name in ("erik", "franka")])
    assert outcomes(found) == (1, [rules.NotTheOwner])
    winner = ("erik", "franka")[found.index(None)]
    assert tonight.view().room.owner_id == tonight.world.players[winner]
