"""Players, users, the link between them, and the audit log."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Text, any_, cast, delete, exists, false, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from slomix.accounts import rules
from slomix.accounts.models import GrantedRole, LinkEvent, Player, User, new_salt
from slomix.accounts.rules import LINK_ACTIONS, LinkAction, Membership
from slomix.database import session as db
from slomix.errors import Conflict, NotAllowed, NotFound
from slomix.i18n import N_, gettext
from slomix.presence.game_names import InvalidName, clean_name, has_control, mixes_alphabets, name_key, plain_name


class ProfileTaken(Conflict):
    """The profile belongs to another user."""

    def __init__(self, name: str) -> None:
        super().__init__(
            gettext("{player} is already linked to somebody else. If that is you, ask an admin to settle it.").format(
                player=name
            )
        )


class NoSuchProfile(NotFound):
    sentence = N_("There is no such player profile.")


class NotAMember(NotAllowed):
    """Only members of our Discord server may have a player here."""

    sentence = N_("Only members of our Discord server can have a player here. Join it, then try again.")


def suggest_profiles(session: Session, user: User, *, limit: int = 12) -> list[Player]:
    """Return free profiles whose name or alias looks like the user's Discord names."""
    found: dict[int, Player] = {}
    for name in dict.fromkeys((user.display_name, user.discord_username)):
        for player in search_profiles(session, name, limit=limit, only_free=True):
            found.setdefault(player.id, player)
    return list(found.values())[:limit]


def search_profiles(session: Session, text: str, *, limit: int = 20, only_free: bool = False) -> list[Player]:
    """Find profiles with `text`, of two letters or more, in a name or alias ; free ones first."""
    if len(search_key(text)) < 2:
        return []
    is_taken = exists().where(User.player_id == Player.id)
    return list(
        session.scalars(
            select(Player)
            .where(is_named(Player.name_keys, text), ~is_taken if only_free else true())
            .order_by(is_taken, Player.name_keys)
            .limit(limit)
        )
    )


def search_key(text: str) -> str:
    """Return what to look for in the keys of names. Raise InvalidName for what no name has."""
    if has_control(text):
        raise InvalidName(
            gettext(
                "{what} has a character that cannot be shown, such as a line break. Type it anew without that."
            ).format(what=gettext("The text to search for"))
        )
    return name_key(text)


def is_named(keys: InstrumentedAttribute[list[str]], text: str) -> ColumnElement[bool]:
    """Return the condition that one of these names has `text` in it; no name has what cannot be seen."""
    wanted = search_key(text)
    if not wanted:
        return false()
    key = func.unnest(keys).column_valued("key")
    return exists(select(key).where(key.like(rules.like_pattern(wanted), escape="\\")))


class LinkEnded(NotAllowed):
    """The link that the user acts by ended during the request."""

    sentence = N_("Please link your player profile first.")


def lock_link(session: Session, user_id: int, player_id: int, *, as_member: bool = True) -> None:
    """Hold the link of a user to a player until this transaction ends.

    Raise LinkEnded if it has ended or, `as_member`, if the user has left our server. Linking, unlinking and leaving
    wait for it, and then also clear what was written meanwhile.
    """
    ours = (User.id == user_id) & (User.player_id == player_id)
    if as_member:
        ours &= User.membership != Membership.LEFT
    if session.scalar(select(User.id).where(ours).with_for_update(read=True, key_share=True)) is None:
        raise LinkEnded


def lock_users(session: Session, *users: User) -> None:
    """Lock the rows of these users, always in the same order, and read them anew.

    Raise LinkEnded if an account was deleted meanwhile.
    """
    ids = sorted({user.id for user in users})
    held = session.scalars(select(User.id).where(User.id.in_(ids)).order_by(User.id).with_for_update()).all()
    if list(held) != ids:
        raise LinkEnded
    for user in users:
        session.refresh(user)  # read anew: what a locking query joins to the row may be from before the wait


def delete_user(session: Session, user: User, *, now: datetime) -> None:
    """Delete the account with its sessions, claims and roles; the log keeps what happened, by the id it had."""
    record_action(session, LinkAction.DISCORD_UNLINKED, user=user, now=now)
    session.flush()
    session.execute(delete(GrantedRole).where(GrantedRole.discord_id == user.discord_id))
    session.execute(delete(User).where(User.id == user.id))


def linked_player_ids(session: Session, players: Iterable[Player]) -> set[int]:
    """Return which of these profiles are linked to a user."""
    ids = [player.id for player in players]
    return set(session.scalars(select(Player.id).join(User, User.player_id == Player.id).where(Player.id.in_(ids))))


