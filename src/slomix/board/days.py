"""The page of a day: statuses, the month around it, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Blueprint, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from slomix.availability import rules, service
from slomix.availability.calendar import build_month
from slomix.availability.picture import picture_of
from slomix.availability.views import change_day
from slomix.board import views
from slomix.board.tonight import may_come
from slomix.campaigns import late
from slomix.campaigns import queries as campaigns
from slomix.campaigns.queries import PlayerAttendance
from slomix.i18n import _
from slomix.planning import queries as planning
from slomix.planning.queries import RoomView
from slomix.web import current, gates, live, responses
from slomix.web.reading import reading

blueprint = Blueprint("days", __name__)


@blueprint.get("/day/<day>")
def day_page(day: str) -> str:
    """Show one day, with the month around it."""
    mark, shown = live.hub().mark(), rules.parse_day(day)
    return views.render_once("availability/day.html", lambda: _day(shown) | {"mark": mark})


@blueprint.get("/day/<day>/live")
def day_live(day: str) -> Response:
    """Show the part of a day's page that changes."""
    shown = rules.parse_day(day)
    return responses.live_part(views.render_once("availability/_day.html", lambda: _day(shown)))


@blueprint.post("/day/<day>/late")
def be_late(day: str) -> Response:
    """Say that the viewer comes late tonight."""
    settings = current.runtime().settings

    def say_late(session: Session, player_id: int, the_day: date, now: datetime) -> None:
        late.say_late(session, player_id, the_day, settings=settings, now=now)

    return change_day(day, say_late, _("Saved."))


def _day(day: date) -> dict[str, Any]:
    """Read what a day's page shows; `month` in the address turns its calendar to another month."""
    now, settings = current.now(), current.runtime().settings
    today = current.today(now)
    first = rules.month_of(request.values.get("month", ""), day)
    with reading() as session:
        viewer = gates.viewer().player_id
        shown = service.list_days_with_names(session, day, day)[0].for_viewer(viewer)
        calendar = build_month(session, first, viewer=viewer) if rules.can_show_month(first) else None
        night = _night(session, day) if viewer is not None else None
        is_near = day == today and may_come(shown)
        called = campaigns.called_campaign(session, day)
        hours = late.hours_of(session, called, day, settings=settings) if is_near else None
    return {
        "evening_picture": picture_of(day, shown.counts.looking, called.start_at if called is not None else None),
        "card": shown,
        "today": today,
        "calendar": calendar,
        "can_change": rules.is_day_open(day, today),
        "may_be_late": hours is not None and hours.offers_late(now),
        "neighbours": rules.adjacent_days(day),
        "is_own_page": True,
        "night": night,
        "month_turned": first.isoformat()[:7] if first != day.replace(day=1) else "",
    }


@dataclass(frozen=True)
class DayOutcome:
    """What came of a day in its planning room, and afterwards."""

    room: RoomView
    # The players who were counted, and what was found of them.
    attended: Mapping[int, PlayerAttendance]


def _night(session: Session, day: date) -> DayOutcome | None:
    room, zone = planning.room_of(session, day), current.runtime().settings.zone
    if room is None:
        return None
    return DayOutcome(planning.view_room(session, room), campaigns.attendance_of_day(session, day, zone))
