"""Sets, clears and reads statuses: who plays when."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlalchemy import ColumnElement, case, delete, func, literal, select, update
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
    # Until when they have said to be late, also once that is over.
    late_until: datetime | None = None


@dataclass(frozen=True)
class DayView:
    """What a page may show of a day; `people` is empty for viewers who may not see names."""

    day: date
    counts: StatusCounts
    my_status: Status | None = None
    my_late_until: datetime | None = None
    people: dict[Status, list[ListedPlayer]] = field(default_factory=dict)

    def for_viewer(self, viewer: int | None) -> "DayView":
        """Return the day as a player sees it, with their own status; without names for a viewer who is no player."""
        if viewer is None:
            return replace(self, people={})
        everybody = ((status, player) for status, players in self.people.items() for player in players)
        mine = next(((status, player) for status, player in everybody if player.player_id == viewer), None)
        return self if mine is None else replace(self, my_status=mine[0], my_late_until=mine[1].late_until)


def set_status(
    session: Session,
    player_id: int,
    day: date,
    status: Status | None,
    *,
    late_until: datetime | None = None,
    settings: Settings,
    now: datetime,
) -> None:
    """Set a player's status for a day, or clear it with None, and trigger what follows. Raise PastDay or DayTooFar.

    LOOKING may be late; whatever else is said afterwards ends that.
    """
    today = local_day(now, settings.zone, settings.day_starts_at)
    if status is None:
        clear_status(session, player_id, day, today=today)
    else:
        record_status(session, player_id, day, status, late_until=late_until, today=today, now=now)
    if day != today:
        return
    # After the entry is written, as everywhere: an entry is locked before jobs.
    triggers.edit_after_change(session, today, now=now)
    if status is Status.LOOKING:
        triggers.check_thresholds(session, today, settings=settings, now=now)


def record_status(
    session: Session,
    player_id: int,
    day: date,
    status: Status,
    *,
    late_until: datetime | None = None,
    today: date,
    now: datetime,
) -> None:
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
            late_until=late_until,
            updated_at=now,
        )
        .on_conflict_do_update(
            constraint="uq_availability_entries_player_day",
            set_={
                "status": status,
                "looking_since": func.coalesce(Entry.looking_since, literal(now)) if looking_since else None,
                "committed_since": func.coalesce(Entry.committed_since, literal(now)) if committed_since else None,
                "late_until": late_until,
                # The same once more changes nothing, not even who answered first; nor does being late.
                "updated_at": case((Entry.status == status, Entry.updated_at), else_=now),
            },
            where=(Entry.status != status) | Entry.late_until.is_distinct_from(late_until),
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
    own: dict[date, tuple[Status, datetime | None]] = {}
    if viewer is not None:
        columns = (Entry.day, Entry.status, Entry.late_until)
        mine = select(*columns).where(Entry.day.between(first, last), Entry.player_id == viewer)
        own = {row.day: (row.status, row.late_until) for row in session.execute(mine)}
    return [
        DayView(day, StatusCounts.from_statuses(counts.get(day, {})), *own.get(day, (None, None)))
        for day in rules.days_between(first, last)
    ]


def list_days_with_names(session: Session, first: date, last: date) -> list[DayView]:
    """Read every day from `first` to `last` with all names; `DayView.for_viewer` makes it a viewer's."""
    rules.check_span(first, last)
    people: dict[date, dict[Status, list[ListedPlayer]]] = defaultdict(lambda: defaultdict(list))
    since = func.coalesce(Entry.looking_since, Entry.updated_at).label("since")
    rows = session.execute(
        select(Entry.day, Entry.status, Player.id, Player.name, since, Entry.late_until)
        .join(Player, Player.id == Entry.player_id)
        .where(Entry.day.between(first, last))
        .order_by(Entry.day, since, Player.id)
    )
    for row in rows:
        people[row.day][row.status].append(ListedPlayer(row.id, row.name, row.since, row.late_until))
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


def late_players(session: Session, day: date, *, now: datetime) -> dict[int, datetime]:
    """Return the players who are late for `day`, and until when."""
    rows = session.execute(select(Entry.player_id, Entry.late_until).where(Entry.day == day, Entry.late_until > now))
    return {row.player_id: row.late_until for row in rows}


def end_lateness(session: Session, day: date, player_ids: Sequence[int]) -> None:
    """Record that these players are late no more; what they said stays."""
    _change_lateness(session, day, Entry.player_id.in_(player_ids) & Entry.late_until.is_not(None), None)


def move_lateness(session: Session, day: date, until: datetime, *, after: datetime) -> None:
    """Move to `until` the players who are late until a moment after `after`."""
    _change_lateness(session, day, Entry.late_until > after, until)


def _change_lateness(session: Session, day: date, which: ColumnElement[bool], until: datetime | None) -> None:
    changed = session.execute(
        update(Entry)
        .where(Entry.day == day, which)
        .values(late_until=until)
        .returning(Entry.id)
        .execution_options(synchronize_session=False)
    ).all()
    if changed:
        db.notify(session, db.LIVE_CHANNEL, "board")
