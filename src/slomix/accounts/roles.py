"""Rights that were granted here, beside those from the settings."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from slomix import words
from slomix.accounts import service
from slomix.accounts.models import GrantedRole, User
from slomix.accounts.rules import LinkAction, Role, is_discord_id
from slomix.config.settings import Settings
from slomix.errors import Invalid


class NoSuchRole(Invalid):
    def __init__(self) -> None:
        super().__init__(words.NO_SUCH_ROLE)


class NoSuchDiscordId(Invalid):
    def __init__(self) -> None:
        super().__init__(words.NO_SUCH_DISCORD_ID)


def parse_role(text: str) -> Role:
    """Raise NoSuchRole for anything but the name of one."""
    try:
        return Role(text)
    except ValueError:
        raise NoSuchRole from None


def configured_holders(settings: Settings, role: Role) -> frozenset[str]:
    """Who has this right from the settings, whatever is granted or taken here."""
    return settings.all_admin_ids if role is Role.ADMIN else settings.promoter_discord_ids


def grant(session: Session, discord_id: str, role: Role, *, actor: str | None, now: datetime) -> bool:
    """Give a Discord account a right; False when it has it already. Raise NoSuchDiscordId."""
    if not is_discord_id(discord_id):
        raise NoSuchDiscordId
    granted = session.scalars(
        insert(GrantedRole)
        .values(discord_id=discord_id, role=role, granted_at=now)
        .on_conflict_do_nothing()
        .returning(GrantedRole.role)
    ).one_or_none()
    if granted is None:
        return False
    _record(session, LinkAction.ROLE_GRANTED, discord_id, role, actor, now)
    return True


def revoke(session: Session, discord_id: str, role: Role, *, actor: str | None, now: datetime) -> bool:
    """Take it away, from the next request on; False when it was not granted here."""
    taken = session.scalars(
        delete(GrantedRole)
        .where(GrantedRole.discord_id == discord_id, GrantedRole.role == role)
        .returning(GrantedRole.role)
    ).one_or_none()
    if taken is None:
        return False
    _record(session, LinkAction.ROLE_REVOKED, discord_id, role, actor, now)
    return True


def granted_roles(session: Session) -> list[GrantedRole]:
    """All of them, in the order they were given."""
    return list(session.scalars(select(GrantedRole).order_by(GrantedRole.granted_at, GrantedRole.discord_id)))


def _record(
    session: Session, action: LinkAction, discord_id: str, role: Role, actor: str | None, now: datetime
) -> None:
    user = session.scalars(select(User).where(User.discord_id == discord_id)).one_or_none()
    service.record_action(session, action, user=user, discord_id=discord_id, actor=actor, now=now, role=role)
