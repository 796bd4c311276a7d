"""Gathers the facts by which `risk` decides whether tonight is at risk."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from slomix.campaigns import risk, rules
from slomix.campaigns.models import Campaign, Recipient
from slomix.campaigns.risk import Risk, RiskFacts
from slomix.config.settings import Settings
from slomix.contacts.models import Contact
from slomix.contacts.rules import ChannelName
from slomix.deliveries import pausing
from slomix.deliveries.models import Attempt, Delivery
from slomix.deliveries.rules import AttemptEvent, DeliveryStatus
from slomix.deliveries.service import JOB_KIND
from slomix.health import service as health
from slomix.health.rules import PartHealth
from slomix.jobs.late import late_jobs
from slomix.presence.models import Observation
from slomix.presence.rules import VoiceSnapshot
from slomix.presence.service import VOICE

# Older failures say nothing of tonight; the last tries of each channel are looked for among so many.
RECENT, MAX_ATTEMPTS = timedelta(minutes=30), 200
# The jobs that send messages.
NOTIFYING_KINDS = (JOB_KIND, *rules.JOB_KINDS)


def assess_risks(
    session: Session,
    campaign: Campaign | None,
    *,
    parts: list[PartHealth] | None = None,
    settings: Settings,
    now: datetime,
    wall: datetime,
) -> list[Risk]:
    """Return the risks now; `parts` saves a query if the caller has read them already."""
    recipients, unreachable = _recipients(session, campaign, settings) if campaign is not None else (0, 0)
    return risk.find_risks(
        RiskFacts(
            is_paused=pausing.current_pause(session) is not None,
            parts=_parts(session, settings, wall) if parts is None else parts,
            failing=failing_channels(session, settings=settings, now=now),
            late=late_jobs(session, now=now, wall=wall, after=risk.LATE_AFTER, kinds=NOTIFYING_KINDS).number,
            is_voice_known=_is_voice_known(session, settings, now) if campaign is not None else None,
            recipients=recipients,
            unreachable=unreachable,
        )
    )


def presence_seen_at(session: Session) -> datetime | None:
    """Return when the voice rooms were last seen."""
    return session.scalar(select(Observation.observed_at).where(Observation.source == VOICE))


def failing_channels(session: Session, *, settings: Settings, now: datetime) -> list[ChannelName]:
    """Return the enabled channels whose last tries in the last half hour, to several recipients, all failed."""
    latest = (
        select(Attempt.delivery_id, Attempt.status, Attempt.at, Attempt.id)
        .where(Attempt.event == AttemptEvent.ENDED)
        .order_by(Attempt.id.desc())
        .limit(MAX_ATTEMPTS)
        .subquery()
    )
    number = func.row_number().over(partition_by=Delivery.channel, order_by=latest.c.id.desc())
    numbered = (
        select(Delivery.channel, latest.c.delivery_id, latest.c.status, number.label("number"))
        .join(Delivery, Delivery.id == latest.c.delivery_id)
        # A player whose own contact does not work says nothing of the channel.
        .outerjoin(Contact, (Contact.player_id == Delivery.player_id) & (Contact.channel == Delivery.channel))
        .where(latest.c.at > now - RECENT, Contact.unusable_since.is_(None))
        .subquery()
    )
    rows = session.execute(
        select(numbered.c.channel)
        .where(numbered.c.number <= risk.FAILURES)
        .group_by(numbered.c.channel)
        .having(
            func.count(numbered.c.delivery_id.distinct()) >= risk.FAILURES,
            func.bool_and(numbered.c.status != DeliveryStatus.SENT),
        )
    )
    found = {row.channel for row in rows}
    return [channel for channel in ChannelName if channel in found and channel in settings.channels_on]


def _parts(session: Session, settings: Settings, wall: datetime) -> list[PartHealth]:
    """Return the health of the parts that are needed to send tonight's messages and see who came."""
    needed = health.parts_needed_tonight(health.part_healths(session, health.expected_parts(settings), wall=wall))
    return [*needed, *health.outage_healths(session, settings)]


def _is_voice_known(session: Session, settings: Settings, now: datetime) -> bool | None:
    if not (settings.voice_check_enabled and settings.discord_bot_token.get_secret_value()):
        return None
    return VoiceSnapshot(presence_seen_at(session), {}).is_fresh(now, settings.presence_max_age)


def _recipients(session: Session, campaign: Campaign, settings: Settings) -> tuple[int, int]:
    """Count the recipients, and those of them without a working contact."""
    theirs = (Contact.player_id == Recipient.player_id) & Contact.channel.in_(settings.channels_on)
    works = select(Contact.id).where(theirs, Contact.unusable_since.is_(None)).exists()
    row = session.execute(
        select(func.count(), func.count().filter(~works)).where(Recipient.campaign_id == campaign.id)
    ).one()
    return row[0], row[1]
