"""Plans deliveries, and counts their outcomes."""

import secrets
import string
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Text, cast, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix.config.settings import Settings
from slomix.contacts import service as contacts
from slomix.contacts.rules import ChannelName
from slomix.database import session as db
from slomix.deliveries.models import Attempt, Delivery
from slomix.deliveries.rules import OPEN, DeliveryStatus
from slomix.jobs import service as jobs
from slomix.jobs.models import Job
from slomix.jobs.service import NewJob
from slomix.reasons.codes import Explanation, Reason

# The kind of job that sends a delivery; its subject is the delivery's id.
JOB_KIND = "delivery"

# A later campaign of the day may reopen an earlier one's deliveries in these states.
REOPENED = (DeliveryStatus.SKIPPED, DeliveryStatus.FAILED)

_NONCE_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True)
class NoticePlan:
    """A notice to plan: its name and subject, when it may leave and until when it is true."""

    notice: str
    subject: str
    event_key: str
    run_at: datetime
    deadline_at: datetime | None
    max_attempts: int = 5
    # Whether it goes before everything that is not.
    is_urgent: bool = False
    # Only this channel, whatever the player prefers.
    channel: ChannelName | None = None


def new_nonce() -> str:
    """Return 20 random characters: row ids repeat after a reset, or between two installations of one bot."""
    return "".join(secrets.choice(_NONCE_ALPHABET) for _ in range(20))


def plan_for_players(
    session: Session, plan: NoticePlan, player_ids: Iterable[int], *, settings: Settings, now: datetime
) -> int:
    """Write a pending delivery and its job for each player who has none for this event; return how many.

    A row that an earlier campaign of the day left `skipped` or `failed` is reopened, and counts too; others stay. The
    channel is the one that the player prefers now; it is chosen again when the message leaves.
    """
    players = list(dict.fromkeys(player_ids))
    reaches = contacts.reachability_of(session, players, settings=settings) if plan.channel is None else {}
    rows = [{"player_id": player, "channel": plan.channel or reaches[player].first_channel} for player in players]
    return _plan(session, plan, rows, now=now)


def plan_for_room(session: Session, plan: NoticePlan, room: str, *, now: datetime) -> int:
    """Like `plan_for_players`, for a room."""
    return _plan(session, plan, [{"destination": room, "channel": ChannelName.DISCORD}], now=now)


def _plan(session: Session, plan: NoticePlan, rows: Sequence[Mapping[str, object]], *, now: datetime) -> int:
    if not rows:
        return 0
    shared = {
        "event_key": plan.event_key,
        "notice": plan.notice,
        "subject": plan.subject,
        "status": DeliveryStatus.PENDING,
        "deadline_at": plan.deadline_at,
        "created_at": now,
    }
    wanted = {row["player_id"]: row["channel"] for row in rows if "player_id" in row}
    before = _rows_of(session, plan.event_key, wanted)
    again = [player for player, theirs in before.items() if all(_may_reopen(row, plan) for row in theirs)]
    new = [{**shared, **row, "nonce": new_nonce()} for row in rows if row.get("player_id") not in before]
    # Another transaction may plan the same at this moment.
    write = insert(Delivery).on_conflict_do_nothing().returning(Delivery.id, Delivery.channel)
    fresh = {row.id: row.channel for row in session.execute(write, new)} if new else {}
    held = _rows_of(session, plan.event_key, again, lock=True)
    opened = dict(
        _reopen(theirs, wanted[player_id], plan)
        for player_id, theirs in held.items()
        if all(_may_reopen(row, plan) for row in theirs)
    )
    session.flush()
    jobs.schedule(
        session,
        [
            NewJob(
                JOB_KIND,
                str(delivery),
                plan.run_at,
                plan.deadline_at,
                plan.max_attempts,
                lane=channel,
                is_urgent=plan.is_urgent,
            )
            for delivery, channel in (fresh | opened).items()
        ],
        now=now,
    )
    jobs.reopen(
        session, JOB_KIND, [str(delivery) for delivery in opened], run_at=plan.run_at, deadline_at=plan.deadline_at
    )
    return len(fresh) + len(opened)


def _rows_of(
    session: Session, event_key: str, players: Collection[object], *, lock: bool = False
) -> dict[object, list[Delivery]]:
    """Return each player's rows for this event, oldest first."""
    found: dict[object, list[Delivery]] = {}
    if not players:
        return found
    theirs = (Delivery.event_key == event_key) & Delivery.player_id.in_(players)
    query = select(Delivery).where(theirs).order_by(Delivery.id).execution_options(populate_existing=True)
    for row in session.scalars(query.with_for_update() if lock else query):
        found.setdefault(row.player_id, []).append(row)
    return found


def _may_reopen(row: Delivery, plan: NoticePlan) -> bool:
    return row.subject != plan.subject and row.status in REOPENED


def _reopen(rows: Sequence[Delivery], channel: object, plan: NoticePlan) -> tuple[int, ChannelName]:
    """Reopen the row of the channel that is wanted now, or else the latest, for a later campaign of the day.

    The player's other rows for the event are history: they no longer say whether the player was told.
    """
    chosen = next((row for row in rows if row.channel == channel), rows[-1])
    for row in rows:
        row.fell_back_to = chosen.channel if row is not chosen else None
    reset_delivery(chosen, notice=plan.notice, subject=plan.subject, deadline_at=plan.deadline_at)
    return chosen.id, chosen.channel


