"""Creates and cancels campaigns."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from slomix.accounts import service as accounts
from slomix.accounts.models import Player
from slomix.accounts.rules import LinkAction
from slomix.campaigns import late, models, queries, rules
from slomix.campaigns.models import Campaign, Recipient, subject_column
from slomix.campaigns.notices.calls import CALLS, FOLLOW_UP, Call
from slomix.campaigns.preview import Preview, preview
from slomix.campaigns.rules import Audience, CampaignStatus, Candidate, Timeline
from slomix.campaigns.states import STATE_NAMES
from slomix.config.settings import Settings
from slomix.database import session as db
from slomix.deliveries import service as deliveries
from slomix.errors import Conflict, Invalid, TooSoon
from slomix.i18n import N_, _, dated, ngettext
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.jobs.service import NewJob
from slomix.presence.game_names import plain_name
from slomix.reasons.codes import Explanation, Reason


class CampaignExists(Conflict):
    """Raised when tonight is called together already."""

    def __init__(self, promoter: str, status: CampaignStatus) -> None:
        super().__init__(
            _("Tonight is already scheduled, by {promoter} ({status}).").format(
                promoter=plain_name(promoter), status=STATE_NAMES[status]
            )
        )


class DryRunTooSoon(TooSoon):
    """Raised while the promoter's last dry run is under way, or after many in a short time."""


class CampaignOver(Conflict):
    sentence = N_("This campaign is over: there’s nothing left to cancel.")


class SubmitKeySpent(Invalid):
    """Raised when a submit's key stands for a campaign that is not what this submit asks for."""


@dataclass(frozen=True)
class CampaignChoices:
    """What the promoter chose."""

    audience: Audience
    include_late_joiners: bool
    dry_run: bool
    start_at: datetime


def create_campaign(
    session: Session,
    promoter_id: int,
    options: CampaignChoices,
    *,
    day: date,
    idempotency_key: str,
    settings: Settings,
    now: datetime,
) -> tuple[Campaign, bool]:
    """Call the evening together: campaign, recipients, its jobs and deliveries, all or nothing.

    Return the campaign and whether it is new: a repeated submit returns the first one, if that still stands and is of
    this day and these choices. Raise TooLate, NoRecipients, CampaignsDisabled, DryRunTooSoon, SubmitKeySpent, or
    CampaignExists with the other promoter's name.
    """
    if not settings.promotion_enabled:
        raise rules.CampaignsDisabled
    if options.dry_run:  # two at once would not count each other
        session.execute(select(Player.id).where(Player.id == promoter_id).with_for_update(key_share=True))
    first = _campaign_of_submit(session, promoter_id, idempotency_key)
    if first is not None:
        _check_same_submit(first, options, day)
        return first, False
    ahead = preview(session, options.audience, day=day, start_at=options.start_at, settings=settings, now=now)
    if options.dry_run:
        _check_may_try_out(session, promoter_id, now=now)
    elif not ahead.asked:
        raise rules.NoRecipients
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
        return _campaign_despite(session, promoter_id, idempotency_key, options, day, error), False
    if options.dry_run:
        jobs.schedule(session, [NewJob(rules.DRY_RUN, campaign.subject, run_at=now)], now=now)
    else:
        _plan_jobs(session, campaign, ahead, settings=settings, now=now)
        late.follow_start(session, day, settings=settings, now=now)
    db.notify(session, db.LIVE_CHANNEL, "campaign")
    return campaign, True


def _check_may_try_out(session: Session, promoter_id: int, *, now: datetime) -> None:
    """Let a promoter have one dry run at a time, and a few in a while. Raise DryRunTooSoon."""
    recent = (Campaign.created_at > now - rules.DRY_RUN_WINDOW) & (Campaign.created_at <= now)
    made = session.execute(
        select(Campaign.created_at, Job.finished_at)
        .join(Job, (Job.kind == rules.DRY_RUN) & (Job.subject == subject_column(Campaign.id)))
        .where(Campaign.promoter_id == promoter_id, Campaign.dry_run, recent)
        .order_by(Campaign.created_at)
    ).all()
    if any(row.finished_at is None for row in made):
        raise DryRunTooSoon(_("Your last dry run is still on its way. Wait for its messages."), rules.DRY_RUN_RETRY)
    if len(made) >= rules.MOST_DRY_RUNS:
        raise DryRunTooSoon(
            ngettext(
                "That was {number} dry run in a short time. Wait a little.",
                "That was {number} dry runs in a short time. Wait a little.",
                rules.MOST_DRY_RUNS,
            ),
            made[-rules.MOST_DRY_RUNS].created_at + rules.DRY_RUN_WINDOW - now,
        )


def _campaign_of_submit(session: Session, promoter_id: int, idempotency_key: str) -> Campaign | None:
    return session.scalars(
        select(Campaign).where(Campaign.promoter_id == promoter_id, Campaign.idempotency_key == idempotency_key)
    ).one_or_none()


def _check_same_submit(first: Campaign, options: CampaignChoices, day: date) -> None:
    """Check that a repeated submit asks for what its first one made, and that this still stands. Raise SubmitKeySpent.

    A key is remembered for ever, what it made is not: it is cancelled, or of an evening that is over.
    """
    chosen = CampaignChoices(first.audience, first.include_late_joiners, first.dry_run, first.start_at)
    if first.status is CampaignStatus.CANCELLED:
        raise SubmitKeySpent(_("You sent this before and cancelled it. Nothing has changed; you can schedule again."))
    if first.day != day:
        raise SubmitKeySpent(
            _("You sent this before, for {day}. Nothing has changed; you can schedule tonight.").format(
                day=dated(first.day, _("EEEE d MMMM"))
            )
        )
    if chosen != options:
        raise SubmitKeySpent(
            _("You sent this before, with other choices. Nothing has changed; check and schedule again.")
        )


