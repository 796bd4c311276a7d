"""Reads from the database what a monitor needs, in a fixed number of statements, whatever the amount of data."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Float, Text, case, cast, extract, func, or_, select, true
from sqlalchemy.orm import Session

from slomix.campaigns.models import Campaign, Recipient
from slomix.campaigns.rules import CampaignStatus
from slomix.config.settings import Settings
from slomix.deliveries.models import Delivery, Pause
from slomix.deliveries.rules import DeliveryStatus
from slomix.deliveries.service import JOB_KIND
from slomix.health import outages
from slomix.health import service as health
from slomix.health.rules import PartHealth
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.presence.models import Observation
from slomix.presence.service import VOICE

DAY, QUARTER = timedelta(hours=24), timedelta(minutes=15)
# The histogram's upper bounds of lateness, in seconds.
LATE = (1, 2, 5, 10, 30, 60, 120, 300, 900)
# Replaces the status of a delivery that fell back to another channel.
FELL_BACK = "fell_back"


@dataclass(frozen=True)
class JobNumbers:
    """The jobs of one kind in one lane."""

    kind: str
    lane: str
    due: int
    # How long the oldest due job has been waiting for a worker.
    oldest_seconds: float
    running: int
    past_lease: int
    retrying: int
    failed_in_quarter: int
    failed_in_day: int


@dataclass(frozen=True)
class DeliveryNumbers:
    """The deliveries of one notice on one channel with one outcome."""

    channel: str
    notice: str
    outcome: str
    settled_in_quarter: int
    settled_in_day: int
    retries_in_day: int
    # Due but not settled, and for how long the oldest has been due.
    unsent: int
    oldest_seconds: float
    # Of those sent within the day: how many were at most as late as each bound, and the sum of all lateness.
    late: Sequence[int]
    lateness_seconds: float


@dataclass(frozen=True)
class TonightNumbers:
    """Today's campaigns, without dry runs."""

    by_status: Mapping[CampaignStatus, int] = field(default_factory=dict)
    # Without cancelled campaigns: the number of recipients, and the start nearest to now.
    recipients: int = 0
    seconds_to_start: float | None = None


@dataclass(frozen=True)
class Readings:
    """Everything that is read from the database."""

    jobs: Sequence[JobNumbers]
    deliveries: Sequence[DeliveryNumbers]
    parts: Sequence[PartHealth]
    tonight: TonightNumbers
    # Seconds since when each channel's provider has been out; 0 for one that is well.
    outages: Mapping[str, float]
    is_paused: bool
    # Seconds since presence was last recorded; None if it never was.
    presence_age: float | None


def take_readings(session: Session, *, today: date, settings: Settings, now: datetime, wall: datetime) -> Readings:
    """Take all readings, in six statements."""
    is_paused, seen_at = session.execute(
        select(
            select(Pause.id).exists(),
            select(Observation.observed_at).where(Observation.source == VOICE).scalar_subquery(),
        )
    ).one()
    return Readings(
        jobs=_jobs(session, now=now, wall=wall),
        deliveries=_deliveries(session, now=now),
        parts=health.part_healths(session, health.expected_parts(settings), wall=wall),
        tonight=_tonight(session, today, now=now),
        outages=dict.fromkeys(sorted(settings.channels_on), 0.0)
        | {outage.channel: max((now - outage.since).total_seconds(), 1.0) for outage in outages.confirmed(session)},
        is_paused=is_paused,
        presence_age=None if seen_at is None else (now - seen_at).total_seconds(),
    )


