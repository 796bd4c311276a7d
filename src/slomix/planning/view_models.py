"""What the page of a planning room says of its teams to one viewer."""

from collections.abc import Sequence
from dataclasses import dataclass

from slomix import words
from slomix.planning.queries import DraftTurn, Participant, RoomView
from slomix.planning.rules import Rights, Side
from slomix.presence.game_names import plain_name


@dataclass(frozen=True)
class Move:
    """A small button that changes the teams: what it sends, its icon, and what it says in short and in full."""

    do: str
    icon: str
    label: str
    what: str


@dataclass(frozen=True)
class SideView:
    """One team, and how the viewer may become its captain or step down."""

    side: Side
    is_picking: bool
    count_word: str
    move: Move | None


@dataclass(frozen=True)
class TeamsView:
    """The two teams, those who are in neither, and what the viewer may do."""

    sides: Sequence[SideView]
    pool_title: str
    pool: Sequence[Participant]
    has_pool_below: bool
    empty: str
    may_begin: bool
    may_end_draft: bool
    hint: str
    # What is announced of the draft; empty when none is under way.
    turn_says: str


def teams_view(
    room: RoomView, may: Rights, turn: DraftTurn | None, *, player_id: int | None, can_change: bool
) -> TeamsView:
    """Show the teams of a room to this viewer."""
    is_drafting = turn is not None
    says_how = can_change and not may.manages and not room.placed
    return TeamsView(
        sides=[
            SideView(
                side,
                is_picking=turn is not None and turn.side == side,
                count_word=words.ONE_PLAYER if len(room.teams[side].members) == 1 else words.MANY_PLAYERS,
                move=captain_move(room, may, side, player_id) if can_change else None,
            )
            for side in Side
        ],
        pool_title=words.TO_PICK_FROM if is_drafting else words.SUBSTITUTES if room.is_full else words.IN_NO_TEAM,
        # In a draft a player stays in the list: what is under a finger must not move.
        pool=room.draftable if is_drafting else room.pool,
        has_pool_below=bool(room.pool) and not is_drafting,
        empty=words.NONE_YET if is_drafting else words.EMPTY_ROOM,
        may_begin=may.manages and not is_drafting,
        may_end_draft=may.manages and room.room.first_pick is not None and can_change,
        hint=(words.TEAMS_ARE_MADE_OR_VOLUNTEER if may.is_committed else words.TEAMS_ARE_MADE) if says_how else "",
        turn_says=turn_says(room, turn, player_id) if turn is not None else "",
    )


def captain_move(room: RoomView, may: Rights, side: Side, player_id: int | None) -> Move | None:
    """Offer to step down as captain, or to lead a team that has no captain, from it or from neither team."""
    if not may.is_committed:
        return None
    name = room.teams[side].name or words.TEAMS[side]
    if may.captain_of == side:
        return Move(f"lead:{side.value}:", "", words.STEP_DOWN_AS_CAPTAIN.format(team=name), words.STEP_DOWN)
    has_captain = room.teams[side].captain_id is not None or may.captain_of is not None
    if has_captain or player_id is None or room.layout.side_of(player_id) not in {None, side}:
        return None
    label = words.BE_CAPTAIN_OF.format(team=name)
    return Move(f"lead:{side.value}:{player_id}", "captain", label, words.BE_CAPTAIN)


def turn_says(room: RoomView, turn: DraftTurn, player_id: int | None) -> str:
    """Say whose pick it is."""
    if turn.captain_id is None:
        return words.DRAFT_WAITS
    if turn.captain_id == player_id:
        return words.YOUR_PICK
    return words.SOMEONE_PICKS.format(player=plain_name(room.names[turn.captain_id]))
