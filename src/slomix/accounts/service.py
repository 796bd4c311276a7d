"""Players, users, the link between them, and the log of all that happens to it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, any_, cast, delete, exists, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from slomix import words
from slomix.accounts import rules
from slomix.accounts.models import GrantedRole, LinkEvent, Player, User
from slomix.accounts.rules import LinkAction, Membership
from slomix.database import session as db
from slomix.errors import Conflict, NotAllowed, NotFound
from slomix.presence.game_names import COLOUR_CODE, plain_name


class ProfileTaken(Conflict):
    """The profile belongs to somebody else."""

    def __init__(self, name: str) -> None:
        super().__init__(words.PROFILE_TAKEN.format(player=name))


class NoSuchProfile(NotFound):
    def __init__(self) -> None:
        super().__init__(words.NO_SUCH_PROFILE)


class NotAMember(NotAllowed):
    """Only members of our Discord server may have a player here."""

    def __init__(self) -> None:
        super().__init__(words.NOT_A_MEMBER)


def suggest_profiles(session: Session, user: User, *, limit: int = 12) -> list[Player]:
    """Free profiles whose name or alias looks like the user's Discord names."""
    found: dict[int, Player] = {}
    for name in dict.fromkeys((user.display_name, user.discord_username)):
        for player in search_profiles(session, name, limit=limit, only_free=True):
            found.setdefault(player.id, player)
    return list(found.values())[:limit]


def search_profiles(session: Session, text: str, *, limit: int = 20, only_free: bool = False) -> list[Player]:
    """Profiles with `text` in their name or an alias, colour codes aside, free ones first.

    Nothing for fewer than two letters.
    """
    text = plain_name(text.strip()) if text.strip() else ""
    if len(text) < 2:
        return []
    pattern = rules.like_pattern(text)
    is_taken = exists().where(User.player_id == Player.id)
    alias = func.unnest(Player.aliases).column_valued("alias")
    return list(
        session.scalars(
            select(Player)
            .where(
                or_(
                    plain_name_sql(Player.name).ilike(pattern, escape="\\"),
                    exists(select(alias).where(plain_name_sql(alias).ilike(pattern, escape="\\"))),
                ),
                ~is_taken if only_free else true(),
            )
            .order_by(is_taken, func.lower(Player.name))
            .limit(limit)
        )
    )


def plain_name_sql(name: ColumnElement[str] | InstrumentedAttribute[str]) -> ColumnElement[str]:
    """Take the colours out of a name, as `plain_name` does, to look through names in a query."""
    return func.regexp_replace(name, COLOUR_CODE, "", "g")


class LinkEnded(NotAllowed):
    """The link that somebody acts by ended while they asked."""

    def __init__(self) -> None:
        super().__init__(words.PLEASE_LINK)


def lock_link(session: Session, user_id: int, player_id: int) -> None:
    """Until this transaction ends the user has this player; raise LinkEnded when they have not any more.

    Linking and unlinking wait for it, and what they take away is taken away with what was written meanwhile.
    """
    ours = (User.id == user_id) & (User.player_id == player_id)
    if session.scalar(select(User.id).where(ours).with_for_update(read=True, key_share=True)) is None:
        raise LinkEnded


def lock_users(session: Session, *users: User) -> None:
    """Hold the rows of these users, in the order in which everybody does, and see them as they are now.

    Raise LinkEnded when an account was deleted meanwhile.
    """
    ids = sorted({user.id for user in users})
    held = session.scalars(select(User.id).where(User.id.in_(ids)).order_by(User.id).with_for_update()).all()
    if list(held) != ids:
        raise LinkEnded
    for user in users:
        session.refresh(user)  # read anew: what a locking query joins to the row may be from before the wait


def delete_user(session: Session, user: User, *, now: datetime) -> None:
    """Delete the account with its sessions, claims and roles; the log keeps what happened, and not to whom."""
    record_action(session, LinkAction.DISCORD_UNLINKED, user=user, now=now)
    session.flush()
    session.execute(update(LinkEvent).where(LinkEvent.discord_id == user.discord_id).values(discord_id=""))
    session.execute(update(LinkEvent).where(LinkEvent.actor == user.discord_id).values(actor=""))
    session.execute(delete(GrantedRole).where(GrantedRole.discord_id == user.discord_id))
    session.execute(delete(User).where(User.id == user.id))


def linked_player_ids(session: Session, players: Iterable[Player]) -> set[int]:
    """Those of the profiles that somebody has."""
    ids = [player.id for player in players]
    return {one for one in session.scalars(select(User.player_id).where(User.player_id.in_(ids))) if one is not None}


def get_profile(session: Session, guid: str) -> Player:
    """The profile with this guid. Raise NoSuchProfile."""
    player = session.scalars(select(Player).where(Player.guid == guid)).one_or_none()
    if player is None:
        raise NoSuchProfile
    return player


