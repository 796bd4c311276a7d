"""Does what a slash command or a pressed button asks for, and returns the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from slomix import i18n
from slomix.accounts.models import Player
from slomix.availability import choices as choices_of_days
from slomix.availability.rules import Status, parse_status
from slomix.chat import notifying, presses, statuses
from slomix.chat import service as chat
from slomix.chat.days import name_day, read_day, suggest_days
from slomix.chat.replies import Reply
from slomix.chat.service import ChatNotLinked
from slomix.clock import local_day
from slomix.config.settings import Settings
from slomix.contacts.rules import MessageKind
from slomix.deliveries import choices
from slomix.errors import DomainError
from slomix.i18n import _
from slomix.interactions import evening, linking, promoting
from slomix.interactions.wire import Interaction, InteractionType
from slomix.parsing import parse_int
from slomix.privacy import membership
from slomix.runtime.context import Runtime


class SeenBefore(Exception):
    """Raised when an interaction was handled already: the request is a copy."""


@dataclass(frozen=True)
class Request:
    """An interaction, with what is needed to do what it asks for."""

    session: Session
    asked: Interaction
    settings: Settings
    now: datetime

    @property
    def today(self) -> date:
        return local_day(self.now, self.settings.zone, self.settings.day_starts_at)


def respond(runtime: Runtime, asked: Interaction) -> Reply:
    """Do what an interaction asks for, once, and return the answer. Raise SeenBefore.

    What cannot be done is answered too, and leaves nothing half done.
    """
    settings, now = runtime.settings, runtime.clock.now()
    if asked.guild_id is not None and asked.guild_id != settings.discord_guild_id:
        return Reply(_("Slomix answers in its own community's server only."))
    with runtime.transaction() as session:
        if not chat.claim(session, f"interaction:{asked.id}", now=now):
            raise SeenBefore
        _speak(session, asked, settings)
        if asked.guild_id is not None:
            membership.record_sight(session, asked.user_id, settings=settings, now=now)
        try:
            with session.begin_nested():
                return _do(Request(session, asked, settings, now))
        except ChatNotLinked:
            return _without_player(Request(session, asked, settings, now))
        except DomainError as error:
            return Reply(str(error))


def autocomplete(runtime: Runtime, asked: Interaction) -> list[tuple[str, str]]:
    """Return what may be chosen for the option that is being typed: labels with their values."""
    settings, now = runtime.settings, runtime.clock.now()
    typed = asked.options.get(asked.focused, "")
    with runtime.transaction() as session:
        _speak(session, asked, settings)
    if asked.focused == "day":
        today = local_day(now, settings.zone, settings.day_starts_at)
        return [(name_day(day, today), day.isoformat()) for day in suggest_days(typed, today)]
    # The names of players are for members, whom only their server's own interactions show as such.
    if asked.focused == "player" and asked.guild_id is not None and asked.guild_id == settings.discord_guild_id:
        with runtime.transaction() as session:
            return linking.search(session, typed)
    return []


def _speak(session: Session, asked: Interaction, settings: Settings) -> None:
    """Speak the asker's language from here on: what they chose, else that of their Discord."""
    chosen = chat.language_of(session, asked.asker, settings=settings)
    i18n.speak(settings.language_for(chosen, asked.language))


def _do(request: Request) -> Reply:
    if request.asked.type is InteractionType.PRESS:
        return _press(request)
    return _COMMANDS[request.asked.command](request)


def _without_player(request: Request) -> Reply:
    """Offer to choose a player, and keep the status that was to be said."""
    said = _said_status(request)
    if said is not None:
        linking.keep_status(request.session, request.asked, *said, now=request.now)
    return linking.ask_for_player(request.settings, is_waiting=said is not None)


def _said_status(request: Request) -> tuple[date, Status] | None:
    asked = request.asked
    try:
        if asked.command == "avail set":
            return read_day(asked.options["day"], request.today), parse_status(asked.options["status"].upper())
        if asked.type is InteractionType.PRESS:
            choice = choices.read(asked.pressed, request.settings)
            if choice.kind == choices_of_days.STATUS and choice.answer != choices_of_days.CLEAR:
                return read_day(choice.subject, request.today), parse_status(choice.answer.upper())
    except DomainError:
        return None
    return None


