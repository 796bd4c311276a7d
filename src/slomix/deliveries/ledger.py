"""Writes the tries of a delivery to the ledger: lock, begin, end, settle, fall back.

A thousand players are told within seconds, so each step is one statement.
"""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, Update, bindparam, case, exists, func, insert, literal, select, update
from sqlalchemy.orm import Session, aliased

from slomix.clock import local_day
from slomix.config.settings import Settings
from slomix.contacts import service as contacts
from slomix.contacts.rules import ChannelName, Reachability
from slomix.database import session as db
from slomix.deliveries import budget, service
from slomix.deliveries.models import Attempt, Delivery, Pause
from slomix.deliveries.rules import OPEN, AttemptEvent, DeliveryStatus, Verdict
from slomix.health.models import Outage
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import Done
from slomix.jobs.service import NewJob
from slomix.reasons.codes import Explanation

# At most so many deliveries are settled at one moment: each worker has few connections to the database.
FEW = 8


@dataclass(frozen=True)
class LockedDelivery:
    """A delivery, how its player may be reached (None for a room), and what keeps messages from leaving."""

    delivery: Delivery
    reachability: Reachability | None
    is_paused: bool
    # Some provider is out, or suspected to be.
    has_outage: bool = False
    # Earlier messages of the day were held back.
    has_held_back: bool = False

    @property
    def language(self) -> str | None:
        """Return the language that its reader chose; None for a room."""
        return self.reachability.language if self.reachability is not None else None


@dataclass(frozen=True)
class AttemptKey:
    """A try of a delivery, under this claim of its job."""

    delivery_id: int
    claim: int


@dataclass(frozen=True)
class NewAttempt:
    """The words and the channel of a first try, and the day among whose messages it counts."""

    channel: ChannelName
    text: str
    budget_day: date | None = None


def lock_delivery(session: Session, delivery_id: int, *, settings: Settings, now: datetime) -> LockedDelivery | None:
    """Lock a delivery and read how to reach its player; return None if it was deleted together with them."""
    today = local_day(now, settings.zone, settings.day_starts_at)
    rows = session.execute(_lock_query(settings.channels_on), {"delivery": delivery_id, "today": today}).all()
    if not rows:
        return None
    delivery: Delivery = rows[0].Delivery
    reach = (
        contacts.read_reachabilities(rows, settings).get(delivery.player_id) if delivery.player_id is not None else None
    )
    return LockedDelivery(delivery, reach, rows[0].is_paused, rows[0].has_outage, rows[0].has_held_back)


def begin_attempt(
    session: Session, attempt: AttemptKey, new_attempt: NewAttempt | None, *, now: datetime, wall: datetime
) -> None:
    """Mark it `sending` before anything leaves; a repeat (`new_attempt` is None) has its channel and words already."""
    changes: dict[str, object] = {"status": DeliveryStatus.SENDING}
    if new_attempt is not None:
        changes |= vars(new_attempt) | {"first_tried_at": wall}
    _write(session, attempt, changes, AttemptEvent.BEGUN, now=now, wall=wall)


def end_attempt(
    session: Session,
    attempt: AttemptKey,
    verdict: Verdict,
    *,
    message_id: str | None = None,
    contact_update: contacts.ContactUpdate | None = None,
    now: datetime,
    wall: datetime,
) -> None:
    """Write how a try ended; `contact_update` is what that says about the contact."""
    changes = _changes(verdict, message_id, now)
    _write(
        session,
        attempt,
        changes,
        AttemptEvent.ENDED,
        contact_update=contact_update,
        error=verdict.error,
        now=now,
        wall=wall,
    )


