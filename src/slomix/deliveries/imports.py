"""Imports the earlier site's notices of events that are not over, so that no player is told twice."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from slomix.contacts.rules import ChannelName
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import IMPORTED, DeliveryStatus
from slomix.deliveries.service import JOB_KIND, new_nonce
from slomix.jobs import service as jobs
from slomix.reasons.codes import Explanation, Reason

# Told, or perhaps told: such a row is left as it is.
KNOWN_STATUSES = (DeliveryStatus.SENDING, DeliveryStatus.SENT, DeliveryStatus.UNKNOWN)


@dataclass(frozen=True)
class ImportedNotice:
    """A notice that the earlier site sent to a player or a room."""

    player_id: int | None
    room: str | None
    event_key: str
    notice: str
    channel: ChannelName
    message_id: str
    at: datetime


def known_notices(session: Session, event_keys: Iterable[str]) -> set[tuple[int | None, str]]:
    """Return the player (None for a room) and event of each row that was told, or perhaps told."""
    query = select(Delivery.player_id, Delivery.event_key).where(
        Delivery.event_key.in_(list(event_keys)), Delivery.status.in_(KNOWN_STATUSES)
    )
    return {(row.player_id, row.event_key) for row in session.execute(query)}


def record_imported(session: Session, notice: ImportedNotice, *, now: datetime) -> bool:
    """Record a notice of the earlier site; return False if the ledger has it already.

    A delivery here that waits to say the same is withdrawn, and no later campaign opens it again.
    """
    theirs = (Delivery.event_key == notice.event_key) & (
        Delivery.player_id == notice.player_id if notice.player_id is not None else Delivery.player_id.is_(None)
    )
    # Jobs before deliveries, as everywhere: a worker that sends at this moment locks them in this order too.
    pending = session.scalars(select(Delivery.id).where(theirs, Delivery.status == DeliveryStatus.PENDING)).all()
    jobs.skip_pending(session, JOB_KIND, [str(row_id) for row_id in pending], reason=Reason.TOLD_THERE, now=now)
    rows = list(session.scalars(select(Delivery).where(theirs).order_by(Delivery.id).with_for_update()))
    if any(row.status in KNOWN_STATUSES for row in rows):
        return False
    for row in rows:
        if row.status is DeliveryStatus.PENDING:
            row.status, row.reason, row.settled_at = DeliveryStatus.SKIPPED, Explanation(Reason.TOLD_THERE), now
        row.fell_back_to = notice.channel if row.channel is not notice.channel else None
    session.flush()
    row = next((row for row in rows if row.channel is notice.channel), None) or _new(session, notice, now)
    row.destination, row.notice, row.subject = notice.room, notice.notice, IMPORTED
    # The earlier site did not keep the words.
    row.status, row.reason, row.text = DeliveryStatus.SENT, Explanation(Reason.TOLD_THERE), ""
    row.message_id, row.settled_at, row.deadline_at = notice.message_id, notice.at, None
    session.flush()
    return True


def _new(session: Session, notice: ImportedNotice, now: datetime) -> Delivery:
    row = Delivery(
        player_id=notice.player_id,
        event_key=notice.event_key,
        channel=notice.channel,
        nonce=new_nonce(),
        created_at=now,
    )
    session.add(row)
    return row
