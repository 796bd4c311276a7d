"""Answers what tonight looks like: who plays, when, who is in voice, and the teams."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from slomix.accounts.models import Player, User
from slomix.availability import service as availability
from slomix.availability.rules import STATUS_NAMES, Status, still_late
from slomix.availability.service import DayView, ListedPlayer
from slomix.campaigns import queries as campaigns
from slomix.chat import statuses
from slomix.chat.replies import Reply
from slomix.chat.service import ChatNotLinked, as_player
from slomix.clock import local_day
from slomix.config.settings import Settings
from slomix.deliveries.formatting import discord_timestamp, fit_names, safe_name
from slomix.evening.tonight import headline
from slomix.i18n import _
from slomix.interactions.wire import Interaction
from slomix.planning import queries as planning
from slomix.planning.rules import TEAM_NAMES, Side
from slomix.presence import places
from slomix.presence import service as presence

# Discord takes 2000 characters; this leaves room for everything else that an answer says.
LONGEST_LIST = 400


def tonight(session: Session, asked: Interaction, settings: Settings, now: datetime) -> Reply:
    """Return who plays tonight, how many are missing, when it starts, and who is in voice now."""
    day = _read_tonight(session, asked, settings, now)
    lines = [headline(day.counts.looking, settings.ready_threshold)]
    lines += [
        _("{status}: {names}").format(status=STATUS_NAMES[status], names=_names(player.name for player in people))
        for status in Status
        if (people := day.people.get(status))
    ]
    late = [
        player.name for player in day.people.get(Status.LOOKING, []) if still_late(player.late_until, now) is not None
    ]
    if late:
        lines.append(_("15 min late: {players}").format(players=_names(late)))
    campaign = campaigns.called_campaign(session, day.day)
    if campaign is not None:
        text = _("The start is at {time} ({countdown}).") if campaign.start_at > now else _("It was called for {time}.")
        time, countdown = discord_timestamp(campaign.start_at), discord_timestamp(campaign.start_at, "R")
        lines.append(text.format(time=time, countdown=countdown))
    if day.people:
        lines.append(_in_voice(session, settings, now))
    return Reply("\n".join(lines), statuses.answers(day.day, settings))


def queue(session: Session, asked: Interaction, settings: Settings, now: datetime) -> Reply:
    """Return who is looking to play tonight, first come first; to others than players the number alone."""
    day = _read_tonight(session, asked, settings, now)
    if not day.counts.looking:
        return Reply(_("Queue is empty."), statuses.answers(day.day, settings))
    if not day.people:
        return Reply(headline(day.counts.looking, settings.ready_threshold))
    people = day.people[Status.LOOKING]
    lines = [
        _("{place}. {name}").format(place=place, name=_with_time(player, now))
        for place, player in enumerate(people[:20], 1)
    ]
    if len(people) > len(lines):
        lines.append(_("and {number} more").format(number=len(people) - len(lines)))
    return Reply("\n".join(lines), statuses.answers(day.day, settings))


def _with_time(player: ListedPlayer, now: datetime) -> str:
    """Name a player, and say when they come if they are late."""
    until, name = still_late(player.late_until, now), safe_name(player.name)
    return (
        name
        if until is None
        else _("{said}, 15 min late (about {time})").format(said=name, time=discord_timestamp(until))
    )


def teams(session: Session, asked: Interaction, settings: Settings, now: datetime) -> Reply:
    """Return tonight's teams. Raise ChatNotLinked for others than players."""
    as_player(session, asked.asker, settings=settings)
    room = planning.room_of(session, local_day(now, settings.zone, settings.day_starts_at))
    if room is None:
        return Reply(_("There are no teams for tonight yet."))
    view = planning.view_room(session, room)
    lines = [
        _("**{team}**: {names}").format(
            team=safe_name(team.name) if team.name else TEAM_NAMES[side],
            names=_names(member.name for member in team.members),
        )
        for side in Side
        if (team := view.teams[side]).members
    ]
    return Reply("\n".join(lines) or _("There are no teams for tonight yet."))


def _read_tonight(session: Session, asked: Interaction, settings: Settings, now: datetime) -> DayView:
    """Read tonight as the asker may see it: with names for players alone."""
    today = local_day(now, settings.zone, settings.day_starts_at)
    try:
        viewer = as_player(session, asked.asker, settings=settings)
    except ChatNotLinked:
        viewer = None
    return availability.list_days_with_names(session, today, today)[0].for_viewer(viewer)


def _in_voice(session: Session, settings: Settings, now: datetime) -> str:
    snapshot = presence.latest_snapshot(session)
    if not snapshot.is_fresh(now, settings.presence_max_age):
        return _("We can't see right now who is in voice.")
    rooms = places.rooms(settings)
    there = [account for account, room in snapshot.rooms.items() if rooms.voice_status(room).is_in_voice]
    players = select(Player.name).join(User, User.player_id == Player.id).where(User.discord_id.in_(there))
    names = list(session.scalars(players.order_by(Player.name)))
    return _("In voice now: {names}").format(names=_names(names)) if names else _("In voice now: no player yet.")


def _names(names: Iterable[str]) -> str:
    return fit_names([safe_name(name) for name in names], longest=LONGEST_LIST)
