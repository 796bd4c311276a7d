"""Pauses and resumes all sending, after a page that says what will happen."""

import structlog
from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from slomix.admin import queries
from slomix.deliveries import pausing
from slomix.i18n import _
from slomix.web import current, gates
from slomix.web.reading import reading

log = structlog.get_logger()

blueprint = Blueprint("sending", __name__, url_prefix="/sending")


@blueprint.get("/pause")
@blueprint.get("/resume")
def confirm() -> str:
    """Show the current state and offer the other; an admin who was overtaken sees that too."""
    now = current.now()
    with reading() as session:
        pause = pausing.current_pause(session)
        people = queries.accounts_by_id(session, [pause.by]) if pause else {}
    return render_template("admin/sending.html", pause=pause, people=people, today=current.today(now))


@blueprint.post("/pause")
def pause() -> Response:
    """Stop all sending."""
    who, now = gates.require_admin(), current.now()
    with current.runtime().transaction() as session:
        is_new = pausing.pause(session, by=str(who.user_id), now=now)
    if is_new:
        log.warning("sending.paused", user=who.user_id)
    return _done(
        _("Sending paused.") if is_new else _("Sending was paused already."),
        is_new=is_new,
    )


@blueprint.post("/resume")
def resume() -> Response:
    """Resume sending; messages that waited and still hold are sent now."""
    who, now = gates.require_admin(), current.now()
    with current.runtime().transaction() as session:
        was_paused = pausing.resume(session, by=str(who.user_id), now=now)
    if was_paused:
        log.warning("sending.resumed", user=who.user_id)
    return _done(_("Messages go out again.") if was_paused else _("Sending wasn’t paused."), is_new=was_paused)


def _done(sentence: str, *, is_new: bool) -> Response:
    flash(sentence, "done" if is_new else "note")
    return redirect(url_for("admin.overview.show"), code=303)
