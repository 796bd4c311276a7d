"""Rules of a planning room: who may do what, what a team's name may be, and which side picks next."""

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from slomix.errors import Conflict, Invalid, NotAllowed, NotFound, TooSoon
from slomix.i18n import N_, Texts, _, listed, ngettext
from slomix.parsing import checked_int
from slomix.presence.game_names import InvalidName, clean_name, mixes_alphabets, plain_name


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


# The teams, while no name has votes.
TEAM_NAMES = Texts({"A": N_("Team A"), "B": N_("Team B")})
# What can be undone, after "Undo".
UNDO_TEXTS = Texts(
    {
        "pick": N_("Undo the last pick"),
        "place": N_("Undo the last move"),
        "captain": N_("Undo the change of captain"),
        "teams": N_("Undo the new teams"),
        "draft": N_("Undo the last step"),
    }
)


class NoSuchRoom(NotFound):
    sentence = N_("There is no planning room for that day.")


class NotReady(Conflict):
    def __init__(self, missing: int) -> None:
        super().__init__(
            ngettext(
                "The room opens when {number} more player is looking.",
                "The room opens when {number} more players are looking.",
                missing,
            )
        )


class NotTonight(Conflict):
    """Raised for a change to another day's room, which is read-only."""

    sentence = N_("Only tonight’s room can be changed.")


class DeclinedTonight(Conflict):
    """Raised when a player who said NOT_PLAYING joins without confirming it."""

    sentence = N_("You’re not playing tonight. Change that first.")


class NotAParticipant(NotAllowed):
    sentence = N_("This is for players who are in tonight. Join first.")


class NotTheOwner(NotAllowed):
    sentence = N_("Only the room’s owner and promoters can do that.")


class NotInRoom(Invalid):
    sentence = N_("That player is not in tonight.")


class NotCommitted(Invalid):
    """Raised when a player placed in a team is neither LOOKING nor AVAILABLE."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        super().__init__(
            _("Not in tonight, so in no team: {players}.").format(players=listed(names))
            if names
            else _("Teams are made of players who are looking or available tonight.")
        )


class OnBothSides(Invalid):
    sentence = N_("A player can’t be in both teams.")


class CaptainElsewhere(Invalid):
    sentence = N_("A captain has to be in the team.")


class NoSuchSide(Invalid):
    sentence = N_("There is no such team. Pick A or B.")


class NoSuchSize(Invalid):
    sentence = N_("A team has 1 to {largest} players. Pick a number in between.")
    values: ClassVar[Mapping[str, object]] = {"largest": LARGEST_SIDE}


class NoSuchClock(Invalid):
    sentence = N_("A pick can take {shortest} to {longest} seconds. Pick a number in between.")
    values: ClassVar[Mapping[str, object]] = {"shortest": TURN_SECONDS[0], "longest": TURN_SECONDS[-1]}


class TeamsChanged(Conflict):
    """Raised when another player has changed the teams since the page was made."""

    sentence = N_("The teams changed meanwhile, so nothing was saved. Check them again.")


class NeedsCaptains(Conflict):
    sentence = N_("A draft takes two captains. Name them, or let them volunteer.")


class HasCaptain(Conflict):
    sentence = N_("That team has a captain already.")


class SideIsFull(Conflict):
    sentence = N_("That team is full. Ask the room’s owner to make you its captain.")


class NotYourTurn(Conflict):
    sentence = N_("It’s not your pick.")


class AlreadyPicked(Conflict):
    sentence = N_("Too late: that player is in a team already.")


class NoDraft(Conflict):
    sentence = N_("No draft is under way.")


class NoSuchChange(Invalid):
    sentence = N_("The teams can’t be changed like that.")


class NothingToUndo(Conflict):
    sentence = N_("There is nothing of yours to undo.")


class NameTaken(Conflict):
    sentence = N_("That name is on the list already. Vote for it!")


class TooManyNames(Conflict):
    sentence = N_("You’ve suggested {most} names already. Delete one first.")
    values: ClassVar[Mapping[str, object]] = {"most": MAX_NAMES_PER_PLAYER}


class NoSuchName(NotFound):
    sentence = N_("That suggestion is gone, or it isn’t yours.")


class AskedAlready(TooSoon):
    def __init__(self, remaining: timedelta) -> None:
        super().__init__(
            _("Others were asked a moment ago. Next in {minutes} min.").format(
                minutes=-(-int(remaining.total_seconds()) // 60)
            ),
            remaining,
        )


class EnoughPlayers(Conflict):
    sentence = N_("There are enough players.")


class NowhereToAsk(Conflict):
    sentence = N_("There is no room on Discord to ask in.")


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
    if mixes_alphabets(text):
        raise InvalidName(
            _("A team’s name may not have letters of two alphabets that look alike in one word. Use one of them.")
        )
    return plain_name(clean_name(text, what=_("A team’s name"), shortest=SHORTEST_NAME, longest=LONGEST_NAME))


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
