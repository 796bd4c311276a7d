"""Links a private chat to a player: a code from the chat, then a yes to the question that it is answered with."""

from datetime import datetime

from sqlalchemy.orm import Session

from slomix.accounts import service as accounts
from slomix.channels.base import Button
from slomix.channels.markup import break_links, escape_markdown
from slomix.chat.replies import Reply
from slomix.chat.service import Asker
from slomix.config.settings import Settings
from slomix.contacts import links
from slomix.deliveries import choices
from slomix.deliveries.choices import Choice
from slomix.i18n import _
from slomix.parsing import parse_int
from slomix.presence.game_names import plain_name

# The kind of the buttons, and their answers.
CONFIRM = "confirm"
YES, NO = "yes", "no"


def ask(session: Session, asker: Asker, code: str, settings: Settings, now: datetime) -> Reply:
    """Ask before linking: the code may be another person's, who talked the sender into sending it."""
    player_id = links.spend_code(session, asker.channel, code, asker.address, settings=settings, now=now)
    text = _(
        "Link this chat to the player “{player}” of {community}? Then their messages come "
        "here.\n"
        "/yes if that is you and you asked for it; /no if not. Without an answer nothing is "
        "linked."
    ).format(player=_player_name(session, player_id), community=settings.community_name)
    # The button names the player of its question: an old one must not answer a later question.
    buttons = [
        Button(label, choices.sign(Choice(CONFIRM, str(player_id), answer), settings))
        for label, answer in ((_("Yes"), YES), (_("No"), NO))
    ]
    return Reply(text, [buttons])


def press(session: Session, asker: Asker, choice: Choice, settings: Settings, now: datetime) -> Reply:
    """Answer the question as the button says. Raise NothingAsked, or AddressTaken."""
    answer = confirm if choice.answer == YES else decline
    return answer(session, asker, settings, now, player_id=parse_int(choice.subject, 1, 2**31 - 1))


def confirm(
    session: Session, asker: Asker, settings: Settings, now: datetime, *, player_id: int | None = None
) -> Reply:
    """Link the chat to the player whom it was asked about. Raise NothingAsked, or AddressTaken."""
    linked = links.confirm_chat(session, asker.channel, asker.address, about=player_id, settings=settings, now=now)
    name, link = _player_name(session, linked), settings.base_url + "/preferences"
    return Reply(
        _("This chat is linked to {player}. Choose your notifications: {link}").format(player=name, link=link),
        replaces=True,
    )


def decline(
    session: Session, asker: Asker, settings: Settings, now: datetime, *, player_id: int | None = None
) -> Reply:
    """Link nothing. Raise NothingAsked."""
    links.decline_chat(session, asker.channel, asker.address, about=player_id, settings=settings, now=now)
    return Reply(_("Nothing was linked. Whoever gave you that code cannot use it any more."), replaces=True)


def _player_name(session: Session, player_id: int) -> str:
    return escape_markdown(break_links(plain_name(accounts.player_names(session, [player_id])[player_id])))