def user_of_player(session: Session, player: Player) -> User | None:
    """Whose profile this is."""
    return session.scalars(select(User).where(User.player_id == player.id)).one_or_none()


def link_player(session: Session, user: User, guid: str, *, now: datetime, actor: str | None = None) -> Player:
    """Link the user to a profile, instead of an earlier one if there was one. Raise ProfileTaken or NoSuchProfile."""
    player = get_profile(session, guid)
    if user.player_id == player.id:
        return player
    before = user.player
    try:
        with session.begin_nested():
            session.execute(update(User).where(User.id == user.id).values(player_id=player.id))
    except IntegrityError as error:
        raise ProfileTaken(plain_name(player.name)) from error
    action = LinkAction.PLAYER_CHANGED if before else LinkAction.PLAYER_LINKED
    details = {"guid": player.guid, **({"old_guid": before.guid} if before else {})}
    record_action(session, action, user=user, actor=actor, now=now, **details)
    session.refresh(user)
    db.notify(session, db.LIVE_CHANNEL, "board")
    return player


def unlink_player(session: Session, user: User, *, now: datetime, actor: str | None = None) -> None:
    """Free the user's profile. What hangs on the link is settled by the capabilities that own it."""
    if user.player is None:
        return
    guid = user.player.guid
    session.execute(update(User).where(User.id == user.id).values(player_id=None))
    record_action(session, LinkAction.PLAYER_UNLINKED, user=user, actor=actor, now=now, old_guid=guid)
    session.refresh(user)
    db.notify(session, db.LIVE_CHANNEL, "board")


def discord_ids_of(session: Session, player_ids: Iterable[int]) -> dict[int, str]:
    """The Discord account of each linked player."""
    rows = session.execute(select(User.player_id, User.discord_id).where(User.player_id.in_(list(player_ids))))
    return {row.player_id: row.discord_id for row in rows if row.player_id is not None}


def player_names(session: Session, player_ids: Iterable[int]) -> dict[int, str]:
    """The names of these players, with their colour codes."""
    return {
        row.id: row.name
        for row in session.execute(select(Player.id, Player.name).where(Player.id.in_(list(player_ids))))
    }


def known_guids(session: Session, guids: list[str]) -> set[str]:
    """Those of the guids that have a profile; there may be more of them than a statement has parameters."""
    wanted = cast(guids, Player.aliases.type)
    return set(session.scalars(select(Player.guid).where(Player.guid == any_(wanted))))


def import_players(
    session: Session,
    rows: Sequence[tuple[str, str, list[str]]],
    *,
    ratings: Mapping[str, float | None] | None = None,
    now: datetime,
) -> tuple[int, int]:
    """Add or update profiles given as (guid, name, aliases); return how many were added and how many updated.

    With `ratings`, by guid, whoever is missing or None among them has none any more; without, all stay as they were.
    """
    if not rows:
        return 0, 0
    known = known_guids(session, [guid for guid, _, _ in rows])
    statement = insert(Player)
    values = [{"guid": guid, "name": name, "aliases": aliases, "created_at": now} for guid, name, aliases in rows]
    changed = {"name": statement.excluded.name, "aliases": statement.excluded.aliases}
    if ratings is not None:
        values = [one | {"rating": ratings.get(str(one["guid"]))} for one in values]
        changed |= {"rating": statement.excluded.rating}
    session.execute(statement.on_conflict_do_update(index_elements=[Player.guid], set_=changed), values)
    return len(rows) - len(known), len(known)


def record_membership(session: Session, user: User, is_member: bool, *, now: datetime) -> None:
    """Write down whether Discord says that this user is in our server; a change is logged."""
    found = Membership.MEMBER if is_member else Membership.LEFT
    if found is Membership.LEFT and user.membership is not Membership.LEFT and user.player_id is not None:
        record_action(session, LinkAction.LEFT_GUILD, user=user, now=now)
        db.notify(session, db.LIVE_CHANNEL, "board")
    if found is Membership.MEMBER and user.membership is Membership.LEFT:
        record_action(session, LinkAction.CAME_BACK, user=user, now=now)
        db.notify(session, db.LIVE_CHANNEL, "board")
    user.membership, user.membership_seen_at = found, now


def record_action(
    session: Session,
    action: LinkAction,
    *,
    user: User | None = None,
    discord_id: str = "",
    actor: str | None = None,
    now: datetime,
    **details: str,
) -> None:
    """Add to the audit log: what happened to `user`, or to a Discord account that nobody has logged in with."""
    session.add(
        LinkEvent(
            user_id=user.id if user else None,
            discord_id=user.discord_id if user else discord_id,
            actor=actor,
            action=action,
            details=details,
            at=now,
        )
    )
