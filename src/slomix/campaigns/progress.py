"""The jobs of a campaign that wait until the deliveries of a notice are settled."""

from sqlalchemy.orm import Session

from slomix.availability import service as availability
from slomix.campaigns import queries, rules, service
from slomix.campaigns.models import Campaign
from slomix.campaigns.notices import dry_run
from slomix.campaigns.notices.calls import Call
from slomix.campaigns.notices.summary import SUMMARY
from slomix.campaigns.rules import CampaignStatus
from slomix.contacts import service as contacts
from slomix.deliveries import service as deliveries
from slomix.deliveries.rules import DeliveryStatus
from slomix.deliveries.service import NotificationState
from slomix.jobs import service as jobs
from slomix.jobs.rules import Done, JobStatus, Outcome, Wait
from slomix.jobs.runner import JobContext, TransactionHandler
from slomix.reasons.codes import Explanation, Reason

CANCELLED = Done(JobStatus.SKIPPED, Explanation(Reason.WITHDRAWN))


class NoticeProgress(TransactionHandler):
    """`send_reminder_2045` and `send_start_2100`: waits until the notice's deliveries are settled."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def work(self, context: JobContext) -> Outcome:
        session = context.session
        campaign = queries.campaign_of_subject(session, context.job.subject)
        if campaign.status is CampaignStatus.CANCELLED:
            return CANCELLED
        if self._call.name == rules.START and campaign.include_late_joiners and campaign.joiners_added_at is None:
            _add_late_joiners(context, campaign)
        self._plan_for_untold(context, campaign)
        told = self._told(session, campaign)
        if _is_open(context, campaign, told):
            queries.refresh_status(session, campaign, {self._call.name: JobStatus.RUNNING})
            return Wait()
        status = _came_to([row.status for row in told.values() if row is not None and row.status.is_settled])
        queries.refresh_status(session, campaign, {self._call.name: status})
        return Done(status, Explanation(Reason.NOBODY_WAS_TOLD) if status is JobStatus.SKIPPED else None)

    def is_ready(self, context: JobContext) -> bool:
        if deliveries.is_open(context.session, context.job.subject, self._call.name):
            return False
        campaign = queries.campaign_of_subject(context.session, context.job.subject)
        return not _is_open(context, campaign, self._told(context.session, campaign))

    def give_up(self, context: JobContext) -> None:
        queries.refresh_status(context.session, queries.campaign_of_subject(context.session, context.job.subject))

    def _told(self, session: Session, campaign: Campaign) -> dict[int, NotificationState | None]:
        """Return how far the notice to each recipient has come, from whichever campaign of the day."""
        players = [recipient.player_id for recipient in queries.recipients_of(session, campaign)]
        told = deliveries.notification_states(session, self._call.event_key(campaign.day), players)
        return {player_id: told.get(player_id) for player_id in players}

    def _plan_for_untold(self, context: JobContext, campaign: Campaign) -> None:
        """Plan the notice for late joiners, and for players whom a cancelled campaign had planned to tell."""
        untold = [
            player_id
            for player_id, row in self._told(context.session, campaign).items()
            if row is None or (row.subject != campaign.subject and row.is_withdrawn)
        ]
        self._call.plan(
            context.session,
            campaign,
            untold,
            run_at=context.now,
            deadline_at=context.job.deadline_at,
            settings=context.runtime.settings,
            now=context.now,
        )


def _is_open(context: JobContext, campaign: Campaign, told: dict[int, NotificationState | None]) -> bool:
    """Return whether a message is still to be settled.

    Our own settle by their deadline; after it, another campaign's messages are not waited for.
    """
    return any(
        not row.status.is_settled
        for row in told.values()
        if row is not None and (row.subject == campaign.subject or not context.is_past_deadline)
    )


def _came_to(statuses: list[DeliveryStatus]) -> JobStatus:
    if DeliveryStatus.SENT in statuses:
        return JobStatus.SENT
    return JobStatus.SKIPPED if all(status is DeliveryStatus.SKIPPED for status in statuses) else JobStatus.FAILED


def _add_late_joiners(context: JobContext, campaign: Campaign) -> None:
    """Add the players who have joined the audience since, as the promoter ticked."""
    statuses = availability.statuses_of_day(context.session, campaign.day)
    reaches = contacts.reachability_of(context.session, statuses, settings=context.runtime.settings)
    asked, _ = rules.choose_recipients(statuses, reaches, campaign.audience, [context.now])
    service.add_recipients(context.session, campaign, asked, now=context.now)
    campaign.joiners_added_at = context.now


class VoiceSummary(TransactionHandler):
    """`voice_summary`: plans the summary when the follow-ups are settled, or at the voice check's deadline."""

    def work(self, context: JobContext) -> Outcome:
        if not self.is_ready(context):
            return Wait()
        session, subject = context.session, context.job.subject
        campaign = queries.campaign_of_subject(session, subject)
        checks = jobs.jobs_of_subject(session, subject, [rules.VOICE_CHECK])
        if campaign.status is CampaignStatus.CANCELLED or any(check.status.is_over for check in checks):
            return CANCELLED
        SUMMARY.plan(session, campaign, settings=context.runtime.settings, now=context.now)
        return Done()

    def is_ready(self, context: JobContext) -> bool:
        """Wait for no follow-up that was put off, as its player is late."""
        session, subject = context.session, context.job.subject
        return context.is_past_deadline or not deliveries.is_open(
            session, subject, rules.VOICE_CHECK, due_by=context.now
        )


class DryRun(TransactionHandler):
    """`dry_run`: sends all messages to the promoter alone, one after the other."""

    def work(self, context: JobContext) -> Outcome:
        session = context.session
        campaign = queries.campaign_of_subject(session, context.job.subject)
        if campaign.status is CampaignStatus.CANCELLED:
            return CANCELLED
        written = deliveries.tally_by_notice(session, campaign.subject)
        if any(tally.open for tally in written.values()):
            return Wait()
        for notice in dry_run.NOTICES:
            if notice.name not in written:
                notice.plan(session, campaign, settings=context.runtime.settings, now=context.now)
                return Wait()
        is_flawed = any(tally[DeliveryStatus.FAILED] or tally[DeliveryStatus.UNKNOWN] for tally in written.values())
        queries.record_status(session, campaign, CampaignStatus.PARTIAL if is_flawed else CampaignStatus.SENT)
        return Done()

    def is_ready(self, context: JobContext) -> bool:
        return not deliveries.is_open(context.session, context.job.subject)