def _jobs(session: Session, *, now: datetime, wall: datetime) -> list[JobNumbers]:
    """Count jobs that wait, run or failed recently. Waiting counts from when a worker could have taken the job."""
    is_pending, has_failed = Job.status == JobStatus.PENDING, Job.status == JobStatus.FAILED
    may_run = or_(Job.wait_until.is_(None), Job.wait_until <= wall)
    is_due = is_pending & (Job.run_at <= now) & may_run
    waits = func.least(_seconds(now - Job.run_at), _seconds(wall - Job.wait_until))  # ignores a NULL
    rows = session.execute(
        select(
            Job.kind,
            Job.lane,
            func.count().filter(is_due).label("due"),
            func.coalesce(func.max(waits).filter(is_due), 0.0).label("oldest_seconds"),
            func.count().filter(Job.status == JobStatus.RUNNING).label("running"),
            func.count().filter(Job.lease_until < wall).label("past_lease"),
            func.count().filter(is_pending & (Job.attempts > 0)).label("retrying"),
            func.count().filter(has_failed & (Job.finished_at > now - QUARTER)).label("failed_in_quarter"),
            func.count().filter(has_failed).label("failed_in_day"),
        )
        .where(
            or_(
                Job.status.in_([JobStatus.PENDING, JobStatus.RUNNING]),
                has_failed & (Job.finished_at > now - DAY),
            )
        )
        .group_by(Job.kind, Job.lane)
    )
    return [JobNumbers(*row) for row in rows]


def _deliveries(session: Session, *, now: datetime) -> list[DeliveryNumbers]:
    """Count deliveries that are open or were settled within the day, and how late they were sent."""
    # Forces one index look-up per delivery: without statistics, the planner's alternatives take minutes.
    job = (
        select(func.coalesce(Job.due_at, Job.run_at).label("due_at"), Job.attempts)
        .where(Job.kind == JOB_KIND, Job.subject == cast(Delivery.id, Text))
        .limit(1)
        .lateral("job")
    )
    due_at = job.c.due_at
    outcome = case((Delivery.fell_back_to.is_not(None), FELL_BACK), else_=cast(Delivery.status, Text))
    is_open = Delivery.status.in_([status for status in DeliveryStatus if not status.is_settled])
    in_day, is_unsent = Delivery.settled_at > now - DAY, is_open & (due_at <= now)
    arrived = in_day & (Delivery.status == DeliveryStatus.SENT)
    late = func.greatest(_seconds(Delivery.settled_at - due_at), 0)
    rows = session.execute(
        select(
            Delivery.channel,
            Delivery.notice,
            outcome.label("outcome"),
            func.count().filter(Delivery.settled_at > now - QUARTER).label("in_quarter"),
            func.count().filter(in_day).label("in_day"),
            func.sum(func.greatest(job.c.attempts - 1, 0)).filter(in_day).label("retries"),
            func.count().filter(is_unsent).label("unsent"),
            func.max(_seconds(now - due_at)).filter(is_unsent).label("oldest"),
            func.sum(late).filter(arrived).label("lateness"),
            *(func.count().filter(arrived & (late <= most)).label(f"late_{most}") for most in LATE),
        )
        .select_from(Delivery)
        .outerjoin(job, true())
        .where(or_(is_open, in_day))
        .group_by(Delivery.channel, Delivery.notice, outcome)
    )
    return [
        DeliveryNumbers(
            row.channel,
            row.notice,
            row.outcome,
            row.in_quarter,
            row.in_day,
            int(row.retries or 0),
            row.unsent,
            float(row.oldest or 0),
            [row._mapping[f"late_{most}"] for most in LATE],
            float(row.lateness or 0),
        )
        for row in rows
    ]


def _tonight(session: Session, today: date, *, now: datetime) -> TonightNumbers:
    asked = select(func.count()).where(Recipient.campaign_id == Campaign.id).scalar_subquery()
    rows = session.execute(
        select(Campaign.status, Campaign.start_at, asked.label("asked")).where(Campaign.day == today, ~Campaign.dry_run)
    ).all()
    standing = [row for row in rows if row.status is not CampaignStatus.CANCELLED]
    return TonightNumbers(
        by_status=Counter(row.status for row in rows),
        recipients=sum(row.asked for row in standing),
        seconds_to_start=min(((row.start_at - now).total_seconds() for row in standing), key=abs, default=None),
    )


def _seconds(span: Any) -> ColumnElement[float]:
    seconds: Any = extract("epoch", span)
    return cast(seconds, Float)
