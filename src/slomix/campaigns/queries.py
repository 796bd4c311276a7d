"""Reads campaigns, and what they came to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from slomix import words
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
    def __init__(self) -> None:
        super().__init__(words.NO_SUCH_CAMPAIGN)


def get_campaign(session: Session, campaign_id: int) -> Campaign:
    """The campaign with this id. Raises NoSuchCampaign."""
    campaign = session.get(Campaign, campaign_id)
    if campaign is None:
        raise NoSuchCampaign
    return campaign


def attendance_of_day(session: Session, day: date) -> dict[int, bool]:
    """Whether those whom a voice check of this day looked for were there, in voice or on the game server."""
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
    """The campaign that a job or a ledger row speaks of."""
    return get_campaign(session, campaign_id_of(subject))


def campaign_id_of(subject: str) -> int:
    """The campaign's id, of how jobs and the ledger name it."""
    return int(subject.removeprefix(rules.SUBJECT))


def campaign_of_day(session: Session, day: date) -> Campaign | None:
    """The latest campaign of a day that is no dry run; a cancelled one only if there is no other."""
    return session.scalars(
        select(Campaign)
        .where(Campaign.day == day, ~Campaign.dry_run)
        .order_by(Campaign.status == CampaignStatus.CANCELLED, Campaign.id.desc())
    ).first()


def recipients_of(session: Session, campaign: Campaign) -> list[Recipient]:
    """Whom the campaign asks, in the order of the queue when they were added."""
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
    """Of recipients, beside what they said of the day: who came, out of how many, and whether that is known."""
    came = Recipient.whereabouts.in_([where for where in VoiceStatus if where.is_in_voice])
    wanted = Entry.status.is_not(None) & (Entry.status != Status.NOT_PLAYING)
    return (
        func.count().filter(came),
        func.count().filter(came | wanted),
        func.bool_and(Recipient.whereabouts != VoiceStatus.UNKNOWN),
    )


def attendance_of(session: Session, campaign: Campaign) -> Attendance | None:
    """What the voice check found; None before it, or when presence stayed unknown."""
    if campaign.judged_at is None:
        return None
    said = (Entry.player_id == Recipient.player_id) & (Entry.day == campaign.day)
    query = select(*attendance_columns()).select_from(Recipient).outerjoin(Entry, said)
    here, asked, is_known = session.execute(query.where(Recipient.campaign_id == campaign.id)).one()
    return Attendance(here, asked) if is_known else None


def blocking_campaign(session: Session, day: date, promoter_id: int, *, one_a_day: bool) -> Campaign | None:
    """The campaign because of which this promoter cannot call `day` together."""
    standing = (Campaign.day == day) & ~Campaign.dry_run & (Campaign.status != CampaignStatus.CANCELLED)
    theirs = (
        (Campaign.promoter_id == promoter_id) | (Campaign.exclusive_on == day)
        if one_a_day
        else (Campaign.promoter_id == promoter_id)
    )
    return session.scalars(select(Campaign).where(standing, theirs).order_by(Campaign.id)).first()


@dataclass(frozen=True)
class CampaignProgress:
    """How far a campaign has come: its jobs, what became of its deliveries by notice, and what that amounts to."""

    jobs: list[Job]
    tallies: dict[str, Tally]
    status: CampaignStatus

    @property
    def is_open(self) -> bool:
        """Whether a job of it is not over, so that there is something to cancel."""
        return any(not job.status.is_over for job in self.jobs)


def is_monitored(campaign: Campaign, jobs: Sequence[Job], now: datetime) -> bool:
    """Whether it is looked after now: from shortly before its reminder was promised until nobody is told any more."""
    reminders = [one.due_at or one.run_at for one in jobs if one.kind == rules.REMINDER]
    return bool(reminders) and reminders[0] - rules.RISK_MONITOR_LEAD <= now <= campaign.start_at + rules.START_CUTOFF


def read_progress(
    session: Session, campaign: Campaign, finishing: Mapping[str, JobStatus] | None = None
) -> CampaignProgress:
    """Look how far it has come; `finishing` are jobs whose end this transaction is about to write."""
    own = jobs.jobs_of_subject(session, campaign.subject, [*rules.JOB_KINDS, rules.DRY_RUN])
    tallies = deliveries.tally_by_notice(session, campaign.subject)
    states = {job.kind: job.status for job in own} | dict(finishing or {})
    return CampaignProgress(
        own, tallies, status_of(campaign, {name: _phase(tally) for name, tally in tallies.items()}, states)
    )


def status_of(
    campaign: Campaign, phases: Mapping[str, NoticeOutcome], states: Mapping[str, JobStatus]
) -> CampaignStatus:
    """What it came to, by its jobs and its ledger; a cancel, and what was written down for good, stand as they are."""
    if campaign.status is CampaignStatus.CANCELLED or campaign.dry_run or campaign.ledger_pruned_at is not None:
        return campaign.status
    told = {notice: phase for notice, phase in phases.items() if notice != rules.AT_RISK}  # which is about the others
    status = rules.overall_status(told, states)
    if status is CampaignStatus.SCHEDULED and campaign.status is CampaignStatus.RUNNING:
        return campaign.status  # its job only waits between two looks
    return status


def _phase(tally: Tally) -> NoticeOutcome:
    return NoticeOutcome(tally[DeliveryStatus.SENT], tally[DeliveryStatus.FAILED], tally[DeliveryStatus.UNKNOWN])


def refresh_status(session: Session, campaign: Campaign, finishing: Mapping[str, JobStatus] | None = None) -> None:
    """Write down what the campaign came to so far."""
    record_status(session, campaign, read_progress(session, campaign, finishing).status)


def record_status(session: Session, campaign: Campaign, status: CampaignStatus) -> None:
    """Write a status, unless somebody has cancelled the campaign meanwhile: a cancel is the last word."""
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
    """Write down since when it has been in danger, if it is."""
    session.execute(
        update(Campaign)
        .where(Campaign.id == campaign.id)
        .values(endangered_since=since)
        .execution_options(synchronize_session=False)
    )
    set_committed_value(campaign, "endangered_since", since)
    db.notify(session, db.LIVE_CHANNEL, "campaign")
