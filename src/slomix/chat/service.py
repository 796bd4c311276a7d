"""Does what a private chat asks for, and returns the answer."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix import words
from slomix.accounts import service as accounts
from slomix.accounts.models import User
from slomix.accounts.rules import Membership
from slomix.availability import service as availability
from slomix.availability.rules import Status
from slomix.channels.markup import break_links
from slomix.chat import rules
from slomix.chat.models import ClaimedMessage, InboxPosition
from slomix.chat.rules import Command, ParsedCommand
from slomix.clock import local_day
from slomix.config.settings import Settings
from slomix.contacts import links
from slomix.contacts import service as contacts
from slomix.contacts.models import Contact
from slomix.contacts.rules import ChannelName
from slomix.errors import DomainError, NotAllowed
from slomix.presence.game_names import plain_name

# After a week without updates Telegram goes on with any number (https://core.telegram.org/bots/api#update).
POSITION_VALID_FOR = timedelta(days=6)


@dataclass(frozen=True)
class Asker:
    """Who asks, on a channel: an account on Discord, else the address of a private chat."""

    channel: ChannelName
    address: str


@dataclass(frozen=True)
class IncomingMessage(Asker):
    """A private message to us."""

    text: str
    # Tells it from the sender's other messages, where several processes may receive it.
    mark: str | None = None
    # The sender's phone number, where it is known and not the address.
    number: str | None = None


class ChatNotLinked(NotAllowed):
    """The chat belongs to no player who may act in it."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(words.INBOX_NOT_LINKED.format(link=settings.base_url + "/preferences"))


def as_player(session: Session, asker: Asker, *, settings: Settings) -> int:
    """Return the player who asks, and hold their link until the transaction ends. Raise ChatNotLinked."""
    return _hold(session, asker, settings, User.membership != Membership.LEFT)


def as_owner(session: Session, asker: Asker, *, settings: Settings) -> int:
    """Act as `as_player` does, also for a player who left our server. Raise ChatNotLinked."""
    return _hold(session, asker, settings)


def _hold(session: Session, asker: Asker, settings: Settings, *conditions: ColumnElement[bool]) -> int:
    owner = select(User.player_id).where(User.player_id.is_not(None), *conditions)
    if asker.channel is ChannelName.DISCORD:
        owner = owner.where(User.discord_id == asker.address)
    else:
        owner = owner.join(Contact, Contact.player_id == User.player_id)
        owner = owner.where(links.is_at(asker.channel, asker.address, settings=settings))
    # One statement: after waiting for an unlink PostgreSQL checks the user's row anew, and finds no player in it.
    player_id = session.scalar(owner.with_for_update(read=True, key_share=True, of=User))
    if player_id is None:
        raise ChatNotLinked(settings)
    return player_id


def reply_to(session: Session, message: IncomingMessage, *, settings: Settings, now: datetime) -> str:
    """Do what a message asks for and return the answer; a failure is answered too, and leaves nothing half done."""
    asked = rules.parse_command(message.text)
    if message.number is not None:
        links.replace_number(session, message.channel, message.number, message.address, settings=settings)
    do: dict[Command, Callable[[Session, IncomingMessage, ParsedCommand, Settings, datetime], str]] = {
        Command.LINK: _ask_to_link,
        Command.YES: _link,
        Command.NO: _decline,
        Command.UNLINK: _unlink,
        Command.AVAIL: _avail,
        Command.TODAY: _set_day,
        Command.TOMORROW: _set_day,
        Command.HELP: _help,
    }
    try:
        with session.begin_nested():
            reply = do[asked.command](session, message, asked, settings, now)
    except DomainError as error:
        reply = str(error)
    # A message from an address shows that it works; after the command, which locks the player's link first.
    with suppress(DomainError):
        links.mark_working(session, message.channel, message.address, settings=settings)
    return reply


def _ask_to_link(
    session: Session, message: IncomingMessage, asked: ParsedCommand, settings: Settings, now: datetime
) -> str:
    """Ask before linking: the code may be another person's, who talked the sender into sending it."""
    if len(asked.words) != 1:
        return words.INBOX_LINK_HOW.format(link=settings.base_url + "/preferences")
    player_id = links.spend_code(session, message.channel, asked.words[0], message.address, settings=settings, now=now)
    return words.INBOX_LINK_ASKED.format(player=_player_name(session, player_id), community=settings.community_name)


