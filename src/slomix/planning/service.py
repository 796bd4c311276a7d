"""Opens tonight's room and changes it for its participants: join, names, votes, owner, asking for more players."""

from datetime import date, datetime

from sqlalchemy import Text, any_, cast, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from slomix.availability import service as availability
from slomix.availability import triggers
from slomix.availability.rules import Status
from slomix.config.settings import Settings
from slomix.database import session as db
from slomix.deliveries import service as deliveries
from slomix.deliveries.models import Delivery
from slomix.deliveries.service import NoticePlan
from slomix.planning import queries, rules, threads
from slomix.planning.models import Room, RoomThread, TeamMember, TeamName, Undo, Vote
from slomix.planning.queries import RoomView, Suggestion
from slomix.planning.rules import Actor
from slomix.presence.game_names import name_key

ASK = "planning_ask"


def open_room(session: Session, day: date, actor: Actor, *, settings: Settings, now: datetime) -> tuple[Room, bool]:
    """Return tonight's room and whether it is new; players who are in and open it own it.

    Raise NotReady while too few are looking, or NotAParticipant.
    """
    room = queries.room_of(session, day)
    if room is not None:
        return room, False
    missing = rules.players_needed(triggers.count_looking(session, day), settings.ready_threshold)
    if missing:
        raise rules.NotReady(missing)
    said = availability.statuses_of_day(session, day, [actor.player_id]).get(actor.player_id)
    is_in = said not in {None, Status.NOT_PLAYING}
    if not is_in and not actor.is_promoter:
        raise rules.NotAParticipant
    new = session.scalar(
        insert(Room)
        .values(
            day=day,
            created_by=actor.player_id,
            owner_id=actor.player_id if is_in else None,
            created_at=now,
            version=0,
        )
        .on_conflict_do_nothing(constraint="uq_planning_sessions_day")
        .returning(Room.id)
    )
    room = queries.lock_room(session, day)
    if new is not None:
        threads.plan_thread(session, room, settings=settings, now=now)
        db.notify(session, db.LIVE_CHANNEL, "planning")
    return room, new is not None


def join_room(
    session: Session, day: date, player_id: int, *, is_sure: bool, settings: Settings, now: datetime
) -> Status:
    """Put a player in for tonight and return their status: LOOKING, or what they said before if that counts.

    AVAILABLE stays, and MAYBE too unless they are sure. Raise DeclinedTonight after NOT_PLAYING unless they are sure.
    """
    queries.lock_room(session, day)
    said = availability.statuses_of_day(session, day, [player_id]).get(player_id)
    if said is Status.NOT_PLAYING and not is_sure:
        raise rules.DeclinedTonight
    if said is None or (is_sure and not said.is_committed):
        availability.set_status(session, player_id, day, Status.LOOKING, settings=settings, now=now)
        return Status.LOOKING
    return said


def leave_room(session: Session, day: date, player_id: int, *, settings: Settings, now: datetime) -> None:
    """Set a player to NOT_PLAYING tonight, which also takes them out of their team."""
    queries.lock_room(session, day)
    availability.set_status(session, player_id, day, Status.NOT_PLAYING, settings=settings, now=now)


def suggest_name(session: Session, day: date, player_id: int, text: str, *, now: datetime) -> TeamName:
    """Suggest a name for a team. Raise InvalidName, TooManyNames, NameTaken or NotAParticipant."""
    name = rules.clean_team_name(text)
    view = _as_participant(session, day, player_id)
    if sum(suggestion.suggested_by == player_id for suggestion in view.suggestions) >= rules.MAX_NAMES_PER_PLAYER:
        raise rules.TooManyNames
    suggestion = TeamName(
        session_id=view.room.id, suggested_by=player_id, name=name, name_key=name_key(name), created_at=now
    )
    try:
        with session.begin_nested():
            session.add(suggestion)
    except IntegrityError as error:
        raise rules.NameTaken from error
    db.notify(session, db.LIVE_CHANNEL, "planning")
    return suggestion


def take_back_name(session: Session, day: date, actor: Actor, name_id: int) -> Suggestion:
    """Delete a suggestion and its votes, and return it: players their own, managers any. Raise NoSuchName."""
    view, rights = queries.lock_room_as(session, day, actor)
    found = next((suggestion for suggestion in view.suggestions if suggestion.id == name_id), None)
    if found is None or not (rights.manages or found.suggested_by == actor.player_id):
        raise rules.NoSuchName
    session.execute(delete(TeamName).where(TeamName.id == name_id))
    db.notify(session, db.LIVE_CHANNEL, "planning")
    return found


def vote_for_name(session: Session, day: date, player_id: int, name_id: int | None) -> None:
    """Store a player's vote for a name, or delete it for None. Raise NoSuchName or NotAParticipant."""
    view = _as_participant(session, day, player_id)
    if name_id is None:
        session.execute(delete(Vote).where(Vote.session_id == view.room.id, Vote.player_id == player_id))
    elif all(suggestion.id != name_id for suggestion in view.suggestions):
        raise rules.NoSuchName
    else:
        session.execute(
            insert(Vote)
            .values(session_id=view.room.id, player_id=player_id, team_name_id=name_id)
            .on_conflict_do_update(constraint="pk_planning_votes", set_={"team_name_id": name_id})
        )
    db.notify(session, db.LIVE_CHANNEL, "planning")


