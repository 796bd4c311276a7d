"""Splits players into two teams of equal strength; head counts never differ by more than one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import comb, fsum
from random import Random
from statistics import fmean

# Up to so many ways to share the seats are all compared: always for up to twelve players.
MAX_PLACEMENTS = 1000
# Beyond that, so many random starts are improved by exchanging two players at a time.
STARTING_POINTS = 8
# The most exchanges compared for last time's teams, so that no page has to wait.
MAX_SWAPS = 100_000
# Gaps are shown with so many digits; smaller differences don't count.
DIGITS = 3

# None is the empty seat beside an odd number of players: both sides have as many seats, always.
Seat = int | None
Sides = tuple[list[Seat], list[Seat]]
Strength = Mapping[Seat, float]
Captains = tuple[int | None, int | None]


@dataclass(frozen=True)
class Proposal:
    """Two teams, the strongest players first; `gap` is the difference of their rating sums.

    Players without a rating count as the mean of the others. `swapped` are the two who changed sides since last time,
    the first of them from A to B.
    """

    a: tuple[int, ...]
    b: tuple[int, ...]
    gap: float
    swapped: tuple[int, int] | None = None


def propose(
    ratings: Mapping[int, float | None], *, number: int = 3, captains: Captains = (None, None), seed: int = 0
) -> list[Proposal]:
    """Return up to `number` different pairs of teams, the smallest gap first, each captain on their own side.

    For up to twelve players no pair has a smaller gap. Another `seed` finds others that are as good.
    """
    if len(ratings) < 2:
        return []
    strength, random = _strength(ratings), Random(seed)
    held: Sides = ([], [])
    free: list[Seat] = [*sorted(ratings)]
    random.shuffle(free)
    for side, captain in zip(held, captains, strict=True):
        if captain in free:
            free.remove(captain)
            side.append(captain)
    has_captain = any(held)
    if not has_captain:
        held[0].append(free.pop())  # or all teams would come twice, with A and B exchanged
    if len(ratings) % 2:
        free.append(None)
    different = {frozenset(sides[0]): sides for sides in _splits(held, free, strength, random)}
    best = sorted(different.values(), key=lambda sides: _gap(sides, strength))[: max(number, 0)]
    found = [_proposal(sides, strength) for sides in best]
    return found if has_captain else [_smallest_id_first(proposal) for proposal in found]


def adapt_last_teams(
    last_a: Sequence[int],
    last_b: Sequence[int],
    ratings: Mapping[int, float | None],
    *,
    captains: Captains = (None, None),
) -> Proposal | None:
    """Return last time's teams with the best pair exchanged; None unless both teams have a player here.

    Newcomers fill up. Others change sides only when too many of one side stayed away, or as captains. A and B swap
    places if tonight's captains lead them that way.
    """
    stayed_a = [player for player in dict.fromkeys(last_a) if player in ratings]
    stayed_b = [player for player in dict.fromkeys(last_b) if player in ratings and player not in stayed_a]
    if not stayed_a or not stayed_b:
        return None
    strength = _strength(ratings)
    stayed = _with_captains(stayed_a, stayed_b, captains)
    held, free = _kept_and_free(stayed, captains, ratings)
    ways = sorted(_splits(held, free, strength, Random(0)), key=lambda sides: _gap(sides, strength))
    enough = max(1, MAX_SWAPS // (len(stayed_a) * len(stayed_b)))
    return min(
        (_with_best_exchange(sides, stayed, captains, strength) for sides in ways[:enough]),
        key=lambda proposal: proposal.gap,
    )


def _strength(ratings: Mapping[int, float | None]) -> dict[Seat, float]:
    rated = [rating for rating in ratings.values() if rating is not None]
    mean = fmean(rated) if rated else 0.0
    return {None: 0.0} | {player: mean if rating is None else rating for player, rating in ratings.items()}


def _difference(sides: Sides, strength: Strength) -> float:
    """Return how much stronger A is than B."""
    a, b = (fsum(strength[seat] for seat in side) for side in sides)
    return a - b


def _gap(sides: Sides, strength: Strength) -> float:
    return round(abs(_difference(sides, strength)), DIGITS)


def _proposal(sides: Sides, strength: Strength, swapped: tuple[int, int] | None = None) -> Proposal:
    a, b = (
        tuple(sorted((seat for seat in side if seat is not None), key=lambda player: (-strength[player], player)))
        for side in sides
    )
    return Proposal(a, b, _gap(sides, strength), swapped)


def _smallest_id_first(found: Proposal) -> Proposal:
    """Give two teams the same order, whatever the seed."""
    return found if min(found.a) < min(found.b) else Proposal(found.b, found.a, found.gap)


# Sharing the seats: every split, or only good splits


def _splits(held: Sides, free: list[Seat], strength: Strength, random: Random) -> Iterator[Sides]:
    """Yield ways to place `free` so that both sides have as many seats: all of them unless too many."""
    missing = (len(held[0]) + len(held[1]) + len(free)) // 2 - len(held[0])
    if comb(len(free), missing) > MAX_PLACEMENTS:
        yield from _good_splits(held, free, missing, strength, random)
        return
    chosen = list(combinations(range(len(free)), missing))
    random.shuffle(chosen)  # in their order, the first of many equal splits differ too little
    for places in chosen:
        on_a = set(places)
        a = [seat for place, seat in enumerate(free) if place in on_a]
        b = [seat for place, seat in enumerate(free) if place not in on_a]
        yield held[0] + a, held[1] + b


def _good_splits(held: Sides, free: list[Seat], missing: int, strength: Strength, random: Random) -> Iterator[Sides]:
    """Yield some improved random starts, then what is one exchange away from the best of them."""
    reached = []
    for _ in range(STARTING_POINTS):
        shuffled = random.sample(free, len(free))
        a, b = shuffled[:missing], shuffled[missing:]
        _improve(held, a, b, strength)
        reached.append((a, b))
        yield held[0] + a, held[1] + b
    a, b = min(reached, key=lambda sides: _gap((held[0] + sides[0], held[1] + sides[1]), strength))
    for i, j in product(range(len(a)), range(len(b))):
        yield held[0] + [*a[:i], b[j], *a[i + 1 :]], held[1] + [*b[:j], a[i], *b[j + 1 :]]


def _improve(fixed: Sides, a: list[Seat], b: list[Seat], strength: Strength) -> None:
    """Exchange two players at a time for as long as the gap becomes visibly smaller."""
    difference = _difference((fixed[0] + a, fixed[1] + b), strength)
    while True:
        left, i, j = min(
            (abs(difference - 2 * (strength[x] - strength[y])), i, j) for i, x in enumerate(a) for j, y in enumerate(b)
        )
        if left > abs(difference) - 10**-DIGITS:
            return
        difference -= 2 * (strength[a[i]] - strength[b[j]])
        a[i], b[j] = b[j], a[i]


# The teams of last time


def _with_captains(a: list[int], b: list[int], captains: Captains) -> tuple[list[int], list[int]]:
    """Return these teams with tonight's captains on their own sides."""
    captain_a, captain_b = captains
    if (captain_a in b) + (captain_b in a) > (captain_a in a) + (captain_b in b):
        a, b = b, a
    return (
        [player for player in a if player != captain_b] + [player for player in b if player == captain_a],
        [player for player in b if player != captain_a] + [player for player in a if player == captain_b],
    )


