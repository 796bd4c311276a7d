"""The work of a campaign's jobs: reminder and start, the voice check, the dry run."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from slomix.accounts import service as accounts
from slomix.availability import service as availability
from slomix.campaigns import notices, queries, rules, service, turnout
from slomix.campaigns.models import Campaign
from slomix.campaigns.rules import CampaignStatus
from slomix.contacts import service as contacts
from slomix.deliveries import service as deliveries
from slomix.deliveries.rules import DeliveryStatus
from slomix.deliveries.service import Plan
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import Done, JobStatus, Outcome, Snooze
from slomix.jobs.runner import Handler, Step
from slomix.presence import service as presence
from slomix.presence.rules import Whereabouts
from slomix.runtime import Runtime

SETTLE = timedelta(milliseconds=500)
CANCELLED = Done(JobStatus.SKIPPED, "cancelled")


class SendNotice(Step):
    """`send_reminder_2045` and `send_start_2100`: the deliveries leave by themselves; this sees them through."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def finish(self, runtime: Runtime, session: Session, job: Job, result: Any, now: datetime) -> Outcome:
        campaign = queries.of_subject(session, job.subject)
        if campaign.status is CampaignStatus.CANCELLED:
            return CANCELLED
        if self._kind == rules.START and campaign.include_late_joiners:
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
        if untold or any(not one.status.is_settled for one in told.values()):
            queries.refresh_status(session, campaign, {self._kind: JobStatus.RUNNING})
            return Snooze(SETTLE)
        status = _came_to([one.status for one in told.values()])
        queries.refresh_status(session, campaign, {self._kind: status})
        return Done(status, "nobody was left to tell" if status is JobStatus.SKIPPED else None)

    def give_up(self, runtime: Runtime, session: Session, job: Job, now: datetime) -> None:
        queries.refresh_status(session, queries.of_subject(session, job.subject))


def _is_ours_to_tell(told: deliveries.Told | None, campaign: Campaign) -> bool:
    """Nobody told them yet, or another campaign of the day meant to and did not."""
    if told is None:
        return True
    return told.subject != campaign.subject and told.status in {DeliveryStatus.SKIPPED, DeliveryStatus.FAILED}


def _came_to(statuses: list[DeliveryStatus]) -> JobStatus:
    if DeliveryStatus.SENT in statuses:
        return JobStatus.SENT
    return JobStatus.SKIPPED if all(one is DeliveryStatus.SKIPPED for one in statuses) else JobStatus.FAILED


def _add_late_joiners(runtime: Runtime, session: Session, campaign: Campaign, now: datetime) -> None:
    """The promoter ticked it: who joined the audience since is asked too, from now on."""
    statuses = availability.statuses(session, campaign.day)
    reaches = contacts.reach_of(session, statuses, zone=runtime.settings.zone)
    asked, _ = rules.choose_recipients(statuses, reaches, campaign.audience, [now])
    service.add_recipients(session, campaign, asked, now=now)


@dataclass(frozen=True)
class ToJudge:
    """The recipients' Discord accounts and, where our picture is fresh, the rooms they are in."""

    discord_ids: dict[int, str]
    rooms: dict[str, str] | None


