"""Teams that are proposed: heads even, then strength as even as can be; and those of last time as a start."""

from collections.abc import Mapping
from itertools import combinations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slomix.planning import balance
from slomix.planning.balance import Proposal, adapt_last_teams, propose

Ratings = Mapping[int, float | None]

RATING = st.none() | st.integers(-20, 20).map(float) | st.floats(-1000, 1000).map(lambda number: round(number, 3))


def players(least: int, most: int) -> st.SearchStrategy[dict[int, float | None]]:
    return st.lists(RATING, min_size=least, max_size=most).map(numbered)


def numbered(ratings: list[float | None]) -> dict[int, float | None]:
    return dict(enumerate(ratings, start=1))


def strengths(ratings: Ratings) -> dict[int, float]:
    """Each rating, and the mean for who has none."""
    known = [rating for rating in ratings.values() if rating is not None]
    mean = sum(known) / len(known) if known else 0.0
    return {one: mean if rating is None else rating for one, rating in ratings.items()}


def gap_of(ratings: Ratings, a: tuple[int, ...]) -> float:
    worth = strengths(ratings)
    return abs(sum(worth[one] for one in a) - sum(worth[one] for one in worth if one not in a))


def smallest_gap(ratings: Ratings, captains: tuple[int | None, int | None] = (None, None)) -> float:
    """By looking at every pair of teams there is."""
    ids = sorted(ratings)
    halves = {len(ids) // 2, len(ids) - len(ids) // 2}
    return min(
        gap_of(ratings, a)
        for size in halves
        for a in combinations(ids, size)
        if (captains[0] is None or captains[0] in a) and captains[1] not in a
    )


def partition(found: Proposal) -> frozenset[frozenset[int]]:
    return frozenset({frozenset(found.a), frozenset(found.b)})


def is_fair(found: Proposal, ratings: Ratings) -> None:
    """Everybody is on one side, heads are even, and the gap is the one that is told."""
    assert sorted(found.a + found.b) == sorted(ratings)
    assert abs(len(found.a) - len(found.b)) <= 1
    assert found.gap == pytest.approx(gap_of(ratings, found.a), abs=0.0006)
    assert found.gap == round(found.gap, 3)


# Proposals


@pytest.mark.parametrize(
    "ratings",
    [
        pytest.param([10, 1, 1, 1, 1, 1], id="one like ten"),
        pytest.param([2.0, 0.6, 0.5, 0.4, 0.3, 0.2], id="one like all the others"),
        pytest.param([100, 1, 1, 1, 1], id="an odd number"),
        pytest.param([1000] + [1] * 12, id="too many for all ways"),
        pytest.param([-10, 1, 1, 1, 1, 1], id="below nothing"),
    ],
)
def test_one_who_outweighs_all_is_not_left_alone(ratings: list[float]) -> None:
    """W66: 1 against 5."""
    here = numbered([*ratings])
    found = propose(here)
    assert len(found) == 3
    for one in found:
        is_fair(one, here)
        assert sorted([len(one.a), len(one.b)]) == [len(ratings) // 2, (len(ratings) + 1) // 2]


@given(players(2, 9))
@example(numbered([0.1, 0.2, 0.3, None]))
@example(numbered([None] * 5))
def test_no_teams_are_closer_than_the_first_that_are_proposed(ratings: dict[int, float | None]) -> None:
    found = propose(ratings)
    assert found[0].gap == pytest.approx(smallest_gap(ratings), abs=0.0011)
    assert [one.gap for one in found] == sorted(one.gap for one in found)


@pytest.mark.parametrize("count", [10, 11, 12])
@pytest.mark.parametrize("captains", [(None, None), (1, None), (None, 2), (3, 1)])
def test_up_to_twelve_nothing_is_missed(count: int, captains: tuple[int | None, int | None]) -> None:
    ratings = numbered([round(1.7**n % 3, 3) for n in range(count)])
    assert propose(ratings, captains=captains)[0].gap == pytest.approx(smallest_gap(ratings, captains), abs=0.0011)


@given(players(0, 64), st.integers(0, 5))
def test_proposals_are_fair_and_different(ratings: dict[int, float | None], seed: int) -> None:
    found = propose(ratings, seed=seed)
    for one in found:
        is_fair(one, ratings)
        assert one.swapped is None
    assert len({partition(one) for one in found}) == len(found)
    there_are = {0: 0, 1: 0, 2: 1}  # of three players one is alone, and that can be each
    assert len(found) == there_are.get(len(ratings), 3)


def test_fewer_than_two_are_no_teams() -> None:
    assert propose({}) == []
    assert propose({7: 1.0}) == []


def test_as_many_are_proposed_as_are_asked_for_and_exist() -> None:
    four = numbered([1, 2, 3, 4])
    assert [len(propose(four, number=number)) for number in (0, 1, 2, 3, 9)] == [0, 1, 2, 3, 3]
    assert [found.gap for found in propose(four)] == [0.0, 2.0, 4.0]


def test_who_has_no_rating_counts_as_the_mean() -> None:
    [best, *_] = propose({1: 4.0, 2: None, 3: 2.0, 4: 3.0})
    assert (partition(best), best.gap) == (frozenset({frozenset({1, 3}), frozenset({2, 4})}), 0.0)


def test_when_nobody_has_a_rating_all_teams_are_equal() -> None:
    assert {found.gap for found in propose(dict.fromkeys(range(1, 8)))} == {0.0}


def test_the_strongest_come_first() -> None:
    [best, *_] = propose({1: 1.0, 2: 4.0, 3: 2.0, 4: 3.0})
    assert (best.a, best.b) == ((2, 1), (4, 3))


@pytest.mark.parametrize("count", [6, 7, 12, 13, 20])
def test_the_same_seed_proposes_the_same_and_another_one_others(count: int) -> None:
    ratings: dict[int, float | None] = dict.fromkeys(range(1, count + 1), 1.0)
    assert propose(ratings, seed=1) == propose(dict(reversed(ratings.items())), seed=1)
    seen = {partition(one) for seed in range(4) for one in propose(ratings, seed=seed)}
    assert len(seen) > 5


def test_another_seed_proposes_nothing_worse() -> None:
    ratings = numbered([0.4, 1.9, 0.7, 1.1, None, 0.9, 1.3])
    assert len({propose(ratings, seed=seed)[0].gap for seed in range(8)}) == 1


@given(players(2, 30), st.data())
def test_captains_are_on_their_own_sides(ratings: dict[int, float | None], data: st.DataObject) -> None:
    one, other = data.draw(st.permutations(sorted(ratings)))[:2]
    for captains in ((one, other), (one, None), (None, other)):
        found = propose(ratings, captains=captains)
        assert found
        assert len({partition(proposal) for proposal in found}) == len(found)
        for proposal in found:
            is_fair(proposal, ratings)
            assert captains[0] is None or captains[0] in proposal.a
            assert captains[1] is None or captains[1] in proposal.b


def test_a_captain_who_is_not_here_is_on_no_side() -> None:
    assert propose(numbered([1, 2, 3, 4]), captains=(99, None)) == propose(numbered([1, 2, 3, 4]))


@pytest.mark.parametrize("count", [13, 14, 15, 16])
def test_of_more_than_twelve_the_best_are_all_but_as_good_as_can_be(count: int) -> None:
    ratings = numbered([round(1.37**n % 2, 2) for n in range(count)])
    assert propose(ratings)[0].gap <= smallest_gap(ratings) + 0.03


# Up to 250,000 are needed; a search that takes four times as many is one that somebody waits for.
MOST_LOOKS = 1_000_000


class Counted(dict[int | None, float]):
    """Strengths that count how often one is looked at."""

    looks = 0

    def __getitem__(self, seat: int | None) -> float:
        self.looks += 1
        return super().__getitem__(seat)


@pytest.fixture
def strengths_used(monkeypatch: pytest.MonkeyPatch) -> list[Counted]:
    """The strengths of each search: how often they are looked at is the work that it does, on any machine."""
    made: list[Counted] = []
    strength = balance._strength

    def counted(ratings: Ratings) -> Counted:
        made.append(Counted(strength(ratings)))
        return made[-1]

    monkeypatch.setattr(balance, "_strength", counted)
    return made


def test_sixty_four_are_shared_in_no_time(strengths_used: list[Counted]) -> None:
    ratings = numbered([round(1.37**n % 2, 3) for n in range(64)])
    found = propose(ratings)
    assert strengths_used[0].looks < MOST_LOOKS
    assert [len(one.a) for one in found] == [32, 32, 32]
    assert found[0].gap <= 0.01


# The teams of last time


def test_of_last_time_one_pair_is_exchanged_and_it_is_the_best() -> None:
    ratings = {1: 3.0, 2: 2.0, 3: 2.5, 4: 1.0, 5: 1.0, 6: 0.5}
    assert adapt_last_teams([1, 2, 3], [4, 5, 6], ratings) == Proposal((3, 2, 6), (1, 4, 5), 0.0, (1, 6))
    assert adapt_last_teams([1, 2, 3], [4, 5, 6], ratings, captains=(1, 6)) == Proposal(
        (1, 2, 4), (3, 5, 6), 2.0, (3, 4)
    )


@given(players(2, 14), st.data())
def test_no_other_pair_leaves_a_smaller_gap(ratings: dict[int, float | None], data: st.DataObject) -> None:
    mixed = data.draw(st.permutations(sorted(ratings)))
    a, b = mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]
    found = adapt_last_teams(a, b, ratings)
    assert found is not None
    is_fair(found, ratings)
    best = min(gap_of(ratings, (*(one for one in a if one != x), y)) for x in a for y in b)
    assert found.gap == pytest.approx(best, abs=0.0011)
    assert found.swapped is not None
    x, y = found.swapped
    assert (set(found.a), set(found.b)) == ({*a, y} - {x}, {*b, x} - {y})


def test_newcomers_fill_up_so_that_the_gap_is_smallest() -> None:
    ratings = {1: 1.0, 2: 1.0, 3: 1.0, 4: 1.0, 5: 5.0, 6: 2.0, 7: 4.0, 8: 3.0}
    found = adapt_last_teams([1, 2], [3, 4], ratings)
    assert found is not None
    is_fair(found, ratings)
    assert (found.gap, {5, 6} <= set(found.a) or {5, 6} <= set(found.b)) == (0.0, True)


def test_when_too_many_of_one_side_stayed_away_just_as_many_move_as_have_to() -> None:
    ratings = dict.fromkeys(range(1, 8), 1.0)
    found = adapt_last_teams([1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12], ratings)
    assert found is not None
    is_fair(found, ratings)
    x, y = found.swapped or (0, 0)
    assert (x in found.b, y in found.a, y) == (True, True, 7)
    assert len(set(found.b) - {x}) == 2, "two moved beside the exchange, 4 against 3"


@given(st.lists(st.integers(1, 40), max_size=20), st.lists(st.integers(1, 40), max_size=20), st.data())
def test_whoever_came_the_teams_of_last_time_are_a_fair_start(a: list[int], b: list[int], data: st.DataObject) -> None:
    here = data.draw(st.lists(st.integers(1, 40), unique=True, max_size=30))
    ratings = {one: data.draw(RATING) for one in here}
    one, other, *_ = [*data.draw(st.permutations(here)), None, None]
    for captains in ((None, None), (one, other), (one, None), (None, other)):
        found = adapt_last_teams(a, b, ratings, captains=captains)
        assert found == adapt_last_teams(a, b, dict(reversed(ratings.items())), captains=captains)
        if found is None:
            assert not set(a) & set(here) or not set(b) - set(a) & set(here)
            continue
        is_fair(found, ratings)
        assert captains[0] is None or captains[0] in found.a
        assert captains[1] is None or captains[1] in found.b
        if found.swapped is not None:
            assert (found.swapped[0] in found.b, found.swapped[1] in found.a) == (True, True)
            assert not set(found.swapped) & set(captains)


@pytest.mark.parametrize(("a", "b"), [([], []), ([1, 2], []), ([], [1, 2]), ([1, 2], [8, 9]), ([1], [1])], ids=str)
def test_without_one_of_each_side_there_is_no_last_time(a: list[int], b: list[int]) -> None:
    assert adapt_last_teams(a, b, numbered([1, 2, 3, 4])) is None


def test_the_sides_change_places_when_the_captains_are_there() -> None:
    ratings = dict.fromkeys(range(1, 7), 1.0)
    found = adapt_last_teams([1, 2, 3], [4, 5, 6], ratings, captains=(4, 1))
    assert found is not None
    assert ({4} <= set(found.a), {1} <= set(found.b)) == (True, True)
    assert len({4, 5, 6} & set(found.a)) == len({1, 2, 3} & set(found.b)) == 2, "one pair was exchanged, no more"


def test_two_captains_alone_have_nobody_to_exchange() -> None:
    assert adapt_last_teams([1], [2], {1: 1.0, 2: 3.0}, captains=(1, 2)) == Proposal((1,), (2,), 2.0)


def test_the_teams_of_last_time_do_not_keep_anybody_waiting(strengths_used: list[Counted]) -> None:
    ratings = numbered([round(1.37**n % 2, 3) for n in range(64)])
    for a, b in (
        (range(1, 33), range(33, 65)),
        (range(1, 28), range(28, 55)),
        (range(1, 20), range(20, 30)),
        (range(1, 35), range(35, 65)),
        (range(1, 40), range(40, 65)),
    ):
        found = adapt_last_teams([*a], [*b], ratings)
        assert strengths_used[-1].looks < MOST_LOOKS
        assert found is not None
        is_fair(found, ratings)
