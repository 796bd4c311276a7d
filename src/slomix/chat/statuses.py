"""Sets and tells a player's statuses in a chat: by command, and by the buttons under a day."""

from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from slomix.availability import service as availability
from slomix.availability.choices import CLEAR, LATE, status_button, status_buttons
from slomix.availability.rules import STATUS_NAMES, Status, parse_day, said_by
from slomix.campaigns import late
from slomix.channels.base import Button
from slomix.chat.days import name_day
from slomix.chat.replies import Reply
from slomix.chat.service import Asker, as_player
from slomix.clock import local_day
from slomix.config.settings import Settings
from slomix.deliveries.choices import Choice
from slomix.deliveries.formatting import discord_timestamp
from slomix.i18n import _


def say_status(
    session: Session,
    player_id: int,
    day: date,
    *,
    settings: Settings,
    now: datetime,
) -> str:
    """Return what this player said for a day, in one line."""
    today = local_day(now, settings.zone, settings.day_starts_at)
    status = availability.statuses_of_day(session, day, [player_id]).get(player_id)
    said = STATUS_NAMES[status] if status is not None else _("you have not said yet")
    late_until = availability.late_players(session, day, now=now).get(player_id)
    if late_until is not None:
        said = _("{said}, 15 min late (about {time})").format(said=said, time=discord_timestamp(late_until))
    return _("**{day}**: {status}").format(day=name_day(day, today), status=said)


def answers(day: date, settings: Settings) -> list[list[Button]]:
    """Return the buttons that set a day's status, and the one that clears it."""
    return [[*status_buttons(day, settings), status_button(_("Clear"), day, CLEAR, settings)]]


def set_day(
    session: Session, asker: Asker, day: date, status: Status | None, *, settings: Settings, now: datetime
) -> Reply:
    """Set or clear the asker's status; answer with the day as it is now. Raise what `as_player` and `set_status` do."""
    player_id = as_player(session, asker, settings=settings)
    availability.set_status(session, player_id, day, status, settings=settings, now=now)
    return show_day(session, player_id, day, settings=settings, now=now)


def be_late(session: Session, asker: Asker, day: date, *, settings: Settings, now: datetime) -> Reply:
    """Set the asker to LOOKING and late tonight; answer as `set_day` does. Raise what `as_player` and `say_late` do."""
    player_id = as_player(session, asker, settings=settings)
    late.say_late(session, player_id, day, settings=settings, now=now)
    return show_day(session, player_id, day, settings=settings, now=now)


def press(session: Session, asker: Asker, choice: Choice, settings: Settings, now: datetime) -> Reply:
    """Do what a status button stands for. Raise what `set_day` and `be_late` do."""
    if choice.answer == LATE:
        return be_late(session, asker, parse_day(choice.subject), settings=settings, now=now)
    status = None if choice.answer == CLEAR else Status(choice.answer.upper())
    return set_day(session, asker, parse_day(choice.subject), status, settings=settings, now=now)


def show_day(
    session: Session,
    player_id: int,
    day: date,
    *,
    settings: Settings,
    now: datetime,
) -> Reply:
    """Return a day as this player sees it, with the buttons to answer it."""
    counts = availability.list_days(session, day, day, viewer=None)[0].counts
    said = [said_by(status, counts[status]) for status in Status if counts[status]]
    mine = say_status(session, player_id, day, settings=settings, now=now)
    lines = [mine, ", ".join(said) or _("nothing yet")]
    return Reply("\n".join(lines), answers(day, settings), replaces=True, line=lines[0])


def show_week(session: Session, player_id: int, *, settings: Settings, now: datetime) -> Reply:
    """Return the next seven days at a glance: what this player said, and how many play."""
    today = local_day(now, settings.zone, settings.day_starts_at)
    lines = [_("Your week:")]
    for day in availability.list_days(session, today, today + timedelta(days=6), viewer=player_id):
        mine = STATUS_NAMES[day.my_status] if day.my_status is not None else _("you have not said yet")
        line = _("**{day}**: {status}").format(day=name_day(day.day, today), status=mine)
        lines.append(_("{line} · {count} in").format(line=line, count=day.counts.coming) if day.counts.coming else line)
    return Reply("\n".join([*lines, _("The buttons answer for today.")]), answers(today, settings))
