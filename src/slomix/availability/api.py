"""Statuses as JSON."""

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, request

from slomix import web
from slomix.accounts import service as accounts
from slomix.accounts.rules import plain_name
from slomix.availability import events, rules, service
from slomix.availability.notices import About
from slomix.availability.rules import Counts, Status
from slomix.availability.service import DayView

blueprint = Blueprint("availability_api", __name__, url_prefix="/api/availability")

DEFAULT_SPAN = timedelta(days=60)


@blueprint.get("/access")
def access() -> dict[str, bool]:
    """What the viewer may do."""
    who = web.viewer()
    return {
        "authenticated": bool(who.is_authenticated),
        "linked_discord": who.is_linked,
        "can_submit": who.is_linked,
        "is_admin": who.is_admin,
        "can_promote": who.can_promote,
    }


@blueprint.get("")
def read() -> dict[str, Any]:
    """Counts per day; names when asked for by somebody linked."""
    today = web.today(web.now())
    first = rules.parse_day(request.args["from"]) if "from" in request.args else today
    last = rules.parse_day(request.args["to"]) if "to" in request.args else _later(first)
    viewer = web.viewer().player_id
    with_names = request.args.get("include_users", "").lower() in {"1", "true", "yes"} and viewer is not None
    with web.runtime().transaction() as session:
        if with_names:
            days = [day.seen_by(viewer) for day in service.days_with_names(session, first, last)]
        else:
            days = service.days(session, first, last, viewer=viewer)
        tonight = service.days(session, today, today, viewer=None)[0]
    threshold = web.runtime().settings.ready_threshold
    return {
        "days": [_day(day, with_viewer=viewer is not None, with_names=with_names) for day in days],
        "session_ready": {
            "date": today.isoformat(),
            "ready": tonight.counts.looking >= threshold,
            "looking_count": tonight.counts.looking,
            "threshold": threshold,
            "event_key": About(today, threshold).event_key(events.SESSION_READY),
        },
    }


@blueprint.get("/me")
def mine() -> dict[str, Any]:
    """What the viewer said about the days that can still be changed."""
    who = web.the_user()
    today = web.today(web.now())
    if who.player_id is None:
        return {"entries": []}
    with web.runtime().transaction() as session:
        days = service.days(session, today, today + rules.HORIZON, viewer=who.player_id)
    return {"entries": [{"date": day.day.isoformat(), "status": day.my_status.value} for day in days if day.my_status]}


@blueprint.post("")
@web.api_write
def write() -> dict[str, Any]:
    """Set the viewer's status for a day."""
    player_id = web.the_player()
    body = web.json_object()
    now = web.now()
    day, status = rules.parse_day(web.json_text(body, "date")), rules.parse_status(web.json_text(body, "status"))
    with web.runtime().transaction() as session:
        accounts.hold_link(session, web.the_user().user_id, player_id)
        events.say(session, player_id, day, status, settings=web.runtime().settings, now=now)
        counts = service.days(session, day, day, viewer=None)[0].counts
    return {"date": day.isoformat(), "status": status.value, "counts": _counts(counts)}


@blueprint.delete("/<day>")
@web.api_write
def clear(day: str) -> dict[str, Any]:
    """Take the viewer's status for a day back."""
    player_id = web.the_player()
    the_day = rules.parse_day(day)
    with web.runtime().transaction() as session:
        accounts.hold_link(session, web.the_user().user_id, player_id)
        cleared = service.clear_status(session, player_id, the_day, today=web.today(web.now()))
    return {"date": the_day.isoformat(), "cleared": cleared}


def _later(first: date) -> date:
    try:
        return first + DEFAULT_SPAN
    except OverflowError:
        raise rules.NoSuchDay from None


def _counts(counts: Counts) -> dict[str, int]:
    return {status.value: counts[status] for status in Status}


def _day(view: DayView, *, with_viewer: bool, with_names: bool) -> dict[str, Any]:
    day: dict[str, Any] = {"date": view.day.isoformat(), "counts": _counts(view.counts), "total": view.counts.total}
    if with_viewer:
        day["my_status"] = view.my_status.value if view.my_status else None
    if with_names:
        day["users_by_status"] = {
            status.value: [
                {"user_id": str(person.player_id), "name": plain_name(person.name)}
                for person in view.people.get(status, [])
            ]
            for status in Status
        }
    return day
