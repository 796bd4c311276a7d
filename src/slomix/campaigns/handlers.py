"""The work of a campaign's jobs: reminder, start and dry run here, the voice check beside."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from slomix.availability import service as availability
from slomix.campaigns import queries, rules, service
from slomix.campaigns.models import Campaign
from slomix.campaigns.risk_monitor import Watch
from slomix.campaigns.rules import CampaignStatus
from slomix.campaigns.voice_check import CANCELLED, SETTLE, VoiceCheck
from slomix.contacts import service as contacts
from slomix.contacts.rules import ChannelName
from slomix.deliveries import service as deliveries
from slomix.deliveries.rules import DeliveryStatus
from slomix.deliveries.service import Plan
from slomix.jobs.models import Job
from slomix.jobs.rules import Done, JobStatus, Outcome, Snooze
from slomix.jobs.runner import Handler, Step
from slomix.reasons.codes import Explanation, Reason
from slomix.runtime.context import Runtime


class SendNotice(Step):
    """`send_reminder_2045` and `send_start_2100`: the deliveries leave by themselves; this sees them through."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def finish(self, runtime: Runtime, session: Session, job: Job, result: Any, now: datetime) -> Outcome:
        campaign = queries.of_subject(session, job.subject)
        if campaign.status is CampaignStatus.CANCELLED:
            return CANCELLED
        if self._kind == rules.START and campaign.include_late_joiners and campaign.joiners_added_at is None:
            _add_late_joiners(runtime, session, campaign, now)
        players = [one.player_id for one in queries.recipients(session, campaign)]
        told = deliveries.told(session, queries.event_key(self._kind, campaign.day), players)
        untold = [player_id for player_id in players if _is_ours_to_tell(told.get(player_id), campaign)]
        if untold:
            service.plan_notice(
                session,
                campaign,
                self._kind,
                untold,
                run_at=now,
                deadline_at=job.deadline_at,
                settings=runtime.settings,
                now=now,
            )
        # Ours end at their deadline by themselves; those of another campaign of the day are not waited for after ours.
        in_time = job.deadline_at is None or now < job.deadline_at
        awaited = [one for one in told.values() if in_time or one.subject == campaign.subject]
        if untold or any(not one.status.is_settled for one in awaited):
            queries.refresh_status(session, campaign, {self._kind: JobStatus.RUNNING})
            return Snooze(SETTLE)
        status = _came_to([one.status for one in told.values() if one.status.is_settled])
        queries.refresh_status(session, campaign, {self._kind: status})
        return Done(status, Explanation(Reason.NOBODY_WAS_TOLD) if status is JobStatus.SKIPPED else None)

    def give_up(self, runtime: Runtime, session: Session, job: Job, now: datetime) -> None:
        queries.refresh_status(session, queries.of_subject(session, job.subject))


def _is_ours_to_tell(told: deliveries.Told | None, campaign: Campaign) -> bool:
    """Nobody told them yet, or another campaign of the day meant to and was cancelled before it did."""
    return told is None or (told.subject != campaign.subject and told.is_withdrawn)


def _came_to(statuses: list[DeliveryStatus]) -> JobStatus:
    if DeliveryStatus.SENT in statuses:
        return JobStatus.SENT
    return JobStatus.SKIPPED if all(one is DeliveryStatus.SKIPPED for one in statuses) else JobStatus.FAILED


def _add_late_joiners(runtime: Runtime, session: Session, campaign: Campaign, now: datetime) -> None:
    """The promoter ticked it: who joined the audience since is asked too, from now on."""
    statuses = availability.statuses(session, campaign.day)
    reaches = contacts.reach_of(session, statuses, settings=runtime.settings)
    asked, _ = rules.choose_recipients(statuses, reaches, campaign.audience, [now])
    service.add_recipients(session, campaign, asked, now=now)
    campaign.joiners_added_at = now


class DryRun(Step):
    """Sends the promoter alone what everybody would get, one after the other."""

    def finish(self, runtime: Runtime, session: Session, job: Job, result: Any, now: datetime) -> Outcome:
        campaign = queries.of_subject(session, job.subject)
        if campaign.status is CampaignStatus.CANCELLED:
            return CANCELLED
        written = deliveries.tally(session, campaign.subject)
        for notice in rules.DRY_RUN_NOTICES:
            if notice not in written:
                key = f"DRYRUN:{campaign.id}:{notice.removeprefix('dry_run.')}"
                until = now + rules.START_GRACE
                plan = Plan(notice, campaign.subject, key, now, until, channel=ChannelName.DISCORD)
                deliveries.plan_for_players(session, plan, [campaign.promoter_id], settings=runtime.settings, now=now)
                return Snooze(SETTLE / 5)
            if written[notice].open:
                return Snooze(SETTLE / 5)
        is_flawed = any(tally[DeliveryStatus.FAILED] or tally[DeliveryStatus.UNKNOWN] for tally in written.values())
        queries.write_status(session, campaign, CampaignStatus.PARTIAL if is_flawed else CampaignStatus.SENT)
        return Done()


HANDLERS: dict[str, Handler] = {
    rules.REMINDER: SendNotice(rules.REMINDER),
    rules.START: SendNotice(rules.START),
    rules.VOICE_CHECK: VoiceCheck(),
    rules.WATCH: Watch(),
    rules.DRY_RUN: DryRun(),
}
