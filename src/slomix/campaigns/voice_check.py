"""The voice check: who is missing just after the start, one follow-up each, and the summary."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from slomix.accounts import service as accounts
from slomix.campaigns import attendance, queries, rules, service
from slomix.campaigns.attendance import Found
from slomix.campaigns.models import Campaign
from slomix.campaigns.rules import CampaignStatus
from slomix.channels.base import SendError, SlowDown
from slomix.channels.game_server import NoTelemetry
from slomix.config.settings import Settings
from slomix.deliveries import service as deliveries
from slomix.deliveries.service import Plan
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import Done, JobStatus, Outcome, Retry, Snooze
from slomix.jobs.runner import Step
from slomix.presence import lookups
from slomix.presence import rules as presence_rules
from slomix.presence import service as presence
from slomix.presence.rules import Whereabouts
from slomix.reasons.codes import Explanation, Reason
from slomix.runtime.context import Runtime

log = structlog.get_logger()

SETTLE = timedelta(milliseconds=500)
CANCELLED = Done(JobStatus.SKIPPED, Explanation(Reason.WITHDRAWN))


@dataclass(frozen=True)
class ToJudge:
    """The recipients' Discord accounts and names in the game and, where our picture is fresh, the rooms they are in."""

    discord_ids: dict[int, str]
    known_names: dict[int, tuple[str, ...]]
    rooms: dict[str, str] | None


@dataclass(frozen=True)
class Expired:
    """Nobody looked before the deadline."""


EXPIRED = Expired()


class VoiceCheck(Step):
    """`voice_check_2100`: wait for the start, judge, follow up, wait again, then post the summary."""

    def begin(self, runtime: Runtime, session: Session, job: Job, now: datetime) -> Outcome | ToJudge | Expired | None:
        campaign = queries.of_subject(session, job.subject)
        if campaign.status is CampaignStatus.CANCELLED:
            return CANCELLED
        is_over = job.deadline_at is not None and now >= job.deadline_at
        if campaign.judged_at is not None:
            return None
        if is_over:
            return EXPIRED
        start = jobs.of_subject(session, campaign.subject, [rules.START])
        if any(not one.status.is_over for one in start):
            return Snooze(SETTLE)
        players = [one.player_id for one in queries.recipients(session, campaign)]
        snapshot = presence.voice(session)
        fresh = snapshot.is_fresh(now, runtime.settings.presence_max_age)
        return ToJudge(
            accounts.discord_ids(session, players),
            attendance.known_names(session, players),
            dict(snapshot.rooms) if fresh else None,
        )

    def act(self, runtime: Runtime, prepared: ToJudge | Expired | None) -> Found | Expired | Retry | None:
        """With a stale picture, ask Discord for each recipient; any silence makes the whole try fail."""
        if prepared is None or isinstance(prepared, Expired):
            return prepared
        rooms = prepared.rooms
        if rooms is None:
            if runtime.voice_lookup is None:
                return Retry(Explanation(Reason.VOICE_NOT_KNOWN))
            try:
                found = lookups.voice_channels(runtime.voice_lookup, prepared.discord_ids.values())
            except SendError as error:
                reason = Explanation(Reason.VOICE_NOT_KNOWN, then=error.reason)
                return Retry(reason, error.retry_after, is_free=isinstance(error, SlowDown))
            rooms = {discord_id: room for discord_id, room in found.items() if room is not None}
        meaning = attendance.rooms_of(runtime.settings)
        whereabouts = {
            player_id: meaning.whereabouts(rooms.get(discord_id))
            for player_id, discord_id in prepared.discord_ids.items()
        }
        missing = rules.missing(whereabouts)
        return Found(whereabouts, _on_server(runtime, missing, prepared.known_names) if missing else None)

    def finish(
        self, runtime: Runtime, session: Session, job: Job, result: Found | Expired | Retry | None, now: datetime
    ) -> Outcome:
        campaign = queries.of_subject(session, job.subject)
        if campaign.status is CampaignStatus.CANCELLED:
            return CANCELLED
        if isinstance(result, Retry):
            return result
        if isinstance(result, Expired):
            return self._too_late(runtime, session, campaign, now)
        if result is not None:
            attendance.record(session, campaign, result, now=now)
            self._follow_up(runtime, session, job, campaign, result.missing, now)
        followups = deliveries.tally(session, campaign.subject).get(rules.VOICE_CHECK)
        in_time = job.deadline_at is None or now < job.deadline_at
        if followups is not None and followups.open and in_time:
            return Snooze(SETTLE)
        _plan_summary(runtime, session, campaign, now)
        queries.refresh_status(session, campaign, {rules.VOICE_CHECK: JobStatus.SENT})
        jobs.skip_pending(session, rules.WATCH, [campaign.subject], reason=Reason.EVENING_IS_OVER, now=now)
        return Done()

    def give_up(self, runtime: Runtime, session: Session, job: Job, now: datetime) -> None:
        """Presence stayed unknown: nobody is called missing, the room and the promoter are told so."""
        campaign = queries.of_subject(session, job.subject)
        if campaign.status is CampaignStatus.CANCELLED:
            return
        if campaign.judged_at is None:
            self._nobody_knows(session, campaign, runtime.settings, now)
        _plan_summary(runtime, session, campaign, now)
        queries.refresh_status(session, campaign)

    def _too_late(self, runtime: Runtime, session: Session, campaign: Campaign, now: datetime) -> Outcome:
        """Nobody looked in time. Who was told of a start may hear that, and no more."""
        players = [one.player_id for one in queries.recipients(session, campaign)]
        if attendance.asked_by_start(session, campaign, players):
            self._nobody_knows(session, campaign, runtime.settings, now)
            _plan_summary(runtime, session, campaign, now)
        queries.refresh_status(session, campaign, {rules.VOICE_CHECK: JobStatus.SKIPPED})
        return Done(JobStatus.SKIPPED, Explanation(Reason.EXPIRED))

    def _nobody_knows(self, session: Session, campaign: Campaign, settings: Settings, now: datetime) -> None:
        players = [one.player_id for one in queries.recipients(session, campaign)]
        attendance.record(session, campaign, Found(dict.fromkeys(players, Whereabouts.UNKNOWN)), now=now)
        key = f"PRESENCE_UNKNOWN:{campaign.id}"
        warning = Plan(rules.PRESENCE_UNKNOWN, campaign.subject, key, now, now + rules.FOLLOWUP_GRACE)
        deliveries.plan_for_players(session, warning, [campaign.promoter_id], settings=settings, now=now)

    def _follow_up(
        self, runtime: Runtime, session: Session, job: Job, campaign: Campaign, missing: list[int], now: datetime
    ) -> None:
        asked = attendance.asked_by_start(session, campaign, missing)
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


def _on_server(runtime: Runtime, missing: list[int], known_names: dict[int, tuple[str, ...]]) -> set[int] | None:
    """Those of the missing who are on the game server; None without telemetry, which is no failure."""
    if runtime.game_server is None:
        return None
    try:
        names = runtime.game_server.names()
    except NoTelemetry as error:
        log.info("voice_check.no_telemetry", error=str(error))
        return None
    return set(missing) & presence_rules.recognised(known_names, names)


def _plan_summary(runtime: Runtime, session: Session, campaign: Campaign, now: datetime) -> None:
    room = runtime.settings.summary_channel_id
    if room:
        plan = Plan(rules.SUMMARY, campaign.subject, f"SUMMARY:{campaign.id}", now, now + rules.FOLLOWUP_GRACE)
        deliveries.plan_for_room(session, plan, room, now=now)
