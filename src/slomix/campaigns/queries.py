"""Reads campaigns and their progress, and records their status."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from slomix import words
from slomix.accounts import service as accounts
from slomix.accounts.rules import LinkAction
from slomix.availability.models import Entry
from slomix.availability.rules import Status
from slomix.campaigns import rules
from slomix.campaigns.models import Campaign, Recipient
from slomix.campaigns.rules import CampaignStatus, NoticeOutcome
from slomix.database import session as db
from slomix.deliveries import service as deliveries
from slomix.deliveries.rules import DeliveryStatus
from slomix.deliveries.service import Tally
from slomix.errors import NotFound
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.presence.rules import VoiceStatus


class NoSuchCampaign(NotFound):
    sentence = words.NO_SUCH_CAMPAIGN


def get_campaign(session: Session, campaign_id: int) -> Campaign:
    """Return the campaign with this id. Raise NoSuchCampaign."""
    campaign = session.get(Campaign, campaign_id)
    if campaign is None:
        raise NoSuchCampaign
    return campaign


def attendance_of_day(session: Session, day: date) -> dict[int, bool]:
    """Return whether each player whom a voice check of this day looked for was there, in voice or on the server."""
    rows = session.execute(
        select(Recipient.player_id, Recipient.whereabouts, Recipient.on_server)
        .join(Campaign, Campaign.id == Recipient.campaign_id)
        .where(Campaign.day == day, ~Campaign.dry_run, Recipient.whereabouts.is_not(None))
        .order_by(Campaign.id)
    )
    found: dict[int, bool] = {}
    for row in rows:
        if row.whereabouts is not VoiceStatus.UNKNOWN or row.on_server:
            was_there = row.whereabouts.is_in_voice or bool(row.on_server)
            found[row.player_id] = found.get(row.player_id, False) or was_there
    return found


def campaign_of_subject(session: Session, subject: str) -> Campaign:
    """Return the campaign that a job or a ledger row is about."""
    return get_campaign(session, campaign_id_of(subject))


def campaign_id_of(subject: str) -> int:
    """Return the campaign's id from its name in jobs and the ledger."""
    return int(subject.removeprefix(rules.SUBJECT))


def campaign_of_day(session: Session, day: date) -> Campaign | None:
    """Return the latest real campaign of a day; a cancelled one only if there is no other."""
    return session.scalars(
        select(Campaign)
        .where(Campaign.day == day, ~Campaign.dry_run)
        .order_by(Campaign.status == CampaignStatus.CANCELLED, Campaign.id.desc())
    ).first()


def recipients_of(session: Session, campaign: Campaign) -> list[Recipient]:
    """Return the campaign's recipients, in the order in which they were added."""
    query = select(Recipient).where(Recipient.campaign_id == campaign.id)
    return list(session.scalars(query.order_by(Recipient.added_at, Recipient.player_id)))


def recipient_count(session: Session, campaign: Campaign) -> int:
    return session.scalar(select(func.count()).where(Recipient.campaign_id == campaign.id)) or 0


@dataclass(frozen=True)
class Attendance:
    """How many came to voice, of those who were asked and did not take back that they play."""

    here: int
    asked: int


def attendance_columns() -> tuple[ColumnElement[int], ColumnElement[int], ColumnElement[bool | None]]:
    """Return columns over recipients joined with their entries: how many came, of how many, whether that is known."""
    came = Recipient.whereabouts.in_([where for where in VoiceStatus if where.is_in_voice])
    wanted = Entry.status.is_not(None) & (Entry.status != Status.NOT_PLAYING)
    return (
        func.count().filter(came),
        func.count().filter(came | wanted),
        func.bool_and(Recipient.whereabouts != VoiceStatus.UNKNOWN),
    )


def attendance_of(session: Session, campaign: Campaign) -> Attendance | None:
    """Return what the voice check found; None before it, or if presence stayed unknown."""
    if campaign.judged_at is None:
        return None
    said = (Entry.player_id == Recipient.player_id) & (Entry.day == campaign.day)
    query = select(*attendance_columns()).select_from(Recipient).outerjoin(Entry, said)
    here, asked, is_known = session.execute(query.where(Recipient.campaign_id == campaign.id)).one()
    return Attendance(here, asked) if is_known else None


