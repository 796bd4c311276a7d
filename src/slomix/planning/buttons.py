"""The buttons of the planning room; each is one transaction on tonight's room."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from flask import Blueprint, flash, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from slomix.accounts import service as accounts
from slomix.accounts.acting import as_player
from slomix.availability.rules import parse_day
from slomix.config.settings import Settings
from slomix.i18n import N_, gettext, looked_up, ngettext
from slomix.planning import queries, rules, service, teams
from slomix.planning.layout import Layout
from slomix.planning.rules import Actor, Side
from slomix.planning.views import parse_id, room_page
from slomix.presence.game_names import plain_name
from slomix.web import current, gates, questions, responses

blueprint = Blueprint("planning_buttons", __name__)


@dataclass(frozen=True)
class ButtonPress:
    """A button pressed in tonight's room: by which player, and when."""

    session: Session
    day: date
    actor: Actor
    settings: Settings
    now: datetime


@contextmanager
def _pressed(day: str) -> Iterator[ButtonPress]:
    """Open the transaction of a button. Raise NotTonight for the room of another day."""
    now = current.now()
    with as_player() as (session, player_id):
        the_day = parse_day(day)
        if the_day != current.today(now):
            raise rules.NotTonight
        actor = Actor(player_id, gates.viewer().can_promote)
        yield ButtonPress(session, the_day, actor, current.runtime().settings, now)


def _answer(day: str, done: str, *, to: str = "") -> Response:
    return responses.respond(
        "planning/_room.html",
        otherwise=f"/planning/{day}{to}",
        done=done,
        **(room_page(parse_day(day)) if responses.is_htmx() else {}),
    )


LEAVE_CONSEQUENCES = (
    N_("You’re set to Not playing tonight and lose your place in the queue."),
    N_("You leave your team, and stop leading it or running the room."),
)
HAND_OVER_CONSEQUENCES = (N_("You no longer run the room. Only they or a promoter can give it back."),)


@blueprint.post("/planning/<day>/create")
def create(day: str) -> Response:
    """Open tonight's room."""
    with _pressed(day) as press:
        _, is_new = service.open_room(press.session, press.day, press.actor, settings=press.settings, now=press.now)
    return _answer(
        day, gettext("The room is open. Let’s make two teams.") if is_new else gettext("The room is open already.")
    )


@blueprint.post("/planning/<day>/join")
def join(day: str) -> Response:
    """Join tonight's players."""
    with _pressed(day) as press:
        service.join_room(
            press.session,
            press.day,
            press.actor.player_id,
            is_sure=request.form.get("sure") == "on",
            settings=press.settings,
            now=press.now,
        )
    return _answer(day, gettext("You’re in."))


@blueprint.post("/planning/<day>/leave")
def leave(day: str) -> Response:
    """Leave tonight's players."""
    with _pressed(day) as press:
        service.leave_room(press.session, press.day, press.actor.player_id, settings=press.settings, now=press.now)
        questions.confirm(
            gettext("Out tonight?"),
            looked_up(LEAVE_CONSEQUENCES),
            do=gettext("I’m out tonight"),
            back=f"/planning/{press.day}",
        )
    return _answer(day, gettext("You’re not playing tonight. See you next time!"))


@blueprint.post("/planning/<day>/change")
def change(day: str) -> Response:
    """Run a small button beside a player: `do` names the action and its arguments."""
    do, *about = request.form.get("do", "").split(":")
    with _pressed(day) as press:
        match do, about:
            case "place", [player, side]:
                wanted = rules.parse_side(side) if side else None
                teams.place_player(press.session, press.day, press.actor, parse_id(player), wanted, now=press.now)
            case "lead", [side, player]:
                captain = parse_id(player) if player else None
                teams.set_captain(press.session, press.day, press.actor, rules.parse_side(side), captain, now=press.now)
            case "undo", [version]:
                teams.undo_change(press.session, press.day, press.actor, version=parse_id(version), now=press.now)
            case "end-draft", []:
                teams.end_draft(press.session, press.day, press.actor, now=press.now)
            case _:
                raise rules.NoSuchChange
    return _answer(day, gettext("Undone.") if do == "undo" else gettext("Saved."), to="#teams")