def _link(session: Session, message: IncomingMessage, asked: ParsedCommand, settings: Settings, now: datetime) -> str:
    player_id = links.confirm_chat(session, message.channel, message.address, settings=settings, now=now)
    return words.INBOX_LINKED.format(player=_player_name(session, player_id), link=settings.base_url + "/preferences")


def _decline(
    session: Session, message: IncomingMessage, asked: ParsedCommand, settings: Settings, now: datetime
) -> str:
    links.decline_chat(session, message.channel, message.address, settings=settings, now=now)
    return words.INBOX_LINK_DECLINED


def _player_name(session: Session, player_id: int) -> str:
    return break_links(plain_name(accounts.player_names(session, [player_id])[player_id]))


def _unlink(session: Session, message: IncomingMessage, asked: ParsedCommand, settings: Settings, now: datetime) -> str:
    contacts.remove_contact(session, as_owner(session, message, settings=settings), message.channel)
    return words.INBOX_UNLINKED


def _avail(session: Session, message: IncomingMessage, asked: ParsedCommand, settings: Settings, now: datetime) -> str:
    player_id = as_player(session, message, settings=settings)
    today = local_day(now, settings.zone, settings.day_starts_at)
    if not asked.words:
        return "\n".join(_describe_status(session, player_id, day, today) for day in (today, today + timedelta(days=1)))
    wanted = rules.parse_status(asked.words, today)
    if wanted is None:
        return words.INBOX_AVAIL_HOW
    availability.set_status(session, player_id, wanted.day, wanted.status, settings=settings, now=now)
    return _describe_status(session, player_id, wanted.day, today)


def _set_day(
    session: Session, message: IncomingMessage, asked: ParsedCommand, settings: Settings, now: datetime
) -> str:
    """Describe today or tomorrow; with a status, as in `/today looking`, set it."""
    if asked.words:
        return _avail(
            session, message, ParsedCommand(Command.AVAIL, (*asked.words, asked.command.value)), settings, now
        )
    player_id = as_player(session, message, settings=settings)
    today = local_day(now, settings.zone, settings.day_starts_at)
    day = today + timedelta(days=asked.command is Command.TOMORROW)
    said = list(availability.statuses_of_day(session, day).values())
    counts = ", ".join(f"{words.STATUSES[status]} {said.count(status)}" for status in Status)
    return words.INBOX_DAY.format(
        day=_named(day, today), counts=counts, mine=_status(session, player_id, day), link=settings.base_url + "/"
    )


def _help(session: Session, message: IncomingMessage, asked: ParsedCommand, settings: Settings, now: datetime) -> str:
    return words.INBOX_HELP.format(link=settings.base_url + "/")


def _describe_status(session: Session, player_id: int, day: date, today: date) -> str:
    return words.INBOX_SAID.format(day=_named(day, today), status=_status(session, player_id, day))


def _status(session: Session, player_id: int, day: date) -> str:
    status = availability.statuses_of_day(session, day, [player_id]).get(player_id)
    return words.STATUSES[status] if status is not None else words.INBOX_NO_ANSWER


def _named(day: date, today: date) -> str:
    return {0: words.TODAY, 1: words.TOMORROW}.get((day - today).days, day.isoformat())


def next_update(session: Session, channel: ChannelName, *, now: datetime) -> int:
    """Return the number of the next update, or 0 after so long a silence that Telegram may number anew."""
    found = session.get(InboxPosition, channel, populate_existing=True)
    return found.next_update if found is not None and found.moved_at > now - POSITION_VALID_FOR else 0


def claim_message(session: Session, message: IncomingMessage, *, now: datetime) -> bool:
    """Claim a message and return whether to answer it; of several processes that received it, only the first may."""
    return message.mark is None or claim(session, f"{message.channel}:{message.address}:{message.mark}", now=now)


def claim(session: Session, name: str, *, now: datetime) -> bool:
    """Claim what has this name, and return False if it was claimed before. Only a hash of the name is stored."""
    key = hashlib.sha256(name.encode()).hexdigest()
    new = insert(ClaimedMessage).values(key=key, claimed_at=now).on_conflict_do_nothing()
    return session.scalars(new.returning(ClaimedMessage.key)).one_or_none() is not None


def advance_position(session: Session, channel: ChannelName, number: int, *, now: datetime) -> bool:
    """Mark an update and all before it as answered; return False if it was already.

    Of several processes that take the same update at once, only the first gets True.
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