def reset_delivery(row: Delivery, *, notice: str, subject: str, deadline_at: datetime | None) -> None:
    """Reset a row for another channel or campaign; its nonce stays, as no message was accepted under it."""
    row.status, row.reason, row.text = DeliveryStatus.PENDING, None, None
    row.first_tried_at = row.settled_at = row.fell_back_to = None
    row.budget_day = row.told_in = row.edition = None
    row.notice, row.subject, row.deadline_at = notice, subject, deadline_at


def clear_texts(session: Session, player_id: int) -> None:
    """Erase the words of all messages to this player; their rows stay."""
    session.execute(update(Delivery).where(Delivery.player_id == player_id, Delivery.text.is_not(None)).values(text=""))


def withdraw_pending(session: Session, subject: str, notices: Sequence[str], *, now: datetime) -> None:
    """Skip the deliveries of these notices about `subject` that have not gone out."""
    open_rows = (
        (Delivery.subject == subject) & Delivery.notice.in_(notices) & (Delivery.status == DeliveryStatus.PENDING)
    )
    # Jobs before deliveries, as everywhere: a worker that sends at this moment locks them in this order too.
    ids = session.scalars(select(Delivery.id).where(open_rows)).all()
    jobs.skip_pending(session, JOB_KIND, [str(delivery) for delivery in ids], reason=Reason.WITHDRAWN, now=now)
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(ids), open_rows)
        .values(status=DeliveryStatus.SKIPPED, reason=Explanation(Reason.WITHDRAWN), settled_at=now)
        .execution_options(synchronize_session=False)
    )
    db.notify(session, db.LIVE_CHANNEL, "deliveries")


@dataclass(frozen=True)
class Tally:
    """How many deliveries of a notice came to which status, for which reason."""

    counts: Mapping[tuple[DeliveryStatus, Explanation | None], int]

    @property
    def by_status(self) -> Counter[DeliveryStatus]:
        found: Counter[DeliveryStatus] = Counter()
        for (status, _), number in self.counts.items():
            found[status] += number
        return found

    def __getitem__(self, status: DeliveryStatus) -> int:
        return self.by_status[status]

    @property
    def total(self) -> int:
        return self.by_status.total()

    @property
    def open(self) -> int:
        """Count those that are not settled yet."""
        return sum(count for status, count in self.by_status.items() if not status.is_settled)

    @property
    def tried(self) -> int:
        """Count those that were sent, or tried."""
        return self[DeliveryStatus.SENT] + self[DeliveryStatus.FAILED] + self[DeliveryStatus.UNKNOWN]


def tally_by_notice(session: Session, subject: str) -> dict[str, Tally]:
    """Count the deliveries about `subject` by notice; one that fell back counts only on its last channel."""
    counts: dict[str, dict[tuple[DeliveryStatus, Explanation | None], int]] = {}
    for row in session.execute(
        select(Delivery.notice, Delivery.status, Delivery.reason, func.count().label("number"))
        .where(Delivery.subject == subject, Delivery.fell_back_to.is_(None))
        .group_by(Delivery.notice, Delivery.status, Delivery.reason)
    ):
        counts.setdefault(row.notice, {})[row.status, row.reason] = row.number
    return {notice: Tally(found) for notice, found in counts.items()}


def is_open(session: Session, subject: str, notice: str | None = None, *, due_by: datetime | None = None) -> bool:
    """Return whether any delivery about `subject`, or only of `notice` or due by a moment, is still to be settled."""
    is_theirs = (Delivery.subject == subject) & Delivery.status.in_(OPEN)
    if notice is not None:
        is_theirs &= Delivery.notice == notice
    if due_by is not None:
        is_its_job = (Job.kind == JOB_KIND) & (Job.subject == cast(Delivery.id, Text))
        is_theirs &= exists().where(is_its_job, func.coalesce(Job.due_at, Job.run_at) <= due_by)
    return bool(session.scalar(select(exists().where(is_theirs))))


def deliveries_about(session: Session, subject: str) -> list[Delivery]:
    """Return every delivery about `subject`, oldest first."""
    return list(session.scalars(select(Delivery).where(Delivery.subject == subject).order_by(Delivery.id)))


def attempts_of(session: Session, delivery_ids: Sequence[int]) -> dict[int, list[Attempt]]:
    """Return the attempts of each delivery, oldest first."""
    found: dict[int, list[Attempt]] = {}
    query = select(Attempt).where(Attempt.delivery_id.in_(delivery_ids)).order_by(Attempt.id)
    for attempt in session.scalars(query):
        found.setdefault(attempt.delivery_id, []).append(attempt)
    return found


@dataclass(frozen=True)
class NotificationState:
    """How far an event's message to a player has come, and for which subject."""

    status: DeliveryStatus
    subject: str
    reason: Explanation | None = None
    # When it left, or ended otherwise.
    settled_at: datetime | None = None

    @property
    def is_withdrawn(self) -> bool:
        """Return whether the message was planned, and then withdrawn."""
        return self.status is DeliveryStatus.SKIPPED and self.reason == Explanation(Reason.WITHDRAWN)


def notification_states(session: Session, event_key: str, player_ids: Sequence[int]) -> dict[int, NotificationState]:
    """Return how far an event's message to these players has come, from any campaign, for those who have a row."""
    rows = session.execute(
        select(Delivery.player_id, Delivery.status, Delivery.subject, Delivery.reason, Delivery.settled_at)
        .where(Delivery.event_key == event_key, Delivery.player_id.in_(player_ids), Delivery.fell_back_to.is_(None))
        .order_by(Delivery.id)
    )
    return {row.player_id: NotificationState(row.status, row.subject, row.reason, row.settled_at) for row in rows}