def get_profile(session: Session, guid: str) -> Player:
    """Return the profile with this guid. Raise NoSuchProfile."""
    player = session.scalars(select(Player).where(Player.guid == guid)).one_or_none()
    if player is None:
        raise NoSuchProfile
    return player


def user_of_player(session: Session, player: Player) -> User | None:
    """Return the user whose profile this is, if any."""
    return session.scalars(select(User).where(User.player_id == player.id)).one_or_none()


def link_player(session: Session, user: User, guid: str, *, now: datetime, actor: str | None = None) -> Player:
    """Link the user to a profile, in place of an earlier one. Raise ProfileTaken or NoSuchProfile."""
    player = get_profile(session, guid)
    if user.player_id == player.id:
        return player
    before = user.player
    try:
        with session.begin_nested():
            values = {
                "player_id": player.id,
                "unsubscribe_salt": new_salt(),
                "must_ask_since": user.must_ask_since if actor is None else None,
            }
            session.execute(update(User).where(User.id == user.id).values(values))
    except IntegrityError as error:
        raise ProfileTaken(plain_name(player.name)) from error
    action = LinkAction.PLAYER_CHANGED if before else LinkAction.PLAYER_LINKED
    details = {"guid": player.guid, **({"old_guid": before.guid} if before else {})}
    record_action(session, action, user=user, actor=actor, now=now, **details)
    session.refresh(user)
    db.notify(session, db.LIVE_CHANNEL, "board")
    return player


def unlink_player(session: Session, user: User, *, now: datetime, actor: str | None = None) -> None:
    """Free the user's profile; `privacy.unlinking` clears what hangs on the link."""
    if user.player is None:
        return
    guid = user.player.guid
    values = {"player_id": None, "must_ask_since": user.must_ask_since if actor is None else now}
    session.execute(update(User).where(User.id == user.id).values(values))
    record_action(session, LinkAction.PLAYER_UNLINKED, user=user, actor=actor, now=now, old_guid=guid)
    session.refresh(user)
    db.notify(session, db.LIVE_CHANNEL, "board")


def discord_ids_of(session: Session, player_ids: Iterable[int]) -> dict[int, str]:
    """Return the Discord id of each linked player."""
    rows = session.execute(select(User.player_id, User.discord_id).where(User.player_id.in_(list(player_ids))))
    return {row.player_id: row.discord_id for row in rows}


def linked_accounts(session: Session, discord_ids: Iterable[str]) -> set[str]:
    """Return which of these Discord accounts have a player."""
    theirs = User.discord_id.in_(list(discord_ids)) & User.player_id.is_not(None)
    return set(session.scalars(select(User.discord_id).where(theirs)))


def player_names(session: Session, player_ids: Iterable[int]) -> dict[int, str]:
    """Return the names of these players, with their colour codes."""
    rows = session.execute(select(Player.id, Player.name).where(Player.id.in_(list(player_ids))))
    return {row.id: row.name for row in rows}


def known_guids(session: Session, guids: list[str]) -> set[str]:
    """Return which of these guids have a profile."""
    # One array: there may be more guids than a statement has parameters.
    wanted = cast([rules.canonical_guid(guid) for guid in guids], ARRAY(Text))
    return set(session.scalars(select(Player.guid).where(Player.guid == any_(wanted))))


@dataclass(frozen=True)
class ProfileChanges:
    """What an import changed: the guids that are new, and the profiles before and after."""

    added: Sequence[str]
    old: Mapping[str, Mapping[str, object]]
    new: Mapping[str, Mapping[str, object]]

    @property
    def counts(self) -> tuple[int, int]:
        """Return how many profiles were added, and how many changed."""
        return len(self.added), len(self.new)


def import_players(
    session: Session,
    rows: Sequence[tuple[str, str, list[str]]],
    *,
    ratings: Mapping[str, float | None] | None = None,
    now: datetime,
) -> ProfileChanges:
    """Add or update profiles given as (guid, name, aliases), and return what that changed.

    With `ratings`, by guid, a player who is missing there has none any more; without, all stay as they were.
    """
    if not rows:
        return ProfileChanges([], {}, {})
    guids = [guid for guid, _, _ in rows]
    before = _profiles(session, guids)
    statement = insert(Player)
    values = [
        {
            "guid": guid,
            "name": clean_name(name),
            "aliases": [clean_name(alias) for alias in aliases],
            "rating": (ratings or {}).get(guid),
            "created_at": now,
        }
        for guid, name, aliases in rows
    ]
    changed = {name: statement.excluded[name] for name in ("name", "aliases", "name_keys")}
    if ratings is not None:
        changed["rating"] = statement.excluded.rating
    differs = or_(*(Player.__table__.c[name].is_distinct_from(new) for name, new in changed.items()))
    write = statement.on_conflict_do_update(index_elements=[Player.guid], set_=changed, where=differs)
    session.execute(write, values)
    after = _profiles(session, guids)
    differing = [guid for guid in before if before[guid] != after[guid]]
    return ProfileChanges(
        [guid for guid in after if guid not in before],
        {guid: before[guid] for guid in differing},
        {guid: after[guid] for guid in differing},
    )


