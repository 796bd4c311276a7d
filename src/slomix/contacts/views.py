"""Preferences: what a player wants to hear, and when not."""

from datetime import time
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from slomix import web, words
from slomix.clock import parse_time
from slomix.contacts import service
from slomix.contacts.rules import HalfQuietHours, QuietHours, Sound, parse_cooldown
from slomix.errors import Invalid

blueprint = Blueprint("contacts", __name__)


class NoSuchTime(Invalid):
    def __init__(self) -> None:
        super().__init__(words.NO_SUCH_TIME)


@blueprint.get("/preferences")
def preferences() -> str:
    return _page(web.the_player())


def _page(player_id: int, *, problem: str = "") -> str:
    """The form; after a mistake with the sentence and what was typed, so that nothing is lost."""
    with web.runtime().transaction() as session:
        stored = service.preferences_of(session, player_id)
        contact = service.contact_of(session, player_id)
        sound = service.sound_of(session, player_id)
    typed = request.form if problem else None
    return render_template(
        "contacts/preferences.html",
        contact=contact,
        problem=problem,
        allow_promotions=typed.get("allow_promotions") == "on" if typed else bool(stored and stored.allow_promotions),
        quiet_start=typed.get("quiet_start", "") if typed else _shown(stored.quiet_start if stored else None),
        quiet_end=typed.get("quiet_end", "") if typed else _shown(stored.quiet_end if stored else None),
        sound=typed.get("sound") == "on" if typed else sound.is_on,
        sound_cooldown=typed.get("sound_cooldown", "") if typed else int(sound.cooldown.total_seconds()),
    )


def _shown(moment: time | None) -> str:
    return moment.strftime("%H:%M") if moment else ""


@blueprint.post("/preferences")
def save() -> Response:
    player_id = web.the_player()
    try:
        quiet_hours = _quiet_hours(request.form.get("quiet_start", ""), request.form.get("quiet_end", ""))
        sound = _sound()
    except Invalid as error:
        if web.is_htmx():
            raise
        return make_response(_page(player_id, problem=str(error)), 422)
    with web.runtime().transaction() as session:
        before = service.preferences_of(session, player_id)
        zone = ZoneInfo(before.timezone) if before else web.runtime().settings.zone
        service.try_again(session, player_id)
        service.set_preferences(
            session,
            player_id,
            allow_promotions=request.form.get("allow_promotions") == "on",
            quiet_hours=quiet_hours,
            zone=zone,
            now=web.now(),
        )
        if sound is not None:
            service.set_sound(session, player_id, sound, zone=zone, now=web.now())
    flash(words.SAVED, "done")
    return redirect("/preferences", code=303)


def _sound() -> Sound | None:
    """The ready sound as the form has it; None when it does not speak of it."""
    if "sound_cooldown" not in request.form:
        return None
    return Sound(request.form.get("sound") == "on", parse_cooldown(request.form["sound_cooldown"].strip()))


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
