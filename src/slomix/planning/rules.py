"""Rules of a planning room: who may do what, what a team's name may be, and which side picks next."""

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from slomix import words
from slomix.errors import Conflict, Invalid, NotAllowed, NotFound, TooSoon
from slomix.parsing import checked_int
from slomix.presence.game_names import clean_name, plain_name


class Side(enum.StrEnum):
    """The two teams, whatever they are called tonight."""

    A = "A"
    B = "B"

    @property
    def other(self) -> "Side":
        return Side.B if self is Side.A else Side.A


class Change(enum.StrEnum):
    """The kind of the last change to the teams; it decides who may undo it."""

    PICK = "pick"
    PLACE = "place"
    CAPTAIN = "captain"
    TEAMS = "teams"
    DRAFT = "draft"


SHORTEST_NAME, LONGEST_NAME = 2, 48
MAX_NAMES_PER_PLAYER = 3
TURN_SECONDS = range(15, 301)
LARGEST_SIDE = 32
ASK_COOLDOWN = timedelta(minutes=15)
UNDO_DEPTH = 50


class NoSuchRoom(NotFound):
    sentence = words.NO_SUCH_ROOM


class NotReady(Conflict):
    def __init__(self, missing: int) -> None:
        super().__init__(words.ROOM_NOT_READY_ONE if missing == 1 else words.ROOM_NOT_READY.format(missing=missing))


class NotTonight(Conflict):
    """Raised for a change to another day's room, which is read-only."""

    sentence = words.ROOM_NOT_TONIGHT


class DeclinedTonight(Conflict):
    """Raised when a player who said NOT_PLAYING joins without confirming it."""

    sentence = words.SAID_NO


class NotAParticipant(NotAllowed):
    sentence = words.JOIN_FIRST


class NotTheOwner(NotAllowed):
    sentence = words.ONLY_OWNERS


class NotInRoom(Invalid):
    sentence = words.NOT_IN_TONIGHT


class NotCommitted(Invalid):
    """Raised when a player placed in a team is neither LOOKING nor AVAILABLE."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        super().__init__(words.NOT_COMMITTED.format(players=", ".join(names)) if names else words.NOT_A_PARTICIPANT)


class OnBothSides(Invalid):
    sentence = words.ON_BOTH_SIDES


class CaptainElsewhere(Invalid):
    sentence = words.CAPTAIN_ELSEWHERE


class NoSuchSide(Invalid):
    sentence = words.NO_SUCH_SIDE


class NoSuchSize(Invalid):
    sentence = words.NO_SUCH_SIZE.format(largest=LARGEST_SIDE)


class NoSuchClock(Invalid):
    sentence = words.NO_SUCH_CLOCK.format(shortest=TURN_SECONDS[0], longest=TURN_SECONDS[-1])


class TeamsChanged(Conflict):
    """Raised when another player has changed the teams since the page was made."""

    sentence = words.TEAMS_CHANGED


class NeedsCaptains(Conflict):
    sentence = words.NEEDS_CAPTAINS


class HasCaptain(Conflict):
    sentence = words.HAS_CAPTAIN


class SideIsFull(Conflict):
    sentence = words.SIDE_IS_FULL


class NotYourTurn(Conflict):
    sentence = words.NOT_YOUR_TURN


class AlreadyPicked(Conflict):
    sentence = words.ALREADY_PICKED


class NoDraft(Conflict):
    sentence = words.NO_DRAFT


class NoSuchChange(Invalid):
    sentence = words.NO_SUCH_CHANGE


class NothingToUndo(Conflict):
    sentence = words.NOTHING_TO_UNDO


class NameTaken(Conflict):
    sentence = words.TEAM_NAME_TAKEN


class TooManyNames(Conflict):
    sentence = words.TOO_MANY_NAMES.format(most=MAX_NAMES_PER_PLAYER)


class NoSuchName(NotFound):
    sentence = words.NO_SUCH_TEAM_NAME


class AskedAlready(TooSoon):
    def __init__(self, remaining: timedelta) -> None:
        super().__init__(words.ASKED_ALREADY.format(minutes=-(-int(remaining.total_seconds()) // 60)), remaining)


class EnoughPlayers(Conflict):
    sentence = words.ENOUGH_PLAYERS


class NowhereToAsk(Conflict):
    sentence = words.NOWHERE_TO_ASK


def parse_side(text: str) -> Side:
    """Read A or B. Raise NoSuchSide."""
    try:
        return Side(text)
    except ValueError:
        raise NoSuchSide from None


def parse_size(text: str) -> int | None:
    """Read the number of players a side; None if empty, which means no limit. Raise NoSuchSize."""
    return checked_int(text, 1, LARGEST_SIDE, NoSuchSize) if text else None


def parse_turn_seconds(text: str) -> int | None:
    """Read the seconds a pick may take; None if empty, which means no clock. Raise NoSuchClock."""
    return checked_int(text, TURN_SECONDS[0], TURN_SECONDS[-1], NoSuchClock) if text else None


def clean_team_name(text: str) -> str:
    """Return what can be seen of a team's name, without colours. Raise InvalidName."""
    return plain_name(clean_name(text, what=words.A_TEAM_NAME, shortest=SHORTEST_NAME, longest=LONGEST_NAME))


def next_side(first: Side, counts: Mapping[Side, int]) -> Side:
    """Return the side that picks next: 1, 2, 2, 1 and so on.

    The smaller side picks; if both are equal, the first side after an even number of rounds. So a player who leaves in
    the middle is replaced before the snake goes on. Counts leave the captains out.
    """
    if counts[Side.A] != counts[Side.B]:
        return min(Side, key=lambda side: counts[side])
    return first if counts[Side.A] % 2 == 0 else first.other


def is_draft_over(counts: Mapping[Side, int], pool: int, size: int | None) -> bool:
    """Check whether the draft has no player or no place left. Counts include the captains."""
    return not pool or (size is not None and all(number >= size for number in counts.values()))


def players_needed(committed: int, threshold: int) -> int:
    """Return how many more players have to commit."""
    return max(0, threshold - committed)


@dataclass(frozen=True)
class Actor:
    """The player who asks for a change."""

    player_id: int
    is_promoter: bool = False


@dataclass(frozen=True)
class Rights:
    """What one player may do in tonight's room."""

    # Suggest names, vote, and volunteer as a captain where they are committed too.
    takes_part: bool = False
    is_committed: bool = False
    # Place any player, name captains, begin and end a draft, hand the room over.
    manages: bool = False
    # The room's owner has left.
    may_take_over: bool = False
    captain_of: Side | None = None


def rights(
    player_id: int | None,
    *,
    owner_id: int | None,
    is_promoter: bool,
    participants: Collection[int],
    committed: Collection[int],
    captains: Mapping[Side, int | None],
) -> Rights:
    """Return a player's rights: owners manage while they take part, promoters always do.

    Once the owner has left, any participant may take the room over.
    """
    if player_id is None:
        return Rights()
    takes_part = player_id in participants
    is_owner = player_id == owner_id and takes_part
    return Rights(
        takes_part=takes_part,
        is_committed=player_id in committed,
        manages=is_owner or is_promoter,
        may_take_over=takes_part and owner_id not in participants,
        captain_of=next((side for side, captain in captains.items() if captain == player_id), None),
    )
