"""The planning room's page, live and as it was, and every button on it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from slomix import live, web, words
from slomix.accounts import service as accounts
from slomix.accounts.rules import plain_name
from slomix.availability import events
from slomix.availability import service as availability
from slomix.availability.rules import neighbours, parse_day
from slomix.errors import Invalid
from slomix.planning import proposing, queries, rules, service, teams
from slomix.planning.layout import Layout
from slomix.planning.rules import Actor

blueprint = Blueprint("planning", __name__)

# What a column for ids can hold.
LARGEST_ID = 2**63 - 1


class NotAnId(Invalid):
    def __init__(self) -> None:
        super().__init__(words.NOT_AN_ID)


@blueprint.get("/planning")
def tonight() -> str:
    """The room of today."""
    return _page(web.today(web.now()))


@blueprint.get("/planning/<day>")
def show(day: str) -> str:
    """The room of a day; of any but today to be read only."""
    return _page(parse_day(day))


@blueprint.get("/planning/<day>/live")
def show_live(day: str) -> Response:
    """The part of a room's page that changes."""
    return web.live_part(render_template("planning/_room.html", **_room(parse_day(day))))


@blueprint.get("/planning/<day>/proposals")
def show_proposals(day: str) -> str:
    """Teams to choose from; the whole page around them for a browser without scripts."""
    web.the_player()
    the_day = parse_day(day)
    shown = _room(the_day) | _proposals(the_day)
    if web.is_htmx():
        return render_template("planning/_proposals.html", **shown)
    return render_template("planning/page.html", mark=live.hub().mark(), **shown)


def _page(day: date) -> str:
    mark = live.hub().mark()
    return render_template("planning/page.html", mark=mark, **_room(day))


def _room(day: date) -> dict[str, Any]:
    """What the page shows; nothing of who is in to whoever may not see names."""
    who, now, settings = web.viewer(), web.now(), web.runtime().settings
    today = web.today(now)
    with web.runtime().transaction() as session:
        room = queries.room_of(session, day)
        looking = events.count_looking(session, day)
        shown: dict[str, Any] = {
            "day": day,
            "today": today,
            "neighbours": neighbours(day),
            "is_open": room is not None,
            "looking": looking,
            "missing": rules.needed(looking, settings.ready_threshold),
            "room": None,
        }
        if room is None or not who.is_linked:
            return shown
        view = queries.view(session, room)
        may = view.rights(who.player_id, is_promoter=who.can_promote)
        can_change = day == today
        needed = rules.needed(len(view.committed), settings.ready_threshold)
        return shown | {
            "room": view,
            "may": may if can_change else rules.Rights(),
            "me": view.participant(who.player_id),
            "my_status": availability.statuses(session, day, [who.player_id or 0]).get(who.player_id or 0),
            "needed": needed,
            "turn": view.turn if can_change else None,
            "seconds_left": _seconds_left(view.room.turn_until, now),
            "can_change": can_change,
            "may_undo": can_change and teams.may_undo(view.last_change, may, who.player_id),
            "may_ask": bool(needed) and service.where_to_ask(session, room, settings) is not None,
            "ask_wait": service.ask_wait(room, now),
        }


def _seconds_left(until: datetime | None, now: datetime) -> int | None:
    return None if until is None else max(0, round((until - now).total_seconds()))


def _proposals(day: date) -> dict[str, Any]:
    seed = request.args.get("seed", "")
    with web.runtime().transaction() as session:
        room = queries.room_of(session, day)
        if room is None:
            raise rules.NoSuchRoom
        view = queries.view(session, room)
        return {
            "proposals": proposing.proposals(session, view, seed=int(seed) if _is_id(seed) else 0),
            "version": room.version,
            "next_seed": secrets.randbelow(10**6),
        }


@dataclass(frozen=True)
class Press:
    """A button that was pressed in tonight's room, by whom, when."""

    session: Session
    day: date
    actor: Actor
    now: datetime


@contextmanager
def _pressed(day: str) -> Iterator[Press]:
    """The transaction of a button. Raise NotTonight for the room of another day."""
    player_id, now = web.the_player(), web.now()
    the_day = parse_day(day)
    if the_day != web.today(now):
        raise rules.NotTonight
    with web.runtime().transaction() as session:
        accounts.hold_link(session, web.the_user().user_id, player_id)
        yield Press(session, the_day, Actor(player_id, web.viewer().can_promote), now)


def _answer(day: str, done: str, *, to: str = "") -> Response:
    return web.respond(
        "planning/_room.html",
        otherwise=f"/planning/{day}{to}",
        done=done,
        **(_room(parse_day(day)) if web.is_htmx() else {}),
    )


@blueprint.post("/planning/<day>/create")
def create(day: str) -> Response:
    """Open tonight's room."""
    with _pressed(day) as press:
        _, is_new = service.open_room(
            press.session, press.day, press.actor, settings=web.runtime().settings, now=press.now
        )
    return _answer(day, words.ROOM_OPENED if is_new else words.ROOM_IS_OPEN)


