"""Logging in: the way to Discord and back, and the sessions that come of it."""

import hashlib
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Select, bindparam, case, delete, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix.accounts import rules, service
from slomix.accounts.models import GrantedRole, LoginAttempt, LoginSession, Player, User
from slomix.accounts.rules import LinkAction, Membership, Role
from slomix.errors import Invalid
from slomix.i18n import N_
from slomix.presence.game_names import name_keys


class LoginNotStarted(Invalid):
    """The login was not begun in this browser, is too old, or was used already."""

    sentence = N_("This login is no longer valid. It may have taken too long, or been used already.")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def create_login_attempt(
    session: Session,
    *,
    state: str,
    browser: str,
    code_verifier: str,
    next_path: str,
    pressed: str = "",
    expires_at: datetime,
    now: datetime,
) -> None:
    """Store a login on its way to Discord, and delete those that never came back."""
    session.execute(delete(LoginAttempt).where(LoginAttempt.expires_at < now))
    session.add(
        LoginAttempt(
            state_hash=_hash(state),
            browser_hash=_hash(browser),
            code_verifier=code_verifier,
            next_path=rules.local_path(next_path),
            pressed=pressed,
            expires_at=expires_at,
        )
    )


def use_login_attempt(session: Session, *, state: str, browser: str, now: datetime) -> LoginAttempt:
    """Return the login with this state, once, in time, and to the browser that began it. Raise LoginNotStarted."""
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


def next_path_of(session: Session, state: str) -> str:
    """Return where the login with this state was to lead, in whatever browser it began: a path of ours."""
    where = select(LoginAttempt.next_path).where(LoginAttempt.state_hash == _hash(state))
    return session.scalar(where) or "/"


def log_in(session: Session, *, discord_id: str, username: str, display_name: str, now: datetime) -> User:
    """Return the user of this Discord account, created at the first login and updated at each later one."""
    values = {
        "discord_username": username,
        "display_name": display_name,
        "name_keys": name_keys([display_name, username]),
        "last_login_at": now,
    }
    new = _create_user(session, discord_id, values, now=now)
    if new is not None:
        service.record_action(session, LinkAction.DISCORD_LINKED, user=new, now=now)
        return new
    known = session.scalars(select(User).where(User.discord_id == discord_id)).one()
    for name, value in values.items():
        setattr(known, name, value)
    session.flush()
    return known


def create_expected_user(
    session: Session, *, discord_id: str, username: str, display_name: str, last_login_at: datetime, now: datetime
) -> User:
    """Return the user of this Discord account; create it for a person who has never logged in here."""
    values = {"discord_username": username, "display_name": display_name, "last_login_at": last_login_at}
    new = _create_user(session, discord_id, values, now=now)
    return new or session.scalars(select(User).where(User.discord_id == discord_id)).one()


def _create_user(session: Session, discord_id: str, values: Mapping[str, Any], *, now: datetime) -> User | None:
    """Create a user and return it, or None if the account has one already."""
    return session.scalars(
        insert(User)
        .values(discord_id=discord_id, created_at=now, **values)
        .on_conflict_do_nothing(index_elements=[User.discord_id])
        .returning(User)
    ).one_or_none()


def open_login_session(session: Session, user: User, *, browser: str = "", now: datetime) -> str:
    """Log a browser in and return the key for its cookie; only the hash of it is stored."""
    session.execute(delete(LoginSession).where(LoginSession.user_id == user.id, LoginSession.expires_at <= now))
    key = secrets.token_urlsafe(32)
    session.add(
        LoginSession(
            key_hash=_hash(key),
            user_id=user.id,
            created_at=now,
            expires_at=now + rules.SESSION_LIFETIME,
            last_used_at=now,
            browser=browser,
        )
    )
    return key


def choose_language(session: Session, user_id: int, language: str) -> None:
    """Keep the language of a user's pages and messages."""
    session.execute(update(User).where(User.id == user_id).values(language=language))


def close_login_session(session: Session, key: str) -> None:
    """Log a browser out, so that a copy of its cookie is worth nothing either."""
    session.execute(delete(LoginSession).where(LoginSession.key_hash == _hash(key)))


def close_all_login_sessions(session: Session, user: User, *, now: datetime, actor: str | None = None) -> None:
    """Log the user out everywhere."""
    ended = session.scalars(
        delete(LoginSession).where(LoginSession.user_id == user.id).returning(LoginSession.key_hash)
    )
    service.record_action(
        session, LinkAction.SIGNED_OUT, user=user, actor=actor, now=now, old=f"{len(ended.all())} logins", new=None
    )


@dataclass(frozen=True)
class OpenLogin:
    """A browser in which a user is logged in; `number` names it on a page, where its key does not belong."""

    number: str
    browser: str
    created_at: datetime
    last_used_at: datetime
    is_this: bool


