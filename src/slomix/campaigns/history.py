"""Reads the past game nights, newest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Text, cast, func, literal, select, union_all
from sqlalchemy.orm import Session

from slomix.accounts.models import Player
from slomix.campaigns import queries, rules
from slomix.campaigns.models import Campaign
from slomix.campaigns.queries import AskedCounts, Attendance
from slomix.campaigns.rules import CampaignState, CampaignStatus, NoticeOutcome
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus

PAGE = 50
JOBS, ROWS = "jobs", "rows"


@dataclass(frozen=True)
class PastCampaign:
    """A campaign in the list of game nights."""

    id: int
    day: date
    start_at: datetime
    promoter: str
    status: CampaignStatus
    # What its status was computed from.
    phases: Mapping[str, NoticeOutcome]
    jobs: Mapping[str, JobStatus]
    is_dry_run: bool
    # Stored when its messages were deleted.
    cause: CampaignState | None
    asked: AskedCounts
    # None before the voice check, or when its answer is not known.
    turnout: Attendance | None

    @property
    def asked_text(self) -> str:
        """Say how many were asked, or will be."""
        return self.asked.text(is_open=self.status in {CampaignStatus.SCHEDULED, CampaignStatus.RUNNING})

    def state(self, today: date) -> CampaignState:
        """Return how pages name its status."""
        return rules.state_of(
            self.status,
            self.phases,
            self.jobs,
            is_dry_run=self.is_dry_run,
            is_past=self.day < today,
            stored_cause=self.cause,
        )


def past_campaigns(
    session: Session, zone: ZoneInfo, *, before_id: int | None = None, dry_runs: bool = False
) -> tuple[list[PastCampaign], int | None]:
    """Return a page of campaigns, and the id before which the next page begins, if any; always two queries."""
    query = (
        select(Campaign, Player.name, *queries.asked_columns())
        .join(Player, Player.id == Campaign.promoter_id)
        .order_by(Campaign.id.desc())
        .limit(PAGE + 1)
    )
    if not dry_runs:
        query = query.where(~Campaign.dry_run)
    if before_id is not None:
        query = query.where(Campaign.id < before_id)
    found = session.execute(query).all()
    progress = _progress(session, [row[0] for row in found[:PAGE]])
    shown = [
        PastCampaign(
            id=campaign.id,
            day=campaign.day,
            start_at=campaign.start_at,
            promoter=promoter,
            status=queries.status_of(campaign, *progress[campaign.subject]),
            phases=progress[campaign.subject][0],
            jobs=progress[campaign.subject][1],
            is_dry_run=campaign.dry_run,
            cause=campaign.cause,
            asked=AskedCounts(recipients, told),
            turnout=queries.attendance_of(campaign, zone),
        )
        for campaign, promoter, recipients, told in found[:PAGE]
    ]
    return shown, shown[-1].id if len(found) > PAGE else None


Progress = tuple[Mapping[str, NoticeOutcome], Mapping[str, JobStatus]]


def _progress(session: Session, campaigns: list[Campaign]) -> dict[str, Progress]:
    """Return what became of each campaign's messages and jobs, by its subject."""
    subjects = [campaign.subject for campaign in campaigns]
    jobs = select(
        literal(JOBS).label("table"),
        Job.subject,
        Job.kind.label("name"),
        cast(Job.status, Text).label("status"),
        literal(1).label("number"),
    ).where(Job.subject.in_(subjects), Job.kind.in_(rules.JOB_KINDS))
    rows = (
        select(literal(ROWS), Delivery.subject, Delivery.notice, cast(Delivery.status, Text), func.count())
        .where(Delivery.subject.in_(subjects), Delivery.fell_back_to.is_(None))
        .group_by(Delivery.subject, Delivery.notice, Delivery.status)
    )
    states: dict[str, dict[str, JobStatus]] = {}
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for table, subject, name, status, number in session.execute(union_all(jobs, rows)):
        if table == JOBS:
            states.setdefault(subject, {})[name] = JobStatus(status)
        else:
            counts.setdefault(subject, {}).setdefault(name, {})[status] = number
    return {
        campaign.subject: (_phases(counts.get(campaign.subject, {})), states.get(campaign.subject, {}))
        for campaign in campaigns
    }


def _phases(counts: dict[str, dict[str, int]]) -> dict[str, NoticeOutcome]:
    return {
        notice: NoticeOutcome(
            by_status.get(DeliveryStatus.SENT, 0),
            by_status.get(DeliveryStatus.FAILED, 0),
            by_status.get(DeliveryStatus.UNKNOWN, 0),
        )
        for notice, by_status in counts.items()
        if notice != rules.AT_RISK  # a warning, not a message to recipients
    }
