"""Retries a campaign's messages when its promoter asks for it."""

from datetime import datetime

from sqlalchemy.orm import Session

from slomix.accounts.rules import LinkAction
from slomix.campaigns import queries, rules
from slomix.campaigns.models import Campaign
from slomix.campaigns.rules import CampaignStatus
from slomix.config.settings import Settings
from slomix.database import session as db
from slomix.deliveries import retrying
from slomix.deliveries.retrying import RetryChoices
from slomix.errors import Conflict
from slomix.i18n import N_
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus


class NothingToRetry(Conflict):
    """Raised when it is too late, another retry was quicker, or a retry would fail at once."""

    sentence = N_("Nothing to retry: it’s on its way, it’s too late, or there’s no working contact.")


class CampaignCancelled(Conflict):
    sentence = N_("This campaign is cancelled, so nothing more goes out.")


def retry_choices(session: Session, campaign: Campaign, *, settings: Settings, now: datetime) -> RetryChoices:
    """Return which of the campaign's deliveries could be retried now."""
    if campaign.dry_run or campaign.status is CampaignStatus.CANCELLED:
        return retrying.NO_CHOICES
    return retrying.retry_choices(session, campaign.subject, settings=settings, now=now)


def retry_campaign(
    session: Session,
    campaign_id: int,
    *,
    player_id: int,
    is_admin: bool,
    by: str | None = None,
    unknown: bool,
    only: int | None = None,
    settings: Settings,
    now: datetime,
) -> tuple[Campaign, int]:
    """Retry what failed or, with `unknown`, what may have arrived already: all of it, or `only` this delivery.

    Only its promoter or an admin may. Return the campaign and how many messages go out again. Raise NoSuchCampaign,
    CampaignCancelled or NothingToRetry.
    """
    campaign = session.get(Campaign, campaign_id, with_for_update=True, populate_existing=True)
    if campaign is None or (campaign.promoter_id != player_id and not is_admin):
        raise queries.NoSuchCampaign
    if campaign.status is CampaignStatus.CANCELLED:
        raise CampaignCancelled
    found = retry_choices(session, campaign, settings=settings, now=now)
    wanted = found.unknown if unknown else found.failed
    if only is not None:
        wanted = {delivery_id: notice for delivery_id, notice in wanted.items() if delivery_id == only}
    # Jobs before deliveries, as everywhere: the notice's own job first.
    failed = [job for job in _failed_jobs(session, campaign, now) if job.kind in wanted.values()]
    for job in failed:
        jobs.reopen(session, job.kind, [job.subject], run_at=now, deadline_at=job.deadline_at)
    number = retrying.retry_deliveries(session, campaign.subject, wanted, now=now)
    if not number:
        raise NothingToRetry
    queries.record_if_not_own(session, campaign, LinkAction.CAMPAIGN_RETRIED, player_id, by, f"{number} again", now=now)
    status = queries.read_progress(session, campaign).status
    is_under_way = status is CampaignStatus.SCHEDULED and bool(failed)
    queries.record_status(session, campaign, CampaignStatus.RUNNING if is_under_way else status)
    db.notify(session, db.LIVE_CHANNEL, "campaign")
    return campaign, number


def _failed_jobs(session: Session, campaign: Campaign, now: datetime) -> list[Job]:
    """Return the failed jobs of reminder and start whose deadline has not passed."""
    own = jobs.jobs_of_subject(session, campaign.subject, [rules.REMINDER, rules.START])
    return [job for job in own if job.status is JobStatus.FAILED and (job.deadline_at is None or job.deadline_at > now)]
