"""Logging in: the way to Discord and back, and the sessions that come of it."""

import hashlib
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix import words
from slomix.accounts import rules, service
from slomix.accounts.models import GrantedRole, LoginAttempt, LoginSession, Player, User
from slomix.accounts.rules import LinkAction, Membership, Role
from slomix.errors import Invalid
from slomix.presence.game_names import name_keys


class LoginNotStarted(Invalid):
    """The login was not begun in this browser, is too old, or was used already."""

    sentence = words.LOGIN_NOT_VALID


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def create_login_attempt(
    session: Session,
    *,
    state: str,
    browser: str,
    code_verifier: str,
    next_path: str,
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
    """Return where the login with this state was to lead, whoever began it: a path of ours."""
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


def open_login_session(session: Session, user: User, *, now: datetime) -> str:
    """Log a browser in and return the key for its cookie; only the hash of it is stored."""
    session.execute(delete(LoginSession).where(LoginSession.user_id == user.id, LoginSession.expires_at <= now))
    key = secrets.token_urlsafe(32)
    session.add(
        LoginSession(key_hash=_hash(key), user_id=user.id, created_at=now, expires_at=now + rules.SESSION_LIFETIME)
    )
    return key


def close_login_session(session: Session, key: str) -> None:
    """Log a browser out, so that a copy of its cookie is worth nothing either."""
    session.execute(delete(LoginSession).where(LoginSession.key_hash == _hash(key)))


def close_all_login_sessions(session: Session, user: User, *, now: datetime, actor: str | None = None) -> None:
    """Log the user out everywhere."""
    session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))
    service.record_action(session, LinkAction.SIGNED_OUT, user=user, actor=actor, now=now)


def count_login_sessions(session: Session, user_id: int, *, now: datetime) -> int:
    """Count the browsers in which the user is logged in."""
    ours = (LoginSession.user_id == user_id) & (LoginSession.expires_at > now)
    return session.scalar(select(func.count()).select_from(LoginSession).where(ours)) or 0


@dataclass(frozen=True)
class SessionUser:
    """The user behind a cookie, as of now."""

    user_id: int
    discord_id: str
    display_name: str
    profile_id: int | None
    player_name: str | None
    has_left: bool
    roles: frozenset[Role]
    # The `extra` columns of `users_of_sessions`, by name.
    extra: Mapping[str, Any] = field(default_factory=dict)


def users_of_sessions(
    session: Session,
    session_keys: Collection[str],
    *,
    now: datetime,
    extra: Mapping[str, ColumnElement[Any]] | None = None,
) -> dict[str, SessionUser]:
    """Return the users behind these cookies, without those whose session has ended or expired.

    `extra` columns may be correlated with `User`, and are read in the same statement.
    """
    extra = extra or {}
    by_hash = {_hash(key): key for key in session_keys}
    roles = (
        select(func.array_agg(GrantedRole.role))
        .where(GrantedRole.discord_id == User.discord_id)
        .correlate(User)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            LoginSession.key_hash,
            User.id,
            User.discord_id,
            User.display_name,
            User.player_id,
            Player.name,
            User.membership,
            roles.label("roles"),
            *(column.label(name) for name, column in extra.items()),
        )
        .join(User, User.id == LoginSession.user_id)
        .outerjoin(Player, Player.id == User.player_id)
        .where(LoginSession.key_hash.in_(by_hash), LoginSession.expires_at > now)
    )
    return {
        by_hash[row.key_hash]: SessionUser(
            row.id,
            row.discord_id,
            row.display_name,
            row.player_id,
            row.name,
            row.membership is Membership.LEFT,
            frozenset(Role(role) for role in row.roles or ()),
            {name: row._mapping[name] for name in extra},
        )
        for row in rows
    }
