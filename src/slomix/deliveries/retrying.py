"""Retries, by hand, deliveries that failed or may not have arrived, while they would still be true."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from slomix.config.settings import Settings
from slomix.contacts import service as contacts
from slomix.contacts.rules import ChannelName
from slomix.database import session as db
from slomix.deliveries import service
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import DeliveryStatus
from slomix.deliveries.service import JOB_KIND
from slomix.jobs import service as jobs
from slomix.jobs.models import Job


@dataclass(frozen=True)
class RetryChoices:
    """The deliveries that may be retried, each with its notice: failed, or perhaps arrived already."""

    failed: Mapping[int, str] = field(default_factory=dict)
    unknown: Mapping[int, str] = field(default_factory=dict)


NO_CHOICES = RetryChoices()


def retry_choices(session: Session, subject: str, *, settings: Settings, now: datetime) -> RetryChoices:
    """Return which deliveries about `subject` could be retried now.

    Left out are those past their deadline, those that fell back to another channel, and those whose player has no
    working contact, as they would fail again at once.
    """
    rows = list(session.scalars(_query(subject, (DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN), now)))
    rows = _with_route(session, rows, settings)
    return RetryChoices(
        failed={row.id: row.notice for row in rows if row.status is DeliveryStatus.FAILED},
        unknown={row.id: row.notice for row in rows if row.status is DeliveryStatus.UNKNOWN},
    )


def retry_deliveries(session: Session, subject: str, delivery_ids: Iterable[int], *, now: datetime) -> int:
    """Make those of these deliveries that are still failed or unknown pending again; return how many.

    Deliveries that changed meanwhile are left alone. Each gets a new nonce, so that the provider doesn't take it for
    the earlier try: one that was unknown may arrive twice.
    """
    wanted = set(delivery_ids)
    free = _lock_jobs(session, wanted)
    statuses = (DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN)
    query = _query(subject, statuses, now).where(Delivery.id.in_(wanted & free)).with_for_update()
    rows = list(session.scalars(query.execution_options(populate_existing=True)))
    by_deadline: dict[datetime | None, list[str]] = {}
    for row in rows:
        service.reset_delivery(row, notice=row.notice, subject=row.subject, deadline_at=row.deadline_at)
        row.nonce = service.new_nonce()
        by_deadline.setdefault(row.deadline_at, []).append(str(row.id))
    session.flush()
    for deadline_at, ids in by_deadline.items():
        jobs.reopen(session, JOB_KIND, ids, run_at=now, deadline_at=deadline_at)
    db.notify(session, db.LIVE_CHANNEL, "deliveries")
    return len(rows)


def _query(subject: str, statuses: Sequence[DeliveryStatus], now: datetime) -> Select[Delivery]:
    """Select the rows in these states whose deadline has not passed and that did not fall back."""
    return (
        select(Delivery)
        .where(
            Delivery.subject == subject,
            Delivery.status.in_(statuses),
            Delivery.fell_back_to.is_(None),
            or_(Delivery.deadline_at.is_(None), Delivery.deadline_at > now),
        )
        .order_by(Delivery.id)
    )


def _lock_jobs(session: Session, delivery_ids: Iterable[int]) -> set[int]:
    """Lock the jobs of these deliveries, jobs first as everywhere; return the deliveries whose job is over."""
    subjects = [str(delivery_id) for delivery_id in delivery_ids]
    query = select(Job).where(Job.kind == JOB_KIND, Job.subject.in_(subjects)).order_by(Job.id).with_for_update()
    held = session.scalars(query.execution_options(populate_existing=True))
    return {int(job.subject) for job in held if job.status.is_over}


def _with_route(session: Session, rows: list[Delivery], settings: Settings) -> list[Delivery]:
    """Keep the rows that go to a room, or to a player with a working contact that was not tried in vain."""
    players = {row.player_id for row in rows if row.player_id is not None}
    if not players:
        return rows
    reaches = contacts.reachability_of(session, players, settings=settings)
    tried: dict[tuple[int | None, str], set[tuple[int, ChannelName]]] = {}
    theirs = Delivery.player_id.in_(players) & Delivery.event_key.in_({row.event_key for row in rows})
    for other in session.execute(
        select(Delivery.id, Delivery.player_id, Delivery.event_key, Delivery.channel).where(theirs)
    ):
        tried.setdefault((other.player_id, other.event_key), set()).add((other.id, other.channel))

    def has_route(row: Delivery) -> bool:
        if row.player_id is None:
            return True
        reach = reaches.get(row.player_id)
        elsewhere = {channel for row_id, channel in tried[row.player_id, row.event_key] if row_id != row.id}
        return reach is not None and any(route.channel not in elsewhere for route in reach.routes)

    return [row for row in rows if has_route(row)]
