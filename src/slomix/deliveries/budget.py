"""Limits how many messages a player gets a day that they did not ask for at that moment.

What a held-back message would have said is said by the next one that leaves, if it is still true then.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from slomix.channels.base import Message
from slomix.contacts.rules import MESSAGES_A_DAY
from slomix.deliveries.models import Delivery
from slomix.deliveries.notices import Notice, Occasion
from slomix.deliveries.rules import Budget, DeliveryStatus, Skip
from slomix.i18n import _
from slomix.reasons.codes import Explanation, Reason

# Arrived, or on its way, or perhaps arrived.
_LEFT = (DeliveryStatus.SENDING, DeliveryStatus.SENT, DeliveryStatus.UNKNOWN)
# Tells our advisory locks, each on a player, from those on a day.
_LOCKS = 0xB0D6E << 40


@dataclass(frozen=True)
class MessagesOfDay:
    """How many of a player's messages of a day have left, and the names of the notices that were held back."""

    left: int
    held_back: tuple[str, ...]


def day_of(notice: Notice, occasion: Occasion) -> date | None:
    """Return the day among whose messages this one counts; None for one just asked for, or to a room."""
    return occasion.today if notice.budget is not Budget.FREE and occasion.delivery.player_id is not None else None


def within(
    notices: Mapping[str, Notice], occasion: Occasion, message: Message, *, has_held_back: bool
) -> Message | Skip:
    """Return the message, with what is still true of those held back before it; or hold it back as one too many.

    Two messages to one player at once wait for each other, so that not both are the last one allowed.
    """
    session, delivery, notice = occasion.session, occasion.delivery, notices[occasion.delivery.notice]
    day = day_of(notice, occasion)
    is_limited = notice.budget is Budget.LIMITED
    if delivery.player_id is None or day is None or not (is_limited or has_held_back):
        return message
    session.execute(select(func.pg_advisory_xact_lock(_LOCKS + delivery.player_id)))
    if is_limited and _count_left(session, delivery.player_id, day) >= MESSAGES_A_DAY:
        delivery.budget_day = day
        return Skip(Reason.ENOUGH_FOR_TODAY)
    return _with_held_back(notices, occasion, message) if has_held_back else message


def held_back(player_id: SQLColumnExpression[int | None], day: ColumnElement[date]) -> Select[int]:
    """Select a player's messages of a day that were held back, and of which no later message has told."""
    held, later = aliased(Delivery), aliased(Delivery)
    told = select(later.id).where(later.id == held.told_in, later.status.in_(_LEFT)).exists()
    return select(held.id).where(
        held.player_id == player_id,
        held.budget_day == day,
        held.status == DeliveryStatus.SKIPPED,
        held.reason == Explanation(Reason.ENOUGH_FOR_TODAY),
        or_(held.told_in.is_(None), ~told),
    )


def messages_of_day(session: Session, player_id: int, day: date) -> MessagesOfDay:
    """Return what became of a player's messages of a day."""
    query = select(Delivery.notice, Delivery.status, Delivery.reason)
    rows = session.execute(
        query.where(Delivery.player_id == player_id, Delivery.budget_day == day).order_by(Delivery.id)
    ).all()
    held = [row.notice for row in rows if row.reason == Explanation(Reason.ENOUGH_FOR_TODAY)]
    return MessagesOfDay(sum(row.status in _LEFT for row in rows), tuple(dict.fromkeys(held)))


def used_up(session: Session, player_ids: Collection[int], day: date) -> set[int]:
    """Return those of the players who got all the messages that they get a day without asking."""
    left = _left(day) & Delivery.player_id.in_(player_ids)
    full = select(Delivery.player_id).where(left).group_by(Delivery.player_id).having(func.count() >= MESSAGES_A_DAY)
    return {player_id for player_id in session.scalars(full) if player_id is not None}


def _left(day: date) -> ColumnElement[bool]:
    return (Delivery.budget_day == day) & Delivery.status.in_(_LEFT)


def _count_left(session: Session, player_id: int, day: date) -> int:
    left = select(func.count()).select_from(Delivery).where(_left(day), Delivery.player_id == player_id)
    return session.scalar(left) or 0


def _with_held_back(notices: Mapping[str, Notice], occasion: Occasion, message: Message) -> Message:
    """Add a line with what is still true of the messages that were held back, and mark those as told."""
    session, reach = occasion.session, occasion.reach
    untold = held_back(literal(occasion.delivery.player_id), literal(occasion.today))
    facts: dict[str, None] = {}
    for row in session.scalars(select(Delivery).where(Delivery.id.in_(untold)).order_by(Delivery.id)):
        notice = notices[row.notice]
        is_over = row.deadline_at is not None and occasion.now >= row.deadline_at
        if is_over or reach is None or notice.kind not in reach.allows:
            continue
        fact = notice.still_true(replace(occasion, delivery=row))
        if fact is not None:
            facts[fact] = None
            row.told_in = occasion.delivery.id
    new = [fact for fact in facts if fact not in message.text]
    if not new:
        return message
    said = _("Also true today: {facts}").format(facts=" ".join(new))
    return replace(message, text=f"{message.text}\n{said}")
