"""Previews, creates and cancels campaigns."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from slomix import words
from slomix.accounts import service as accounts
from slomix.availability import service as availability
from slomix.campaigns import models, queries, rules
from slomix.campaigns.models import Campaign, Recipient
from slomix.campaigns.rules import Asked, Audience, CampaignStatus, LeftOut, Timeline, Times
from slomix.clock import moment_of
from slomix.config.settings import Settings
from slomix.contacts import service as contacts
from slomix.contacts.rules import ChannelName
from slomix.database import session as db
from slomix.deliveries import service as deliveries
from slomix.deliveries.service import Plan
from slomix.errors import Conflict
from slomix.game_names import plain_name
from slomix.jobs import service as jobs
from slomix.jobs.rules import JobStatus
from slomix.jobs.service import NewJob
from slomix.reasons.codes import Explanation, Reason


class CampaignExists(Conflict):
    """Tonight is called together already."""

    def __init__(self, promoter: str, status: CampaignStatus) -> None:
        super().__init__(words.ALREADY_CALLED.format(promoter=plain_name(promoter), status=words.STATES[status]))


class AlreadyOver(Conflict):
    def __init__(self) -> None:
        super().__init__(words.NOTHING_TO_CANCEL)


@dataclass(frozen=True)
class Options:
    """What the promoter chose."""

    audience: Audience
    include_late_joiners: bool
    dry_run: bool
    start_at: datetime


@dataclass(frozen=True)
class Preview:
    """Who would be asked, who not and why, and when."""

    asked: list[Asked]
    left_out: list[LeftOut]
    names: Mapping[int, str]
    channels: Mapping[int, ChannelName]
    timeline: Timeline


def times_of(settings: Settings) -> Times:
    """The distances between the moments of an evening, as configured."""
    day = date(2000, 1, 1)  # any day without a clock change
    start, reminder = (
        moment_of(day, at, settings.zone, settings.day_starts_at)
        for at in (settings.start_time, settings.reminder_time)
    )
    return Times(reminder_lead=start - reminder, voice_check_delay=settings.voice_check_delay)


def preview(
    session: Session, audience: Audience, *, day: date, start_at: datetime, settings: Settings, now: datetime
) -> Preview:
    """What `create` would do now. Raises TooLate when it is too late for tonight."""
    timeline = rules.plan(start_at, now, times_of(settings))
    statuses = availability.statuses(session, day)
    reaches = contacts.reach_of(session, statuses, settings=settings)
    asked, left_out = rules.choose_recipients(statuses, reaches, audience, _moments(timeline))
    return Preview(
        asked=asked,
        left_out=left_out,
        names=accounts.names(session, statuses),
        channels={one.player_id: reaches[one.player_id].first_channel for one in asked},
        timeline=timeline,
    )


def _moments(timeline: Timeline) -> list[datetime]:
    return [one.at for one in (timeline.reminder, timeline.start) if one.skipped is None]


def create(
    session: Session,
    promoter_id: int,
    options: Options,
    *,
    day: date,
    idempotency_key: str,
    settings: Settings,
    now: datetime,
) -> tuple[Campaign, bool]:
    """Call the evening together: campaign, recipients, its jobs and deliveries, all or nothing.

    Returns the campaign and whether it is new: the same submit twice answers with the first. Raises TooLate,
    NobodyToAsk, or CampaignExists naming the other promoter.
    """
    if not settings.promotion_enabled:
        raise rules.SwitchedOff
    first = _of_submit(session, promoter_id, idempotency_key)
    if first is not None:
        return first, False
    ahead = preview(session, options.audience, day=day, start_at=options.start_at, settings=settings, now=now)
    if not ahead.asked and not options.dry_run:
        raise rules.NobodyToAsk
    campaign = Campaign(
        day=day,
        promoter_id=promoter_id,
        include_available=options.audience.include_available,
        include_maybe=options.audience.include_maybe,
        include_late_joiners=options.include_late_joiners,
        dry_run=options.dry_run,
        exclusive_on=day if settings.global_cooldown and not options.dry_run else None,
        idempotency_key=idempotency_key,
        start_at=ahead.timeline.began_at,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(campaign)
    except IntegrityError as error:
        return _instead(session, promoter_id, idempotency_key, day, error), False
    if options.dry_run:
        jobs.schedule(session, [NewJob(rules.DRY_RUN, campaign.subject, run_at=now)], now=now)
    else:
        _promise(session, campaign, ahead, settings=settings, now=now)
    db.notify(session, db.LIVE, "campaign")
    return campaign, True


def _of_submit(session: Session, promoter_id: int, idempotency_key: str) -> Campaign | None:
    return session.scalars(
        select(Campaign).where(Campaign.promoter_id == promoter_id, Campaign.idempotency_key == idempotency_key)
    ).one_or_none()


def _instead(session: Session, promoter_id: int, idempotency_key: str, day: date, error: IntegrityError) -> Campaign:
    """The violated constraint decides the answer: the first campaign of the same submit, or a conflict."""
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    if constraint == models.PER_SUBMIT:
        first = _of_submit(session, promoter_id, idempotency_key)
        if first is not None:
            return first
    if constraint not in {models.PER_PROMOTER, models.PER_DAY, models.PER_SUBMIT}:
        raise error
    other = queries.in_the_way(session, day, promoter_id, one_a_day=constraint != models.PER_PROMOTER)
    if other is None:
        raise error
    promoter = accounts.names(session, [other.promoter_id])[other.promoter_id]
    raise CampaignExists(promoter, queries.progress(session, other).status) from error


def _promise(session: Session, campaign: Campaign, ahead: Preview, *, settings: Settings, now: datetime) -> None:
    add_recipients(session, campaign, ahead.asked, now=now)
    moments = {
        rules.REMINDER: ahead.timeline.reminder,
        rules.START: ahead.timeline.start,
        rules.VOICE_CHECK: ahead.timeline.voice_check,
    }
    off = Reason.SWITCHED_OFF if not settings.voice_check_enabled else None
    jobs.schedule(
        session,
        [
            NewJob(
                kind,
                campaign.subject,
                run_at=moment.at,
                deadline_at=moment.deadline_at,
                max_attempts=settings.job_max_attempts,
                status=JobStatus.SKIPPED if (reason := _skip_reason(kind, moment.skipped, off)) else JobStatus.PENDING,
                reason=Explanation(reason) if reason else None,
            )
            for kind, moment in moments.items()
        ]
        + [_watch(campaign, ahead.timeline, now)],
        now=now,
    )
    # Planned ahead, so that at its moment a notice has nothing to do but leave.
    players = [one.player_id for one in ahead.asked]
    for kind in (rules.REMINDER, rules.START):
        if moments[kind].skipped is None:
            moment = moments[kind]
            plan_notice(
                session,
                campaign,
                kind,
                players,
                run_at=moment.at,
                deadline_at=moment.deadline_at,
                settings=settings,
                now=now,
            )


def _watch(campaign: Campaign, timeline: Timeline, now: datetime) -> NewJob:
    """Later than a start may leave there is nothing to warn of."""
    begins = max(timeline.reminder.at - rules.WATCH_LEAD, now)
    return NewJob(rules.WATCH, campaign.subject, run_at=begins, deadline_at=timeline.start.deadline_at)


def _skip_reason(kind: str, too_late: Reason | None, voice_check_off: Reason | None) -> Reason | None:
    return voice_check_off if kind == rules.VOICE_CHECK else too_late


def plan_notice(
    session: Session,
    campaign: Campaign,
    kind: str,
    player_ids: list[int],
    *,
    run_at: datetime,
    deadline_at: datetime | None,
    settings: Settings,
    now: datetime,
) -> int:
    """Put one notice for these recipients into the ledger, those aside who have it already."""
    plan = Plan(
        kind, campaign.subject, queries.event_key(kind, campaign.day), run_at, deadline_at, settings.job_max_attempts
    )
    return deliveries.plan_for_players(session, plan, player_ids, settings=settings, now=now)


def add_recipients(session: Session, campaign: Campaign, asked: list[Asked], *, now: datetime) -> None:
    """Add to whom the campaign asks; who is asked already stays as they are."""
    if not asked:
        return
    session.execute(
        insert(Recipient).on_conflict_do_nothing(),
        [
            {"campaign_id": campaign.id, "player_id": one.player_id, "status": one.status, "added_at": now}
            for one in asked
        ],
    )


def cancel(session: Session, campaign_id: int, *, player_id: int, is_admin: bool, now: datetime) -> Campaign:
    """Stop what has not gone out. Only its promoter or an admin; raises NoSuchCampaign or AlreadyOver."""
    campaign = session.get(Campaign, campaign_id, with_for_update=True, populate_existing=True)
    if campaign is None or (campaign.promoter_id != player_id and not is_admin):
        raise queries.NoSuchCampaign
    if campaign.status is CampaignStatus.CANCELLED:
        return campaign
    if not queries.progress(session, campaign).is_open:
        raise AlreadyOver
    campaign.status = CampaignStatus.CANCELLED
    for kind in (*rules.JOB_KINDS, rules.WATCH, rules.DRY_RUN):
        jobs.skip_pending(session, kind, [campaign.subject], reason=Reason.WITHDRAWN, now=now)
    deliveries.withdraw(session, campaign.subject, rules.ALL_NOTICES, now=now)
    db.notify(session, db.LIVE, "campaign")
    return campaign


def forget_whereabouts(session: Session, player_id: int) -> None:
    """Nobody knows any more where the voice checks found this player."""
    session.execute(update(Recipient).where(Recipient.player_id == player_id).values(whereabouts=None, on_server=None))
