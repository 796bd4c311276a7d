"""Answers what is written and pressed in private chats on Telegram and Signal."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from slomix.channels.markup import break_links, escape_markdown
from slomix.chat import linking, notifying, presses, rules, statuses
from slomix.chat.replies import Reply
from slomix.chat.rules import Command, ParsedCommand
from slomix.chat.service import ChatNotLinked, IncomingMessage, as_owner, as_player
from slomix.clock import local_day
from slomix.config.settings import Settings
from slomix.contacts import links, preferences
from slomix.contacts import service as contacts
from slomix.contacts.kinds import KIND_TEXTS
from slomix.contacts.rules import TICKS
from slomix.deliveries import choices, offers
from slomix.deliveries.formatting import PlainStyle, plain_text
from slomix.errors import DomainError
from slomix.i18n import _

# So much of what was not understood is repeated.
LONGEST_ECHO = 60


@dataclass(frozen=True)
class ChatRequest:
    """A message, with what is needed to do what it asks for."""

    session: Session
    message: IncomingMessage
    settings: Settings
    now: datetime

    @property
    def today(self) -> date:
        return local_day(self.now, self.settings.zone, self.settings.day_starts_at)


def reply_to(session: Session, message: IncomingMessage, *, settings: Settings, now: datetime) -> Reply:
    """Do what a message asks for and return the answer; a failure is answered too, and leaves nothing half done."""
    request = ChatRequest(session, message, settings, now)
    if message.number is not None:
        links.replace_number(session, message.channel, message.number, message.address, settings=settings)
    try:
        with session.begin_nested():
            reply = _do(request)
    except DomainError as error:
        reply = Reply(str(error))
    # A message from an address shows that it works; after the command, which locks the player's link first.
    with suppress(DomainError):
        links.mark_working(session, message.channel, message.address, settings=settings)
    return reply


def _do(request: ChatRequest) -> Reply:
    message = request.message
    if message.pressed is not None:
        return _press(request, message.pressed, message.text)
    number = rules.parse_number(message.text)
    if number is not None and message.channel in offers.BY_NUMBER:
        return _choose(request, number)
    asked = rules.parse_command(message.text)
    return _plain(request, _COMMANDS[asked.command](request, asked))


def _press(request: ChatRequest, pressed: str, content: str) -> Reply:
    """Do what a button stands for, and say what is true now: below the words of a message, or instead of an answer."""
    choice = choices.read(pressed, request.settings)
    reply = _plain(request, presses.press(request.session, request.message, choice, request.settings, request.now))
    return reply.under(content) if choice.mark else reply


def _choose(request: ChatRequest, number: int) -> Reply:
    """Take a number as an answer to the last message with choices, if it is sure that the reader has seen it."""
    message = request.message
    addresses = [message.address, *([message.number] if message.number is not None else [])]
    offer = offers.last_offer(request.session, message.channel, addresses, settings=request.settings)
    if offer is None:
        return _help(request, ParsedCommand(Command.HELP))
    if not offer.has_arrived:
        return Reply(_("My last question may not have reached you. Please choose once more:"), [offer.buttons])
    if not 1 <= number <= len(offer.buttons):
        return Reply(
            _("There is no {number} to choose: send a number from 1 to {last}.").format(
                number=number, last=len(offer.buttons)
            )
        )
    return _press(request, offer.buttons[number - 1].value, "")


def _link(request: ChatRequest, asked: ParsedCommand) -> Reply:
    if len(asked.words) != 1:
        return Reply(
            _("Get a code under Preferences and send it here as /link CODE: {link}").format(
                link=request.settings.base_url + "/preferences"
            )
        )
    return linking.ask(request.session, request.message, asked.words[0], request.settings, request.now)


def _unlink(request: ChatRequest, _asked: ParsedCommand) -> Reply:
    owner = as_owner(request.session, request.message, settings=request.settings)
    contacts.remove_contact(request.session, owner, request.message.channel)
    return Reply(_("Unlinked. Nothing is sent here any more."))


def _avail(request: ChatRequest, asked: ParsedCommand) -> Reply:
    """Set a day's status, or show a day, or the week; `late` is said of today."""
    session, settings, now = request.session, request.settings, request.now
    late_day = rules.parse_late(asked.words, request.today)
    if late_day is not None:
        return statuses.be_late(session, request.message, late_day, settings=settings, now=now)
    wanted = rules.parse_status(asked.words, request.today)
    if wanted is not None:
        return statuses.set_day(session, request.message, wanted.day, wanted.status, settings=settings, now=now)
    player_id = as_player(session, request.message, settings=settings)
    if not asked.words:
        return statuses.show_week(session, player_id, settings=settings, now=now)
    day = rules.parse_day(asked.words, request.today)
    if day is None:
        said = escape_markdown(break_links(" ".join(asked.words)[:LONGEST_ECHO]))
        return Reply(_("I didn’t get “{said}”. Try: /avail looking").format(said=said))
    return statuses.show_day(session, player_id, day, settings=settings, now=now)