def record_question(
    session: Session,
    attempt: AttemptKey,
    verdict: Verdict,
    *,
    message_id: str | None = None,
    contact_update: contacts.ContactUpdate | None = None,
    now: datetime,
    wall: datetime,
) -> None:
    """Write what the provider said when asked about an unanswered try.

    A message that is not there may leave anew, under a new nonce: the provider may have forgotten the old one.
    """
    changes = _changes(verdict, message_id, now)
    if verdict.status is DeliveryStatus.PENDING:
        changes["nonce"] = service.new_nonce()
    _write(
        session,
        attempt,
        changes,
        AttemptEvent.ASKED,
        contact_update=contact_update,
        error=verdict.error,
        now=now,
        wall=wall,
    )


def last_tried_at(session: Session, delivery: Delivery) -> datetime | None:
    """Return when, in wall time, a try of this delivery last began or ended."""
    tried = (Attempt.delivery_id == delivery.id) & (Attempt.event != AttemptEvent.ASKED)
    return session.scalar(select(func.max(Attempt.wall_at)).where(tried))


def record_late_arrival(
    session: Session,
    attempt: AttemptKey,
    nonce: str,
    message_id: str,
    *,
    contact_update: contacts.ContactUpdate | None,
    now: datetime,
    wall: datetime,
) -> None:
    """Turn an `unknown` delivery into `sent`, as its answer came after all."""
    changes = _changes(Verdict(DeliveryStatus.SENT, Done()), message_id, now)
    _write(
        session, attempt, changes, AttemptEvent.ENDED, late_for=nonce, contact_update=contact_update, now=now, wall=wall
    )


def settle(session: Session, delivery: Delivery, status: DeliveryStatus, *, now: datetime) -> None:
    """Settle a locked delivery that does not leave, or whose answer is not known."""
    delivery.status, delivery.settled_at = status, now
    session.flush()
    others = _others(literal(delivery.id), literal(delivery.subject), literal(delivery.notice))
    session.execute(select(func.pg_notify(db.LIVE_CHANNEL, "deliveries"), _wake_scheduler(others)))


def _changes(verdict: Verdict, message_id: str | None, now: datetime) -> dict[str, object]:
    changes: dict[str, object] = {
        "status": verdict.status,
        "reason": verdict.error,
        "settled_at": now if verdict.status.is_settled else None,
    }
    return changes if message_id is None else changes | {"message_id": message_id}


def _write(
    session: Session,
    attempt: AttemptKey,
    changes: dict[str, object],
    event: AttemptEvent,
    *,
    contact_update: contacts.ContactUpdate | None = None,
    late_for: str | None = None,
    error: Explanation | None = None,
    now: datetime,
    wall: datetime,
) -> None:
    """Write the ledger, its log and the contact, and tell the open pages, in one statement.

    With `late_for`, the nonce of a late answer, only an `unknown` row with this nonce is written.
    """
    values = {f"new_{name}": value for name, value in changes.items()} | {
        "delivery": attempt.delivery_id,
        "claim": attempt.claim,
        "event": event,
        "error": error,
        "at": now,
        "wall_at": wall,
    }
    if contact_update is not None:
        values |= contact_update.values
    if late_for is not None:
        values["late_nonce"] = late_for
    settles = changes.get("settled_at") is not None
    statement = contact_update.statement if contact_update else None
    session.execute(_write_query(tuple(changes), statement, late_for is not None, settles), values)


# Built once each, as they run for every recipient.
# No parameter may have a column's name, or it would be written to that column.


@cache
def _lock_query(channels: frozenset[str]) -> Select[Any]:
    base: Any = select(
        Delivery,
        exists(select(Pause.id)).label("is_paused"),
        exists(select(Outage.channel)).label("has_outage"),
        budget.held_back(Delivery.player_id, bindparam("today")).exists().label("has_held_back"),
    )
    return (
        contacts.with_reachability(base, Delivery.player_id, channels)
        .where(Delivery.id == bindparam("delivery"))
        .with_for_update(of=Delivery)
        .execution_options(populate_existing=True)
    )


