"""Lets a player say that they come late tonight, and ends that when they arrive."""

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from slomix.accounts.models import User
from slomix.availability import rules as availability_rules
from slomix.availability import service as availability
from slomix.availability.rules import Status
from slomix.campaigns import queries, rules
from slomix.campaigns.models import Campaign
from slomix.campaigns.rules import EveningHours
from slomix.clock import local_day, moment_of
from slomix.config.settings import Settings
from slomix.jobs import service as jobs


def hours_of_day(session: Session, day: date, *, settings: Settings) -> EveningHours:
    """Return the hours of the day's campaign; without one, those that it would have by default."""
    return hours_of(session, queries.called_campaign(session, day), day, settings=settings)


def hours_of(session: Session, campaign: Campaign | None, day: date, *, settings: Settings) -> EveningHours:
    """Return the same for a campaign that was read already."""
    if campaign is not None:
        for check in jobs.jobs_of_subject(session, campaign.subject, [rules.VOICE_CHECK]):
            if check.deadline_at is not None:
                return EveningHours(campaign.start_at, check.deadline_at)
    start_at = moment_of(day, settings.start_time, settings.zone, settings.day_starts_at)
    return EveningHours(start_at, start_at + settings.voice_check_delay + rules.FOLLOWUP_GRACE)


def say_late(session: Session, player_id: int, day: date, *, settings: Settings, now: datetime) -> None:
    """Set a player to LOOKING for tonight, and late; a place in the queue stays.

    Raise PastDay, DayTooFar, LateIsForTonight or TooLateToBeLate.
    """
    today = local_day(now, settings.zone, settings.day_starts_at)
    availability_rules.check_day_open(day, today)
    if day != today:
        raise rules.LateIsForTonight
    until = rules.late_until(hours_of_day(session, day, settings=settings), now)
    availability.set_status(session, player_id, day, Status.LOOKING, late_until=until, settings=settings, now=now)


def follow_start(session: Session, day: date, *, settings: Settings, now: datetime) -> None:
    """Move the players who are late to the start that the day has now; if that has passed, to its deadline at most."""
    hours = hours_of_day(session, day, settings=settings)
    if now < hours.start_at:
        availability.move_lateness(session, day, rules.late_until(hours, now), after=now)
    else:
        availability.move_lateness(session, day, hours.until, after=hours.until)


def end_for_arrivals(session: Session, discord_ids: Collection[str], *, settings: Settings, now: datetime) -> None:
    """End the lateness of players who are in a gaming room once the evening has started."""
    day = local_day(now, settings.zone, settings.day_starts_at)
    late = availability.late_players(session, day, now=now)
    if not late or now < hours_of_day(session, day, settings=settings).start_at:
        return
    here = select(User.player_id).where(User.player_id.in_(late), User.discord_id.in_(discord_ids))
    availability.end_lateness(session, day, [player for player in session.scalars(here) if player is not None])
