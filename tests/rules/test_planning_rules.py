"""What decides in a planning room: whose pick it is, what a change makes of the teams, who may do what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix.planning import rules
from slomix.planning.layout import Layout
from slomix.planning.rules import CaptainElsewhere, NoSuchClock, NoSuchSize, OnBothSides, Side
from slomix.presence.game_names import InvalidName

A, B = Side.A, Side.B


def captained() -> Layout:
    return Layout.from_teams([1], [2], 1, 2)


def drafted(layout: Layout, pool: list[int]) -> str:
    """Play a draft to its end, always picking the first in line; the sides in the order of their picks."""
    order, left = "", list(pool)
    while (side := layout.turn(len(left))) is not None:
        layout = layout.with_player(left.pop(0), side)
        order += side
    return order


@pytest.mark.parametrize(
    ("first", "size", "pool", "order"),
    [
        (A, None, 6, "ABBAAB"),
        (B, None, 6, "BAABBA"),
        (A, None, 7, "ABBAABB"),
        (A, None, 1, "A"),
        (A, None, 0, ""),
        (A, 3, 9, "ABBA"),
        (B, 2, 9, "BA"),
        (A, 1, 9, ""),
    ],
)
def test_captains_pick_1_2_2_1(first: Side, size: int | None, pool: int, order: str) -> None:
    drafting = captained().with_draft(first, size=size, turn_seconds=None)
    assert drafted(drafting, list(range(10, 10 + pool))) == order


@given(st.integers(0, 20), st.sampled_from(Side))
def test_a_draft_ends_with_sides_that_differ_by_one_at_most(pool: int, first: Side) -> None:
    order = drafted(captained().with_draft(first, size=None, turn_seconds=None), list(range(10, 10 + pool)))
    assert len(order) == pool
    assert abs(order.count("A") - order.count("B")) <= 1


def test_who_leaves_in_the_middle_is_made_up_for_before_the_snake_goes_on() -> None:
    layout = captained().with_draft(A, size=None, turn_seconds=None)
    for player, side in ((10, A), (11, B), (12, B), (13, A)):
        assert layout.turn(10) is side
        layout = layout.with_player(player, side)
    assert layout.turn(8) is A
    assert layout.without(12).turn(8) is B


def test_a_full_side_leaves_the_last_picks_to_the_other() -> None:
    layout = Layout.from_teams([1, 3, 4], [2], 1, 2)
    assert layout.turn(5) is None
    by_hand = Layout(layout.sides, layout.captains, first_pick=A, size=3)
    assert by_hand.turn(5) is B


def test_a_draft_puts_all_but_the_captains_back() -> None:
    layout = Layout.from_teams([1, 3], [2, 4, 5], 1, 2).with_draft(A, size=None, turn_seconds=60)
    assert layout.placed == {1, 2}


def test_nobody_is_on_both_sides_and_a_captain_is_on_their_own() -> None:
    with pytest.raises(OnBothSides):
        Layout.from_teams([1, 2], [2])
    with pytest.raises(CaptainElsewhere):
        Layout.from_teams([1], [2], captain_a=2)
    assert Layout.from_teams([1, 1], [2]).counts() == {A: 1, B: 1}


def test_who_changes_sides_leads_none() -> None:
    layout = captained().with_player(1, B)
    assert layout.sides == {A: (), B: (2, 1)}
    assert layout.captains == {A: None, B: 2}


def test_a_captain_stands_first_and_takes_over_from_another() -> None:
    layout = Layout.from_teams([1, 3], [2], 1, 2).with_captain(3, A)
    assert layout.sides[A] == (3, 1)
    assert layout.captains == {A: 3, B: 2}
    assert layout.with_captain(None, A).captains[A] is None


def test_teams_survive_being_stored() -> None:
    layout = Layout.from_teams([1, 3], [2], 1, None).with_draft(B, size=5, turn_seconds=30)
    assert Layout.from_json(layout.as_json()) == layout


PLAYERS = st.integers(1, 9)
MOVES = st.lists(st.tuples(PLAYERS, st.sampled_from([A, B, None]), st.booleans()), max_size=40)


@given(MOVES)
def test_whatever_is_moved_everybody_has_one_place_and_captains_lead_their_own(
    moves: list[tuple[int, Side | None, bool]],
) -> None:
    layout = Layout()
    for player, side, leads in moves:
        if side is None:
            layout = layout.without(player)
        elif leads:
            layout = layout.with_captain(player, side)
        else:
            layout = layout.with_player(player, side)
        everybody = [*layout.sides[A], *layout.sides[B]]
        assert len(everybody) == len(set(everybody))
        assert all(captain is None or captain in layout.sides[side] for side, captain in layout.captains.items())


@pytest.mark.parametrize(
    ("typed", "name"),
    [("  Red   Devils ", "Red Devils"), ("ab", "ab"), ("x" * 48, "x" * 48), ("e\u0301toile", "\u00e9toile")],
)
def test_a_name_is_kept_without_needless_blanks(typed: str, name: str) -> None:
    assert rules.clean_team_name(typed) == name


@pytest.mark.parametrize("typed", ["", " ", "x", " x ", "x" * 49, "a\u0000b", "\u200b\u200b\u200b", "\u3164\u3164"])
def test_a_name_of_a_wrong_length_or_that_cannot_be_seen_is_refused(typed: str) -> None:
    with pytest.raises(InvalidName):
        rules.clean_team_name(typed)


@pytest.mark.parametrize("text", ["0", "33", "-1", "two", "1e1", "\u0663", "9" * 30])
def test_a_size_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(NoSuchSize):
        rules.parse_size(text)


@pytest.mark.parametrize("text", ["0", "14", "301", "-60", "soon", "9" * 30])
def test_a_clock_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(NoSuchClock):
        rules.parse_turn_seconds(text)


def test_without_a_number_there_is_no_limit() -> None:
    assert rules.parse_size("") is None
    assert rules.parse_turn_seconds("") is None
    assert (rules.parse_size("6"), rules.parse_turn_seconds("60")) == (6, 60)


def may(player: int | None, *, owner: int | None = 1, is_promoter: bool = False) -> rules.Rights:
    """In a room with 1, 2 and 3 in it, of whom 3 is not sure; 2 leads A."""
    return rules.rights(
        player,
        owner_id=owner,
        is_promoter=is_promoter,
        participants={1, 2, 3},
        committed={1, 2},
        captains={A: 2, B: None},
    )


def test_the_owner_manages_and_a_promoter_even_from_outside() -> None:
    assert may(1).manages
    assert not may(2).manages
    assert may(9, is_promoter=True).manages
    assert not may(9, is_promoter=True).takes_part
    assert may(None) == rules.Rights()


def test_an_owner_who_has_left_manages_nothing_and_anybody_in_the_room_may_take_over() -> None:
    assert not may(9, owner=9).manages
    assert not may(9, owner=9).may_take_over
    assert may(3, owner=9).may_take_over
    assert may(3, owner=None).may_take_over
    assert not may(3).may_take_over


def test_who_perhaps_comes_takes_part_and_is_not_counted_on() -> None:
    assert (may(3).takes_part, may(3).is_committed) == (True, False)
    assert may(2).captain_of is A
