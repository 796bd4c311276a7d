"""Finds jobs and deliveries for admins' pages: filtered, a page at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from slomix.accounts import service as accounts
from slomix.accounts.models import Player
from slomix.accounts.rules import like_pattern
from slomix.campaigns.rules import subject_of
from slomix.clock import moment_of
from slomix.config.settings import Settings
from slomix.contacts.rules import ChannelName
from slomix.deliveries import service as deliveries
from slomix.deliveries.models import Attempt, Delivery
from slomix.deliveries.rules import AttemptEvent, DeliveryStatus
from slomix.i18n import _
from slomix.jobs.late import is_late
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus

PAGE = 50


@dataclass(frozen=True)
class JobFilter:
    """Filter for jobs; empty fields match all."""

    status: JobStatus | None = None
    kind: str = ""
    lane: str = ""
    is_late: bool = False
    text: str = ""

    @property
    def soonest_first(self) -> bool:
        """Check whether to sort by due time, as for pending jobs, instead of newest first."""
        return self.is_late or self.status is JobStatus.PENDING


def find_jobs(
    session: Session,
    job_filter: JobFilter,
    *,
    after_id: int | None = None,
    now: datetime,
    wall: datetime,
    limit: int = PAGE,
) -> tuple[list[Job], int | None]:
    """Return a page of jobs and the id beyond which the next page begins, or None at the end."""
    query = select(Job).where(*_job_conditions(job_filter, now, wall)).limit(limit + 1)
    if job_filter.soonest_first:
        query = query.order_by(Job.run_at, Job.id)
        if after_id is not None:
            last = aliased(Job)
            place = select(last.run_at, last.id).where(last.id == after_id).subquery()
            query = query.join(place, tuple_(Job.run_at, Job.id) > tuple_(place.c.run_at, place.c.id))
    else:
        query = query.order_by(Job.id.desc())
        if after_id is not None:
            query = query.where(Job.id < after_id)
    found = list(session.scalars(query))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def _job_conditions(job_filter: JobFilter, now: datetime, wall: datetime) -> list[ColumnElement[bool]]:
    wanted = {Job.status: job_filter.status, Job.kind: job_filter.kind, Job.lane: job_filter.lane}
    conditions: list[ColumnElement[bool]] = [column == value for column, value in wanted.items() if value]
    if job_filter.is_late:
        conditions.append(is_late(now=now, wall=wall))
    if job_filter.text:
        conditions.append(Job.subject.ilike(like_pattern(job_filter.text), escape="\\"))
    return conditions


def deliveries_of_jobs(session: Session, found: Sequence[Job]) -> dict[str, "DeliveryLine"]:
    """Return the deliveries that these jobs carry, by the job's subject."""
    ids = [int(job.subject) for job in found if job.kind == deliveries.JOB_KIND]
    rows = session.scalars(select(Delivery).where(Delivery.id.in_(ids))).all() if ids else []
    return {str(line.row.id): line for line in delivery_lines(session, rows)}


def job_kinds(session: Session) -> list[str]:
    """Return the kinds of the jobs that are stored."""
    return list(session.scalars(select(Job.kind).distinct().order_by(Job.kind)))


@dataclass(frozen=True)
class DeliveryFilter:
    """Filter for deliveries; empty fields match all."""

    day: date | None = None
    status: DeliveryStatus | None = None
    channel: ChannelName | None = None
    notice: str = ""
    text: str = ""
    campaign: int | None = None


@dataclass(frozen=True)
class DeliveryLine:
    """A delivery as admins see it: the recipient, but neither address nor text."""

    row: Delivery
    # The player's name; empty for a room.
    name: str
    due_at: datetime | None
    job_id: int | None
    tries: int


def find_deliveries(
    session: Session,
    delivery_filter: DeliveryFilter,
    *,
    before_id: int | None = None,
    settings: Settings,
    limit: int = PAGE,
) -> tuple[list[DeliveryLine], int | None]:
    """Return a page of the ledger, newest first, and the id before which the next page begins, or None."""
    query = (
        select(Delivery)
        .where(*_delivery_conditions(delivery_filter, settings))
        .order_by(Delivery.id.desc())
        .limit(limit + 1)
    )
    if before_id is not None:
        query = query.where(Delivery.id < before_id)
    found = list(session.scalars(query))
    return delivery_lines(session, found[:limit]), found[limit - 1].id if len(found) > limit else None


def count_by_status(
    session: Session, delivery_filter: DeliveryFilter, *, settings: Settings
) -> Mapping[DeliveryStatus, int]:
    """Count the matching deliveries by status; a delivery that fell back counts only where it went."""
    conditions = [*_delivery_conditions(delivery_filter, settings), Delivery.fell_back_to.is_(None)]
    query = select(Delivery.status, func.count().label("number")).where(*conditions).group_by(Delivery.status)
    found = {row.status: row.number for row in session.execute(query)}
    return {status: found[status] for status in DeliveryStatus if status in found}


def _delivery_conditions(delivery_filter: DeliveryFilter, settings: Settings) -> list[ColumnElement[bool]]:
    wanted = {
        Delivery.status: delivery_filter.status,
        Delivery.channel: delivery_filter.channel,
        Delivery.notice: delivery_filter.notice,
    }
    conditions: list[ColumnElement[bool]] = [column == value for column, value in wanted.items() if value]
    if delivery_filter.day is not None:
        first, after = _bounds(delivery_filter.day, settings)
        conditions += [Delivery.created_at >= first, Delivery.created_at < after]
    if delivery_filter.campaign is not None:
        conditions.append(Delivery.subject == subject_of(delivery_filter.campaign))
    if delivery_filter.text:
        is_named = accounts.is_named(Player.name_keys, delivery_filter.text)
        conditions.append(exists().where(Player.id == Delivery.player_id, is_named))
    return conditions


def _bounds(day: date, settings: Settings) -> tuple[datetime, datetime]:
    """Return when the community's day begins, and the next one."""
    starts_at = settings.day_starts_at
    return (
        moment_of(day, starts_at, settings.zone, starts_at),
        moment_of(day + timedelta(days=1), starts_at, settings.zone, starts_at),
    )


def delivery_lines(session: Session, rows: Sequence[Delivery]) -> list[DeliveryLine]:
    """Add names, jobs and attempt counts to these deliveries, in three queries."""
    ids = [row.id for row in rows]
    names = accounts.player_names(session, [row.player_id for row in rows if row.player_id is not None])
    carriers = {
        int(job.subject): job
        for job in session.execute(
            select(Job.id, Job.subject, Job.run_at).where(
                Job.kind == deliveries.JOB_KIND, Job.subject.in_([str(delivery_id) for delivery_id in ids])
            )
        )
    }
    begun = (Attempt.delivery_id.in_(ids)) & (Attempt.event == AttemptEvent.BEGUN)
    tried = session.execute(
        select(Attempt.delivery_id, func.count().label("number")).where(begun).group_by(Attempt.delivery_id)
    )
    tries = {row.delivery_id: row.number for row in tried}
    return [
        DeliveryLine(
            row,
            names.get(row.player_id, _("unnamed")) if row.player_id is not None else "",
            carriers[row.id].run_at if row.id in carriers else None,
            carriers[row.id].id if row.id in carriers else None,
            tries.get(row.id, 0),
        )
        for row in rows
    ]