@cache
def _write_query(names: tuple[str, ...], contact_update: Update | None, is_late: bool, settles: bool) -> Select[Any]:
    target = update(Delivery).where(Delivery.id == bindparam("delivery"))
    if is_late:
        target = target.where(Delivery.status == DeliveryStatus.UNKNOWN, Delivery.nonce == bindparam("late_nonce"))
    columns = Delivery.__table__.columns
    changes = {name: bindparam(f"new_{name}", type_=columns[name].type) for name in names}
    written = target.values(changes).returning(*_RETURNED).cte("written")
    entry = {name: bindparam(name, type_=Attempt.__table__.columns[name].type) for name in _ENTRY}
    logged = (
        insert(Attempt)
        .from_select(["delivery_id", "status", *entry], select(written.c.id, written.c.status, *entry.values()))
        .returning(Attempt.id)
        .cte("logged")
    )
    parts = [logged] if contact_update is None else [logged, contact_update.cte("contact_update")]
    told = select(func.pg_notify(db.LIVE_CHANNEL, "deliveries"))
    if settles:
        about = (select(column).scalar_subquery() for column in (written.c.id, written.c.subject, written.c.notice))
        told = told.add_columns(_wake_scheduler(_others(*about)))
    return told.add_cte(*parts)


_ENTRY = ("claim", "event", "error", "at", "wall_at")
_RETURNED = (Delivery.id, Delivery.status, Delivery.subject, Delivery.notice)


def _others(
    delivery_id: ColumnElement[int], subject: ColumnElement[str], notice: ColumnElement[str]
) -> ColumnElement[int]:
    """Count the other open deliveries of the same notice, up to `FEW` + 1."""
    other = aliased(Delivery)
    found = (
        select(other.id)
        .where(other.subject == subject, other.notice == notice, other.status.in_(OPEN), other.id != delivery_id)
        .limit(FEW + 1)
    )
    return select(func.count()).select_from(found.subquery()).scalar_subquery()


def _wake_scheduler(others: ColumnElement[int]) -> ColumnElement[Any]:
    """Wake the scheduler when a notice is nearly settled, as a job may wait for that.

    Deliveries that settle at the same moment do not see each other, so the last few all wake it.
    """
    return case((others <= FEW, func.pg_notify(db.JOBS_CHANNEL, "")))


def used_channels(session: Session, delivery: Delivery, *, any_subject: bool) -> frozenset[ChannelName]:
    """Return the channels of this player's other rows for the event: of any subject (`any_subject`) or of the same."""
    others = (
        (Delivery.player_id == delivery.player_id)
        & (Delivery.event_key == delivery.event_key)
        & (Delivery.id != delivery.id)
    )
    if not any_subject:
        others &= Delivery.subject == delivery.subject
    return frozenset(session.scalars(select(Delivery.channel).where(others)))


def fall_back(session: Session, delivery: Delivery, channel: ChannelName, job: Job, *, now: datetime) -> None:
    """Send the notice over the next channel, on its own row, as this delivery will not arrive."""
    there = (
        (Delivery.player_id == delivery.player_id)
        & (Delivery.event_key == delivery.event_key)
        & (Delivery.channel == channel)
    )
    row = session.scalars(select(Delivery).where(there).with_for_update()).one_or_none()
    if row is None:
        row = Delivery(
            player_id=delivery.player_id,
            event_key=delivery.event_key,
            channel=channel,
            nonce=service.new_nonce(),
            created_at=now,
        )
        session.add(row)
    service.reset_delivery(row, notice=delivery.notice, subject=delivery.subject, deadline_at=delivery.deadline_at)
    delivery.fell_back_to = channel
    session.flush()
    until, due_at = delivery.deadline_at, job.due_at or job.run_at
    carrier = NewJob(
        service.JOB_KIND,
        str(row.id),
        now,
        until,
        job.max_attempts,
        lane=channel,
        due_at=due_at,
        is_urgent=job.is_urgent,
    )
    jobs.schedule(session, [carrier], now=now)
    jobs.reopen(session, service.JOB_KIND, [str(row.id)], run_at=now, due_at=due_at, deadline_at=until)
