"""Retries and cancels jobs by hand, for the pages and the command line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from slomix.accounts import service as accounts
from slomix.accounts.rules import LinkAction
from slomix.campaigns import queries as campaigns
from slomix.campaigns import retrying as campaign_retrying
from slomix.campaigns import rules as campaign_rules
from slomix.campaigns.models import Campaign
from slomix.campaigns.retrying import CampaignCancelled, NothingToRetry
from slomix.campaigns.rules import CampaignStatus, campaign_of
from slomix.campaigns.states import STATE_NAMES
from slomix.config.settings import Settings
from slomix.database import session as db
from slomix.deliveries import retrying
from slomix.deliveries.models import Delivery
from slomix.deliveries.retrying import RetryChoices
from slomix.deliveries.rules import DeliveryStatus
from slomix.deliveries.service import JOB_KIND
from slomix.errors import Conflict, NotFound
from slomix.i18n import N_, _
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.reasons.codes import Explanation, Reason

log = structlog.get_logger()

# The jobs that send a campaign's messages: cancelling one cancels its messages too.
WITH_MESSAGES = (campaign_rules.REMINDER, campaign_rules.START, campaign_rules.VOICE_CHECK)


class NoSuchJob(NotFound):
    sentence = N_("There is no such job.")


class JobRunning(Conflict):
    sentence = N_("A worker is on this job right now. Try again in a moment.")


class JobNotPending(Conflict):
    def __init__(self, status: JobStatus) -> None:
        super().__init__(
            _("This job is over ({status}): there’s nothing left to cancel.").format(status=STATE_NAMES[status])
        )


class JobNotFailed(Conflict):
    def __init__(self, status: JobStatus) -> None:
        super().__init__(
            _("Only failed jobs can be retried; this one is: {status}.").format(status=STATE_NAMES[status])
        )


class PastDeadline(Conflict):
    sentence = N_("It’s too late for this: its deadline has passed.")


class MayArriveTwice(Conflict):
    """Raised when the message may have arrived already and the operator hasn't accepted a second one."""

    sentence = N_("It may have arrived already, and would then arrive twice. Confirm it.")


class AlreadyJudged(Conflict):
    sentence = N_("This voice check already said that attendance is unknown, so it isn’t repeated.")


@dataclass(frozen=True)
class JobTarget:
    """A job, the delivery that it carries and the campaign that it belongs to, if any."""

    job: Job
    delivery: Delivery | None
    campaign: Campaign | None

    @property
    def subject(self) -> str:
        """Return the subject of the delivery, else of the job."""
        return self.delivery.subject if self.delivery is not None else self.job.subject

    @property
    def is_unknown(self) -> bool:
        """Check whether the delivery may have arrived already."""
        return self.delivery is not None and self.delivery.status is DeliveryStatus.UNKNOWN


def find_target(session: Session, job_id: int, *, lock: bool = False) -> JobTarget:
    """Find a job with its delivery and campaign. Raise NoSuchJob.

    `lock` locks the campaign, which is locked before jobs and deliveries everywhere.
    """
    job = session.get(Job, job_id, populate_existing=True)
    if job is None:
        raise NoSuchJob
    delivery = session.get(Delivery, int(job.subject), populate_existing=True) if job.kind == JOB_KIND else None
    subject = delivery.subject if delivery is not None else job.subject
    campaign_id = campaign_of(subject)
    if campaign_id is None:
        return JobTarget(job, delivery, None)
    # Read again under the lock: another admin may have cancelled it since the page was made.
    campaign = session.get(Campaign, campaign_id, with_for_update=lock or None, populate_existing=lock)
    return JobTarget(job, delivery, campaign)


def job_of_delivery(session: Session, delivery_id: int) -> Job | None:
    """Return the job that carries this delivery."""
    return session.scalars(select(Job).where(Job.kind == JOB_KIND, Job.subject == str(delivery_id))).one_or_none()


def check_retriable(session: Session, target: JobTarget, *, settings: Settings, now: datetime) -> None:
    """Raise the reason why this job cannot be retried."""
    job = target.job
    if job.status is not JobStatus.FAILED:
        raise JobNotFailed(job.status)
    if job.deadline_at is not None and job.deadline_at <= now:
        raise PastDeadline
    if target.campaign is not None and target.campaign.status is CampaignStatus.CANCELLED:
        raise CampaignCancelled
    if job.kind == campaign_rules.VOICE_CHECK and target.campaign is not None and target.campaign.judged_at:
        raise AlreadyJudged
    if job.kind == JOB_KIND:
        found = _chances(session, target, settings=settings, now=now)
        if target.delivery is None or target.delivery.id not in {**found.failed, **found.unknown}:
            raise NothingToRetry


def retry_job(
    session: Session, job_id: int, *, may_arrive_twice: bool, settings: Settings, now: datetime, by: str
) -> JobTarget:
    """Make a failed job pending again, with all its attempts and the deadline it had.

    A job that carries a message restarts together with it, as when its promoter retries it. Raise the reason when it is
    not failed, too late, cancelled or pointless; MayArriveTwice when `may_arrive_twice` is missing.
    """
    target = find_target(session, job_id, lock=True)
    check_retriable(session, target, settings=settings, now=now)
    if target.is_unknown and not may_arrive_twice:
        raise MayArriveTwice
    if target.delivery is None:
        _retry_job(session, target, settings=settings, now=now)
    elif target.campaign is not None:
        campaign_retrying.retry_campaign(
            session,
            target.campaign.id,
            player_id=0,
            is_admin=True,
            by=by,
            unknown=target.is_unknown,
            only=target.delivery.id,
            settings=settings,
            now=now,
        )
    elif not retrying.retry_deliveries(session, target.subject, [target.delivery.id], now=now):
        raise NothingToRetry
    _record(session, LinkAction.JOB_RETRIED, target.job, by, now, old=JobStatus.FAILED, new=JobStatus.PENDING)
    log.warning("job.retried_by_hand", job=target.job.id, kind=target.job.kind, by=by)
    return target