def _kept_and_free(
    stayed: tuple[list[int], list[int]], captains: Captains, here: Mapping[int, object]
) -> tuple[Sides, list[Seat]]:
    """Return who keeps their side, and who may be placed on either: newcomers, or the side that is too large."""
    held: Sides = ([*stayed[0]], [*stayed[1]])
    free: list[Seat] = [player for player in sorted(here) if player not in held[0] and player not in held[1]]
    for side, captain in zip(held, captains, strict=True):
        if captain in free:
            free.remove(captain)
            side.append(captain)
    empty: list[Seat] = [None] if len(here) % 2 else []
    small, large = sorted(held, key=len)
    if len(large) - len(small) > len(free) + len(empty):
        small += free + empty
        free = [seat for seat in large if seat not in captains]
        large[:] = [seat for seat in large if seat in captains]
        return held, free
    return held, free + empty


def _with_best_exchange(
    sides: Sides, stayed: tuple[list[int], list[int]], captains: Captains, strength: Strength
) -> Proposal:
    """Return the proposal with the best pair of unmoved players exchanged; captains stay."""
    difference = _difference(sides, strength)
    a, b = ([player for player in stayed[n] if player in sides[n] and player not in captains] for n in (0, 1))
    if not a or not b:
        return _proposal(sides, strength)
    x, y = min(product(a, b), key=lambda pair: abs(difference - 2 * (strength[pair[0]] - strength[pair[1]])))
    swapped: Sides = (
        [y if seat == x else seat for seat in sides[0]],
        [x if seat == y else seat for seat in sides[1]],
    )
    return _proposal(swapped, strength, (x, y))