def blocking_campaign(session: Session, day: date, promoter_id: int, *, one_a_day: bool) -> Campaign | None:
    """Return the campaign that keeps this promoter from calling `day` together, if any."""
    standing = (Campaign.day == day) & ~Campaign.dry_run & (Campaign.status != CampaignStatus.CANCELLED)
    theirs = Campaign.promoter_id == promoter_id
    if one_a_day:
        theirs |= Campaign.exclusive_on == day
    return session.scalars(select(Campaign).where(standing, theirs).order_by(Campaign.id)).first()


@dataclass(frozen=True)
class CampaignProgress:
    """How far a campaign has come: its jobs, its deliveries by notice, and the resulting status."""

    jobs: list[Job]
    tallies: dict[str, Tally]
    status: CampaignStatus

    @property
    def is_open(self) -> bool:
        """Return whether a job is not over, so that there is something to cancel."""
        return any(not job.status.is_over for job in self.jobs)


def is_monitored(campaign: Campaign, jobs: Sequence[Job], now: datetime) -> bool:
    """Return whether `now` is between shortly before the reminder was promised and the last moment of the start."""
    reminders = [job.due_at or job.run_at for job in jobs if job.kind == rules.REMINDER]
    return bool(reminders) and reminders[0] - rules.RISK_MONITOR_LEAD <= now <= campaign.start_at + rules.START_CUTOFF


def read_progress(
    session: Session, campaign: Campaign, finishing: Mapping[str, JobStatus] | None = None
) -> CampaignProgress:
    """Read how far a campaign has come; `finishing` has the jobs that this transaction is about to end."""
    own = jobs.jobs_of_subject(session, campaign.subject, [*rules.JOB_KINDS, rules.DRY_RUN])
    tallies = deliveries.tally_by_notice(session, campaign.subject)
    states = {job.kind: job.status for job in own} | dict(finishing or {})
    return CampaignProgress(
        own, tallies, status_of(campaign, {name: _phase(tally) for name, tally in tallies.items()}, states)
    )


def status_of(
    campaign: Campaign, phases: Mapping[str, NoticeOutcome], states: Mapping[str, JobStatus]
) -> CampaignStatus:
    """Return the status by jobs and ledger; that of a cancelled, dry-run or pruned campaign stays as it is."""
    if campaign.status is CampaignStatus.CANCELLED or campaign.dry_run or campaign.ledger_pruned_at is not None:
        return campaign.status
    told = {
        notice: phase for notice, phase in phases.items() if notice != rules.AT_RISK
    }  # a warning, not a message to recipients
    status = rules.overall_status(told, states)
    if status is CampaignStatus.SCHEDULED and campaign.status is CampaignStatus.RUNNING:
        return campaign.status  # its job only waits
    return status


def _phase(tally: Tally) -> NoticeOutcome:
    return NoticeOutcome(tally[DeliveryStatus.SENT], tally[DeliveryStatus.FAILED], tally[DeliveryStatus.UNKNOWN])


def refresh_status(session: Session, campaign: Campaign, finishing: Mapping[str, JobStatus] | None = None) -> None:
    """Record the campaign's status by its jobs and its ledger."""
    record_status(session, campaign, read_progress(session, campaign, finishing).status)


def record_status(session: Session, campaign: Campaign, status: CampaignStatus) -> None:
    """Record a status, unless the campaign was cancelled meanwhile: that is final."""
    if status is campaign.status:
        return
    written = session.scalar(
        update(Campaign)
        .where(Campaign.id == campaign.id, Campaign.status != CampaignStatus.CANCELLED)
        .values(status=status)
        .returning(Campaign.id)
        .execution_options(synchronize_session=False)
    )
    if written is not None:
        set_committed_value(campaign, "status", status)
        db.notify(session, db.LIVE_CHANNEL, "campaign")


def record_danger(session: Session, campaign: Campaign, since: datetime | None) -> None:
    """Record since when the campaign has been at risk; None if it is not."""
    session.execute(
        update(Campaign)
        .where(Campaign.id == campaign.id)
        .values(endangered_since=since)
        .execution_options(synchronize_session=False)
    )
    set_committed_value(campaign, "endangered_since", since)
    db.notify(session, db.LIVE_CHANNEL, "campaign")


def record_if_not_own(
    session: Session, campaign: Campaign, action: LinkAction, player_id: int, by: str | None, new: str, *, now: datetime
) -> None:
    """Log what an admin does to the campaign of somebody else, or an operator to any."""
    if campaign.promoter_id != player_id:
        old = read_progress(session, campaign).status
        accounts.record_action(session, action, actor=by, now=now, campaign=campaign.id, old=old, new=new)
