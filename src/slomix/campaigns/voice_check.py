"""The voice check: loads the recipients, looks where they are, has it judged, and plans what follows."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from slomix.accounts import service as accounts
from slomix.accounts.models import Player
from slomix.availability import service as availability
from slomix.campaigns import attendance, queries, rules, voice_rules
from slomix.campaigns.models import Campaign, Recipient
from slomix.campaigns.notices.calls import FOLLOW_UP, START
from slomix.campaigns.notices.summary import SUMMARY
from slomix.campaigns.notices.warnings import PRESENCE_UNKNOWN
from slomix.campaigns.progress import CANCELLED
from slomix.campaigns.rules import CampaignStatus
from slomix.campaigns.voice_rules import VoiceOutcome, VoiceRecipient, VoiceVerdict
from slomix.channels.base import SendError
from slomix.channels.game_server import NoTelemetry
from slomix.deliveries import service as deliveries
from slomix.jobs import service as jobs
from slomix.jobs.rules import SHORTEST_WAIT, Done, JobStatus, Outcome, Retry, Snooze, Wait
from slomix.jobs.runner import Handler, JobContext
from slomix.jobs.service import NewJob
from slomix.presence import lookups, places
from slomix.presence import service as presence
from slomix.presence.rules import VoiceStatus
from slomix.reasons.codes import Explanation, Reason
from slomix.runtime.context import Runtime

log = structlog.get_logger()


@dataclass(frozen=True)
class Question:
    """The recipients to look for, and who is in which voice room if our picture proves who is absent."""

    recipients: list[VoiceRecipient]
    rooms: Mapping[str, str] | None
    at: datetime
    is_too_late: bool


@dataclass(frozen=True)
class Sight:
    """What was seen of voice and game server; None where that is not known."""

    question: Question
    voice: Mapping[str, str] | None
    server: Collection[str] | None = None


class VoiceCheck(Handler[Question, Sight | Retry]):
    """`voice_check_2100`: once the start is settled, judges, calls the missing, and ends with the summary."""

    def begin(self, context: JobContext) -> Question | Outcome:
        session = context.session
        campaign = queries.campaign_of_subject(session, context.job.subject)
        if campaign.status is CampaignStatus.CANCELLED:
            return CANCELLED
        if campaign.judged_at is not None:
            return _end_with_summary(context, campaign)
        if not self.is_ready(context):
            return Wait()
        recipients = _recipients(session, campaign)
        due_at = voice_rules.due_at(recipients, context.runtime.settings.voice_check_delay)
        if due_at is not None and context.now < due_at and not context.is_past_deadline:
            seconds = context.runtime.clock.wall_seconds_until(due_at)
            return Snooze(SHORTEST_WAIT if seconds is None else timedelta(seconds=seconds))
        snapshot = presence.latest_snapshot(session)
        is_evidence = voice_rules.is_evidence(snapshot, recipients, now=context.now)
        rooms = dict(snapshot.rooms) if is_evidence else None
        return Question(recipients, rooms, context.now, context.is_past_deadline)

    def is_ready(self, context: JobContext) -> bool:
        """Wait for the start and, once judged, for the summary and the follow-ups of who is late."""
        campaign = queries.campaign_of_subject(context.session, context.job.subject)
        if campaign.judged_at is not None:
            return _is_settled(context, campaign)
        starts = jobs.jobs_of_subject(context.session, campaign.subject, [rules.START])
        return context.is_past_deadline or all(start.status.is_over for start in starts)

    def act(self, runtime: Runtime, question: Question) -> Sight | Retry:
        """Ask Discord for each recipient if our picture proves nothing, and the game server if players are missing.

        If Discord leaves a question unanswered, the whole try fails; if the game server does, it does not.
        """
        if question.is_too_late:
            return Sight(question, None)
        voice = question.rooms
        if voice is None:
            answer = _ask_discord(runtime, question.recipients)
            if isinstance(answer, Retry):
                return answer
            voice = answer
        found = voice_rules.whereabouts(question.recipients, voice, places.rooms(runtime.settings))
        return Sight(question, voice, _ask_server(runtime) if voice_rules.missing(found) else None)

    def finish(self, context: JobContext, sight: Sight | Retry) -> Outcome:
        campaign = queries.campaign_of_subject(context.session, context.job.subject)
        if campaign.status is CampaignStatus.CANCELLED:
            return CANCELLED
        if isinstance(sight, Retry):
            return sight
        verdict = _judge(context, sight)
        _act_upon(context, campaign, verdict)
        if verdict.outcome is VoiceOutcome.TOO_LATE:
            queries.refresh_status(context.session, campaign, {rules.VOICE_CHECK: JobStatus.SKIPPED})
            return Done(JobStatus.SKIPPED, Explanation(Reason.EXPIRED))
        return _end_with_summary(context, campaign)

    def give_up(self, context: JobContext) -> None:
        """Judge without an answer, unless it was judged before, and plan the summary."""
        session = context.session
        campaign = queries.campaign_of_subject(session, context.job.subject)
        if campaign.status is CampaignStatus.CANCELLED:
            return
        if campaign.judged_at is None:
            question = Question(_recipients(session, campaign), None, context.now, is_too_late=False)
            _act_upon(context, campaign, _judge(context, Sight(question, None)))
        else:
            SUMMARY.plan(session, campaign, settings=context.runtime.settings, now=context.now)
        queries.refresh_status(session, campaign)


def _recipients(session: Session, campaign: Campaign) -> list[VoiceRecipient]:
    players = [recipient.player_id for recipient in queries.recipients_of(session, campaign)]
    rows = session.execute(select(Player.id, Player.name, Player.aliases).where(Player.id.in_(players)))
    names = {row.id: (row.name, *row.aliases) for row in rows}
    discord_ids = accounts.discord_ids_of(session, players)
    told = START.reached(session, campaign, players)
    return [
        VoiceRecipient(
            player_id,
            discord_ids.get(player_id),
            names.get(player_id, ()),
            was_told=player_id in told,
            told_at=told.get(player_id),
        )
        for player_id in players
    ]


def _ask_discord(runtime: Runtime, recipients: list[VoiceRecipient]) -> dict[str, str] | Retry:
    """Return the room of each account that is in a room; Retry unless Discord answered for all of them."""
    if runtime.voice_lookup is None:
        return Retry(Explanation(Reason.VOICE_NOT_KNOWN))
    accounts_asked = [recipient.discord_id for recipient in recipients if recipient.discord_id is not None]
    try:
        found = lookups.voice_channels(runtime.voice_lookup, accounts_asked)
    except SendError as error:
        reason = Explanation(Reason.VOICE_NOT_KNOWN, then=error.reason)
        return Retry(reason, error.retry_after, is_free=error.is_free)
    return {discord_id: room for discord_id, room in found.items() if room is not None}


def _ask_server(runtime: Runtime) -> Collection[str] | None:
    """Return the names on the game server; None without telemetry."""
    if runtime.game_server is None:
        return None
    try:
        return runtime.game_server.player_names()
    except NoTelemetry as error:
        log.info("voice_check.no_telemetry", error=str(error))
        return None


def _judge(context: JobContext, sight: Sight) -> VoiceVerdict:
    return voice_rules.judge_voice_check(
        sight.question.recipients,
        sight.voice,
        sight.server,
        rooms=places.rooms(context.runtime.settings),
        now=sight.question.at,
        deadline_at=context.job.deadline_at,
    )


def _act_upon(context: JobContext, campaign: Campaign, verdict: VoiceVerdict) -> None:
    """Record the verdict and plan what follows: follow-ups, or a warning that presence is unknown."""
    session, settings, now = context.session, context.runtime.settings, context.now
    if not verdict.whereabouts and verdict.outcome is not VoiceOutcome.JUDGED:
        return
    _record(session, campaign, verdict, now=now)
    if verdict.outcome is VoiceOutcome.JUDGED:
        until = context.job.deadline_at
        attendance.count(session, campaign)
        attendance.schedule_final_count(session, campaign, at=until, now=now)
        FOLLOW_UP.plan(session, campaign, verdict.follow_up, run_at=now, deadline_at=until, settings=settings, now=now)
    else:
        PRESENCE_UNKNOWN.plan(session, campaign, settings=settings, now=now)
        SUMMARY.plan(session, campaign, settings=settings, now=now)


def _record(session: Session, campaign: Campaign, verdict: VoiceVerdict, *, now: datetime) -> None:
    for where in VoiceStatus:
        players = [player_id for player_id, found in verdict.whereabouts.items() if found is where]
        _note(session, campaign, players, whereabouts=where)
    for is_there in (True, False):
        players = [player_id for player_id, found in verdict.on_server.items() if found is is_there]
        _note(session, campaign, players, on_server=is_there)
    here = [player_id for player_id, found in verdict.whereabouts.items() if found is VoiceStatus.HERE]
    _note(session, campaign, here, seen_at=func.coalesce(Recipient.seen_at, now))
    on_server = [player_id for player_id, is_there in verdict.on_server.items() if is_there]
    availability.end_lateness(session, campaign.day, here + on_server)
    campaign.judged_at = now


def _note(session: Session, campaign: Campaign, player_ids: list[int], **values: object) -> None:
    if player_ids:
        session.execute(
            update(Recipient)
            .where(Recipient.campaign_id == campaign.id, Recipient.player_id.in_(player_ids))
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def _end_with_summary(context: JobContext, campaign: Campaign) -> Outcome:
    """Schedule the summary, once, and end as it ends, when the follow-ups are settled too."""
    session, subject, job = context.session, campaign.subject, context.job
    promised = NewJob(rules.VOICE_SUMMARY, subject, context.now, job.deadline_at, job.max_attempts, is_urgent=True)
    jobs.schedule(session, [promised], now=context.now)
    if not _is_settled(context, campaign):
        return Wait()
    [summary] = jobs.jobs_of_subject(session, subject, [rules.VOICE_SUMMARY])
    status = JobStatus.FAILED if summary.status is JobStatus.FAILED else JobStatus.SENT
    queries.refresh_status(session, campaign, {rules.VOICE_CHECK: status})
    jobs.skip_pending(session, rules.RISK_MONITOR, [subject], reason=Reason.EVENING_IS_OVER, now=context.now)
    return Done(status, summary.last_error if status is JobStatus.FAILED else None)


def _is_settled(context: JobContext, campaign: Campaign) -> bool:
    """Return whether the summary is over, and no follow-up is to come before the deadline."""
    session, subject = context.session, campaign.subject
    summaries = jobs.jobs_of_subject(session, subject, [rules.VOICE_SUMMARY])
    if not all(summary.status.is_over for summary in summaries):
        return False
    return context.is_past_deadline or not deliveries.is_open(session, subject, rules.VOICE_CHECK)
