"""The two teams as a plain value with all changes to it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from slomix.planning import rules
from slomix.planning.rules import CaptainElsewhere, OnBothSides, Side


@dataclass(frozen=True)
class Layout:
    """Who is on which side in which order, both captains, and the state of a draft."""

    sides: Mapping[Side, tuple[int, ...]] = field(default_factory=lambda: {Side.A: (), Side.B: ()})
    captains: Mapping[Side, int | None] = field(default_factory=lambda: {Side.A: None, Side.B: None})
    first_pick: Side | None = None
    size: int | None = None
    turn_seconds: int | None = None

    @classmethod
    def from_teams(
        cls, a: Sequence[int], b: Sequence[int], captain_a: int | None = None, captain_b: int | None = None
    ) -> "Layout":
        """Build teams from lists of player ids. Raise OnBothSides or CaptainElsewhere."""
        sides = {Side.A: tuple(dict.fromkeys(a)), Side.B: tuple(dict.fromkeys(b))}
        captains = {Side.A: captain_a, Side.B: captain_b}
        if set(a) & set(b):
            raise OnBothSides
        if any(captain is not None and captain not in sides[side] for side, captain in captains.items()):
            raise CaptainElsewhere
        return cls(sides, captains)

    @property
    def placed(self) -> set[int]:
        return {player for side in self.sides.values() for player in side}

    def side_of(self, player: int) -> Side | None:
        return next((side for side, members in self.sides.items() if player in members), None)

    def counts(self) -> dict[Side, int]:
        return {side: len(members) for side, members in self.sides.items()}

    def pick_counts(self) -> dict[Side, int]:
        """Count each side without its captain."""
        return {side: number - (self.captains[side] is not None) for side, number in self.counts().items()}

    def without(self, player: int) -> "Layout":
        """Take a player out of the teams, also as a captain."""
        return self.keep_only(self.placed - {player})

    def keep_only(self, present: Collection[int]) -> "Layout":
        """Keep only the players in `present`."""
        return replace(
            self,
            sides={
                side: tuple(player for player in members if player in present) for side, members in self.sides.items()
            },
            captains={side: captain if captain in present else None for side, captain in self.captains.items()},
        )

    def with_player(self, player: int, side: Side) -> "Layout":
        """Put a player last on a side; no change if they are on it."""
        if player in self.sides[side]:
            return self
        without = self.without(player)
        return replace(without, sides={**without.sides, side: (*without.sides[side], player)})

    def with_captain(self, player: int | None, side: Side) -> "Layout":
        """Make a player the captain of a side, moving them to it; None removes the captain."""
        if player is None:
            return replace(self, captains={**self.captains, side: None})
        on_it = self.with_player(player, side)
        first = (player, *(member for member in on_it.sides[side] if member != player))
        return replace(on_it, sides={**on_it.sides, side: first}, captains={**on_it.captains, side: player})

    def with_draft(self, first: Side, *, size: int | None, turn_seconds: int | None) -> "Layout":
        """Begin a draft: only the captains keep their places."""
        sides = {side: () if captain is None else (captain,) for side, captain in self.captains.items()}
        return replace(self, sides=sides, first_pick=first, size=size, turn_seconds=turn_seconds)

    def without_draft(self) -> "Layout":
        return replace(self, first_pick=None)

    def turn(self, pool: int) -> Side | None:
        """Return the side that picks next from a pool of that size; None when no draft is under way."""
        if self.first_pick is None or rules.is_draft_over(self.counts(), pool, self.size):
            return None
        if self.size is not None:
            full = [side for side, number in self.counts().items() if number >= self.size]
            if full:
                return full[0].other
        return rules.next_side(self.first_pick, self.pick_counts())

    def as_json(self) -> dict[str, Any]:
        return {
            "sides": {side.value: list(members) for side, members in self.sides.items()},
            "captains": {side.value: captain for side, captain in self.captains.items()},
            "first_pick": self.first_pick,
            "size": self.size,
            "turn_seconds": self.turn_seconds,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Layout":
        return cls(
            sides={side: tuple(stored["sides"][side.value]) for side in Side},
            captains={side: stored["captains"][side.value] for side in Side},
            first_pick=Side(stored["first_pick"]) if stored["first_pick"] else None,
            size=stored["size"],
            turn_seconds=stored["turn_seconds"],
        )
