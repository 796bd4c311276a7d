"""Reads a planning room as it stands: its participants, teams, names and votes."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from slomix.accounts.models import Player, User
from slomix.availability.models import Entry
from slomix.availability.rules import Status
from slomix.i18n import _
from slomix.planning import rules
from slomix.planning.layout import Layout
from slomix.planning.models import Room, RoomThread, TeamMember, TeamName, Undo, Vote
from slomix.planning.rules import Actor, NoSuchRoom, Rights, Side
from slomix.presence.game_names import plain_name
from slomix.reasons.codes import Explanation


@dataclass(frozen=True)
class Participant:
    """A player who said LOOKING, AVAILABLE or MAYBE for tonight."""

    player_id: int
    name: str
    status: Status
    rating: float | None
    # A place in a team is valid for this moment only; None for MAYBE.
    committed_since: datetime | None
    # Until when they have said to be late, also once that is over.
    late_until: datetime | None = None


@dataclass(frozen=True)
class Suggestion:
    """A name for a team."""

    id: int
    name: str
    suggested_by: int | None
    votes: int


@dataclass(frozen=True)
class Team:
    """One side, in the order of its picks."""

    side: Side
    members: tuple[Participant, ...] = ()
    captain_id: int | None = None
    # The name with the most votes; None without votes.
    name: str | None = None

    @property
    def ids(self) -> list[int]:
        return [member.player_id for member in self.members]


@dataclass(frozen=True)
class DraftTurn:
    """The side that picks next in a draft, and its deadline."""

    side: Side
    # None while the side has no captain: then the clock waits too.
    captain_id: int | None
    until: datetime | None


@dataclass(frozen=True)
class RoomView:
    """All of a room, for viewers who may see names."""

    room: Room
    # Committed players before MAYBE, each in the order in which they said so.
    participants: tuple[Participant, ...]
    teams: Mapping[Side, Team]
    suggestions: tuple[Suggestion, ...]
    votes: Mapping[int, int]
    last_change: Undo | None
    # Of all players mentioned in the room, in or not.
    names: Mapping[int, str]

    @property
    def committed(self) -> list[Participant]:
        return [participant for participant in self.participants if participant.status.is_committed]

    @property
    def standby(self) -> list[Participant]:
        return [participant for participant in self.participants if not participant.status.is_committed]

    @property
    def placed(self) -> set[int]:
        return {player_id for team in self.teams.values() for player_id in team.ids}

    @property
    def pool(self) -> list[Participant]:
        """Return the committed players without a team: captains may pick them, and they can step in later."""
        placed = self.placed
        return [participant for participant in self.committed if participant.player_id not in placed]

    @property
    def is_full(self) -> bool:
        """Return whether both sides have all their players, so that the others are substitutes."""
        counts, size = self.layout.counts().values(), self.room.side_size
        if size is not None:
            return all(number >= size for number in counts)
        return min(counts) > 0 and min(counts) == max(counts) and len(self.pool) < len(counts)

    @property
    def draftable(self) -> list[Participant]:
        """Return the players that captains of a draft pick from or have picked."""
        captains = self.captains.values()
        return [participant for participant in self.committed if participant.player_id not in captains]

    @property
    def captains(self) -> dict[Side, int | None]:
        return {side: team.captain_id for side, team in self.teams.items()}

    @property
    def layout(self) -> Layout:
        """Return the teams as a value that can be changed and saved."""
        return Layout(
            sides={side: tuple(team.ids) for side, team in self.teams.items()},
            captains=self.captains,
            first_pick=self.room.first_pick,
            size=self.room.side_size,
            turn_seconds=self.room.turn_seconds,
        )

    @property
    def turn(self) -> DraftTurn | None:
        """Return the current turn, or None when no draft is under way."""
        side = self.layout.turn(len(self.pool))
        if side is None:
            return None
        captain = self.captains[side]
        return DraftTurn(side, captain, self.room.turn_until if captain == self.room.turn_of else None)

    def rights_of(self, player_id: int | None, *, is_promoter: bool) -> Rights:
        return rules.rights(
            player_id,
            owner_id=self.room.owner_id,
            is_promoter=is_promoter,
            participants={participant.player_id for participant in self.participants},
            committed={participant.player_id for participant in self.committed},
            captains=self.captains,
        )

    def participant(self, player_id: int | None) -> Participant | None:
        return next((participant for participant in self.participants if participant.player_id == player_id), None)


def room_of(session: Session, day: date, *, lock: bool = False) -> Room | None:
    """Return the room of a day or None; `lock` locks it until the transaction ends."""
    query = select(Room).where(Room.day == day)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalars(query).one_or_none()


def lock_room(session: Session, day: date) -> Room:
    """Lock the room of a day and return it. Raise NoSuchRoom."""
    room = room_of(session, day, lock=True)
    if room is None:
        raise NoSuchRoom
    return room


def lock_room_as(session: Session, day: date, actor: Actor) -> tuple[RoomView, Rights]:
    """Lock the room of a day and return it with the actor's rights. Raise NoSuchRoom."""
    found = view_room(session, lock_room(session, day))
    return found, found.rights_of(actor.player_id, is_promoter=actor.is_promoter)


