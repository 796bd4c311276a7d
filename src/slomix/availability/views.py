"""Setting and clearing a status, from any page that shows a day."""

from datetime import date
from typing import Any, cast

from flask import Blueprint, current_app, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from slomix import words
from slomix.accounts.acting import as_player
from slomix.availability import rules, service
from slomix.availability.rules import Status
from slomix.availability.service import DayView
from slomix.web import current, responses

blueprint = Blueprint("statuses", __name__)


@blueprint.post("/day/<day>/status")
def set_status(day: str) -> Response:
    """Set the status whose button was pressed, or clear it."""
    now, form = current.now(), request.form
    wanted, is_from_day = form.get("status", "nothing"), form.get("from") == "day"
    with as_player() as (session, player_id):
        the_day = rules.parse_day(day)
        month = rules.month_of(form.get("month", ""), the_day)
        status = rules.parse_status(wanted) if wanted else None
        service.set_status(session, player_id, the_day, status, settings=current.runtime().settings, now=now)
        cards = {} if is_from_day else _cards(session, the_day, current.today(now), player_id)
    done = words.SAVED if status else words.CLEARED
    if not is_from_day:
        return responses.respond("availability/_after_status.html", otherwise=f"/#day-{the_day}", done=done, **cards)
    if responses.is_htmx():
        # The page of a day shows its room and its campaign too, so the board answers with it.
        return cast(Response, current_app.view_functions["days.day_live"](day))
    turned = f"?month={month.isoformat()[:7]}" if month != the_day.replace(day=1) else ""
    return responses.redirected(f"/day/{the_day}{turned}", done=done)


def _cards(session: Session, day: date, today: date, player_id: int) -> dict[str, Any]:
    """Return what a change of one day may change on the board."""
    shown = service.list_days_with_names(session, day, day)[0].for_viewer(player_id)
    tonight = service.list_days_with_names(session, today, today)[0].for_viewer(player_id)
    return {"card": shown, "today": today, "queue": queue(tonight), "can_change": rules.is_day_open(day, today)}


def queue(tonight: DayView) -> dict[str, object]:
    """Return today's LOOKING: the number for all, names and times for those who may see them."""
    return {"count": tonight.counts.looking, "people": tonight.people.get(Status.LOOKING, [])}