def _profiles(session: Session, guids: list[str]) -> dict[str, dict[str, object]]:
    wanted = cast(guids, Player.aliases.type)  # one array, as in `known_guids`
    query = select(Player.guid, Player.name, Player.aliases, Player.rating).where(Player.guid == any_(wanted))
    return {
        row.guid: {"name": row.name, "aliases": row.aliases, "rating": row.rating} for row in session.execute(query)
    }


def needs_approval(session: Session, user: User, *, now: datetime) -> bool:
    """Check whether an admin has to confirm the next link: one unlinked this user, or they hop between profiles."""
    theirs = (LinkEvent.user_id == user.id) & LinkEvent.action.in_(LINK_ACTIONS) & LinkEvent.actor.is_(None)
    recent = select(func.count()).where(theirs, LinkEvent.at > now - timedelta(days=1))
    return user.must_ask_since is not None or (session.scalar(recent) or 0) >= rules.MOST_LINKS_A_DAY


def find_doubtful_profiles(session: Session) -> list[str]:
    """Describe stored profiles that `import_players` would refuse or change, and those with the same name or guid."""
    found: list[str] = []
    by_key: dict[str, list[str]] = {}
    for player in session.scalars(select(Player).order_by(Player.id)):
        if "#" in player.guid:
            found.append(
                gettext("{guid}: its guid was that of {other} in other letters; it may be the same player.").format(
                    guid=player.guid, other=player.guid.partition("#")[0]
                )
            )
        for name in (player.name, *player.aliases):
            try:
                if clean_name(name) != name:
                    found.append(
                        gettext(
                            "{guid}: {name} has invisible characters or needless colours; an import takes them out."
                        ).format(guid=player.guid, name=plain_name(name))
                    )
                elif mixes_alphabets(name):
                    found.append(
                        gettext(
                            "{guid}: {name} has letters of two alphabets in one word; it may be taken for another name."
                        ).format(guid=player.guid, name=plain_name(name))
                    )
            except InvalidName as error:
                found.append(gettext("{guid}: {error}").format(guid=player.guid, error=error))
        by_key.setdefault(name_key(player.name), []).append(player.guid)
    return found + [
        gettext("{guids}: all are called {name}, apart from case, accents and colours.").format(
            guids=", ".join(guids), name=key
        )
        for key, guids in by_key.items()
        if len(guids) > 1
    ]


def record_membership(session: Session, user: User, is_member: bool, *, now: datetime) -> None:
    """Record whether Discord says that this user is in our server; log a change. Who left loses what was granted."""
    came_back = is_member and user.membership is Membership.LEFT
    has_left = not is_member and user.membership is not Membership.LEFT and user.player_id is not None
    if came_back or has_left:
        record_action(session, LinkAction.CAME_BACK if came_back else LinkAction.LEFT_GUILD, user=user, now=now)
        db.notify(session, db.LIVE_CHANNEL, "board")
    user.membership, user.membership_seen_at = Membership.MEMBER if is_member else Membership.LEFT, now
    if not is_member:
        _end_grants(session, user, now=now)


def _end_grants(session: Session, user: User, *, now: datetime) -> None:
    theirs = delete(GrantedRole).where(GrantedRole.discord_id == user.discord_id)
    for row in session.execute(theirs.returning(GrantedRole.role, GrantedRole.number)):
        record_action(
            session,
            LinkAction.ROLE_REVOKED,
            user=user,
            actor=rules.SEEN_AT_DISCORD,
            now=now,
            old=row.role,
            new=None,
            grant=row.number,
        )


def record_action(
    session: Session,
    action: LinkAction,
    *,
    user: User | None = None,
    actor: str | None = None,
    now: datetime,
    **details: object,
) -> None:
    """Add to the audit log what happened, to `user` if it concerns one, with its old and new values."""
    session.add(LinkEvent(user_id=user.id if user else None, actor=actor, action=action, details=details, at=now))
