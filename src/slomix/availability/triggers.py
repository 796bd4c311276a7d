"""What a day's statuses trigger: a session is ready, so many are looking, a player has not answered yet.

Each is a job with a key of its own, so it is set off once, however often it is noticed.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from slomix.availability.models import Entry
from slomix.availability.rules import Status
from slomix.clock import moment_of
from slomix.config.settings import Settings
from slomix.contacts.models import StoredPreferences
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.jobs.service import NewJob
from slomix.reasons.codes import Explanation, Reason

SESSION_READY = "session_ready"
# Edits the messages of SESSION_READY while that is not true, and when it is true again.
READY_EDITS = "session_ready_edits"
LOOKING = "looking"
DAILY_REMINDER = "daily_reminder"

# Players are not told in the night that tonight will be a game night.
EARLIEST_NOTICE = time(10)
# For so long a change of a status can be undone; nothing that follows from it leaves before.
UNDO_FOR = timedelta(seconds=10)
# A reminder that could not be sent by then is no reminder any more.
REMINDER_LIFETIME = timedelta(hours=2)


def check_thresholds(session: Session, today: date, *, settings: Settings, now: datetime) -> None:
    """Schedule the messages for which enough players are LOOKING today.

    Counted under a lock of the day's own: of the fifth and the sixth at the same moment one counts six.
    """
    session.execute(select(func.pg_advisory_xact_lock(today.toordinal())))
    looking = count_looking(session, today)
    until = moment_of(today, settings.start_time, settings.zone, settings.day_starts_at)
    since = max(now + UNDO_FOR, moment_of(today, EARLIEST_NOTICE, settings.zone, settings.day_starts_at))
    if since >= until:
        return
    wanted = [NewJob(LOOKING, f"{today}:n={number}", since, until) for number in _thresholds(session, looking)]
    if looking >= settings.ready_threshold:
        wanted.append(NewJob(SESSION_READY, f"{today}:threshold={settings.ready_threshold}", since, until))
    jobs.schedule(session, wanted, now=now)
    _reopen_undone(session, wanted)


def _reopen_undone(session: Session, wanted: Sequence[NewJob]) -> None:
    """Reopen the jobs that found their reason undone: nothing was sent, so nothing has happened yet."""
    undone = (Job.status == JobStatus.SKIPPED) & (Job.reason == Explanation(Reason.NOT_SO_MANY_ANY_MORE))
    for job in wanted:
        this = (Job.kind == job.kind) & (Job.subject == job.subject)
        if session.scalar(select(exists().where(this, undone))):
            jobs.reopen(session, job.kind, [job.subject], run_at=job.run_at, deadline_at=job.deadline_at)


def begin_day(session: Session, today: date, *, settings: Settings, now: datetime) -> None:
    """Schedule a new day's reminder, and whatever the statuses set in advance trigger already."""
    at = moment_of(today, settings.daily_reminder_time, settings.zone, settings.day_starts_at)
    jobs.schedule(session, [NewJob(DAILY_REMINDER, today.isoformat(), at, at + REMINDER_LIFETIME)], now=now)
    check_thresholds(session, today, settings=settings, now=now)


def edit_after_change(session: Session, day: date, *, now: datetime) -> None:
    """Have the day's messages looked at when the change of a status just made cannot be undone any more."""
    session.execute(
        update(Job)
        .where(
            Job.kind == READY_EDITS,
            Job.subject.startswith(f"{day}:"),
            Job.status.in_([JobStatus.PENDING, JobStatus.RUNNING]),
        )
        .values(run_at=now + UNDO_FOR)
        .execution_options(synchronize_session=False)
    )


def count_looking(session: Session, day: date) -> int:
    """Count the players who are LOOKING on a day."""
    looking = (Entry.day == day) & (Entry.status == Status.LOOKING)
    return session.scalar(select(func.count()).select_from(Entry).where(looking)) or 0


def settled_at(session: Session, day: date, number: int) -> datetime | None:
    """Return when so many players have been LOOKING for longer than they can undo it; None if they are fewer."""
    looking = (Entry.day == day) & (Entry.status == Status.LOOKING)
    since = select(Entry.looking_since).where(looking).order_by(Entry.looking_since).offset(number - 1).limit(1)
    found = session.scalar(since)
    return found + UNDO_FOR if found is not None else None


def _thresholds(session: Session, looking: int) -> list[int]:
    """Return the thresholds in players' preferences that are reached."""
    waited_for = StoredPreferences.looking_threshold.between(1, looking)
    return list(session.scalars(select(StoredPreferences.looking_threshold).where(waited_for).distinct()))
