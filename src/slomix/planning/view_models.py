"""What the page of a planning room says of its teams to one viewer."""

from collections.abc import Sequence
from dataclasses import dataclass

from slomix.i18n import _
from slomix.planning.queries import DraftTurn, Participant, RoomView
from slomix.planning.rules import TEAM_NAMES, Rights, Side
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
                move=captain_move(room, may, side, player_id) if can_change else None,
            )
            for side in Side
        ],
        pool_title=_("To pick from") if is_drafting else _("Substitutes") if room.is_full else _("Not in a team yet"),
        # In a draft a player stays in the list: what is under a finger must not move.
        pool=room.draftable if is_drafting else room.pool,
        has_pool_below=bool(room.pool) and not is_drafting,
        empty=_("Nobody yet") if is_drafting else _("Nobody here yet"),
        may_begin=may.manages and not is_drafting,
        may_end_draft=may.manages and room.room.first_pick is not None and can_change,
        hint=(
            _("The room’s owner makes the teams, or captains draft them. You can volunteer.")
            if may.is_committed
            else _("The room’s owner makes the teams, or captains draft them.")
        )
        if says_how
        else "",
        turn_says=turn_says(room, turn, player_id) if turn is not None else "",
    )


def captain_move(room: RoomView, may: Rights, side: Side, player_id: int | None) -> Move | None:
    """Offer to step down as captain, or to lead a team that has no captain, from it or from neither team."""
    if not may.is_committed:
        return None
    name = room.teams[side].name or TEAM_NAMES[side]
    if may.captain_of == side:
        return Move(f"lead:{side.value}:", "", _("Step down as captain of {team}").format(team=name), _("Step down"))
    has_captain = room.teams[side].captain_id is not None or may.captain_of is not None
    if has_captain or player_id is None or room.layout.side_of(player_id) not in {None, side}:
        return None
    label = _("Be captain of {team}").format(team=name)
    return Move(f"lead:{side.value}:{player_id}", "captain", label, _("Be captain"))


def turn_says(room: RoomView, turn: DraftTurn, player_id: int | None) -> str:
    """Say whose pick it is."""
    if turn.captain_id is None:
        return _("The draft waits for a captain.")
    if turn.captain_id == player_id:
        return _("It’s your pick.")
    return _("{player} picks.").format(player=plain_name(room.names[turn.captain_id]))