@blueprint.post("/planning/<day>/join")
def join(day: str) -> Response:
    """Be in tonight."""
    with _pressed(day) as press:
        service.join(
            press.session,
            press.day,
            press.actor.player_id,
            is_sure=request.form.get("sure") == "on",
            settings=web.runtime().settings,
            now=press.now,
        )
    return _answer(day, words.JOINED)


@blueprint.post("/planning/<day>/leave")
def leave(day: str) -> Response:
    """Not playing tonight after all."""
    with _pressed(day) as press:
        service.leave(press.session, press.day, press.actor.player_id, settings=web.runtime().settings, now=press.now)
    return _answer(day, words.LEFT_TONIGHT)


@blueprint.post("/planning/<day>/change")
def change(day: str) -> Response:
    """One of the many small buttons beside players: `do` says which, and about whom."""
    do, *about = request.form.get("do", "").split(":")
    with _pressed(day) as press:
        match do, about:
            case "place", [player, side]:
                wanted = rules.parse_side(side) if side else None
                teams.place(press.session, press.day, press.actor, _id(player), wanted, now=press.now)
            case "lead", [side, player]:
                captain = _id(player) if player else None
                teams.lead(press.session, press.day, press.actor, rules.parse_side(side), captain, now=press.now)
            case "undo", []:
                teams.undo(press.session, press.day, press.actor, now=press.now)
            case "end-draft", []:
                teams.end_draft(press.session, press.day, press.actor, now=press.now)
            case _:
                raise rules.NoSuchChange
    return _answer(day, words.UNDONE if do == "undo" else words.SAVED, to="#teams")


@blueprint.post("/planning/<day>/draft")
def draft(day: str) -> Response:
    """The captains begin to pick."""
    form = request.form
    with _pressed(day) as press:
        teams.begin_draft(
            press.session,
            press.day,
            press.actor,
            rules.parse_side(form.get("first", "")),
            size=rules.parse_size(form.get("size", "")),
            turn_seconds=rules.parse_turn_seconds(form.get("seconds", "")),
            now=press.now,
        )
    return _answer(day, words.DRAFT_BEGUN, to="#teams")


@blueprint.post("/planning/<day>/teams")
def use(day: str) -> Response:
    """Take a proposal; only while the teams are still those it was made beside."""
    form = request.form
    with _pressed(day) as press:
        a, b = ([_id(one) for one in form.getlist(side)] for side in ("side_a", "side_b"))
        view = queries.view(press.session, queries.held_room(press.session, press.day))
        captains = [captain if captain in {*a, *b} else None for captain in view.captains.values()]
        wanted = Layout.of(a, b, *captains)
        version = _id(form.get("version", "")) if form.get("version") else None
        teams.replace_all(press.session, press.day, press.actor, wanted, version=version, now=press.now)
    return _answer(day, words.SAVED, to="#teams")


@blueprint.errorhandler(rules.TeamsChanged)
def look_again(error: rules.TeamsChanged) -> Response:
    """Proposals anew, for the teams as they stand now."""
    flash(str(error), "problem")
    return redirect(f"/planning/{web.today(web.now())}/proposals", code=303)


@blueprint.post("/planning/<day>/names")
def suggest(day: str) -> Response:
    """Suggest a name for a team."""
    with _pressed(day) as press:
        service.suggest(press.session, press.day, press.actor.player_id, request.form.get("name", ""), now=press.now)
    return _answer(day, words.SAVED, to="#names")


@blueprint.post("/planning/<day>/names/<id:name_id>/delete")
def take_back_name(day: str, name_id: int) -> Response:
    with _pressed(day) as press:
        service.take_back_name(press.session, press.day, press.actor, name_id)
    return _answer(day, words.DELETED, to="#names")


@blueprint.post("/planning/<day>/vote")
def vote(day: str) -> Response:
    """Vote for a name; for none with an empty one."""
    name = request.form.get("name", "")
    with _pressed(day) as press:
        service.vote(press.session, press.day, press.actor.player_id, _id(name) if name else None)
    return _answer(day, words.SAVED, to="#names")


@blueprint.post("/planning/<day>/owner")
def hand_over(day: str) -> Response:
    """Somebody else runs the room from now on."""
    with _pressed(day) as press:
        player_id = _id(request.form.get("player", ""))
        service.hand_over(press.session, press.day, press.actor, player_id)
        name = accounts.names(press.session, [player_id])[player_id]
    return _answer(day, words.HANDED_OVER.format(player=plain_name(name)))


@blueprint.post("/planning/<day>/ask")
def ask(day: str) -> Response:
    """Ask on Discord for as many as are missing."""
    with _pressed(day) as press:
        number = service.ask_for_more(
            press.session, press.day, press.actor, settings=web.runtime().settings, now=press.now
        )
    return _answer(day, words.ASKED.format(number=number))


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


def _id(text: str) -> int:
    """Raise NotAnId for what no row can have."""
    if not _is_id(text) or not 0 <= int(text) <= LARGEST_ID:
        raise NotAnId
    return int(text)