def hand_over(session: Session, day: date, actor: Actor, player_id: int) -> None:
    """Make another participant the owner, or the actor once the owner has left. Raise NotTheOwner or NotInRoom."""
    view, rights = queries.lock_room_as(session, day, actor)
    takes_over = rights.may_take_over and player_id == actor.player_id
    if not rights.manages and not takes_over:
        raise rules.NotTheOwner
    if view.participant(player_id) is None:
        raise rules.NotInRoom
    view.room.owner_id = player_id
    db.notify(session, db.LIVE_CHANNEL, "planning")


def ask_for_more(session: Session, day: date, actor: Actor, *, settings: Settings, now: datetime) -> int:
    """Post on Discord that players are missing, mention those who want to hear it, and return the number.

    Raise EnoughPlayers, NowhereToAsk, AskedAlready within the cooldown, or NotAParticipant.
    """
    view, rights = queries.lock_room_as(session, day, actor)
    if not rights.takes_part and not rights.manages:
        raise rules.NotAParticipant
    number = rules.players_needed(len(view.committed), settings.ready_threshold)
    if not number:
        raise rules.EnoughPlayers
    place = where_to_ask(session, view.room, settings)
    if place is None:
        raise rules.NowhereToAsk
    wait = ask_cooldown(view.room, now)
    if wait is not None:
        raise wait
    view.room.asked_at = now
    number_of_asks = len(deliveries.deliveries_about(session, view.room.subject)) + 1
    key = f"MORE_NEEDED:{day}:{number_of_asks}"
    deliveries.plan_for_room(
        session, NoticePlan(ASK, view.room.subject, key, now, now + rules.ASK_COOLDOWN), place, now=now
    )
    db.notify(session, db.LIVE_CHANNEL, "planning")
    return number


def ask_cooldown(room: Room, now: datetime) -> rules.AskedAlready | None:
    """Return the error that says how long to wait before asking again, or None."""
    if room.asked_at is None or now >= room.asked_at + rules.ASK_COOLDOWN:
        return None
    return rules.AskedAlready(room.asked_at + rules.ASK_COOLDOWN - now)


def where_to_ask(session: Session, room: Room, settings: Settings) -> str | None:
    """Return the announcement channel, which more people see, else the room's thread, else None.

    Discord adds players who are mentioned in a private thread to it.
    """
    if settings.announce_enabled and settings.announce_channel_id:
        return settings.announce_channel_id
    return session.scalar(select(RoomThread.thread_id).where(RoomThread.session_id == room.id))


def release_player(session: Session, player_id: int, today: date) -> None:
    """Take a player's ownership, votes and authorship of names from rooms of today and later."""
    rooms = select(Room.id).where(Room.day >= today)
    session.execute(update(Room).where(Room.owner_id == player_id, Room.day >= today).values(owner_id=None))
    session.execute(delete(Vote).where(Vote.player_id == player_id, Vote.session_id.in_(rooms)))
    theirs = (TeamName.suggested_by == player_id) & TeamName.session_id.in_(rooms)
    session.execute(update(TeamName).where(theirs).values(suggested_by=None))


def lock_all_rooms(session: Session) -> None:
    """Lock every room until the transaction ends."""
    session.execute(select(Room.id).order_by(Room.id).with_for_update())


def erase_player(session: Session, player_id: int, account: str) -> None:
    """Erase a player from all rooms; the names they suggested stay, without an author.

    `account` is their Discord account. The caller has locked the rooms with `lock_all_rooms`.
    """
    for model in (Vote, TeamMember):
        session.execute(delete(model).where(model.player_id == player_id))
    session.execute(update(TeamName).where(TeamName.suggested_by == player_id).values(suggested_by=None))
    for column in (Room.created_by, Room.owner_id, Room.turn_of):
        session.execute(update(Room).where(column == player_id).values({column: None}))
    was_there = Undo.before["since"].has_key(str(player_id))
    session.execute(delete(Undo).where(was_there | (Undo.player_id == player_id)))
    was_in = literal(account) == any_(RoomThread.members)
    was_refused = RoomThread.refused.has_key(account)
    without = RoomThread.refused.op("-", return_type=JSONB)(cast(account, Text))
    session.execute(update(RoomThread).where(was_refused).values(refused=without))
    session.execute(
        update(RoomThread).where(was_in).values(members=func.array_remove(RoomThread.members, account), said="")
    )
    asked = (Delivery.notice == ASK) & Delivery.text.contains(f"<@{account}>", autoescape=True)
    session.execute(update(Delivery).where(asked).values(text=""))
    db.notify(session, db.LIVE_CHANNEL, "planning")


def _as_participant(session: Session, day: date, player_id: int) -> RoomView:
    """Return the locked room for a player who is in it. Raise NotAParticipant."""
    view, rights = queries.lock_room_as(session, day, Actor(player_id))
    if not rights.takes_part:
        raise rules.NotAParticipant
    return view
