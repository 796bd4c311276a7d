"""Asks a provider whether a message has arrived whose answer was lost, and which can no longer be repeated."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from slomix.channels.base import Address, Receipt, SendError
from slomix.contacts.rules import ChannelName, ContactRoute
from slomix.deliveries import ledger, rules
from slomix.deliveries.marks import history_of
from slomix.deliveries.models import Delivery
from slomix.jobs.rules import Snooze
from slomix.reasons.codes import Explanation, Reason
from slomix.runtime.context import Runtime


@dataclass(frozen=True)
class Destination:
    """Where a delivery goes: a player's contact, or a room."""

    channel: ChannelName
    address: Address
    route: ContactRoute | None = None


@dataclass(frozen=True)
class PreparedQuestion:
    """Everything needed to ask for a message, so that asking needs no database."""

    attempt: ledger.AttemptKey
    destination: Destination
    # The nonce of the unanswered try, which is the message's mark.
    nonce: str
    # Wall time.
    first_tried_at: datetime
    # Why the answer was not seen.
    unanswered: Explanation
    deadline_at: datetime | None
    # The provider is out, or suspected to be; an answer ends that.
    ends_outage: bool = False


@dataclass(frozen=True)
class HistoryAnswer:
    """What the provider's history says: the message is there, is not, or that cannot be known."""

    asked: PreparedQuestion
    said: Receipt | SendError | None


def begin(
    session: Session,
    attempt: ledger.AttemptKey,
    delivery: Delivery,
    to: Destination,
    wall: datetime,
    *,
    ends_outage: bool,
) -> PreparedQuestion | Snooze:
    """Prepare the question, or wait until the last try has had its time to arrive."""
    last_tried_at = ledger.last_tried_at(session, delivery) or wall
    if wall < last_tried_at + rules.ASK_AFTER:
        return Snooze(last_tried_at + rules.ASK_AFTER - wall)
    seen = delivery.reason or Explanation(Reason.ANSWER_NOT_SEEN)
    first = Explanation(seen.code, seen.detail)  # without what earlier questions came to
    return PreparedQuestion(
        attempt,
        to,
        delivery.nonce,
        delivery.first_tried_at or last_tried_at,
        first,
        delivery.deadline_at,
        ends_outage,
    )


def act(runtime: Runtime, asked: PreparedQuestion) -> HistoryAnswer:
    """Ask, once."""
    history = history_of(runtime, asked.destination.channel)
    if history is None:  # switched off since
        return HistoryAnswer(asked, SendError(Reason.SWITCHED_OFF))
    try:
        since = asked.first_tried_at - rules.LOOK_BACK
        return HistoryAnswer(asked, history.find(asked.destination.address, asked.nonce, since=since))
    except SendError as error:
        return HistoryAnswer(asked, error)
