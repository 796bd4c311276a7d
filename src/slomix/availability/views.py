"""Setting and clearing a status, from any page that shows a day."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, cast

from flask import Blueprint, current_app, flash, make_response, render_template, request
from flask import session as cookie
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from slomix.accounts.acting import as_player
from slomix.accounts.views import PRESSED, pressed_in
from slomix.availability import rules, service, undo
from slomix.availability.rules import Status
from slomix.availability.service import DayView
from slomix.errors import Invalid
from slomix.i18n import gettext
from slomix.web import current, gates, responses

blueprint = Blueprint("statuses", __name__)

# Changes a player's entry for a day.
ChangeEntry = Callable[[Session, int, date, datetime], None]


@blueprint.post("/day/<day>/status")
def set_status(day: str) -> Response:
    """Set the status whose button was pressed, or clear it."""
    wanted = request.form.get("status", "nothing")
    return change_day(day, _to_status(wanted), gettext("Saved.") if wanted else gettext("Cleared."))


def _to_status(wanted: str) -> ChangeEntry:
    """Return what sets a status by its name, or clears it for no name."""

    def set_wanted(session: Session, player_id: int, day: date, now: datetime) -> None:
        status = rules.parse_status(wanted) if wanted else None
        service.set_status(session, player_id, day, status, settings=current.runtime().settings, now=now)

    return set_wanted


def change_day(day: str, change_entry: ChangeEntry, done: str) -> Response:
    """Change the viewer's entry for a day, and answer with what that has changed and the way to undo it."""
    now, form = current.now(), request.form
    is_from_day = form.get("from") == "day"
    with as_player() as (session, player_id):
        the_day = rules.parse_day(day)
        month = rules.month_of(form.get("month", ""), the_day)
        token = _change_entry(session, player_id, the_day, change_entry, now)
        cards = {} if is_from_day else _cards(session, the_day, current.today(now), player_id)
    return _answer(the_day, month, done, token, cards)


@blueprint.post("/pressed")
def remember_pressed() -> Response:
    """Remember what was pressed by an account without a player until it has chosen one."""
    gates.require_user()
    cookie[PRESSED] = pressed_in(request.form)
    return responses.redirected(
        "/profile?next=/pressed", done=gettext("Choose your player, and what you pressed is saved."), kind="note"
    )


@blueprint.get("/pressed")
def say_pressed() -> Response:
    """Say what was pressed before the login, once, and go on to the board.

    It stands in the cookie, which a form with its token has filled, so no link brings it about.
    """
    if not cookie.get(PRESSED):
        return responses.redirected("/", done="")
    gates.require_player()
    day, _, wanted = cookie.pop(PRESSED).partition(" ")
    try:
        with as_player() as (session, player_id):
            the_day = rules.parse_day(day)
            token = _change_entry(session, player_id, the_day, _to_status(wanted or "nothing"), current.now())
    except Invalid as error:  # the day is over meanwhile
        flash(str(error), "problem")
        return responses.redirected("/", done="")
    return _answer(the_day, the_day.replace(day=1), gettext("Saved."), token, {"on_board": True})


def _change_entry(session: Session, player_id: int, day: date, change_entry: ChangeEntry, now: datetime) -> str | None:
    """Change an entry; return what takes that back.

    None for the same status once more: that is no change, and leaves the way to undo the last one.
    """
    before = undo.lock_entry(session, player_id, day)
    change_entry(session, player_id, day, now)
    change = undo.StatusChange(player_id, day, before, undo.lock_entry(session, player_id, day), now)
    return undo.sign(change, current.runtime().settings) if change.is_one else None


@blueprint.post("/day/<day>/undo")
def undo_status(day: str) -> Response:
    """Take back the change that was just made."""
    now, form, settings = current.now(), request.form, current.runtime().settings
    with as_player() as (session, player_id):
        the_day, today = rules.parse_day(day), current.today(now)
        month = rules.month_of(form.get("month", ""), the_day)
        undo.undo(session, form.get("change", ""), player_id, the_day, settings=settings, today=today, now=now)
        cards = {} if form.get("from") == "day" else _cards(session, the_day, today, player_id)
    return _answer(the_day, month, gettext("Undone."), "", cards)


def _answer(day: date, month: date, done: str, token: str | None, cards: dict[str, Any]) -> Response:
    """Answer with what a change has changed, and with the way to undo it: a token, "" for none, None to leave it."""
    is_from_day = not cards
    shown = {"undo": token, "undo_day": day.isoformat(), "undo_from": "day" if is_from_day else "", "said": done}
    if responses.is_htmx() and not is_from_day:
        return make_response(render_template("availability/_after_status.html", **shown, **cards))
    if responses.is_htmx():
        # The page of a day shows its room and its campaign too, so the board answers with it.
        page = cast(Response, current_app.view_functions["days.day_live"](day.isoformat()))
        return make_response(
            page.get_data(as_text=True) + render_template("availability/_undo.html", oob=True, **shown)
        )
    if token:
        flash(shown | {"said": ""}, "undo")  # type: ignore[arg-type]  # the layout makes a form of it
    turned = f"?month={month.isoformat()[:7]}" if month != day.replace(day=1) else ""
    return responses.redirected(f"/day/{day}{turned}" if is_from_day else f"/#day-{day}", done=done)


def _cards(session: Session, day: date, today: date, player_id: int) -> dict[str, Any]:
    """Return what a change of one day may change on the board."""
    shown = service.list_days_with_names(session, day, day)[0].for_viewer(player_id)
    tonight = service.list_days_with_names(session, today, today)[0].for_viewer(player_id)
    return {"card": shown, "today": today, "queue": queue(tonight), "can_change": rules.is_day_open(day, today)}


def queue(tonight: DayView) -> dict[str, object]:
    """Return today's LOOKING: the number for all, names and times for those who may see them."""
    return {"count": tonight.counts.looking, "people": tonight.people.get(Status.LOOKING, [])}
