"""Statuses as JSON: who plays when."""

from datetime import date, timedelta
from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field

from slomix.accounts.acting import as_player
from slomix.availability import rules, schemas, service, triggers
from slomix.availability.notices import DayEvent
from slomix.availability.rules import Status, StatusCounts
from slomix.availability.service import DayView
from slomix.presence.game_names import plain_name
from slomix.web import current
from slomix.web.gates import Anonymous, Viewer
from slomix.web.openapi.calls import ANYBODY, LOGGED_IN, PLAYERS, Calls

blueprint = Blueprint("availability_api", __name__, url_prefix="/api/availability")
calls = Calls("Availability")

DEFAULT_SPAN = timedelta(days=60)


@blueprint.get("/access")
@calls.call("readAccess", ANYBODY, "Also for strangers.")
def access(who: Viewer | Anonymous) -> schemas.Access:
    """Tell what the viewer may do."""
    return schemas.Access(
        authenticated=bool(who.is_authenticated),
        linked_discord=who.is_linked,
        can_submit=who.is_linked,
        is_admin=who.is_admin,
        can_promote=who.can_promote,
    )


@blueprint.get("")
@calls.call("readDays", ANYBODY, "Every day of the span, in order.")
def read(who: Viewer | Anonymous, query: schemas.DaysQuery) -> schemas.Days:
    """Count per day; with names, when a linked player asks for them."""
    today = current.today(current.now())
    first = query.first or today
    last = query.last or _later(first)
    viewer = who.player_id
    with_names = query.include_users and viewer is not None
    with current.runtime().transaction() as session:
        if with_names:
            days = [day.for_viewer(viewer) for day in service.list_days_with_names(session, first, last)]
        else:
            days = service.list_days(session, first, last, viewer=viewer)
        tonight = service.list_days(session, today, today, viewer=None)[0]
    threshold = current.runtime().settings.ready_threshold
    return schemas.Days(
        days=[_day(day, with_viewer=viewer is not None, with_names=with_names) for day in days],
        session_ready=schemas.SessionReady(
            date=today,
            ready=tonight.counts.looking >= threshold,
            looking_count=tonight.counts.looking,
            threshold=threshold,
            event_key=DayEvent(today, threshold).event_key(triggers.SESSION_READY),
        ),
    )


@blueprint.get("/me")
@calls.call("readMine", LOGGED_IN, "Empty for who is not linked.")
def mine(who: Viewer) -> schemas.DayStatuses:
    """Read what the viewer said about the days that can still be changed."""
    today = current.today(current.now())
    if who.player_id is None:
        return schemas.DayStatuses(entries=[])
    with current.runtime().transaction() as session:
        days = service.list_days(session, today, today + rules.HORIZON, viewer=who.player_id)
    return schemas.DayStatuses(
        entries=[
            schemas.DayStatus(
                date=day.day, status=day.my_status, **schemas.late_field(day.my_late_until, current.now())
            )
            for day in days
            if day.my_status
        ]
    )


@blueprint.post("")
@calls.call("setStatus", PLAYERS, "It is set.")
def write(_player_id: int, body: schemas.NewStatus) -> schemas.StatusSet:
    """Set the viewer's status for a day from today to 90 days ahead.

    Saying the same twice changes nothing.
    """
    now = current.now()
    with as_player() as (session, player_id):
        service.set_status(session, player_id, body.date, body.status, settings=current.runtime().settings, now=now)
        counts = service.list_days(session, body.date, body.date, viewer=None)[0].counts
    return schemas.StatusSet(date=body.date, status=body.status, counts=_counts(counts))


@blueprint.delete("/<day>")
@calls.call("clearStatus", PLAYERS, "There is none now.", problems=(422,))
def clear(
    _player_id: int, day: Annotated[schemas.DateInput, Field(description="From today to 90 days ahead.")]
) -> schemas.StatusCleared:
    """Take the viewer's status for a day back."""
    with as_player() as (session, player_id):
        cleared = service.clear_status(session, player_id, day, today=current.today(current.now()))
    return schemas.StatusCleared(date=day, cleared=cleared)


def _later(first: date) -> date:
    try:
        return first + DEFAULT_SPAN
    except OverflowError:
        raise rules.NoSuchDay from None


def _counts(counts: StatusCounts) -> schemas.CountsAnswer:
    return schemas.CountsAnswer(**{status.value: counts[status] for status in Status})


def _day(view: DayView, *, with_viewer: bool, with_names: bool) -> schemas.Day:
    optional: dict[str, Any] = {"my_status": view.my_status} if with_viewer else {}
    optional |= schemas.late_field(view.my_late_until, current.now())
    if with_names:
        optional["users_by_status"] = _people(view)
    return schemas.Day(date=view.day, counts=_counts(view.counts), total=view.counts.total, **optional)


def _people(view: DayView) -> schemas.PeopleByStatus:
    people = {
        status.value: [
            schemas.NamedPlayer(
                user_id=person.player_id,
                name=plain_name(person.name),
                **schemas.late_field(person.late_until, current.now()),
            )
            for person in view.people.get(status, [])
        ]
        for status in Status
    }
    return schemas.PeopleByStatus(**people)
