"""One try of a delivery as the ledger sees it: what is known before, how it begins, what came of it, what comes next.

A thousand people are told within seconds: each step is one statement, however many they are.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, Update, bindparam, exists, func, insert, select, update
from sqlalchemy.orm import Session

from slomix.config.settings import Settings
from slomix.contacts import service as contacts
from slomix.contacts.rules import ChannelName, Reach
from slomix.database import session as db
from slomix.deliveries import service
from slomix.deliveries.models import Attempt, Delivery, Pause
from slomix.deliveries.rules import AttemptEvent, DeliveryStatus, Verdict
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.rules import Done
from slomix.jobs.service import NewJob
from slomix.reasons.codes import Explanation


@dataclass(frozen=True)
class Seen:
    """A delivery, how its player may be reached (None for a room), and whether all sending is paused."""

    delivery: Delivery
    reach: Reach | None
    is_paused: bool


@dataclass(frozen=True)
class Try:
    """Which try of which delivery: `claim` is that of the job under which it is made."""

    delivery_id: int
    claim: int


@dataclass(frozen=True)
class Fresh:
    """What is said, and over which channel."""

    channel: ChannelName
    text: str


def look(session: Session, delivery_id: int, *, settings: Settings) -> Seen | None:
    """Lock a delivery and see all that is known of its player; None when it was deleted together with them."""
    rows = session.execute(_looking(settings.channels_on), {"delivery": delivery_id}).all()
    if not rows:
        return None
    delivery: Delivery = rows[0].Delivery
    reach = contacts.read_reaches(rows, settings).get(delivery.player_id) if delivery.player_id is not None else None
    return Seen(delivery, reach, rows[0].is_paused)


def begin(session: Session, one: Try, fresh: Fresh | None, *, now: datetime, wall: datetime) -> None:
    """Mark it `sending` before anything leaves; a repeat (`fresh` is None) has its channel and its words already."""
    changes: dict[str, object] = {"status": DeliveryStatus.SENDING}
    if fresh is not None:
        changes |= {"channel": fresh.channel, "text": fresh.text, "first_tried_at": wall}
    _write(session, one, changes, AttemptEvent.BEGUN, now=now, wall=wall)


def end(
    session: Session,
    one: Try,
    verdict: Verdict,
    *,
    message_id: str | None = None,
    lesson: contacts.Lesson | None = None,
    now: datetime,
    wall: datetime,
) -> None:
    """Write what came of it; `lesson` is what that says about the contact."""
    changes = _changes(verdict, message_id, now)
    _write(session, one, changes, AttemptEvent.ENDED, lesson=lesson, error=verdict.error, now=now, wall=wall)


def arrived_late(
    session: Session,
    one: Try,
    nonce: str,
    message_id: str,
    *,
    lesson: contacts.Lesson | None,
    now: datetime,
    wall: datetime,
) -> None:
    """Nobody knew any more whether it arrived, and now the answer is here: it did."""
    changes = _changes(Verdict(DeliveryStatus.SENT, Done()), message_id, now)
    _write(session, one, changes, AttemptEvent.ENDED, late_for=nonce, lesson=lesson, now=now, wall=wall)


def _changes(verdict: Verdict, message_id: str | None, now: datetime) -> dict[str, object]:
    changes: dict[str, object] = {
        "status": verdict.status,
        "reason": verdict.error,
        "settled_at": now if verdict.status.is_settled else None,
    }
    return changes if message_id is None else changes | {"message_id": message_id}


def _write(
    session: Session,
    one: Try,
    changes: dict[str, object],
    event: AttemptEvent,
    *,
    lesson: contacts.Lesson | None = None,
    late_for: str | None = None,
    error: Explanation | None = None,
    now: datetime,
    wall: datetime,
) -> None:
    """The ledger, its log, the contact and the open pages in one statement.

    `late_for` is the nonce of a message of which nobody knew any more whether it arrived; any other is left alone.
    """
    values = {f"new_{name}": value for name, value in changes.items()} | {
        "delivery": one.delivery_id,
        "claim": one.claim,
        "event": event,
        "error": error,
        "at": now,
        "wall_at": wall,
    }
    if lesson is not None:
        values |= lesson.values
    if late_for is not None:
        values["late_nonce"] = late_for
    session.execute(_writing(tuple(changes), lesson.statement if lesson else None, late_for is not None), values)


# Put together once each, as they are said for every recipient.
# A parameter that had a column's name would be written there.


@cache
def _looking(channels: frozenset[str]) -> Select[Any]:
    base: Any = select(Delivery, exists(select(Pause.id)).label("is_paused"))
    return (
        contacts.with_reach(base, Delivery.player_id, channels)
        .where(Delivery.id == bindparam("delivery"))
        .with_for_update(of=Delivery)
        .execution_options(populate_existing=True)
    )


@cache
def _writing(names: tuple[str, ...], lesson: Update | None, is_late: bool) -> Select[Any]:
    target = update(Delivery).where(Delivery.id == bindparam("delivery"))
    if is_late:
        target = target.where(Delivery.status == DeliveryStatus.UNKNOWN, Delivery.nonce == bindparam("late_nonce"))
    columns = Delivery.__table__.columns
    changes = {name: bindparam(f"new_{name}", type_=columns[name].type) for name in names}
    written = target.values(changes).returning(Delivery.id, Delivery.status).cte("written")
    entry = {name: bindparam(name, type_=Attempt.__table__.columns[name].type) for name in _ENTRY}
    logged = (
        insert(Attempt)
        .from_select(["delivery_id", "status", *entry], select(written.c.id, written.c.status, *entry.values()))
        .returning(Attempt.id)
        .cte("logged")
    )
    parts = [logged] if lesson is None else [logged, lesson.cte("lesson")]
    return select(func.pg_notify(db.LIVE, "deliveries")).add_cte(*parts)


_ENTRY = ("claim", "event", "error", "at", "wall_at")


def channels_taken(session: Session, delivery: Delivery, *, by_anybody: bool) -> frozenset[ChannelName]:
    """The channels on which other rows of this player and event stand: of the same subject, or of any."""
    others = (
        (Delivery.player_id == delivery.player_id)
        & (Delivery.event_key == delivery.event_key)
        & (Delivery.id != delivery.id)
    )
    if not by_anybody:
        others &= Delivery.subject == delivery.subject
    return frozenset(session.scalars(select(Delivery.channel).where(others)))


def fall_back(session: Session, delivery: Delivery, channel: ChannelName, job: Job, *, now: datetime) -> None:
    """This delivery will not arrive on its channel: the same notice goes over the next one, on a row of its own."""
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
    service.reset(row, notice=delivery.notice, subject=delivery.subject, deadline_at=delivery.deadline_at)
    delivery.fell_back_to = channel
    session.flush()
    until, due_at = delivery.deadline_at, job.due_at or job.run_at
    carrier = NewJob(service.JOB_KIND, str(row.id), now, until, job.max_attempts, lane=channel, due_at=due_at)
    jobs.schedule(session, [carrier], now=now)
    jobs.reopen(session, service.JOB_KIND, [str(row.id)], run_at=now, due_at=due_at, deadline_at=until)
