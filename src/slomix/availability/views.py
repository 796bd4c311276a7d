"""Setting and clearing a status, from any page that shows a day."""

from datetime import date

from flask import Blueprint, request
from werkzeug.wrappers import Response

from slomix import web
from slomix.availability import rules, service
from slomix.availability.rules import Status
from slomix.availability.service import DayView

blueprint = Blueprint("availability", __name__)


@blueprint.post("/day/<day>/status")
def set_status(day: str) -> Response:
    """One of the four buttons, or Clear."""
    player_id = web.the_player()
    now = web.now()
    the_day, today = rules.parse_day(day), web.today(now)
    wanted = request.form.get("status", "nothing")
    with web.runtime().transaction() as session:
        if wanted == "":
            service.clear_status(session, player_id, the_day, today=today)
            done = "Cleared."
        else:
            status = rules.parse_status(wanted)
            service.set_status(session, player_id, the_day, status, today=today, now=now)
            done = "Saved."
    return web.respond(
        "availability/_after_status.html",
        otherwise=f"/day/{the_day}" if request.form.get("from") == "day" else f"/#day-{the_day}",
        done=done,
        **cards(the_day, today, player_id),
    )


def cards(day: date, today: date, viewer: int | None) -> dict[str, object]:
    """What a change of one day may change on the page."""
    with web.runtime().transaction() as session:
        shown = service.days(session, day, day, viewer=viewer, with_names=viewer is not None)[0]
        tonight = service.days(session, today, today, viewer=viewer, with_names=viewer is not None)[0]
    return {"card": shown, "today": today, "queue": queue(tonight), "can_change": rules.may_change(day, today)}


def queue(tonight: DayView) -> dict[str, object]:
    """Today's LOOKING: the number for all, who and since when for those who may see names."""
    return {"count": tonight.counts.looking, "people": tonight.people.get(Status.LOOKING, [])}
