"""Reads who is looking together with the frame of their page: one statement for any number of viewers."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, or_, select
from sqlalchemy.orm import Session

from slomix.accounts import claims, logins, roles
from slomix.accounts.logins import SessionUser
from slomix.accounts.models import GrantedRole, User
from slomix.accounts.rules import Membership, Role
from slomix.config.settings import Settings
from slomix.contacts import preferences
from slomix.contacts import service as contacts
from slomix.reasons.codes import Explanation
from slomix.runtime.context import Runtime
from slomix.web import reading
from slomix.web.gates import Viewer
from slomix.web.reading import BrokenContact, Frame
from slomix.web.singleflight import Singleflight


class Viewers:
    """Finds the viewer behind a login cookie."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._query = logins.sessions_query(runtime.settings.all_admin_ids, _frame_columns(runtime.settings))
        self._shared = Singleflight(self._read_alone)

    def load(self, session_key: str) -> Viewer | None:
        """Load a viewer in the request's transaction if it has begun, otherwise in one shared with other requests."""
        session = reading.current()
        if session is None:
            return self._shared.get(session_key)
        return self.read(session, {session_key}).get(session_key)

    def read(self, session: Session, session_keys: Collection[str]) -> dict[str, Viewer]:
        """Read the viewers behind these cookies."""
        if not session_keys:
            return {}
        settings, now = self._runtime.settings, self._runtime.clock.now()
        found = logins.users_of_sessions(session, self._query, session_keys, now=now)
        for key, user in found.items():
            if user.is_use_due:
                logins.note_use(session, key, now=now)
        return {key: _viewer(key, user, settings) for key, user in found.items()}

    def _read_alone(self, session_keys: set[str]) -> dict[str, Viewer]:
        with self._runtime.transaction() as session:
            return self.read(session, session_keys)


def _frame_columns(settings: Settings) -> dict[str, ColumnElement[Any]]:
    granted = select(GrantedRole).where(
        GrantedRole.discord_id == User.discord_id,
        GrantedRole.role == Role.ADMIN,
        User.membership != Membership.LEFT,
    )
    is_admin = or_(
        User.discord_id.in_(roles.configured_holders(settings, Role.ADMIN)), granted.correlate(User).exists()
    )
    return {
        "broken": contacts.broken_contacts(User.player_id),
        "unsubscribed": preferences.unsubscribed(User.player_id),
        "sound": preferences.sound_cooldown(User.player_id),
        "waiting": case((is_admin, claims.count_waiting()), else_=0),
    }


def _viewer(session_key: str, user: SessionUser, settings: Settings) -> Viewer:
    def has(role: Role) -> bool:
        return role in user.roles or user.discord_id in roles.configured_holders(settings, role)

    has_left = user.membership is Membership.LEFT
    is_player = user.profile_id is not None and not has_left
    return Viewer(
        user_id=user.user_id,
        session_key=session_key,
        discord_id=user.discord_id,
        display_name=user.display_name,
        profile_id=user.profile_id,
        player_name=user.player_name,
        has_left=has_left,
        is_member=user.membership is Membership.MEMBER,
        is_admin=has(Role.ADMIN),
        is_promoter=has(Role.PROMOTER),
        language=user.language,
        frame=Frame(
            broken_contacts=[_broken(*pair) for pair in user.extra["broken"] or ()] if is_player else (),
            unsubscribed=_unsubscribed(user.extra["unsubscribed"]) if user.extra["unsubscribed"] else None,
            sound_cooldown=user.extra["sound"] if is_player else None,
            waiting=user.extra["waiting"],
        ),
    )


def _broken(channel: str, reason: Mapping[str, Any]) -> BrokenContact:
    return BrokenContact(channel, Explanation.of_json(reason))


def _unsubscribed(pair: Sequence[str]) -> tuple[str, datetime]:
    return pair[1], datetime.fromisoformat(pair[0])
