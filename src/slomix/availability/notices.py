"""What the ledger asks about a day's messages at the moment of sending: still true, still wanted, in which words."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from slomix.availability import choices, service, triggers
from slomix.availability.rules import STATUS_NAMES, Status
from slomix.channels.base import Message
from slomix.contacts import unsubscribe
from slomix.contacts.kinds import KIND_TEXTS
from slomix.contacts.rules import MessageKind
from slomix.deliveries.formatting import ANSWERED, style_for
from slomix.deliveries.notices import EditedNotice, Notice, Occasion
from slomix.deliveries.rules import Budget, Skip
from slomix.i18n import gettext, ngettext
from slomix.reasons.codes import Reason

KIND_OF_NOTICE = {
    triggers.SESSION_READY: MessageKind.SESSION_READY,
    triggers.LOOKING: MessageKind.LOOKING,
    triggers.DAILY_REMINDER: MessageKind.DAILY_REMINDER,
}


@dataclass(frozen=True)
class DayEvent:
    """What such a job or message is about: a day, and how many have to be looking."""

    day: date
    number: int = 0

    @classmethod
    def parse(cls, subject: str) -> "DayEvent":
        """Read `2026-11-22`, `2026-11-22:threshold=6` or `2026-11-22:n=4`."""
        day, _, number = subject.partition(":")
        return cls(date.fromisoformat(day), int(number.partition("=")[2] or 0))

    def event_key(self, notice: str) -> str:
        """Return the key under which a player hears of it once."""
        match notice:
            case triggers.SESSION_READY:
                return f"SESSION_READY:{self.day}:threshold={self.number}"
            case triggers.LOOKING:
                return f"LOOKING:{self.day}:n={self.number}"
            case _:
                return f"DAILY_REMINDER:{self.day}"


def unwanted_reason(notice: str, status: Status | None) -> Reason | None:
    """Return why a player with this status need not hear of it, or None."""
    if notice == triggers.DAILY_REMINDER:
        return Reason.HAS_ANSWERED if status is not None else None
    return Reason.NOT_PLAYING if status is Status.NOT_PLAYING else None


def _looking(count: int) -> str:
    return ngettext(
        "{number} player is looking to play tonight.", "{number} players are looking to play tonight.", count
    )


class DayNotice(Notice):
    """A message about a day, of one of the three kinds."""

    budget = Budget.LIMITED

    def __init__(self, name: str) -> None:
        self.name = name
        self.kind = KIND_OF_NOTICE[name]

    def compose(self, occasion: Occasion) -> Message | Skip:
        about, count = DayEvent.parse(occasion.delivery.subject), self._count(occasion)
        if isinstance(count, Skip):
            return count
        text = "\n".join([self._text(occasion, count), *self._how_to_stop(occasion)])
        return Message(text, buttons=choices.buttons_under(occasion, about.day))

    def still_true(self, occasion: Occasion) -> str | None:
        count = self._count(occasion)
        if isinstance(count, Skip):
            return None
        if self.name == triggers.DAILY_REMINDER:
            return gettext("You have not said yet whether you are in tonight.")
        return _looking(count)

    def _count(self, occasion: Occasion) -> int | Skip:
        """Return how many are looking, or why the player need not hear of it now."""
        session, about = occasion.session, DayEvent.parse(occasion.delivery.subject)
        count = triggers.count_looking(session, about.day) if about.number else 0
        if count < about.number:
            return Skip(Reason.NOT_SO_MANY_ANY_MORE)
        player_id = occasion.delivery.player_id
        if player_id is not None:
            said = service.statuses_of_day(session, about.day, [player_id]).get(player_id)
            reason = unwanted_reason(self.name, said)
            if reason is not None:
                return Skip(reason)
        return count

    def _text(self, occasion: Occasion, count: int) -> str:
        board = occasion.runtime.settings.base_url + "/"
        if self.name == triggers.DAILY_REMINDER:
            return gettext("Are you in tonight? Say so here: {link}").format(link=board)
        return " ".join([_looking(count), gettext("Join in: {link}").format(link=board)])

    def _how_to_stop(self, occasion: Occasion) -> list[str]:
        """Tell a player how to switch this kind off; a room hears nothing of that."""
        if occasion.reach is None:
            return []
        reader = unsubscribe.reader_of(occasion.reach, settings=occasion.runtime.settings)
        stop = style_for(occasion.channel, reader.zone, occasion.now).quiet_link(reader.unsubscribe_link)
        return [KIND_TEXTS[KIND_OF_NOTICE[self.name]].why.format(link=stop)]


class ReadyNotice(DayNotice, EditedNotice):
    """Session ready, which is edited when it stops being true, and back."""

    def __init__(self) -> None:
        super().__init__(triggers.SESSION_READY)

    def edition(self, session: Session, subject: str) -> str | None:
        """Return how many are looking when they are too few for what a message about a session said."""
        about = DayEvent.parse(subject)
        count = triggers.count_looking(session, about.day)
        return str(count) if count < about.number else None

    def edited(self, occasion: Occasion) -> Message:
        session, about = occasion.session, DayEvent.parse(occasion.delivery.subject)
        count = triggers.count_looking(session, about.day)
        lines = [self._text(occasion, count), *self._how_to_stop(occasion)]
        if count < about.number:
            lines[0] = gettext("Not {number} any more: {looking}").format(number=about.number, looking=lines[0])
        player_id = occasion.delivery.player_id
        said = service.statuses_of_day(session, about.day, [player_id]).get(player_id) if player_id else None
        if said is not None:  # as a press of a button below the message would say it
            now = gettext("**{day}**: {status}").format(day=gettext("Today"), status=STATUS_NAMES[said])
            lines.append(f"{ANSWERED}{now}")
        return Message("\n".join(lines), buttons=choices.buttons_under(occasion, about.day))


READY = ReadyNotice()
NOTICES: tuple[Notice, ...] = (READY, DayNotice(triggers.LOOKING), DayNotice(triggers.DAILY_REMINDER))
