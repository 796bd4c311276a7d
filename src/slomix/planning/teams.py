"""Changes the teams of tonight's room, each time on the room's locked row."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from slomix.accounts import service as accounts
from slomix.database import session as db
from slomix.jobs import service as jobs
from slomix.jobs.service import NewJob
from slomix.planning import queries, rules
from slomix.planning.layout import Layout
from slomix.planning.models import Room, TeamMember, Undo
from slomix.planning.queries import RoomView
from slomix.planning.rules import Actor, Change, Rights, Side
from slomix.presence.game_names import plain_name

# The kind of job that picks for a captain whose time is up; its subject is the room and the turn.
TURN = "planning_turn"


def place_player(
    session: Session, day: date, actor: Actor, player_id: int, side: Side | None, *, now: datetime
) -> None:
    """Put a player on a side, or out of the teams: a pick in a draft, otherwise a move by hand.

    Managers pick for the captain whose turn it is. Raise NotYourTurn, AlreadyPicked, NotCommitted or NotTheOwner.
    """
    view, rights = queries.lock_room_as(session, day, actor)
    turn = view.turn
    is_captains_own = side is not None and rights.captain_of is side and not rights.manages
    if not rights.manages and not is_captains_own:
        raise rules.NotYourTurn if turn is not None and rights.captain_of is not None else rules.NotTheOwner
    if side is None:
        _save(session, view, view.layout.without(player_id), actor, Change.PLACE, now=now)
        return
    _check_committed(session, view, [player_id])
    if player_id in view.placed and (turn is not None or is_captains_own):
        raise rules.AlreadyPicked
    if turn is not None and turn.side is not side:
        raise rules.NotYourTurn
    if turn is None and is_captains_own and not _has_room(view, side):
        raise rules.NotTheOwner
    change = Change.PICK if turn is not None else Change.PLACE
    _save(session, view, view.layout.with_player(player_id, side), actor, change, now=now)


def _has_room(view: RoomView, side: Side) -> bool:
    """Check whether a captain may fill up their own side, which lost a player after the draft."""
    counts = view.layout.counts()
    return counts[side] < counts[side.other]


def _is_full(view: RoomView, side: Side) -> bool:
    """Check whether another captain would make a side larger than planned."""
    counts, size = view.layout.counts(), view.room.side_size
    if view.turn is not None:
        return size is not None and counts[side] >= size
    return counts[side] > 0 and counts[side] >= counts[side.other]


def set_captain(session: Session, day: date, actor: Actor, side: Side, player_id: int | None, *, now: datetime) -> None:
    """Set or remove the captain of a side: managers may, volunteers for themselves, captains who step down.

    Raise HasCaptain, SideIsFull, AlreadyPicked, NotCommitted or NotTheOwner.
    """
    view, rights = queries.lock_room_as(session, day, actor)
    if not rights.manages:
        steps_down = player_id is None and rights.captain_of is side
        volunteers = player_id == actor.player_id and rights.is_committed
        if not steps_down and not volunteers:
            raise rules.NotTheOwner
        if volunteers and view.captains[side] is not None:
            raise rules.HasCaptain
        if volunteers and view.layout.side_of(actor.player_id) is side.other:
            raise rules.AlreadyPicked
        if volunteers and view.layout.side_of(actor.player_id) is None and _is_full(view, side):
            raise rules.SideIsFull
    if player_id is not None:
        _check_committed(session, view, [player_id])
    _save(session, view, view.layout.with_captain(player_id, side), actor, Change.CAPTAIN, now=now)


def save_teams(
    session: Session, day: date, actor: Actor, layout: Layout, *, version: int | None = None, now: datetime
) -> None:
    """Save both teams at once; with `version`, only if they still are what the page was made from.

    Raise NotTheOwner, TeamsChanged or NotCommitted.
    """
    view, rights = queries.lock_room_as(session, day, actor)
    if not rights.manages:
        raise rules.NotTheOwner
    if version is not None and version != view.room.version:
        raise rules.TeamsChanged
    _check_committed(session, view, sorted(layout.placed))
    _save(session, view, layout, actor, Change.TEAMS, now=now)


def begin_draft(
    session: Session,
    day: date,
    actor: Actor,
    first: Side,
    *,
    size: int | None,
    turn_seconds: int | None,
    version: int | None = None,
    now: datetime,
) -> None:
    """Begin a draft: the captains pick by turns, the other players go back to the pool.

    Raise NotTheOwner, NeedsCaptains, or TeamsChanged: a draft that is under way is not restarted, and teams are not
    cleared if their version differs from `version`.
    """
    view, rights = queries.lock_room_as(session, day, actor)
    if not rights.manages:
        raise rules.NotTheOwner
    if view.turn is not None or (version is not None and version != view.room.version):
        raise rules.TeamsChanged
    if None in view.captains.values():
        raise rules.NeedsCaptains
    drafting = view.layout.with_draft(first, size=size, turn_seconds=turn_seconds)
    _save(session, view, drafting, actor, Change.DRAFT, now=now)


def end_draft(session: Session, day: date, actor: Actor, *, now: datetime) -> None:
    """End the draft and keep the teams as picked so far. Raise NotTheOwner or NoDraft."""
    view, rights = queries.lock_room_as(session, day, actor)
    if not rights.manages:
        raise rules.NotTheOwner
    if view.room.first_pick is None:
        raise rules.NoDraft
    _save(session, view, view.layout.without_draft(), actor, Change.DRAFT, now=now)


def undo_change(session: Session, day: date, actor: Actor, *, version: int, now: datetime) -> None:
    """Restore the teams before the last change, without players who have left since.

    Raise NothingToUndo, or TeamsChanged when the last change is no longer the one that was seen.
    """
    view, rights = queries.lock_room_as(session, day, actor)
    last = view.last_change
    if last is None or not may_undo(last, rights, actor.player_id):
        raise rules.NothingToUndo
    if version != view.room.version:
        raise rules.TeamsChanged
    since = last.before["since"]
    stayed = {int(player_id) for player_id, moment in _since(view).items() if since.get(player_id) == moment}
    before = Layout.from_json(last.before).keep_only(stayed)
    session.delete(last)
    _write(session, view, before, now=now)


def may_undo(last: Undo | None, rights: Rights, player_id: int | None) -> bool:
    """Check whether a player may undo the last change: managers any, captains their own last pick."""
    if last is None:
        return False
    return rights.manages or (
        last.change is Change.PICK and last.player_id == player_id and rights.captain_of is not None
    )


def pick_for(session: Session, view: RoomView, *, now: datetime) -> bool:
    """Pick the first player in the pool for a captain whose time is up; return False if no pick was due."""
    turn = view.turn
    if turn is None:
        _write(session, view, view.layout.without_draft(), now=now)
        return False
    if turn.captain_id is None or turn.captain_id != view.room.turn_of:
        # A player has left and it is another captain's turn: they get the full time.
        _write(session, view, view.layout, now=now)
        return False
    _save(session, view, view.layout.with_player(view.pool[0].player_id, turn.side), None, Change.PICK, now=now)
    return True


def stop_clock(session: Session, room: Room) -> None:
    """End a draft that was left open when the night was over."""
    room.first_pick = room.turn_until = room.turn_of = None
    db.notify(session, db.LIVE_CHANNEL, "planning")


def _check_committed(session: Session, view: RoomView, player_ids: Sequence[int]) -> None:
    committed = {player.player_id for player in view.committed}
    missing = [player_id for player_id in player_ids if player_id not in committed]
    if missing:
        names = accounts.player_names(session, missing)
        raise rules.NotCommitted([plain_name(names[player_id]) for player_id in missing if player_id in names])


def _save(
    session: Session, view: RoomView, layout: Layout, actor: Actor | None, change: Change, *, now: datetime
) -> None:
    """Write the teams and an undo step; no-op when nothing changes."""
    if layout == view.layout:
        return
    number = view.last_change.number + 1 if view.last_change is not None else 1
    session.add(
        Undo(
            session_id=view.room.id,
            number=number,
            player_id=actor.player_id if actor is not None else None,
            change=change,
            before=view.layout.as_json() | {"since": _since(view)},
        )
    )
    session.execute(delete(Undo).where(Undo.session_id == view.room.id, Undo.number <= number - rules.UNDO_DEPTH))
    _write(session, view, layout, now=now)


def _since(view: RoomView) -> dict[str, str]:
    """Return each committed player's moment, which tells those who stayed from those who left and came back."""
    return {
        str(player.player_id): player.committed_since.isoformat() for player in view.committed if player.committed_since
    }