class VoiceCheck:
    """`voice_check_2100`: wait for the start, judge, follow up, wait again, then post the summary."""

    def begin(self, runtime: Runtime, session: Session, job: Job, now: datetime) -> Outcome | ToJudge | None:
        campaign = queries.of_subject(session, job.subject)
        if campaign.status is CampaignStatus.CANCELLED:
            return CANCELLED
        is_over = job.deadline_at is not None and now >= job.deadline_at
        if campaign.judged_at is not None:
            return None
        if is_over:
            queries.refresh_status(session, campaign, {rules.VOICE_CHECK: JobStatus.SKIPPED})
            return Done(JobStatus.SKIPPED, "expired")
        start = jobs.of_subject(session, campaign.subject, [rules.START])
        if any(not one.status.is_over for one in start):
            return Snooze(SETTLE)
        players = [one.player_id for one in queries.recipients(session, campaign)]
        snapshot = presence.voice(session)
        fresh = snapshot.is_fresh(now, runtime.settings.presence_max_age)
        return ToJudge(accounts.discord_ids(session, players), dict(snapshot.rooms) if fresh else None)

    def act(self, runtime: Runtime, prepared: ToJudge | None) -> dict[int, Whereabouts] | None:
        """With a stale picture, ask Discord for each recipient; any silence makes the whole try fail."""
        if prepared is None:
            return None
        rooms = prepared.rooms
        if rooms is None:
            if runtime.voice_lookup is None:
                raise LookupError("who is in voice is not known")
            found = {one: runtime.voice_lookup.voice_channel_of(one) for one in prepared.discord_ids.values()}
            rooms = {discord_id: room for discord_id, room in found.items() if room is not None}
        meaning = turnout.rooms_of(runtime.settings)
        return {
            player_id: meaning.whereabouts(rooms.get(discord_id))
            for player_id, discord_id in prepared.discord_ids.items()
        }

    def finish(
        self, runtime: Runtime, session: Session, job: Job, result: dict[int, Whereabouts] | None, now: datetime
    ) -> Outcome:
        campaign = queries.of_subject(session, job.subject)
        if campaign.status is CampaignStatus.CANCELLED:
            return CANCELLED
        if result is not None:
            turnout.record(session, campaign, result, now=now)
            self._follow_up(runtime, session, job, campaign, rules.missing(result), now)
        followups = deliveries.tally(session, campaign.subject).get(rules.VOICE_CHECK)
        in_time = job.deadline_at is None or now < job.deadline_at
        if followups is not None and followups.open and in_time:
            return Snooze(SETTLE)
        _plan_summary(runtime, session, campaign, now)
        queries.refresh_status(session, campaign, {rules.VOICE_CHECK: JobStatus.SENT})
        return Done()

    def give_up(self, runtime: Runtime, session: Session, job: Job, now: datetime) -> None:
        """Presence stayed unknown: nobody is called missing, the room and the promoter are told so."""
        campaign = queries.of_subject(session, job.subject)
        if campaign.status is CampaignStatus.CANCELLED:
            return
        if campaign.judged_at is None:
            players = [one.player_id for one in queries.recipients(session, campaign)]
            turnout.record(session, campaign, dict.fromkeys(players, Whereabouts.UNKNOWN), now=now)
            warning = Plan(
                notices.PRESENCE_UNKNOWN, campaign.subject, f"PRESENCE_UNKNOWN:{campaign.id}", now, job.deadline_at
            )
            deliveries.plan_for_players(session, warning, [campaign.promoter_id], now=now)
        _plan_summary(runtime, session, campaign, now)
        queries.refresh_status(session, campaign)

    def _follow_up(
        self, runtime: Runtime, session: Session, job: Job, campaign: Campaign, missing: list[int], now: datetime
    ) -> None:
        asked = turnout.asked_by_start(session, campaign, missing)
        service.plan_notice(
            session,
            campaign,
            rules.VOICE_CHECK,
            asked,
            run_at=now,
            deadline_at=job.deadline_at,
            settings=runtime.settings,
            now=now,
        )


def _plan_summary(runtime: Runtime, session: Session, campaign: Campaign, now: datetime) -> None:
    room = runtime.settings.summary_channel_id
    if room:
        plan = Plan(notices.SUMMARY, campaign.subject, f"SUMMARY:{campaign.id}", now, now + rules.FOLLOWUP_GRACE)
        deliveries.plan_for_room(session, plan, room, now=now)


class DryRun(Step):
    """Sends the promoter alone what everybody would get, one after the other."""

    def finish(self, runtime: Runtime, session: Session, job: Job, result: Any, now: datetime) -> Outcome:
        campaign = queries.of_subject(session, job.subject)
        written = deliveries.tally(session, campaign.subject)
        for notice in notices.DRY_RUN_NOTICES:
            if notice not in written:
                key = f"DRYRUN:{campaign.id}:{notice.removeprefix('dry_run.')}"
                plan = Plan(notice, campaign.subject, key, now, now + rules.START_GRACE)
                deliveries.plan_for_players(session, plan, [campaign.promoter_id], now=now)
                return Snooze(SETTLE / 5)
            if written[notice].open:
                return Snooze(SETTLE / 5)
        sent = all(tally[DeliveryStatus.SENT] for tally in written.values())
        campaign.status = CampaignStatus.SENT if sent else CampaignStatus.PARTIAL
        return Done()


HANDLERS: dict[str, Handler] = {
    rules.REMINDER: SendNotice(rules.REMINDER),
    rules.START: SendNotice(rules.START),
    rules.VOICE_CHECK: VoiceCheck(),
    rules.DRY_RUN: DryRun(),
}
