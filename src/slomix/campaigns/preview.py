"""Previews a campaign: who would be asked, who is left out and why, and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from slomix.accounts import service as accounts
from slomix.availability import service as availability
from slomix.campaigns import rules
from slomix.campaigns.rules import Audience, Candidate, LeftOut, NoticeTimes, Timeline
from slomix.clock import moment_of
from slomix.config.settings import Settings
from slomix.contacts import service as contacts
from slomix.contacts.rules import ChannelName


@dataclass(frozen=True)
class Preview:
    """Who would be asked, who not and why, and when."""

    asked: list[Candidate]
    left_out: list[LeftOut]
    names: Mapping[int, str]
    channels: Mapping[int, ChannelName]
    timeline: Timeline


def times_of(settings: Settings) -> NoticeTimes:
    """Return the configured distances between the moments of an evening."""
    day = date(2000, 1, 1)  # any day without a clock change
    start, reminder = (
        moment_of(day, at, settings.zone, settings.day_starts_at)
        for at in (settings.start_time, settings.reminder_time)
    )
    return NoticeTimes(reminder_lead=start - reminder, voice_check_delay=settings.voice_check_delay)


def preview(
    session: Session, audience: Audience, *, day: date, start_at: datetime, settings: Settings, now: datetime
) -> Preview:
    """Return what calling the evening together would do now. Raise TooLate when it is too late for tonight."""
    timeline = rules.plan_timeline(start_at, now, times_of(settings))
    statuses = availability.statuses_of_day(session, day)
    reaches = contacts.reachability_of(session, statuses, settings=settings)
    moments = [moment.at for moment in (timeline.reminder, timeline.start) if moment.skipped is None]
    asked, left_out = rules.choose_recipients(statuses, reaches, audience, moments)
    return Preview(
        asked=asked,
        left_out=left_out,
        names=accounts.player_names(session, statuses),
        channels={recipient.player_id: reaches[recipient.player_id].first_channel for recipient in asked},
        timeline=timeline,
    )