def _write(session: Session, view: RoomView, layout: Layout, *, now: datetime) -> None:
    room = view.room
    pool = len(view.committed) - len(layout.placed)
    turn = layout.turn(pool)
    if turn is None:
        layout = layout.without_draft()
    room.version += 1
    room.first_pick, room.side_size, room.turn_seconds = layout.first_pick, layout.size, layout.turn_seconds
    room.turn_of = room.turn_until = None
    if turn is not None and layout.captains[turn] is not None and layout.turn_seconds is not None:
        room.turn_of, room.turn_until = layout.captains[turn], now + timedelta(seconds=layout.turn_seconds)
    since = {player.player_id: player.committed_since for player in view.committed}
    session.execute(delete(TeamMember).where(TeamMember.session_id == room.id))
    rows = [
        {
            "session_id": room.id,
            "player_id": player_id,
            "side": side,
            "is_captain": player_id == layout.captains[side],
            "place": place,
            "committed_since": since[player_id],
        }
        for side, members in layout.sides.items()
        for place, player_id in enumerate(members)
    ]
    if rows:
        session.execute(insert(TeamMember), rows)
    session.flush()
    if room.turn_until is not None:
        jobs.schedule(session, [NewJob(TURN, f"{room.subject}:{room.version}", room.turn_until)], now=now)
    db.notify(session, db.LIVE_CHANNEL, "planning")