def _campaign_despite(
    session: Session,
    promoter_id: int,
    idempotency_key: str,
    options: CampaignChoices,
    day: date,
    error: IntegrityError,
) -> Campaign:
    """Return the first campaign of the same submit, or raise CampaignExists, as the violated constraint decides."""
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    if constraint == models.PER_SUBMIT:
        first = _campaign_of_submit(session, promoter_id, idempotency_key)
        if first is not None:
            _check_same_submit(first, options, day)
            return first
    if constraint not in {models.PER_PROMOTER, models.PER_DAY, models.PER_SUBMIT}:
        raise error
    other = queries.blocking_campaign(session, day, promoter_id, one_a_day=constraint != models.PER_PROMOTER)
    if other is None:
        raise error
    promoter = accounts.player_names(session, [other.promoter_id])[other.promoter_id]
    raise CampaignExists(promoter, queries.read_progress(session, other).status) from error


def _plan_jobs(session: Session, campaign: Campaign, ahead: Preview, *, settings: Settings, now: datetime) -> None:
    add_recipients(session, campaign, ahead.asked, now=now)
    promised = [_phase_job(call, campaign, ahead.timeline, settings) for call in CALLS]
    jobs.schedule(session, [*promised, _plan_risk_monitor(campaign, ahead.timeline, now)], now=now)
    # Planned ahead, so that at its moment a notice only has to leave; who needs a follow-up is not known yet.
    players = [asked.player_id for asked in ahead.asked]
    for call in CALLS:
        moment = call.moment(ahead.timeline)
        if call is not FOLLOW_UP and moment.skipped is None:
            until = moment.deadline_at
            call.plan(session, campaign, players, run_at=moment.at, deadline_at=until, settings=settings, now=now)


def _phase_job(call: Call, campaign: Campaign, timeline: Timeline, settings: Settings) -> NewJob:
    """Return the job of a call; `skipped` if it is too late, or switched off."""
    moment = call.moment(timeline)
    is_off = call is FOLLOW_UP and not settings.voice_check_enabled
    reason = Reason.SWITCHED_OFF if is_off else moment.skipped
    return NewJob(
        call.name,
        campaign.subject,
        run_at=moment.at,
        deadline_at=moment.deadline_at,
        max_attempts=settings.job_max_attempts,
        status=JobStatus.SKIPPED if reason else JobStatus.PENDING,
        reason=Explanation(reason) if reason else None,
        is_urgent=True,
    )


def _plan_risk_monitor(campaign: Campaign, timeline: Timeline, now: datetime) -> NewJob:
    """Return the risk monitor's job; after the start's deadline there is nothing to warn of."""
    begins = max(timeline.reminder.at - rules.RISK_MONITOR_LEAD, now)
    until = timeline.start.deadline_at
    return NewJob(rules.RISK_MONITOR, campaign.subject, run_at=begins, deadline_at=until, is_urgent=True)


def add_recipients(session: Session, campaign: Campaign, asked: list[Candidate], *, now: datetime) -> None:
    """Add recipients; those who are asked already stay as they are."""
    if not asked:
        return
    session.execute(
        insert(Recipient).on_conflict_do_nothing(),
        [
            {"campaign_id": campaign.id, "player_id": player.player_id, "status": player.status, "added_at": now}
            for player in asked
        ],
    )


def cancel_campaign(
    session: Session, campaign_id: int, *, player_id: int, is_admin: bool, by: str | None = None, now: datetime
) -> Campaign:
    """Stop what has not gone out, for its promoter or an admin, whom the log names `by`.

    Raise NoSuchCampaign or CampaignOver.
    """
    campaign = session.get(Campaign, campaign_id, with_for_update=True, populate_existing=True)
    if campaign is None or (campaign.promoter_id != player_id and not is_admin):
        raise queries.NoSuchCampaign
    if campaign.status is CampaignStatus.CANCELLED:
        return campaign
    if not queries.read_progress(session, campaign).is_open:
        raise CampaignOver
    queries.record_if_not_own(session, campaign, LinkAction.CAMPAIGN_CANCELLED, player_id, by, "cancelled", now=now)
    campaign.status = CampaignStatus.CANCELLED
    for kind in (*rules.JOB_KINDS, rules.RISK_MONITOR, rules.VOICE_SUMMARY, rules.ATTENDANCE, rules.DRY_RUN):
        jobs.skip_pending(session, kind, [campaign.subject], reason=Reason.WITHDRAWN, now=now)
    deliveries.withdraw_pending(session, campaign.subject, rules.ALL_NOTICES, now=now)
    db.notify(session, db.LIVE_CHANNEL, "campaign")
    return campaign


def erase_player(session: Session, player_id: int) -> None:
    """Erase what campaigns know of this player: what they said about a day, and where a voice check found them."""
    gone = {"status": None, "whereabouts": None, "on_server": None, "seen_at": None, "came": None}
    session.execute(update(Recipient).where(Recipient.player_id == player_id).values(gone))
