"""Tonight's planning room as JSON."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, jsonify, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from slomix import web, words
from slomix.accounts import service as accounts
from slomix.accounts.rules import plain_name
from slomix.availability import events
from slomix.errors import Invalid
from slomix.planning import queries, rules, service, teams
from slomix.planning.layout import Layout
from slomix.planning.models import Thread
from slomix.planning.queries import RoomView, Team
from slomix.planning.rules import Actor, Side

blueprint = Blueprint("planning_api", __name__, url_prefix="/api/planning/today")

MOST_PLAYERS = 200


class NoListOfIds(Invalid):
    def __init__(self, field: str) -> None:
        super().__init__(words.MUST_BE_IDS.format(field=field))


class NoId(Invalid):
    def __init__(self, field: str) -> None:
        super().__init__(words.MUST_BE_AN_ID.format(field=field))


@blueprint.get("")
def read() -> dict[str, Any]:
    """The room as it stands; numbers alone for who may not see names."""
    with web.runtime().transaction() as session:
        return _state(session)


@blueprint.post("/create")
@web.api_write
def create() -> tuple[Response, int]:
    """Open the room: 201, or 200 with `created: false` when it is open."""
    actor, now = _actor(), web.now()
    with web.runtime().transaction() as session:
        _hold(session, actor)
        _, is_new = service.open_room(session, web.today(now), actor, settings=web.runtime().settings, now=now)
        body = {"created": is_new} | _state(session)
    return jsonify(body), 201 if is_new else 200


@blueprint.post("/join")
@web.api_write
def join() -> dict[str, Any]:
    """Be in tonight; who said they are not playing has to be `sure`."""
    actor, now = _actor(), web.now()
    is_sure = web.json_flag(_body(), "sure")
    with web.runtime().transaction() as session:
        _hold(session, actor)
        service.join(
            session,
            web.today(now),
            actor.player_id,
            is_sure=is_sure,
            settings=web.runtime().settings,
            now=now,
        )
        return _state(session)


@blueprint.post("/suggestions")
@web.api_write
def suggest() -> tuple[Response, int]:
    """Suggest a name for a team."""
    actor, now = _actor(), web.now()
    name = web.json_text(web.json_object(), "name")
    with web.runtime().transaction() as session:
        _hold(session, actor)
        suggestion = service.suggest(session, web.today(now), actor.player_id, name, now=now)
        body = {"suggestion_id": str(suggestion.id)} | _state(session)
    return jsonify(body), 201


@blueprint.delete("/suggestions/<id:name_id>")
@web.api_write
def take_back_name(name_id: int) -> dict[str, Any]:
    """Delete one's own suggestion."""
    actor = _actor()
    with web.runtime().transaction() as session:
        _hold(session, actor)
        service.take_back_name(session, web.today(web.now()), actor, name_id)
        return _state(session)


@blueprint.post("/vote")
@web.api_write
def vote() -> dict[str, Any]:
    """Vote for a name, or with null for none."""
    actor = _actor()
    name_id = _id(web.json_object(), "suggestion_id", is_needed=True)
    with web.runtime().transaction() as session:
        _hold(session, actor)
        service.vote(session, web.today(web.now()), actor.player_id, name_id)
        return _state(session)


@blueprint.post("/teams")
@web.api_write
def save_teams() -> dict[str, Any]:
    """Save both teams at once, in place of those that are there."""
    actor, now, body = _actor(), web.now(), web.json_object()
    wanted = Layout.of(_ids(body, "side_a"), _ids(body, "side_b"), _id(body, "captain_a"), _id(body, "captain_b"))
    version = _id(body, "version")
    with web.runtime().transaction() as session:
        _hold(session, actor)
        teams.replace_all(session, web.today(now), actor, wanted, version=version, now=now)
        return _state(session)


def _actor() -> Actor:
    return Actor(web.the_player(), web.viewer().can_promote)


def _hold(session: Session, actor: Actor) -> None:
    accounts.hold_link(session, web.the_user().user_id, actor.player_id)


def _body() -> Mapping[str, Any]:
    """The object that was sent; nothing at all is an empty one."""
    return web.json_object() if request.get_data() else {}


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and web.is_id(value)


def _id(body: Mapping[str, Any], field: str, *, is_needed: bool = False) -> int | None:
    """An id that may be null, and left out unless `is_needed`. Raise NoId: a number is none, as it may be rounded."""
    value = body.get(field)
    if value is None and (not is_needed or field in body):
        return None
    if not _is_id(value):
        raise NoId(field)
    return int(str(value))


def _ids(body: Mapping[str, Any], field: str) -> list[int]:
    value = body.get(field)
    if not isinstance(value, list) or len(value) > MOST_PLAYERS or not all(map(_is_id, value)):
        raise NoListOfIds(field)
    return [int(one) for one in value]


def _state(session: Session) -> dict[str, Any]:
    """What `GET` answers, and every write after it."""
    settings, who = web.runtime().settings, web.viewer()
    day = web.today(web.now())
    room = queries.room_of(session, day)
    looking = events.count_looking(session, day)
    present = queries.participants(session, day)
    committed = sum(one.status.is_committed for one in present)
    session_ready = looking >= settings.ready_threshold
    state = {
        "date": day.isoformat(),
        "session_ready": session_ready,
        "unlocked": session_ready or room is not None,
        "looking_count": looking,
        "committed_count": committed,
        "standby_count": len(present) - committed,
        "threshold": settings.ready_threshold,
        # What is missing until the room opens, and in the open room until there are enough.
        "need_count": rules.needed(looking if room is None else committed, settings.ready_threshold),
        "participants": [],
        "session": None,
    }
    if not who.is_linked:
        return state
    state["participants"] = [
        {"user_id": str(one.player_id), "name": plain_name(one.name), "status": one.status.value} for one in present
    ]
    if room is not None:
        thread = session.get(Thread, room.id)
        state["session"] = _session(queries.view(session, room), who.player_id) | {
            "discord_thread_id": thread.thread_id if thread is not None else None
        }
    return state


def _session(view: RoomView, viewer: int | None) -> dict[str, Any]:
    mine = view.votes.get(viewer) if viewer is not None else None
    turn = view.turn
    return {
        "id": str(view.room.id),
        "session_date": view.room.day.isoformat(),
        "owner_id": _text(view.room.owner_id),
        "created_by_user_id": _text(view.room.created_by),
        "version": str(view.room.version),
        "suggestions": [
            {
                "id": str(one.id),
                "name": one.name,
                "suggested_by_user_id": _text(one.suggested_by),
                "votes": one.votes,
                "voted_by_me": one.id == mine,
            }
            for one in view.suggestions
        ],
        "my_vote_suggestion_id": _text(mine),
        "teams": {side.value: _team(view.teams[side]) for side in Side},
        "draft": None
        if turn is None
        else {
            "side": turn.side.value,
            "captain_id": _text(turn.captain_id),
            "until": turn.until.isoformat() if turn.until is not None else None,
        },
    }


def _team(team: Team) -> dict[str, Any]:
    return {
        "name": team.name or words.TEAMS[team.side],
        "captain_id": _text(team.captain_id),
        "member_ids": [str(player_id) for player_id in team.ids],
    }


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
