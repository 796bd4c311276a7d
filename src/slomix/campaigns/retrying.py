"""Tries a campaign's messages once more, when its promoter asks for it."""

from datetime import datetime

from sqlalchemy.orm import Session

from slomix import words
from slomix.campaigns import queries, rules
from slomix.campaigns.models import Campaign
from slomix.campaigns.rules import CampaignStatus
from slomix.config.settings import Settings
from slomix.database import session as db
from slomix.deliveries import retrying
from slomix.deliveries.retrying import RetryChoices
from slomix.errors import Conflict
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus


class NothingToRetry(Conflict):
    """It is too late, somebody was quicker, or it would fail again at once."""

    def __init__(self) -> None:
        super().__init__(words.NOTHING_TO_RETRY)


class CampaignCancelled(Conflict):
    def __init__(self) -> None:
        super().__init__(words.CANCELLED_STAYS_SO)


def retry_choices(session: Session, campaign: Campaign, *, settings: Settings, now: datetime) -> RetryChoices:
    """What of it could be tried once more now."""
    if campaign.dry_run or campaign.status is CampaignStatus.CANCELLED:
        return retrying.NO_CHOICES
    return retrying.retry_choices(session, campaign.subject, settings=settings, now=now)


def retry_campaign(
    session: Session,
    campaign_id: int,
    *,
    player_id: int,
    is_admin: bool,
    unknown: bool,
    only: int | None = None,
    settings: Settings,
    now: datetime,
) -> tuple[Campaign, int]:
    """Begin anew what failed or, `unknown`, what may have arrived already: all of it, or `only` one delivery.

    Only its promoter or an admin. Returns the campaign and how many messages go out again. Raises NoSuchCampaign,
    IsCancelled or NothingToRetry.
    """
    campaign = session.get(Campaign, campaign_id, with_for_update=True, populate_existing=True)
    if campaign is None or (campaign.promoter_id != player_id and not is_admin):
        raise queries.NoSuchCampaign
    if campaign.status is CampaignStatus.CANCELLED:
        raise CampaignCancelled
    found = retry_choices(session, campaign, settings=settings, now=now)
    wanted = found.unknown if unknown else found.failed
    if only is not None:
        wanted = {one: notice for one, notice in wanted.items() if one == only}
    # The job that sees a notice through goes before what it sees through, as everywhere.
    failed = [job for job in _failed_jobs(session, campaign, now) if job.kind in wanted.values()]
    for job in failed:
        jobs.reopen(session, job.kind, [job.subject], run_at=now, deadline_at=job.deadline_at)
    number = retrying.retry_deliveries(session, campaign.subject, wanted, now=now)
    if not number:
        raise NothingToRetry
    status = queries.read_progress(session, campaign).status
    is_under_way = status is CampaignStatus.SCHEDULED and bool(failed)
    queries.record_status(session, campaign, CampaignStatus.RUNNING if is_under_way else status)
    db.notify(session, db.LIVE_CHANNEL, "campaign")
    return campaign, number


def _failed_jobs(session: Session, campaign: Campaign, now: datetime) -> list[Job]:
    """The jobs of reminder and start that told nobody, and may yet."""
    own = jobs.jobs_of_subject(session, campaign.subject, [rules.REMINDER, rules.START])
    return [one for one in own if one.status is JobStatus.FAILED and (one.deadline_at is None or one.deadline_at > now)]
