"""Players, users and the link between them."""

import hashlib
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from slomix import db, words
from slomix.accounts import rules
from slomix.accounts.models import LinkAction, LinkEvent, LoginAttempt, Player, User
from slomix.errors import Conflict, Invalid, NotFound

# What `rules.plain_name` takes away, as PostgreSQL writes it.
_COLOUR_CODE = r"\^[^\^\s]?"


class ProfileTaken(Conflict):
    """The profile belongs to somebody else."""

    def __init__(self, name: str) -> None:
        super().__init__(words.PROFILE_TAKEN.format(player=name))


class NoSuchProfile(NotFound):
    def __init__(self) -> None:
        super().__init__(words.NO_SUCH_PROFILE)


class LoginNotStarted(Invalid):
    """A login came back that nobody began here, that is too old, or that was used already."""

    def __init__(self) -> None:
        super().__init__(words.LOGIN_NOT_VALID)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def begin_login(
    session: Session,
    *,
    state: str,
    browser: str,
    code_verifier: str,
    next_path: str,
    expires_at: datetime,
    now: datetime,
) -> None:
    """Remember a login on its way to Discord, and forget those that never came back."""
    session.execute(delete(LoginAttempt).where(LoginAttempt.expires_at < now))
    session.add(
        LoginAttempt(
            state_hash=_hash(state),
            browser_hash=_hash(browser),
            code_verifier=code_verifier,
            next_path=rules.own_path(next_path),
            expires_at=expires_at,
        )
    )


def accept_login(session: Session, *, state: str, browser: str, now: datetime) -> LoginAttempt:
    """Take back the login with this state: once, in time, and in the browser that began it."""
    attempt = session.scalars(
        delete(LoginAttempt)
        .where(
            LoginAttempt.state_hash == _hash(state),
            LoginAttempt.browser_hash == _hash(browser),
            LoginAttempt.expires_at >= now,
        )
        .returning(LoginAttempt)
    ).one_or_none()
    if attempt is None:
        raise LoginNotStarted
    return attempt


def log_in(session: Session, *, discord_id: str, username: str, display_name: str, now: datetime) -> User:
    """The user of this Discord account, made at the first login."""
    values = {"discord_username": username, "display_name": display_name, "last_login_at": now}
    new = session.scalars(
        insert(User)
        .values(discord_id=discord_id, session_key=secrets.token_urlsafe(24), created_at=now, **values)
        .on_conflict_do_nothing(index_elements=[User.discord_id])
        .returning(User)
    ).one_or_none()
    if new is not None:
        _log(session, new, LinkAction.DISCORD_LINKED, now)
        return new
    known = session.scalars(select(User).where(User.discord_id == discord_id)).one()
    for name, value in values.items():
        setattr(known, name, value)
    session.flush()
    return known


@dataclass(frozen=True)
class Somebody:
    """Who is behind a cookie, as of now."""

    user_id: int
    discord_id: str
    display_name: str
    player_id: int | None
    player_name: str | None


def who_they_are(session: Session, session_keys: Collection[str]) -> dict[str, Somebody]:
    """The users whose cookies these are; a session that was ended is nobody's."""
    rows = session.execute(
        select(User.session_key, User.id, User.discord_id, User.display_name, User.player_id, Player.name)
        .outerjoin(Player, Player.id == User.player_id)
        .where(User.session_key.in_(session_keys))
    )
    return {
        key: Somebody(user_id, discord_id, display_name, player_id, player_name)
        for key, user_id, discord_id, display_name, player_id, player_name in rows
    }


def suggestions(session: Session, user: User, *, limit: int = 12) -> list[Player]:
    """Free profiles whose name or alias looks like the user's Discord names."""
    found: dict[int, Player] = {}
    for name in dict.fromkeys((user.display_name, user.discord_username)):
        for player in search(session, name, limit=limit):
            found.setdefault(player.id, player)
    return list(found.values())[:limit]


def search(session: Session, text: str, *, limit: int = 20) -> list[Player]:
    """Free profiles with `text` in their name or an alias, colour codes aside; nothing for fewer than two letters."""
    text = rules.plain_name(text.strip()) if text.strip() else ""
    if len(text) < 2:
        return []
    pattern = rules.like_pattern(text)
    bare = func.regexp_replace
    alias = func.unnest(Player.aliases).column_valued("alias")
    return list(
        session.scalars(
            select(Player)
            .where(
                or_(
                    bare(Player.name, _COLOUR_CODE, "", "g").ilike(pattern, escape="\\"),
                    exists(select(alias).where(bare(alias, _COLOUR_CODE, "", "g").ilike(pattern, escape="\\"))),
                ),
                ~exists().where(User.player_id == Player.id),
            )
            .order_by(func.lower(Player.name))
            .limit(limit)
        )
    )


def link_player(session: Session, user: User, guid: str, *, now: datetime) -> Player:
    """Link the user to a profile, instead of an earlier one if there was one. Raise ProfileTaken or NoSuchProfile."""
    player = session.scalars(select(Player).where(Player.guid == guid)).one_or_none()
    if player is None:
        raise NoSuchProfile
    if user.player_id == player.id:
        return player
    before = user.player
    try:
        with session.begin_nested():
            session.execute(update(User).where(User.id == user.id).values(player_id=player.id))
    except IntegrityError as error:
        raise ProfileTaken(rules.plain_name(player.name)) from error
    action = LinkAction.PLAYER_CHANGED if before else LinkAction.PLAYER_LINKED
    _log(session, user, action, now, guid=player.guid, **({"old_guid": before.guid} if before else {}))
    session.refresh(user)
    db.notify(session, db.LIVE, "board")
    return player


def unlink_player(session: Session, user: User, *, now: datetime) -> None:
    """Free the user's profile. What hangs on the link is settled by the capabilities that own it."""
    if user.player is None:
        return
    guid = user.player.guid
    session.execute(update(User).where(User.id == user.id).values(player_id=None))
    _log(session, user, LinkAction.PLAYER_UNLINKED, now, old_guid=guid)
    session.refresh(user)
    db.notify(session, db.LIVE, "board")


def discord_ids(session: Session, player_ids: Iterable[int]) -> dict[int, str]:
    """The Discord account of each linked player."""
    rows = session.execute(select(User.player_id, User.discord_id).where(User.player_id.in_(list(player_ids))))
    return {row.player_id: row.discord_id for row in rows if row.player_id is not None}


def names(session: Session, player_ids: Iterable[int]) -> dict[int, str]:
    """The names of these players, with their colour codes."""
    return {
        row.id: row.name
        for row in session.execute(select(Player.id, Player.name).where(Player.id.in_(list(player_ids))))
    }


def import_players(session: Session, rows: Sequence[tuple[str, str, list[str]]], *, now: datetime) -> tuple[int, int]:
    """Add or update profiles given as (guid, name, aliases); return how many were added and how many updated."""
    if not rows:
        return 0, 0
    known = set(session.scalars(select(Player.guid).where(Player.guid.in_([guid for guid, _, _ in rows]))))
    statement = insert(Player)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Player.guid],
            set_={"name": statement.excluded.name, "aliases": statement.excluded.aliases},
        ),
        [{"guid": guid, "name": name, "aliases": aliases, "created_at": now} for guid, name, aliases in rows],
    )
    return len(rows) - len(known), len(known)


def _log(session: Session, user: User, action: LinkAction, now: datetime, **details: str) -> None:
    session.add(LinkEvent(user_id=user.id, discord_id=user.discord_id, action=action, details=details, at=now))