def _day(request: Request) -> date:
    return read_day(request.asked.options["day"], request.today)


def _set(request: Request) -> Reply:
    status = parse_status(request.asked.options["status"].upper())
    return statuses.set_day(
        request.session, request.asked.asker, _day(request), status, settings=request.settings, now=request.now
    )


def _clear(request: Request) -> Reply:
    return statuses.set_day(
        request.session, request.asked.asker, _day(request), None, settings=request.settings, now=request.now
    )


def _late(request: Request) -> Reply:
    return statuses.be_late(
        request.session, request.asked.asker, request.today, settings=request.settings, now=request.now
    )


def _show(request: Request) -> Reply:
    player_id = _player(request)
    if "day" not in request.asked.options:
        return statuses.show_week(request.session, player_id, settings=request.settings, now=request.now)
    return statuses.show_day(
        request.session,
        player_id,
        _day(request),
        settings=request.settings,
        now=request.now,
    )


def _link(request: Request) -> Reply:
    return _link_to(request, request.asked.options["player"])


def _link_to(request: Request, wanted: str) -> Reply:
    """Link to the player with this id; a name that was typed without choosing is searched for."""
    player_id = parse_int(wanted, 0, 2**31 - 1)
    player = request.session.get(Player, player_id) if player_id is not None else None
    if player is None:
        found = linking.search(request.session, wanted)
        player = request.session.get(Player, int(found[0][1])) if len(found) == 1 else None
    return linking.link(request.session, request.asked, player, request.settings, request.now)


def _notify(request: Request) -> Reply:
    """Show what the asker is told about; switch one kind on or off first, if asked to."""
    session, settings, player_id = request.session, request.settings, _player(request)
    wanted, wanted_state = request.asked.options.get("kind"), request.asked.options.get("switch")
    if wanted is None and wanted_state is None:
        return notifying.show(session, player_id, settings=settings)
    if wanted is None or wanted_state is None:
        return Reply(_("Choose both: what, and on or off."))
    is_on = wanted_state == "on"
    return notifying.switch(session, player_id, MessageKind(wanted), is_on=is_on, settings=settings, now=request.now)


def _press(request: Request) -> Reply:
    """Do what a button stands for, and say what is true now: in a message to the asker, below what it says."""
    choice = choices.read(request.asked.pressed, request.settings)
    if choice.kind in _PRESSES:
        return _PRESSES[choice.kind](request, choice)
    reply = presses.press(request.session, request.asked.asker, choice, request.settings, request.now)
    is_message = not request.asked.is_ephemeral and request.asked.guild_id is None
    return reply.under(request.asked.content) if is_message else reply


def _player(request: Request) -> int:
    return chat.as_player(request.session, request.asked.asker, settings=request.settings)


_COMMANDS: dict[str, Callable[[Request], Reply]] = {
    "avail set": _set,
    "avail late": _late,
    "avail clear": _clear,
    "avail show": _show,
    "tonight": lambda request: evening.tonight(request.session, request.asked, request.settings, request.now),
    "queue": lambda request: evening.queue(request.session, request.asked, request.settings, request.now),
    "teams": lambda request: evening.teams(request.session, request.asked, request.settings, request.now),
    "link": _link,
    "notify": _notify,
    "promote": lambda request: promoting.preview(request.session, request.asked, request.settings, request.now),
}
# The buttons that there are on Discord alone.
_PRESSES: dict[str, Callable[[Request, choices.Choice], Reply]] = {
    linking.CHOOSE: lambda request, _choice: linking.suggest(request.session, request.asked, request.settings),
    linking.LINK: lambda request, choice: _link_to(request, choice.subject),
    promoting.PROMOTE: lambda request, choice: promoting.press(
        request.session, request.asked, choice, request.settings, request.now
    ),
}
COMMANDS = frozenset(_COMMANDS)