def room_id_of(subject: str) -> int:
    """Return the room's id from a subject of a job or the ledger."""
    return int(subject.split(":")[1])


def participants_of(session: Session, day: date) -> tuple[Participant, ...]:
    """Return the day's participants, committed ones first, each in the order in which they said so."""
    rows = session.execute(
        select(Player.id, Player.name, Entry.status, Player.rating, Entry.committed_since, Entry.late_until)
        .join(Player, Player.id == Entry.player_id)
        .where(Entry.day == day, Entry.status != Status.NOT_PLAYING)
        .order_by(Entry.committed_since.asc().nulls_last(), Entry.updated_at, Player.id)
    )
    return tuple(Participant(*row) for row in rows)


def view_room(session: Session, room: Room) -> RoomView:
    """Read a room as it stands."""
    present = participants_of(session, room.day)
    names = session.execute(
        select(TeamName.id, TeamName.name, TeamName.suggested_by)
        .where(TeamName.session_id == room.id)
        .order_by(TeamName.created_at, TeamName.id)
    ).all()
    cast = session.execute(select(Vote.player_id, Vote.team_name_id).where(Vote.session_id == room.id))
    are_in = {participant.player_id for participant in present}
    votes = {row.player_id: row.team_name_id for row in cast if row.player_id in are_in}
    counts = Counter(votes.values())
    suggestions = [Suggestion(row.id, row.name, row.suggested_by, counts[row.id]) for row in names]
    suggestions.sort(key=lambda suggestion: -suggestion.votes)  # stable: of equals the earlier
    others = [
        player_id
        for player_id in (room.owner_id, room.created_by, *(row.suggested_by for row in names))
        if player_id is not None
    ]
    known = session.execute(select(Player.id, Player.name).where(Player.id.in_(others)))
    return RoomView(
        room=room,
        participants=present,
        teams=read_teams(session, room, present, [suggestion.name for suggestion in suggestions if suggestion.votes]),
        suggestions=tuple(suggestions),
        votes=votes,
        last_change=session.scalars(
            select(Undo).where(Undo.session_id == room.id).order_by(Undo.number.desc()).limit(1)
        ).one_or_none(),
        names={row.id: row.name for row in known}
        | {participant.player_id: participant.name for participant in present},
    )


def thread_troubles(session: Session, room: Room) -> list[str]:
    """Return what is wrong with the room's thread on Discord: as a whole, and with single players."""
    thread = session.get(RoomThread, room.id)
    if thread is None:
        return []
    theirs = select(User.discord_id, Player.name).join(Player).where(User.discord_id.in_(thread.refused))
    names = {row.discord_id: row.name for row in session.execute(theirs)}
    found = [str(thread.error)] if thread.error is not None else []
    for account, stored in thread.refused.items():
        text = (
            _("{name} can still read it ({reason})")
            if account in thread.members
            else _("{name} can’t get in ({reason})")
        )
        name = plain_name(names.get(account, _("somebody")))
        found.append(text.format(name=name, reason=Explanation.of_json(stored)))
    return found


def read_teams(
    session: Session, room: Room, present: tuple[Participant, ...], names: list[str] | None = None
) -> dict[Side, Team]:
    """Return both teams without players who are no longer committed; the two most voted names are theirs."""
    by_id = {participant.player_id: participant for participant in present}
    members: dict[Side, list[Participant]] = {side: [] for side in Side}
    captains: dict[Side, int] = {}
    rows = session.execute(
        select(TeamMember.player_id, TeamMember.side, TeamMember.is_captain, TeamMember.committed_since)
        .where(TeamMember.session_id == room.id)
        .order_by(TeamMember.place, TeamMember.player_id)
    )
    for row in rows:
        player = by_id.get(row.player_id)
        if player is None or player.committed_since != row.committed_since:
            continue  # they left meanwhile
        members[row.side].append(player)
        if row.is_captain:
            captains[row.side] = row.player_id
    named = dict(zip(Side, names or [], strict=False))
    return {side: Team(side, tuple(members[side]), captains.get(side), named.get(side)) for side in Side}
