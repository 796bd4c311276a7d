"""Plans what keeps an evening's message and event up to date, and wakes it when something has changed."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from slomix.availability.triggers import EARLIEST_NOTICE, UNDO_FOR
from slomix.clock import moment_of
from slomix.config.settings import Settings
from slomix.contacts.rules import ChannelName
from slomix.evening import rules
from slomix.evening.models import EveningEvent, EveningMessage
from slomix.jobs import service as jobs
from slomix.jobs.rules import UNLIMITED
from slomix.jobs.service import NewJob

MESSAGE = "evening_message"
EVENT = "scheduled_event"
KINDS = frozenset({MESSAGE, EVENT})
# What pages hear of, and what changes no evening.
UNRELATED = frozenset({"deliveries", "evening"})


@dataclass(frozen=True)
class Hours:
    """An evening's moments: players are told from `opens_at` on, until the day `ends_at`; later it is closed."""

    opens_at: datetime
    ends_at: datetime
    closes_at: datetime


def hours_of(day: date, settings: Settings) -> Hours:
    """Return the moments of an evening."""
    morning = day + timedelta(days=1)
    return Hours(
        opens_at=moment_of(day, EARLIEST_NOTICE, settings.zone, settings.day_starts_at),
        ends_at=moment_of(morning, settings.day_starts_at, settings.zone),
        closes_at=moment_of(morning, rules.CLOSES_AT, settings.zone),
    )


def plan_evening(session: Session, day: date, *, settings: Settings, now: datetime) -> None:
    """Schedule what keeps this day's message and event up to date, once, as far as they are switched on."""
    switches = ((MESSAGE, settings.evening_message_enabled), (EVENT, settings.scheduled_event_enabled))
    planned = [
        NewJob(kind, day.isoformat(), now, max_attempts=UNLIMITED, lane=ChannelName.DISCORD)
        for kind, is_on in switches
        if is_on
    ]
    jobs.schedule(session, planned, now=now)


def is_on(settings: Settings) -> bool:
    """Return whether anything is kept up to date."""
    return settings.evening_message_enabled or settings.scheduled_event_enabled


def wake(session: Session, *, now: datetime) -> None:
    """Have it looked at what has changed, as soon as a change that was made just now can no longer be undone."""
    jobs.bring_forward(session, KINDS, run_at=now + UNDO_FOR)


def message_of(session: Session, day: date) -> EveningMessage | None:
    """Return what is known of a day's message."""
    return session.get(EveningMessage, day)


def event_of(session: Session, day: date) -> EveningEvent | None:
    """Return what is known of a day's event."""
    return session.get(EveningEvent, day)