def _today(request: ChatRequest, asked: ParsedCommand) -> Reply:
    """Do what /avail does with this day."""
    return _avail(request, ParsedCommand(Command.AVAIL, (*asked.words, asked.command.value)))


def _notify(request: ChatRequest, asked: ParsedCommand) -> Reply:
    """Show which messages the asker gets, or switch a kind of them: `/notify daily reminder off`."""
    session, settings = request.session, request.settings
    player_id = as_player(session, request.message, settings=settings)
    if not asked.words:
        return notifying.show(session, player_id, settings=settings)
    *name, last = asked.words
    kind, is_on = notifying.read_kind(" ".join(name)), notifying.read_switch(last)
    if kind is None or is_on is None:
        kinds = ", ".join(KIND_TEXTS[each].name for each in TICKS)
        return Reply(_("Write /notify, a kind, and on or off. The kinds: {kinds}.").format(kinds=kinds))
    return notifying.switch(session, player_id, kind, is_on=is_on, settings=settings, now=request.now)


def _help(request: ChatRequest, _asked: ParsedCommand) -> Reply:
    return Reply(
        _(
            "Slomix gets game nights started: {link}\n"
            "/avail looking – I’m in tonight (also: available, maybe, not playing, clear)\n"
            "/avail late – I’m in tonight, 15 min late\n"
            "/avail friday maybe – another day (also: tomorrow, 2026-11-22)\n"
            "/avail – my week\n"
            "/today, /tomorrow – who’s playing\n"
            "/notify – my notifications; /notify daily reminder off – one kind less\n"
            "/link CODE – link this chat with a code from your preferences\n"
            "/unlink – no more messages here"
        ).format(link=request.settings.base_url + "/")
    )


_COMMANDS: dict[Command, Callable[[ChatRequest, ParsedCommand], Reply]] = {
    Command.LINK: _link,
    Command.YES: lambda request, _asked: linking.confirm(
        request.session, request.message, request.settings, request.now
    ),
    Command.NO: lambda request, _asked: linking.decline(
        request.session, request.message, request.settings, request.now
    ),
    Command.UNLINK: _unlink,
    Command.AVAIL: _avail,
    Command.TODAY: _today,
    Command.TOMORROW: _today,
    Command.NOTIFY: _notify,
    Command.HELP: _help,
}


def _plain(request: ChatRequest, reply: Reply) -> Reply:
    """Write a reply as these channels show it: without Discord's markup, its times in the reader's zone."""
    zone = request.settings.zone
    if "<t:" in reply.text + reply.line:
        with suppress(ChatNotLinked):
            player_id = as_player(request.session, request.message, settings=request.settings)
            zone = preferences.preferences_of(request.session, player_id, zone=zone).zone
    style = PlainStyle(zone, request.now)
    return replace(reply, text=plain_text(reply.text, style), line=plain_text(reply.line, style))
