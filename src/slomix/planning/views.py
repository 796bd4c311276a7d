"""The planning room's page, live and as it was, and teams to choose from."""

import secrets
from datetime import date, datetime
from typing import Any

from flask import Blueprint, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from slomix.availability import service as availability
from slomix.availability import triggers
from slomix.availability.picture import picture_of
from slomix.availability.rules import parse_day
from slomix.errors import Invalid
from slomix.i18n import N_
from slomix.planning import proposing, queries, rules, service, teams
from slomix.planning.models import RoomThread
from slomix.planning.queries import RoomView
from slomix.planning.view_models import teams_view
from slomix.presence import places
from slomix.web import current, gates, live, responses
from slomix.web.reading import reading

blueprint = Blueprint("planning", __name__)


class InvalidId(Invalid):
    sentence = N_("There is no such player or name.")


@blueprint.get("/planning")
def tonight() -> str:
    """Show today's room."""
    return _page(current.today(current.now()))


@blueprint.get("/planning/<day>")
def show(day: str) -> str:
    """Show the room of a day; other days than today are read-only."""
    return _page(parse_day(day))


@blueprint.get("/planning/<day>/live")
def show_live(day: str) -> Response:
    """Show the part of a room's page that changes."""
    return responses.live_part(render_template("planning/_room.html", **room_page(parse_day(day))))


@blueprint.get("/planning/<day>/proposals")
def show_proposals(day: str) -> str:
    """Show teams to choose from, within the whole page for browsers without scripts."""
    the_day = parse_day(day)
    with reading() as session:
        gates.require_player()
        shown = _room(session, the_day)
        shown |= _proposals(session, shown["room"])
    if responses.is_htmx():
        return render_template("planning/_proposals.html", **shown)
    return render_template("planning/page.html", mark=live.hub().mark(), **shown)


def _page(day: date) -> str:
    mark = live.hub().mark()
    return render_template("planning/page.html", mark=mark, **room_page(day))


def room_page(day: date) -> dict[str, Any]:
    """Read what the page shows, in a transaction of its own."""
    with reading() as session:
        return _room(session, day)


def _room(session: Session, day: date) -> dict[str, Any]:
    """Read what the page shows; players' names are for linked viewers only."""
    who, now, settings = gates.viewer(), current.now(), current.runtime().settings
    today = current.today(now)
    room = queries.room_of(session, day)
    looking = triggers.count_looking(session, day)
    shown: dict[str, Any] = {
        "day": day,
        "today": today,
        "is_open": room is not None,
        "evening_picture": picture_of(day, looking, None),
        "looking": looking,
        "missing": rules.players_needed(looking, settings.ready_threshold),
        "room": None,
        "my_status": availability.statuses_of_day(session, day, [who.player_id or 0]).get(who.player_id or 0),
    }
    if room is None or not who.is_linked:
        return shown
    view = queries.view_room(session, room)
    may = view.rights_of(who.player_id, is_promoter=who.can_promote)
    can_change = day == today
    may_now, turn = (may, view.turn) if can_change else (rules.Rights(), None)
    needed = rules.players_needed(len(view.committed), settings.ready_threshold)
    return shown | {
        "room": view,
        "may": may_now,
        "teams": teams_view(view, may_now, turn, player_id=who.player_id, can_change=can_change),
        "me": view.participant(who.player_id),
        "needed": needed,
        "rules": rules,
        "turn": turn,
        "seconds_left": _seconds_left(view.room.turn_until, now),
        "can_change": can_change,
        "may_undo": can_change and teams.may_undo(view.last_change, may, who.player_id),
        "thread": session.get(RoomThread, room.id),
        "thread_troubles": queries.thread_troubles(session, room) if may.manages else [],
        "voice_room": places.voice_room_url(settings),
        "game_server": places.game_server_address(settings),
        "may_ask": bool(needed) and service.where_to_ask(session, room, settings) is not None,
        "ask_wait": service.ask_cooldown(room, now),
    }


def _seconds_left(until: datetime | None, now: datetime) -> int | None:
    return None if until is None else max(0, round((until - now).total_seconds()))


def _proposals(session: Session, room: RoomView | None) -> dict[str, Any]:
    if room is None:
        raise rules.NoSuchRoom
    seed = request.args.get("seed", "")
    return {
        "proposals": proposing.propose_teams(session, room, seed=responses.parse_id(seed) or 0),
        "version": room.room.version,
        "proposed_names": room.names,
        "next_seed": secrets.randbelow(10**6),
    }


def parse_id(text: str) -> int:
    """Read a row's id. Raise InvalidId."""
    number = responses.parse_id(text)
    if number is None:
        raise InvalidId
    return number
