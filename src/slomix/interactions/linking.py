"""Chooses a player without a browser: the signed interaction is the login, and its server the membership."""

from datetime import date, datetime

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix.accounts import logins
from slomix.accounts import service as accounts
from slomix.accounts.models import Player, User
from slomix.availability import service as availability
from slomix.availability.rules import Status
from slomix.channels.base import Button
from slomix.channels.discord import BUTTONS_IN_A_ROW
from slomix.chat.models import WaitingStatus
from slomix.chat.replies import Reply
from slomix.chat.rules import STATUS_WAITS
from slomix.chat.statuses import say_status
from slomix.clock import local_day
from slomix.config.settings import Settings
from slomix.deliveries import choices
from slomix.deliveries.choices import Choice
from slomix.deliveries.formatting import safe_name
from slomix.errors import DomainError
from slomix.i18n import _
from slomix.interactions.wire import Interaction
from slomix.presence.game_names import plain_name
from slomix.privacy import membership, unlinking

# Kinds of buttons.
CHOOSE, LINK = "choose", "link"
SUGGESTIONS = 5


def ask_for_player(settings: Settings, *, is_waiting: bool) -> Reply:
    """Offer an account without a player to choose one."""
    button = Button(_("Choose my player"), choices.sign(Choice(CHOOSE), settings))
    return Reply(
        _("First choose your player, then this is saved.") if is_waiting else _("First choose your player."), [[button]]
    )


def keep_status(session: Session, asked: Interaction, day: date, status: Status, *, now: datetime) -> None:
    """Keep what an account without a player says; the last wins."""
    said = {"day": day, "status": status, "said_at": now}
    session.execute(
        insert(WaitingStatus)
        .values(discord_id=asked.user_id, **said)
        .on_conflict_do_update(index_elements=[WaitingStatus.discord_id], set_=said)
    )


def suggest(session: Session, asked: Interaction, settings: Settings) -> Reply:
    """Offer the free players whose names are like the asker's."""
    if asked.guild_id is None:
        return Reply(_("Players are chosen in our server: type /link there."))
    who = User(discord_id=asked.user_id, discord_username=asked.username, display_name=asked.display_name)
    found = accounts.suggest_profiles(session, who, limit=SUGGESTIONS)
    if not found:
        return Reply(_("Type /link and your name in the game."))
    buttons = [
        Button(plain_name(player.name), choices.sign(Choice(LINK, str(player.id)), settings)) for player in found
    ]
    return Reply(
        _("Which of these is you? If none is, type /link and your name in the game."), [buttons[:BUTTONS_IN_A_ROW]]
    )


def search(session: Session, text: str) -> list[tuple[str, str]]:
    """Return free players whose names have `text` in them, with their ids."""
    found = accounts.search_profiles(session, text, limit=25, only_free=True)
    return [(plain_name(player.name), str(player.id)) for player in found]


def link(session: Session, asked: Interaction, player: Player | None, settings: Settings, now: datetime) -> Reply:
    """Link the asker to a player, and save what waited for it. Raise what linking on the page raises."""
    if asked.guild_id is None:
        return Reply(_("Players are chosen in our server: type /link there."))
    if player is None:
        raise accounts.NoSuchProfile
    user = logins.log_in(
        session, discord_id=asked.user_id, username=asked.username, display_name=asked.display_name, now=now
    )
    membership.record(session, user, True, settings=settings, now=now)
    if user.player is not None and user.player_id != player.id:
        name, page = safe_name(user.player.name), settings.base_url + "/profile"
        return Reply(_("You are {player}. To choose another player, open {link}").format(player=name, link=page))
    today = local_day(now, settings.zone, settings.day_starts_at)
    is_linked = unlinking.choose_profile(
        session, user, player, needs_approval=settings.player_link_approval, today=today, now=now
    )
    name = safe_name(player.name)
    if not is_linked:
        return Reply(_("An admin will look whether {player} is you.").format(player=name), replaces=True)
    lines = [_("You are {player} now.").format(player=name)]
    lines += _save_waiting(session, asked, player.id, settings, now)
    return Reply("\n".join(lines), replaces=True)


def _save_waiting(session: Session, asked: Interaction, player_id: int, settings: Settings, now: datetime) -> list[str]:
    """Save the status that waited for this player, and return what was saved, or why not."""
    waiting = session.scalars(
        delete(WaitingStatus).where(WaitingStatus.discord_id == asked.user_id).returning(WaitingStatus)
    ).one_or_none()
    if waiting is None or now - waiting.said_at > STATUS_WAITS:
        return []
    try:
        availability.set_status(session, player_id, waiting.day, waiting.status, settings=settings, now=now)
    except DomainError as error:
        return [str(error)]
    return [say_status(session, player_id, waiting.day, settings=settings, now=now)]
