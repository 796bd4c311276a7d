"""Counts who came: who was seen in a gaming room between the start and the voice check's deadline, of those told.

It is counted twice, by the voice check and at its deadline, and then never again: no status, link or preference of a
later moment changes what was.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from slomix.accounts.models import User
from slomix.campaigns import late, queries, rules, voice_rules
from slomix.campaigns.models import Campaign, Recipient, subject_column
from slomix.campaigns.notices import calls, summary
from slomix.campaigns.rules import CampaignStatus
from slomix.channels.base import Message, SendError
from slomix.config.settings import Settings
from slomix.database import session as db
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import Done, JobStatus, Outcome, Retry
from slomix.jobs.runner import Handler, JobContext
from slomix.jobs.service import NewJob
from slomix.presence import places
from slomix.presence import service as presence
from slomix.presence.rules import VoiceStatus
from slomix.reasons.codes import Explanation, Reason
from slomix.runtime.context import Runtime

log = structlog.get_logger()


def record_arrivals(session: Session, rooms: Mapping[str, str], *, settings: Settings, now: datetime) -> None:
    """Record which recipients of campaigns that are being counted are in a gaming room for the first time.

    Whoever is there is late no more.
    """
    places_of_play = places.rooms(settings)
    here = [who for who, room in rooms.items() if places_of_play.voice_status(room) is VoiceStatus.HERE]
    if not here:
        return
    late.end_for_arrivals(session, here, settings=settings, now=now)
    check = (Job.kind == rules.VOICE_CHECK) & (Job.subject == subject_column(Recipient.campaign_id))
    session.execute(
        update(Recipient)
        .where(
            Recipient.seen_at.is_(None),
            Recipient.campaign_id == Campaign.id,
            Campaign.start_at <= now,
            Campaign.start_at > now - rules.START_CUTOFF - rules.FOLLOWUP_GRACE * 2,
            Campaign.status != CampaignStatus.CANCELLED,
            check,
            Job.deadline_at > now,
            User.player_id == Recipient.player_id,
            User.discord_id.in_(here),
        )
        .values(seen_at=now)
        .execution_options(synchronize_session=False)
    )


def count(session: Session, campaign: Campaign) -> None:
    """Count who has been seen so far, of those who were told."""
    recipients = queries.recipients_of(session, campaign)
    players = [recipient.player_id for recipient in recipients]
    told = calls.START.reached(session, campaign, players)
    invited = calls.invited(session, campaign, players)
    for recipient in recipients:
        player_id = recipient.player_id
        recipient.came = voice_rules.attended(
            recipient.seen_at is not None, was_told=player_id in told, was_invited=player_id in invited
        )
    campaign.came = sum(recipient.came is True for recipient in recipients)
    campaign.counted = sum(recipient.came is not None for recipient in recipients)


def schedule_final_count(session: Session, campaign: Campaign, *, at: datetime | None, now: datetime) -> None:
    """Schedule the count at the voice check's deadline, once."""
    if at is not None:
        jobs.schedule(session, [NewJob(rules.ATTENDANCE, campaign.subject, at)], now=now)


@dataclass(frozen=True)
class Edit:
    """The posted summary, and what it says from now on."""

    room: str
    message_id: str
    message: Message


class FinalCount(Handler[Edit, SendError | None]):
    """`attendance`: counts who came, for good, and edits the posted summary into that."""

    def begin(self, context: JobContext) -> Edit | Outcome:
        session, settings = context.session, context.runtime.settings
        campaign = queries.campaign_of_subject(session, context.job.subject)
        if campaign.status is CampaignStatus.CANCELLED:
            return Done(JobStatus.SKIPPED, Explanation(Reason.WITHDRAWN))
        if campaign.counted_at is None and not _count_for_good(session, campaign, settings, context.now):
            return Done(JobStatus.SKIPPED, Explanation(Reason.VOICE_NO_LONGER_KNOWN))
        row = session.scalars(_posted(campaign)).first()
        if row is None or row.message_id is None or row.destination is None:
            return Done()
        return Edit(row.destination, row.message_id, summary.final_message(session, campaign, settings, context.now))

    def act(self, runtime: Runtime, edit: Edit) -> SendError | None:
        if runtime.room_editor is None:
            return None
        try:
            runtime.room_editor.edit(edit.room, edit.message_id, edit.message)
        except SendError as error:
            return error
        return None

    def finish(self, context: JobContext, error: SendError | None) -> Outcome:
        if error is None:
            return Done()
        log.info("attendance.not_edited", subject=context.job.subject, error=str(error))
        if error.permanent:
            return Done(JobStatus.FAILED, error.reason)
        return Retry(error.reason, error.retry_after)


def _count_for_good(session: Session, campaign: Campaign, settings: Settings, now: datetime) -> bool:
    """Count, unless a player is missing and the rooms are not being watched: then they may have come unseen."""
    recipients = queries.recipients_of(session, campaign)
    is_complete = all(recipient.seen_at is not None for recipient in recipients)
    if not is_complete and not presence.latest_snapshot(session).is_fresh(now, settings.presence_max_age):
        return False
    count(session, campaign)
    campaign.counted_at = now
    db.notify(session, db.LIVE_CHANNEL, "campaign")
    return True


def _posted(campaign: Campaign) -> Select[Delivery]:
    is_posted = (Delivery.notice == rules.SUMMARY) & (Delivery.status == DeliveryStatus.SENT)
    return select(Delivery).where(Delivery.subject == campaign.subject, is_posted)