@blueprint.post("/planning/<day>/draft")
def draft(day: str) -> Response:
    """Begin the draft."""
    form = request.form
    with _pressed(day) as press:
        teams.begin_draft(
            press.session,
            press.day,
            press.actor,
            rules.parse_side(form.get("first", "")),
            size=rules.parse_size(form.get("size", "")),
            turn_seconds=rules.parse_turn_seconds(form.get("seconds", "")),
            version=parse_id(form["version"]) if form.get("version") else None,
            now=press.now,
        )
    return _answer(day, gettext("The captains pick."), to="#teams")


@blueprint.post("/planning/<day>/teams")
def use(day: str) -> Response:
    """Save a proposal, if the teams are still those it was made for."""
    form = request.form
    with _pressed(day) as press:
        a, b = ([parse_id(player_id) for player_id in form.getlist(side)] for side in ("side_a", "side_b"))
        view = queries.view_room(press.session, queries.lock_room(press.session, press.day))
        captain_a, captain_b = view.captains[Side.A], view.captains[Side.B]
        wanted = Layout.from_teams(a, b, captain_a if captain_a in a else None, captain_b if captain_b in b else None)
        version = parse_id(form.get("version", "")) if form.get("version") else None
        try:
            teams.save_teams(press.session, press.day, press.actor, wanted, version=version, now=press.now)
        except (rules.TeamsChanged, rules.NotCommitted) as error:
            if version is None:
                raise
            flash(str(error), "problem")  # the page makes new proposals for the teams as they stand now
            return redirect(f"/planning/{press.day}/proposals", code=303)
    return _answer(day, gettext("Saved."), to="#teams")


@blueprint.post("/planning/<day>/names")
def suggest(day: str) -> Response:
    """Suggest a name for a team."""
    with _pressed(day) as press:
        name = request.form.get("name", "")
        service.suggest_name(press.session, press.day, press.actor.player_id, name, now=press.now)
    return _answer(day, gettext("Saved."), to="#names")


@blueprint.post("/planning/<day>/names/<id:name_id>/delete")
def take_back_name(day: str, name_id: int) -> Response:
    with _pressed(day) as press:
        deleted = service.take_back_name(press.session, press.day, press.actor, name_id)
        if deleted.votes:
            questions.confirm(
                gettext("Delete the name {name}?").format(name=deleted.name),
                [ngettext("Its vote is deleted too.", "Its {number} votes are deleted too.", deleted.votes)],
                do=gettext("Delete the name"),
                back=f"/planning/{press.day}#names",
            )
    return _answer(day, gettext("Deleted."), to="#names")


@blueprint.post("/planning/<day>/vote")
def vote(day: str) -> Response:
    """Vote for a name, or take the vote back if the name is empty."""
    name = request.form.get("name", "")
    with _pressed(day) as press:
        service.vote_for_name(press.session, press.day, press.actor.player_id, parse_id(name) if name else None)
    return _answer(day, gettext("Saved."), to="#names")


@blueprint.post("/planning/<day>/owner")
def hand_over(day: str) -> Response:
    """Make another player the owner of the room."""
    with _pressed(day) as press:
        player_id = parse_id(request.form.get("player", ""))
        service.hand_over(press.session, press.day, press.actor, player_id)
        name = plain_name(accounts.player_names(press.session, [player_id])[player_id])
        if player_id != press.actor.player_id:
            questions.confirm(
                gettext("Hand the room over to {player}?").format(player=name),
                looked_up(HAND_OVER_CONSEQUENCES),
                do=gettext("Hand over"),
                back=f"/planning/{press.day}",
            )
    return _answer(day, gettext("{player} runs the room now.").format(player=name))


@blueprint.post("/planning/<day>/ask")
def ask(day: str) -> Response:
    """Ask on Discord for the players who are missing."""
    with _pressed(day) as press:
        number = service.ask_for_more(press.session, press.day, press.actor, settings=press.settings, now=press.now)
    return _answer(day, ngettext("Asked on Discord for {number} more.", "Asked on Discord for {number} more.", number))
