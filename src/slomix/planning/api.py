"""Tonight's planning room as JSON."""

from typing import Annotated

from flask import Blueprint
from pydantic import Field
from sqlalchemy.orm import Session

from slomix.accounts.acting import as_player
from slomix.availability import triggers
from slomix.availability.schemas import late_field
from slomix.planning import queries, rules, schemas, service, teams
from slomix.planning.layout import Layout
from slomix.planning.models import RoomThread
from slomix.planning.queries import RoomView, Team
from slomix.planning.rules import TEAM_NAMES, Actor
from slomix.presence.game_names import plain_name
from slomix.web import current, gates
from slomix.web.gates import Anonymous, Viewer
from slomix.web.openapi.calls import ANYBODY, PLAYERS, Callers, Calls
from slomix.web.openapi.shapes import Id

blueprint = Blueprint("planning_api", __name__, url_prefix="/api/planning/today")
calls = Calls("Planning room")

STATE = "The room as it stands now."


def _actor() -> Actor:
    return Actor(gates.require_player(), gates.viewer().can_promote)


ACTORS = Callers(_actor, PLAYERS.refusals)


@blueprint.get("")
@calls.call("readRoom", ANYBODY, STATE)
def read(_who: Viewer | Anonymous) -> schemas.PlanningRoom:
    """Read tonight's planning room.

    All callers get the numbers; linked players also get names and the room itself.
    """
    with current.runtime().transaction() as session:
        return _state(session)


@blueprint.post("/create")
@calls.call("openRoom", ACTORS, {201: "It is open.", 200: "It was open already."}, problems=(409,))
def create(actor: Actor) -> tuple[schemas.OpenedRoom, int]:
    """Open the room.

    Possible once enough players are LOOKING. There is one room a day; the player who opened it owns it.
    """
    now = current.now()
    with as_player() as (session, _):
        _, is_new = service.open_room(session, current.today(now), actor, settings=current.runtime().settings, now=now)
        answer = schemas.OpenedRoom(created=is_new, **dict(_state(session)))
    return answer, 201 if is_new else 200


@blueprint.post("/join")
@calls.call("joinRoom", ACTORS, STATE, problems=(404, 409))
def join(actor: Actor, body: schemas.JoinRequest) -> schemas.PlanningRoom:
    """Join tonight's players.

    Players who have said nothing become LOOKING. MAYBE and NOT_PLAYING change only with `sure`.
    """
    now = current.now()
    with as_player() as (session, _):
        service.join_room(
            session,
            current.today(now),
            actor.player_id,
            is_sure=body.sure,
            settings=current.runtime().settings,
            now=now,
        )
        return _state(session)


@blueprint.post("/suggestions")
@calls.call("suggestName", ACTORS, {201: "Suggested."}, problems=(404, 409))
def suggest(actor: Actor, body: schemas.NewName) -> schemas.NewSuggestion:
    """Suggest a name for a team.

    For players who are in, three names each. Names that differ only in case are the same.
    """
    now = current.now()
    with as_player() as (session, _):
        suggestion = service.suggest_name(session, current.today(now), actor.player_id, body.name, now=now)
        return schemas.NewSuggestion(suggestion_id=suggestion.id, **dict(_state(session)))


@blueprint.delete("/suggestions/<id:name_id>")
@calls.call("deleteSuggestion", ACTORS, STATE, problems=(404,))
def take_back_name(
    actor: Actor, name_id: Annotated[Id, Field(description="The id of the suggestion.")]
) -> schemas.PlanningRoom:
    """Delete one's own suggestion.

    Managers of the room may delete any. Its votes go with it.
    """
    with as_player() as (session, _):
        service.take_back_name(session, current.today(current.now()), actor, name_id)
        return _state(session)


@blueprint.post("/vote")
@calls.call("voteForName", ACTORS, STATE, problems=(404,))
def vote(actor: Actor, body: schemas.VoteChoice) -> schemas.PlanningRoom:
    """Vote for a name.

    For players who are in. A player has one vote: a new one replaces it, and null takes it back.
    """
    with as_player() as (session, _):
        service.vote_for_name(session, current.today(current.now()), actor.player_id, body.suggestion_id)
        return _state(session)


@blueprint.post("/teams")
@calls.call("saveTeams", ACTORS, STATE, problems=(404, 409))
def save_teams(actor: Actor, body: schemas.TeamsToSave) -> schemas.PlanningRoom:
    """Save both teams.

    For the owner and promoters. Replaces both teams at once, all or nothing.
    """
    now = current.now()
    wanted = Layout.from_teams(body.side_a, body.side_b, body.captain_a, body.captain_b)
    with as_player() as (session, _):
        teams.save_teams(session, current.today(now), actor, wanted, version=body.version, now=now)
        return _state(session)


def _state(session: Session) -> schemas.PlanningRoom:
    """Read the answer that `GET` and every write give."""
    settings, who = current.runtime().settings, gates.viewer()
    day = current.today(current.now())
    room = queries.room_of(session, day)
    looking = triggers.count_looking(session, day)
    present = queries.participants_of(session, day)
    committed = sum(person.status.is_committed for person in present)
    session_ready = looking >= settings.ready_threshold
    return schemas.PlanningRoom(
        date=day,
        session_ready=session_ready,
        unlocked=session_ready or room is not None,
        looking_count=looking,
        committed_count=committed,
        standby_count=len(present) - committed,
        threshold=settings.ready_threshold,
        # Counts LOOKING players until the room opens, and committed players afterwards.
        need_count=rules.players_needed(looking if room is None else committed, settings.ready_threshold),
        participants=[
            schemas.ParticipantAnswer(
                user_id=person.player_id,
                name=plain_name(person.name),
                status=person.status,
                **late_field(person.late_until, current.now()),
            )
            for person in present
            if who.is_linked
        ],
        session=_session(session, queries.view_room(session, room), who)
        if room is not None and who.is_linked
        else None,
    )


def _session(session: Session, view: RoomView, who: Viewer | Anonymous) -> schemas.PlanningSession:
    mine = view.votes.get(who.player_id) if who.player_id is not None else None
    turn = view.turn
    thread = session.get(RoomThread, view.room.id)
    return schemas.PlanningSession(
        id=view.room.id,
        session_date=view.room.day,
        owner_id=view.room.owner_id,
        created_by_user_id=view.room.created_by,
        discord_thread_id=thread.thread_id if thread is not None else None,
        version=view.room.version,
        suggestions=[
            schemas.SuggestionAnswer(
                id=suggestion.id,
                name=suggestion.name,
                suggested_by_user_id=suggestion.suggested_by,
                votes=suggestion.votes,
                voted_by_me=suggestion.id == mine,
            )
            for suggestion in view.suggestions
        ],
        my_vote_suggestion_id=mine,
        teams=schemas.TeamsAnswer(**{side.value: _team(team) for side, team in view.teams.items()}),
        draft=schemas.DraftAnswer(side=turn.side, captain_id=turn.captain_id, until=turn.until)
        if turn is not None
        else None,
    )


def _team(team: Team) -> schemas.TeamAnswer:
    return schemas.TeamAnswer(name=team.name or TEAM_NAMES[team.side], captain_id=team.captain_id, member_ids=team.ids)
