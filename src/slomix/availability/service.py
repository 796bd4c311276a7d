"""Sets, clears and reads statuses: who plays when."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlalchemy import delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix.accounts.models import Player
from slomix.availability import rules, triggers
from slomix.availability.models import Entry
from slomix.availability.rules import Status, StatusCounts
from slomix.clock import local_day
from slomix.config.settings import Settings
from slomix.database import session as db


@dataclass(frozen=True)
class ListedPlayer:
    """A player in a list."""

    player_id: int
    name: str
    since: datetime


@dataclass(frozen=True)
class DayView:
    """What a page may show of a day; `people` is empty for viewers who may not see names."""

    day: date
    counts: StatusCounts
    my_status: Status | None = None
    people: dict[Status, list[ListedPlayer]] = field(default_factory=dict)

    def for_viewer(self, viewer: int | None) -> "DayView":
        """Return the day as a player sees it, with their own status; without names for a viewer who is no player."""
        if viewer is None:
            return replace(self, people={})
        said = (status for status, players in self.people.items() if viewer in {player.player_id for player in players})
        return replace(self, my_status=next(said, None))


def set_status(
    session: Session, player_id: int, day: date, status: Status | None, *, settings: Settings, now: datetime
) -> None:
    """Set a player's status for a day, or clear it with None, and trigger what follows. Raise PastDay or DayTooFar."""
    today = local_day(now, settings.zone, settings.day_starts_at)
    if status is None:
        clear_status(session, player_id, day, today=today)
    else:
        record_status(session, player_id, day, status, today=today, now=now)
    if day != today:
        return
    # After the entry is written, as everywhere: an entry is locked before jobs.
    triggers.edit_after_change(session, today, now=now)
    if status is Status.LOOKING:
        triggers.check_thresholds(session, today, settings=settings, now=now)


def record_status(session: Session, player_id: int, day: date, status: Status, *, today: date, now: datetime) -> None:
    """Store a status and trigger nothing; LOOKING again keeps the place in the queue. Raise PastDay or DayTooFar."""
    rules.check_day_open(day, today)
    looking_since = now if status is Status.LOOKING else None
    committed_since = now if status.is_committed else None
    session.execute(
        insert(Entry)
        .values(
            player_id=player_id,
            day=day,
            status=status,
            looking_since=looking_since,
            committed_since=committed_since,
            updated_at=now,
        )
        .on_conflict_do_update(
            constraint="uq_availability_entries_player_day",
            set_={
                "status": status,
                "looking_since": func.coalesce(Entry.looking_since, literal(now)) if looking_since else None,
                "committed_since": func.coalesce(Entry.committed_since, literal(now)) if committed_since else None,
                "updated_at": now,
            },
            where=Entry.status != status,  # the same once more changes nothing, not even who answered first
        )
    )
    db.notify(session, db.LIVE_CHANNEL, "board")


def import_statuses(session: Session, statuses: Sequence[tuple[int, date, Status, datetime]], *, now: datetime) -> None:
    """Import statuses from elsewhere with their times and trigger nothing; statuses of ours stay."""
    rows = [
        {
            "player_id": player_id,
            "day": day,
            "status": status,
            "looking_since": since if status is Status.LOOKING else None,
            "committed_since": since if status.is_committed else None,
            "updated_at": now,
        }
        for player_id, day, status, since in statuses
    ]
    if rows:
        # With something to return, SQLAlchemy writes many rows in one statement.
        session.execute(insert(Entry).on_conflict_do_nothing().returning(Entry.id), rows).all()
        db.notify(session, db.LIVE_CHANNEL, "board")


def clear_status(session: Session, player_id: int, day: date, *, today: date) -> bool:
    """Delete a player's status for a day; return whether there was one. Raise PastDay or DayTooFar."""
    rules.check_day_open(day, today)
    cleared = session.execute(
        delete(Entry).where(Entry.player_id == player_id, Entry.day == day).returning(Entry.id)
    ).all()
    if cleared:
        db.notify(session, db.LIVE_CHANNEL, "board")
    return bool(cleared)


def clear_upcoming(session: Session, player_id: int, today: date) -> None:
    """Delete a player's statuses from `today` on; past days stay."""
    session.execute(delete(Entry).where(Entry.player_id == player_id, Entry.day >= today))
    db.notify(session, db.LIVE_CHANNEL, "board")


def list_days(session: Session, first: date, last: date, *, viewer: int | None) -> list[DayView]:
    """Count the statuses of every day from `first` to `last`, with the viewer's own."""
    rules.check_span(first, last)
    counts: dict[date, dict[Status, int]] = defaultdict(dict)
    for row in session.execute(
        select(Entry.day, Entry.status, func.count().label("number"))
        .where(Entry.day.between(first, last))
        .group_by(Entry.day, Entry.status)
    ):
        counts[row.day][row.status] = row.number
    own: dict[date, Status] = {}
    if viewer is not None:
        mine = select(Entry.day, Entry.status).where(Entry.day.between(first, last), Entry.player_id == viewer)
        own = {row.day: row.status for row in session.execute(mine)}
    return [
        DayView(day, StatusCounts.from_statuses(counts.get(day, {})), own.get(day))
        for day in rules.days_between(first, last)
    ]


def list_days_with_names(session: Session, first: date, last: date) -> list[DayView]:
    """Read every day from `first` to `last` with all names; `DayView.for_viewer` makes it a viewer's."""
    rules.check_span(first, last)
    people: dict[date, dict[Status, list[ListedPlayer]]] = defaultdict(lambda: defaultdict(list))
    since = func.coalesce(Entry.looking_since, Entry.updated_at).label("since")
    rows = session.execute(
        select(Entry.day, Entry.status, Player.id, Player.name, since)
        .join(Player, Player.id == Entry.player_id)
        .where(Entry.day.between(first, last))
        .order_by(Entry.day, since, Player.id)
    )
    for row in rows:
        people[row.day][row.status].append(ListedPlayer(row.id, row.name, row.since))
    return [
        DayView(
            day,
            StatusCounts.from_statuses({status: len(players) for status, players in people[day].items()}),
            people=dict(people[day]),
        )
        for day in rules.days_between(first, last)
    ]


def statuses_of_day(session: Session, day: date, player_ids: Sequence[int] | None = None) -> dict[int, Status]:
    """Return the statuses for `day` of these players, or of all, first come first."""
    query = select(Entry.player_id, Entry.status).where(Entry.day == day)
    if player_ids is not None:
        query = query.where(Entry.player_id.in_(player_ids))
    rows = session.execute(query.order_by(func.coalesce(Entry.looking_since, Entry.updated_at), Entry.player_id))
    return {row.player_id: row.status for row in rows}
