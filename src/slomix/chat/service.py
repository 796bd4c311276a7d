"""Does what somebody asks for in a private chat, and says what came of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix import words
from slomix.accounts import service as accounts
from slomix.accounts.models import User
from slomix.accounts.rules import Membership
from slomix.availability import service as availability
from slomix.availability import triggers
from slomix.availability.rules import Status
from slomix.chat import rules
from slomix.chat.models import InboxPosition
from slomix.chat.rules import Command, ParsedCommand
from slomix.clock import local_day
from slomix.config.settings import Settings
from slomix.contacts import links
from slomix.contacts import service as contacts
from slomix.contacts.rules import ChannelName
from slomix.errors import DomainError
from slomix.presence.game_names import plain_name

# After a week without updates Telegram goes on with any number (https://core.telegram.org/bots/api#update).
POSITION_VALID_FOR = timedelta(days=6)


@dataclass(frozen=True)
class IncomingMessage:
    """Something that somebody wrote to us in private."""

    channel: ChannelName
    address: str
    text: str


def reply_to(session: Session, letter: IncomingMessage, *, settings: Settings, now: datetime) -> str:
    """Do it and return what to say. What goes wrong is said too, and leaves nothing half done."""
    asked = rules.parse_command(letter.text)
    do: dict[Command, Callable[[Session, IncomingMessage, ParsedCommand, Settings, datetime], str]] = {
        Command.LINK: _link,
        Command.UNLINK: _unlink,
        Command.AVAIL: _avail,
        Command.TODAY: _set_day,
        Command.TOMORROW: _set_day,
        Command.HELP: _help,
    }
    try:
        with session.begin_nested():
            return do[asked.command](session, letter, asked, settings, now)
    except DomainError as error:
        return str(error)


def _link(session: Session, letter: IncomingMessage, asked: ParsedCommand, settings: Settings, now: datetime) -> str:
    if len(asked.words) != 1:
        return words.INBOX_LINK_HOW.format(link=settings.base_url + "/preferences")
    player_id = links.confirm_code(session, letter.channel, asked.words[0], letter.address, settings=settings, now=now)
    return words.INBOX_LINKED.format(player=_name(session, player_id), link=settings.base_url + "/preferences")


def _unlink(session: Session, letter: IncomingMessage, asked: ParsedCommand, settings: Settings, now: datetime) -> str:
    owner = links.player_of_address(session, letter.channel, letter.address, settings=settings)
    if owner is None:
        return words.INBOX_NOT_LINKED.format(link=settings.base_url + "/preferences")
    contacts.remove_contact(session, owner, letter.channel)
    return words.INBOX_UNLINKED


def _avail(session: Session, letter: IncomingMessage, asked: ParsedCommand, settings: Settings, now: datetime) -> str:
    player_id = _player(session, letter, settings)
    if player_id is None:
        return words.INBOX_NOT_LINKED.format(link=settings.base_url + "/preferences")
    today = _today(settings, now)
    if not asked.words:
        return "\n".join(_describe_status(session, player_id, day, today) for day in (today, today + timedelta(days=1)))
    wanted = rules.parse_status(asked.words, today)
    if wanted is None:
        return words.INBOX_AVAIL_HOW
    if wanted.status is None:
        availability.clear_status(session, player_id, wanted.day, today=today)
    else:
        triggers.set_and_notify(session, player_id, wanted.day, wanted.status, settings=settings, now=now)
    return _describe_status(session, player_id, wanted.day, today)


def _set_day(session: Session, letter: IncomingMessage, asked: ParsedCommand, settings: Settings, now: datetime) -> str:
    """`/today` says how today looks; `/today looking` answers for it."""
    player_id = _player(session, letter, settings)
    if player_id is None:
        return words.INBOX_NOT_LINKED.format(link=settings.base_url + "/preferences")
    if asked.words:
        return _avail(session, letter, ParsedCommand(Command.AVAIL, (*asked.words, asked.command.value)), settings, now)
    today = _today(settings, now)
    day = today + timedelta(days=asked.command is Command.TOMORROW)
    said = availability.statuses_of_day(session, day)
    counts = ", ".join(f"{words.STATUSES[status]} {sum(one is status for one in said.values())}" for status in Status)
    return words.INBOX_DAY.format(
        day=_named(day, today), counts=counts, mine=_status(session, player_id, day), link=settings.base_url + "/"
    )


def _help(session: Session, letter: IncomingMessage, asked: ParsedCommand, settings: Settings, now: datetime) -> str:
    return words.INBOX_HELP.format(link=settings.base_url + "/")


def _player(session: Session, letter: IncomingMessage, settings: Settings) -> int | None:
    """Who writes, as long as they are linked and in our server."""
    owner = links.player_of_address(session, letter.channel, letter.address, settings=settings)
    here = (User.player_id == owner) & (User.membership != Membership.LEFT)
    return session.scalar(select(User.player_id).where(here)) if owner is not None else None


def _describe_status(session: Session, player_id: int, day: date, today: date) -> str:
    return words.INBOX_SAID.format(day=_named(day, today), status=_status(session, player_id, day))


def _status(session: Session, player_id: int, day: date) -> str:
    status = availability.statuses_of_day(session, day, [player_id]).get(player_id)
    return words.STATUSES[status] if status is not None else words.INBOX_NO_ANSWER


def _named(day: date, today: date) -> str:
    return {0: words.TODAY, 1: words.TOMORROW}.get((day - today).days, day.isoformat())


def _today(settings: Settings, now: datetime) -> date:
    return local_day(now, settings.zone, settings.day_starts_at)


def _name(session: Session, player_id: int) -> str:
    return plain_name(accounts.player_names(session, [player_id])[player_id])


def next_update(session: Session, channel: ChannelName, *, now: datetime) -> int:
    """The number of the next update to read; 0 after so long a silence that the numbers may begin anew."""
    found = session.get(InboxPosition, channel, populate_existing=True)
    return found.next_update if found is not None and found.moved_at > now - POSITION_VALID_FOR else 0


def advance_position(session: Session, channel: ChannelName, number: int, *, now: datetime) -> bool:
    """Whether this update is still to be answered; it and all before it are done with then.

    Of several who take the same one at the same moment one gets it.
    """
    is_old = InboxPosition.moved_at <= now - POSITION_VALID_FOR
    values = {"next_update": number + 1, "moved_at": now}
    taken = session.scalars(
        insert(InboxPosition)
        .values(channel=channel, **values)
        .on_conflict_do_update(
            index_elements=[InboxPosition.channel],
            set_=values,
            where=(InboxPosition.next_update <= number) | is_old,
        )
        .returning(InboxPosition.next_update)
    ).one_or_none()
    return taken is not None
