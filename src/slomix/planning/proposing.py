"""Proposes teams: three balanced pairs, and last time's teams with one pair exchanged."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from slomix.planning import queries
from slomix.planning.balance import Proposal, adapt_last_teams, propose
from slomix.planning.models import Room
from slomix.planning.queries import RoomView
from slomix.planning.rules import Side

# How many rooms back to look for teams.
ROOMS_BACK = 10


@dataclass(frozen=True)
class TeamProposals:
    """Teams to choose from, and what they are made of."""

    balanced: list[Proposal]
    last_time: Proposal | None
    last_day: date | None
    # How many of the committed have a rating; the others count as the mean.
    rated: int


def propose_teams(session: Session, view: RoomView, *, seed: int = 0) -> TeamProposals:
    """Propose teams of the committed players; captains stay on their sides, `seed` breaks ties differently."""
    ratings = {player.player_id: player.rating for player in view.committed}
    captains = (view.captains[Side.A], view.captains[Side.B])
    last_day, last = _last_time(session, view.room.day)
    again = adapt_last_teams(last[Side.A], last[Side.B], ratings, captains=captains) if last is not None else None
    return TeamProposals(
        balanced=propose(ratings, captains=captains, seed=seed),
        last_time=again,
        last_day=last_day,
        rated=sum(rating is not None for rating in ratings.values()),
    )


def _last_time(session: Session, day: date) -> tuple[date | None, dict[Side, list[int]] | None]:
    """Return the last day on which both teams had players, and those teams."""
    for room in session.scalars(select(Room).where(Room.day < day).order_by(Room.day.desc()).limit(ROOMS_BACK)):
        teams = queries.read_teams(session, room, queries.participants_of(session, room.day))
        if all(team.members for team in teams.values()):
            return room.day, {side: team.ids for side, team in teams.items()}
    return None, None
