"""Preferences: what a player wants to hear, and when not."""

from datetime import time
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from slomix import web
from slomix.clock import parse_time
from slomix.contacts import service
from slomix.contacts.rules import HalfQuietHours, QuietHours
from slomix.errors import Invalid

blueprint = Blueprint("contacts", __name__)


class NoSuchTime(Invalid):
    def __init__(self) -> None:
        super().__init__("That is not a time of day. A time looks like 22:30.")


@blueprint.get("/preferences")
def preferences() -> str:
    player_id = web.the_player()
    with web.runtime().transaction() as session:
        return render_template(
            "contacts/preferences.html",
            preferences=service.preferences_of(session, player_id),
            contact=service.contact_of(session, player_id),
        )


@blueprint.post("/preferences")
def save() -> Response:
    player_id = web.the_player()
    quiet_hours = _quiet_hours(request.form.get("quiet_start", ""), request.form.get("quiet_end", ""))
    with web.runtime().transaction() as session:
        before = service.preferences_of(session, player_id)
        service.try_again(session, player_id)
        service.set_preferences(
            session,
            player_id,
            allow_promotions=request.form.get("allow_promotions") == "on",
            quiet_hours=quiet_hours,
            zone=ZoneInfo(before.timezone) if before else web.runtime().settings.zone,
            now=web.now(),
        )
    flash("Saved.", "done")
    return redirect("/preferences", code=303)


def _quiet_hours(start: str, end: str) -> QuietHours | None:
    if not start and not end:
        return None
    if not start or not end:
        raise HalfQuietHours
    return QuietHours(_time(start), _time(end))


def _time(text: str) -> time:
    try:
        return parse_time(text)
    except ValueError:
        raise NoSuchTime from None
