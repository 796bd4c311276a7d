"""What the ledger asks about a day's messages at the moment of sending: still true, still wanted, in which words."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from slomix import words
from slomix.availability import service, triggers
from slomix.availability.rules import Status
from slomix.channels.base import Message
from slomix.contacts import unsubscribe
from slomix.contacts.rules import Kind
from slomix.deliveries.formatting import Occasion, style_for
from slomix.deliveries.handlers import Notice
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import Skip
from slomix.reasons.codes import Reason
from slomix.runtime.context import Runtime

KINDS = {
    triggers.SESSION_READY: Kind.SESSION_READY,
    triggers.LOOKING: Kind.LOOKING,
    triggers.DAILY_REMINDER: Kind.DAILY_REMINDER,
}


@dataclass(frozen=True)
class About:
    """What such a job or message is about: a day, and how many have to be looking."""

    day: date
    number: int = 0

    @classmethod
    def read(cls, subject: str) -> "About":
        """`2026-11-22`, `2026-11-22:threshold=6` or `2026-11-22:n=4`."""
        day, _, number = subject.partition(":")
        return cls(date.fromisoformat(day), int(number.partition("=")[2] or 0))

    def event_key(self, kind: str) -> str:
        """The key under which a player hears of it once."""
        match kind:
            case triggers.SESSION_READY:
                return f"SESSION_READY:{self.day}:threshold={self.number}"
            case triggers.LOOKING:
                return f"LOOKING:{self.day}:n={self.number}"
            case _:
                return f"DAILY_REMINDER:{self.day}"


def why_unwanted(kind: str, said: Status | None) -> Reason | None:
    """Why somebody who said this about the day need not hear of it."""
    if kind == triggers.DAILY_REMINDER:
        return Reason.HAS_ANSWERED if said is not None else None
    return Reason.NOT_PLAYING if said is Status.NOT_PLAYING else None


class OfTheDay:
    """One of the three kinds."""

    heeds_quiet_hours = True
    keeps_channel = False

    def __init__(self, name: str) -> None:
        self._name = name
        self.kind: Kind | None = KINDS[name]

    def still_wanted(self, runtime: Runtime, session: Session, delivery: Delivery, now: datetime) -> Skip | None:
        """Not after so many are not looking any more, and not to who has said no, or has answered."""
        about = About.read(delivery.subject)
        if about.number and triggers.count_looking(session, about.day) < about.number:
            return Skip(Reason.NOT_SO_MANY_ANY_MORE)
        if delivery.player_id is None:
            return None
        said = service.statuses(session, about.day, [delivery.player_id]).get(delivery.player_id)
        reason = why_unwanted(self._name, said)
        return Skip(reason) if reason is not None else None

    def words(self, runtime: Runtime, session: Session, delivery: Delivery, occasion: Occasion) -> Message:
        settings, about = runtime.settings, About.read(delivery.subject)
        board = settings.base_url + "/"
        if self._name == triggers.DAILY_REMINDER:
            text = words.ARE_YOU_IN.format(link=board)
        else:
            text = words.SO_MANY_LOOKING.format(count=triggers.count_looking(session, about.day), link=board)
        if occasion.reach is None or self.kind is None:
            return Message(text)
        reader = unsubscribe.reader_of(occasion.reach, self.kind, settings=settings)
        stop = style_for(occasion.channel, reader.zone, occasion.now).aside(reader.stop_link)
        return Message("\n".join([text, words.KIND_TEXTS[self.kind].why.format(link=stop)]))


NOTICES: dict[str, Notice] = {name: OfTheDay(name) for name in KINDS}
