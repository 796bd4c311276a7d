"""Watches a campaign from shortly before its reminder until its voice check, and warns its promoter once."""

from datetime import timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from slomix.campaigns import queries, risk, risk_facts, rules
from slomix.campaigns.models import Campaign
from slomix.campaigns.notices.warnings import AT_RISK
from slomix.campaigns.rules import CampaignStatus
from slomix.clock import wall_now
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.jobs import service as jobs
from slomix.jobs.rules import Done, JobStatus, Outcome, Snooze
from slomix.jobs.runner import JobContext, TransactionHandler
from slomix.reasons.codes import Explanation, Reason

log = structlog.get_logger()

# Wall time, as the risks are about processes.
INTERVAL = timedelta(seconds=15)
GRACE = timedelta(seconds=30)


class RiskMonitor(TransactionHandler):
    """`campaign_watch`: looks every 15 s, until the voice check is over or its warning was sent."""

    def work(self, context: JobContext) -> Outcome:
        session, job, now, settings = context.session, context.job, context.now, context.runtime.settings
        campaign = queries.campaign_of_subject(session, job.subject)
        if campaign.status is CampaignStatus.CANCELLED:
            return Done(JobStatus.SKIPPED, Explanation(Reason.WITHDRAWN))
        if context.is_past_deadline or _is_over(session, campaign):
            return Done()
        warnings = _warnings(session, campaign)
        if any(status.is_settled and reason != Explanation(Reason.DANGER_IS_OVER) for status, reason in warnings):
            return Done()
        wall = wall_now()
        found = risk_facts.assess_risks(session, campaign, settings=settings, now=now, wall=wall)
        since = (campaign.endangered_since or wall) if found else None
        if since != campaign.endangered_since:
            queries.record_danger(session, campaign, since)
        is_on_its_way = any(not status.is_settled for status, _ in warnings)
        if is_on_its_way or not risk.is_lasting(found, wall - since if since is not None else None, GRACE):
            return Snooze(INTERVAL)
        # An earlier warning that was skipped, as the danger had passed, does not count: this is the next.
        number, until = len(warnings) + 1, job.deadline_at
        AT_RISK.plan(session, campaign, number=number, deadline_at=until, settings=settings, now=now)
        log.warning("campaign.at_risk", campaign=campaign.id, risks=[danger.kind for danger in found])
        return Snooze(INTERVAL)


def _warnings(session: Session, campaign: Campaign) -> list[tuple[DeliveryStatus, Explanation | None]]:
    """Return the status and reason of each warning so far."""
    theirs = (Delivery.subject == campaign.subject) & (Delivery.notice == rules.AT_RISK)
    return [(row.status, row.reason) for row in session.execute(select(Delivery.status, Delivery.reason).where(theirs))]


def _is_over(session: Session, campaign: Campaign) -> bool:
    """Return whether start and voice check are over, so that a warning comes too late."""
    own = jobs.jobs_of_subject(session, campaign.subject, [rules.START, rules.VOICE_CHECK])
    return all(job.status.is_over for job in own)
