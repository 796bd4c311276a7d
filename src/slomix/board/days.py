"""A day's page, and setting and clearing a status from any page that shows a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from slomix import words
from slomix.accounts import service as accounts
from slomix.availability import rules, service, triggers
from slomix.availability.calendar import build_month
from slomix.availability.rules import Status
from slomix.availability.service import DayView
from slomix.campaigns import queries as campaigns
from slomix.planning import queries as planning
from slomix.planning.queries import RoomView
from slomix.web import live
from slomix.web import responses as web
from slomix.web.reading import reading

blueprint = Blueprint("days", __name__)


@blueprint.get("/day/<day>")
def day_page(day: str) -> str:
    """One day, with the month around it."""
    mark = live.hub().mark()
    return render_template("availability/day.html", mark=mark, **_day(rules.parse_day(day)))


@blueprint.get("/day/<day>/live")
def day_live(day: str) -> Response:
    """The part of a day's page that changes."""
    return web.live_part(render_template("availability/_day.html", **_day(rules.parse_day(day))))


@blueprint.post("/day/<day>/status")
def set_status(day: str) -> Response:
    """One of the four buttons, or Clear."""
    player_id = web.require_player()
    now = web.now()
    the_day, today = rules.parse_day(day), web.today(now)
    wanted = request.form.get("status", "nothing")
    is_from_day = request.form.get("from") == "day"
    with web.runtime().transaction() as session:
        accounts.lock_link(session, web.require_user().user_id, player_id)
        if wanted == "":
            service.clear_status(session, player_id, the_day, today=today)
            done = words.CLEARED
        else:
            status = rules.parse_status(wanted)
            triggers.set_and_notify(session, player_id, the_day, status, settings=web.runtime().settings, now=now)
            done = words.SAVED
    if is_from_day:
        shown = _day(the_day)
        turned = f"?month={shown['month_turned']}" if shown["month_turned"] else ""
        return web.respond("availability/_day.html", otherwise=f"/day/{the_day}{turned}", done=done, **shown)
    return web.respond(
        "availability/_after_status.html", otherwise=f"/#day-{the_day}", done=done, **_cards(the_day, today, player_id)
    )


def _day(day: date) -> dict[str, Any]:
    """What a day's page shows; `build_month` in the address turns its calendar to another one."""
    today = web.today(web.now())
    text = request.values.get("month", "")
    first = rules.parse_month(text) if text else day.replace(day=1)
    with reading() as session:
        viewer = web.viewer().player_id
        shown = service.list_days_with_names(session, day, day)[0].for_viewer(viewer)
        calendar = build_month(session, first, viewer=viewer) if rules.can_show_month(first) else None
        night = _night(session, day) if viewer is not None else None
    return {
        "card": shown,
        "today": today,
        "calendar": calendar,
        "can_change": rules.is_day_open(day, today),
        "neighbours": rules.adjacent_days(day),
        "is_own_page": True,
        "night": night,
        "month_turned": text if first != day.replace(day=1) else "",
    }


@dataclass(frozen=True)
class DayOutcome:
    """What came of a day in its planning room, and afterwards."""

    room: RoomView
    # Who was looked for by the voice check, and whether they were there.
    attended: Mapping[int, bool]


def _night(session: Session, day: date) -> DayOutcome | None:
    room = planning.room_of(session, day)
    return (
        None
        if room is None
        else DayOutcome(planning.view_room(session, room), campaigns.attendance_of_day(session, day))
    )


def _cards(day: date, today: date, viewer: int) -> dict[str, Any]:
    """What a change of one day may change on the board."""
    with web.runtime().transaction() as session:
        shown = service.list_days_with_names(session, day, day)[0].for_viewer(viewer)
        tonight = service.list_days_with_names(session, today, today)[0].for_viewer(viewer)
    return {"card": shown, "today": today, "queue": queue(tonight), "can_change": rules.is_day_open(day, today)}


def queue(tonight: DayView) -> dict[str, object]:
    """Today's LOOKING: the number for all, who and since when for those who may see names."""
    return {"count": tonight.counts.looking, "people": tonight.people.get(Status.LOOKING, [])}