def _chances(session: Session, target: JobTarget, *, settings: Settings, now: datetime) -> RetryChoices:
    if target.campaign is not None:
        return campaign_retrying.retry_choices(session, target.campaign, settings=settings, now=now)
    return retrying.retry_choices(session, target.subject, settings=settings, now=now)


def _retry_job(session: Session, target: JobTarget, *, settings: Settings, now: datetime) -> None:
    job, campaign = target.job, target.campaign
    still_failed = select(Job.id).where(Job.id == job.id, Job.status == JobStatus.FAILED)
    if session.scalar(still_failed.with_for_update()) is None:
        raise JobNotFailed(_status_now(session, job.id))
    jobs.reopen(session, job.kind, [job.subject], run_at=now, deadline_at=job.deadline_at)
    if campaign is None:
        return
    found = _chances(session, target, settings=settings, now=now)
    theirs = [delivery_id for delivery_id, notice in found.failed.items() if notice == job.kind]
    retrying.retry_deliveries(session, campaign.subject, theirs, now=now)
    status = campaigns.read_progress(session, campaign).status
    is_under_way = status is CampaignStatus.SCHEDULED and job.kind in WITH_MESSAGES
    campaigns.record_status(session, campaign, CampaignStatus.RUNNING if is_under_way else status)
    db.notify(session, db.LIVE_CHANNEL, "campaign")


def check_pending(target: JobTarget) -> None:
    """Raise the reason why this job can no longer be cancelled."""
    if target.job.status is JobStatus.RUNNING:
        raise JobRunning
    if target.job.status.is_over:
        raise JobNotPending(target.job.status)


def cancel_job(session: Session, job_id: int, *, now: datetime, by: str) -> int:
    """Skip a pending job, settle its messages in the same transaction, and return how many those are.

    A message whose earlier attempt got no answer becomes `unknown`: it may have arrived. A message that a worker is
    sending now leaves. Raise JobRunning or JobNotPending.
    """
    target = find_target(session, job_id, lock=True)
    check_pending(target)
    carried = _carried(session, target)
    # Don't wait for running jobs: their worker may be waiting for the campaign that is locked here.
    ours = (Job.id == job_id) | (
        (Job.kind == JOB_KIND) & Job.subject.in_([str(delivery_id) for delivery_id in carried])
    )
    query = select(Job).where(ours, Job.status == JobStatus.PENDING).order_by(Job.id)
    locked = list(session.scalars(query.with_for_update().execution_options(populate_existing=True)))
    if job_id not in {job.id for job in locked}:
        status = _status_now(session, job_id)
        raise JobRunning if status is JobStatus.RUNNING else JobNotPending(status)
    reason = Explanation(Reason.CANCELLED_BY_OPERATOR)
    for job in locked:
        job.status, job.reason, job.finished_at = JobStatus.SKIPPED, reason, now
    _settle(session, [int(job.subject) for job in locked if job.kind == JOB_KIND], now)
    session.flush()
    if target.campaign is not None:
        campaigns.refresh_status(session, target.campaign)
    db.notify(session, db.LIVE_CHANNEL, "deliveries campaign")
    db.notify(session, db.JOBS_CHANNEL)
    _record(session, LinkAction.JOB_CANCELLED, target.job, by, now, old=JobStatus.PENDING, new=JobStatus.SKIPPED)
    log.warning("job.cancelled_by_hand", job=job_id, kind=target.job.kind, messages=len(locked) - 1, by=by)
    return len(locked) - 1


def _carried(session: Session, target: JobTarget) -> Sequence[int]:
    """Return the deliveries that are cancelled together with this job."""
    if target.delivery is not None:
        return [target.delivery.id]
    if target.campaign is None or target.job.kind not in WITH_MESSAGES:
        return []
    of_notice = (Delivery.subject == target.job.subject) & (Delivery.notice == target.job.kind)
    unsettled = Delivery.status.in_([status for status in DeliveryStatus if not status.is_settled])
    return session.scalars(select(Delivery.id).where(of_notice, unsettled)).all()


def _settle(session: Session, delivery_ids: Sequence[int], now: datetime) -> None:
    query = select(Delivery).where(Delivery.id.in_(delivery_ids)).order_by(Delivery.id).with_for_update()
    for row in session.scalars(query.execution_options(populate_existing=True)):
        if row.status is DeliveryStatus.SENDING:
            row.status = DeliveryStatus.UNKNOWN
            seen = row.reason or Explanation(Reason.ANSWER_NOT_SEEN)
            row.reason = seen.followed_by(Reason.CANCELLED_BY_OPERATOR)
        elif row.status is DeliveryStatus.PENDING:
            row.status, row.reason = DeliveryStatus.SKIPPED, Explanation(Reason.CANCELLED_BY_OPERATOR)
        row.settled_at = row.settled_at or now


def _status_now(session: Session, job_id: int) -> JobStatus:
    found = session.scalar(select(Job.status).where(Job.id == job_id))
    if found is None:
        raise NoSuchJob
    return found


def _record(
    session: Session, action: LinkAction, job: Job, by: str, now: datetime, *, old: JobStatus, new: JobStatus
) -> None:
    accounts.record_action(
        session, action, actor=by, now=now, job=job.id, kind=job.kind, subject=job.subject, old=old, new=new
    )
