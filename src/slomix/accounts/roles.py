"""Grants and revokes roles here, beside those from the settings."""

from datetime import datetime

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix.accounts import service
from slomix.accounts.models import GrantedRole, User
from slomix.accounts.rules import LinkAction, Membership, Role, is_discord_id
from slomix.config.settings import Settings
from slomix.errors import Invalid
from slomix.i18n import N_


class NoSuchRole(Invalid):
    sentence = N_("There is no such role. Pick promoter or admin.")


class NoSuchDiscordId(Invalid):
    sentence = N_("That is not a Discord id. One is a number of about 18 digits.")


def parse_role(text: str) -> Role:
    """Read the name of a role. Raise NoSuchRole."""
    try:
        return Role(text)
    except ValueError:
        raise NoSuchRole from None


def configured_holders(settings: Settings, role: Role) -> frozenset[str]:
    """Return the Discord ids that have this role by the settings, whatever is granted or revoked here."""
    return settings.all_admin_ids if role is Role.ADMIN else settings.promoter_discord_ids


def has_role(session: Session, discord_id: str, role: Role, settings: Settings) -> bool:
    """Check whether a Discord account has this role: by the settings, or granted here to who has not left since."""
    has_left = exists().where(User.discord_id == discord_id, User.membership == Membership.LEFT)
    granted = exists().where(GrantedRole.discord_id == discord_id, GrantedRole.role == role)
    return discord_id in configured_holders(settings, role) or bool(session.scalar(select(granted & ~has_left)))


def grant(session: Session, discord_id: str, role: Role, *, actor: str | None, now: datetime) -> bool:
    """Grant a role to a Discord account; return False if it has it already. Raise NoSuchDiscordId."""
    if not is_discord_id(discord_id):
        raise NoSuchDiscordId
    number = session.scalars(
        insert(GrantedRole)
        .values(discord_id=discord_id, role=role, granted_at=now)
        .on_conflict_do_nothing()
        .returning(GrantedRole.number)
    ).one_or_none()
    if number is None:
        return False
    _record(session, LinkAction.ROLE_GRANTED, discord_id, actor, now, old=None, new=role, grant=number)
    return True


def revoke(session: Session, discord_id: str, role: Role, *, actor: str | None, now: datetime) -> bool:
    """Revoke a role, from the next request on; return False if it was not granted here."""
    number = session.scalars(
        delete(GrantedRole)
        .where(GrantedRole.discord_id == discord_id, GrantedRole.role == role)
        .returning(GrantedRole.number)
    ).one_or_none()
    if number is None:
        return False
    _record(session, LinkAction.ROLE_REVOKED, discord_id, actor, now, old=role, new=None, grant=number)
    return True


def granted_roles(session: Session) -> list[GrantedRole]:
    """Return all granted roles, in the order they were granted."""
    return list(session.scalars(select(GrantedRole).order_by(GrantedRole.granted_at, GrantedRole.discord_id)))


def _record(
    session: Session, action: LinkAction, discord_id: str, actor: str | None, now: datetime, **details: object
) -> None:
    user = session.scalars(select(User).where(User.discord_id == discord_id)).one_or_none()
    service.record_action(session, action, user=user, actor=actor, now=now, **details)
