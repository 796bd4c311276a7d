"""Reads campaigns and their progress, and records their status."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from slomix.accounts import service as accounts
from slomix.accounts.rules import LinkAction
from slomix.campaigns import rules
from slomix.campaigns.models import Campaign, Recipient, subject_column
from slomix.campaigns.rules import CampaignState, CampaignStatus, NoticeOutcome
from slomix.database import session as db
from slomix.deliveries import service as deliveries
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.deliveries.service import Tally
from slomix.errors import NotFound
from slomix.i18n import N_, _, ngettext
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus


class NoSuchCampaign(NotFound):
    sentence = N_("There is no such campaign.")


def get_campaign(session: Session, campaign_id: int) -> Campaign:
    """Return the campaign with this id. Raise NoSuchCampaign."""
    campaign = session.get(Campaign, campaign_id)
    if campaign is None:
        raise NoSuchCampaign
    return campaign


@dataclass(frozen=True)
class PlayerAttendance:
    """What is known of a recipient's evening, in words, and whether they were there."""

    text: str
    was_there: bool


def attendance_of_day(session: Session, day: date, zone: ZoneInfo) -> dict[int, PlayerAttendance]:
    """Return what was counted of each player on this day, the best of all its campaigns.

    Absence is said only once it is final: until then players may still come.
    """
    rows = session.execute(
        select(Recipient.player_id, Recipient.came, Recipient.on_server, Campaign.judged_at, Campaign.counted_at)
        .join(Campaign, Campaign.id == Recipient.campaign_id)
        .where(Campaign.day == day, ~Campaign.dry_run, Recipient.came.is_not(None))
    )
    found: dict[int, PlayerAttendance] = {}
    for row in rows:
        is_final = row.counted_at is not None
        if row.came:
            at = _("came") if is_final else _("in voice at {time}").format(time=hour(row.judged_at, zone))
            found[row.player_id] = PlayerAttendance(at, was_there=True)
        elif row.on_server:
            found.setdefault(row.player_id, PlayerAttendance(_("on the server, not in voice"), was_there=False))
        elif is_final:
            found.setdefault(row.player_id, PlayerAttendance(_("not in voice"), was_there=False))
    return found


def hour(moment: datetime, zone: ZoneInfo) -> str:
    """Write the hour of a moment, such as 21:00."""
    return f"{moment.astimezone(zone):%H:%M}"


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


def called_campaign(session: Session, day: date) -> Campaign | None:
    """Return the campaign that stands for a day: the latest real one, unless it was cancelled."""
    campaign = campaign_of_day(session, day)
    return campaign if campaign is not None and campaign.status is not CampaignStatus.CANCELLED else None


def starts_of_days(session: Session, days: Collection[date]) -> dict[date, datetime]:
    """Return when these evenings start, of those that have a campaign that stands."""
    query = select(Campaign.day, Campaign.start_at).where(
        Campaign.day.in_(days), ~Campaign.dry_run, Campaign.status != CampaignStatus.CANCELLED
    )
    return {row.day: row.start_at for row in session.execute(query.order_by(Campaign.id))}


def recipients_of(session: Session, campaign: Campaign) -> list[Recipient]:
    """Return the campaign's recipients, in the order in which they were added."""
    query = select(Recipient).where(Recipient.campaign_id == campaign.id)
    return list(session.scalars(query.order_by(Recipient.added_at, Recipient.player_id)))


@dataclass(frozen=True)
class AskedCounts:
    """How many players a campaign is to ask, and how many of them it has told something, or may have."""

    recipients: int
    told: int

    def text(self, *, is_open: bool) -> str:
        """Say how many were notified or, while that is still to come, will be; empty if it never came to it."""
        if self.told:
            return ngettext("{number} player notified", "{number} players notified", self.told)
        if not is_open:
            return ""
        return ngettext("{number} player will be notified", "{number} players will be notified", self.recipients)


def asked_columns() -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Return columns over campaigns: their recipients, and those of them whom a message reached, or may have."""
    recipients = select(func.count()).where(Recipient.campaign_id == Campaign.id)
    told = select(func.count(Delivery.player_id.distinct())).where(
        Delivery.subject == subject_column(Campaign.id),
        Delivery.notice.in_(rules.JOB_KINDS),
        Delivery.status.in_([DeliveryStatus.SENT, DeliveryStatus.UNKNOWN]),
    )
    return (
        recipients.correlate(Campaign).scalar_subquery().label("recipients"),
        func.coalesce(Campaign.told, told.correlate(Campaign).scalar_subquery()).label("told"),
    )


def asked_counts(session: Session, campaign: Campaign) -> AskedCounts:
    row = session.execute(select(*asked_columns()).where(Campaign.id == campaign.id)).one()
    return AskedCounts(row.recipients, row.told)


@dataclass(frozen=True)
class Attendance:
    """How many came to voice, of those who were told; until that is final, how many were there at a moment."""

    here: int
    asked: int
    # The hour at which they were counted; empty once the count is final.
    as_of: str = ""

    @property
    def text(self) -> str:
        """Say it; empty if no player was told, as then none was missing."""
        if not self.asked:
            return ""
        if self.as_of:
            return _("{here} of {asked} in voice at {time}.").format(here=self.here, asked=self.asked, time=self.as_of)
        return (
            _("All {asked} came to voice.") if self.here == self.asked else _("{here} of {asked} came to voice.")
        ).format(here=self.here, asked=self.asked)


def attendance_of(campaign: Campaign, zone: ZoneInfo) -> Attendance | None:
    """Return what was counted; None before the voice check, or if presence stayed unknown."""
    if campaign.came is None or campaign.counted is None or campaign.judged_at is None:
        return None
    as_of = "" if campaign.counted_at is not None else hour(campaign.judged_at, zone)
    return Attendance(campaign.came, campaign.counted, as_of)


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

    def state(self, campaign: Campaign, today: date) -> CampaignState:
        """Return how pages name the status."""
        phases = {name: _phase(tally) for name, tally in self.tallies.items() if name != rules.AT_RISK}
        states = {job.kind: job.status for job in self.jobs}
        return rules.state_of(
            self.status,
            phases,
            states,
            is_dry_run=campaign.dry_run,
            is_past=campaign.day < today,
            stored_cause=campaign.cause,
        )

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
    """Log what an admin does to another promoter's campaign, or an operator to any."""
    if campaign.promoter_id != player_id:
        old = read_progress(session, campaign).status
        accounts.record_action(session, action, actor=by, now=now, campaign=campaign.id, old=old, new=new)