def open_logins(session: Session, user_id: int, key: str, *, now: datetime) -> list[OpenLogin]:
    """Return the browsers in which the user is logged in, the one with this key first."""
    rows = session.scalars(
        select(LoginSession)
        .where(LoginSession.user_id == user_id, LoginSession.expires_at > now)
        .order_by(LoginSession.last_used_at.desc(), LoginSession.key_hash)
    )
    found = [
        OpenLogin(_number(row.key_hash), row.browser, row.created_at, row.last_used_at, row.key_hash == _hash(key))
        for row in rows
    ]
    return sorted(found, key=lambda login: not login.is_this)


def close_one_login_session(session: Session, user_id: int, number: str) -> bool:
    """Log one browser of this user out; return False if it was not logged in."""
    theirs = session.scalars(select(LoginSession.key_hash).where(LoginSession.user_id == user_id))
    wanted = [key_hash for key_hash in theirs if _number(key_hash) == number]
    session.execute(delete(LoginSession).where(LoginSession.key_hash.in_(wanted)))
    return bool(wanted)


def _number(key_hash: str) -> str:
    return _hash(key_hash)[:16]


def is_fresh(session: Session, key: str, *, now: datetime) -> bool:
    """Check whether this browser's login is no older than `FRESH_FOR`."""
    created_at = session.scalar(select(LoginSession.created_at).where(LoginSession.key_hash == _hash(key)))
    return created_at is not None and now - rules.FRESH_FOR <= created_at


def note_use(session: Session, key: str, *, now: datetime) -> None:
    """Write down that this login is used."""
    session.execute(update(LoginSession).where(LoginSession.key_hash == _hash(key)).values(last_used_at=now))


@dataclass(frozen=True)
class SessionUser:
    """The user behind a cookie, as of now."""

    user_id: int
    discord_id: str
    display_name: str
    profile_id: int | None
    player_name: str | None
    membership: Membership
    language: str | None
    roles: frozenset[Role]
    # Whether the use of this login is to be written down again.
    is_use_due: bool = False
    # The further columns of `sessions_query`, by name.
    extra: Mapping[str, Any] = field(default_factory=dict)


def sessions_query(
    admin_ids: Collection[str] = (), extra: Mapping[str, ColumnElement[Any]] | None = None
) -> Select[Any]:
    """Select the users behind cookies, once for all requests: to put it together takes longer than to run it.

    Without those whose login has ended, has expired or was not used for long; admins' logins, by the settings
    (`admin_ids`) or by grant, not for so long. `extra` columns may be correlated with `User`.
    """
    now = bindparam("now", type_=DateTime(timezone=True))
    roles = (
        select(func.array_agg(GrantedRole.role))
        .where(GrantedRole.discord_id == User.discord_id, User.membership != Membership.LEFT)
        .correlate(User)
        .scalar_subquery()
    )
    return (
        select(
            LoginSession.key_hash,
            User.id,
            User.discord_id,
            User.display_name,
            User.player_id,
            Player.name,
            User.membership,
            User.language,
            LoginSession.last_used_at,
            roles.label("roles"),
            func.jsonb_build_object(*chain.from_iterable((extra or {}).items())).label("extra"),
        )
        .join(User, User.id == LoginSession.user_id)
        .outerjoin(Player, Player.id == User.player_id)
        .where(LoginSession.key_hash.in_(bindparam("hashes", expanding=True)), LoginSession.expires_at > now)
        .where(LoginSession.last_used_at > now - _longest_idle(admin_ids))
    )


def users_of_sessions(
    session: Session, query: Select[Any], session_keys: Collection[str], *, now: datetime
) -> dict[str, SessionUser]:
    """Return the users behind these cookies, by a `sessions_query`."""
    by_hash = {_hash(key): key for key in session_keys}
    session.flush()
    # By the connection, as nothing is changed: objects of the session would cost as much again.
    rows = session.connection().execute(query, {"hashes": list(by_hash), "now": now})
    return {
        by_hash[row.key_hash]: SessionUser(
            row.id,
            row.discord_id,
            row.display_name,
            row.player_id,
            row.name,
            row.membership,
            row.language,
            frozenset(Role(role) for role in row.roles or ()),
            now - row.last_used_at >= rules.USE_NOTED_EVERY,
            row.extra,
        )
        for row in rows
    }


def _longest_idle(admin_ids: Collection[str]) -> ColumnElement[timedelta]:
    granted = exists().where(GrantedRole.discord_id == User.discord_id, GrantedRole.role == Role.ADMIN)
    is_admin = User.discord_id.in_(list(admin_ids)) | granted
    return case((is_admin, literal(rules.ADMIN_IDLE_LIFETIME)), else_=literal(rules.IDLE_LIFETIME))
