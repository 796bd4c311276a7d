"""Claims to a profile: by somebody who finds theirs taken, or by everybody where an admin confirms links."""

from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from slomix import words
from slomix.accounts import service
from slomix.accounts.models import LinkEvent, Player, ProfileRequest, User
from slomix.accounts.rules import LINK_ACTIONS, LinkAction
from slomix.errors import Conflict, Invalid, NotFound

NOTE_LENGTH = 500


class ProfileRequestPending(Conflict):
    """One claim at a time."""

    def __init__(self) -> None:
        super().__init__(words.CLAIM_OPEN)


class NoteTooLong(Invalid):
    def __init__(self) -> None:
        super().__init__(words.NOTE_TOO_LONG.format(length=NOTE_LENGTH))


class ProfileRequestDecided(Conflict):
    def __init__(self) -> None:
        super().__init__(words.CLAIM_SETTLED)


class NoSuchProfileRequest(NotFound):
    def __init__(self) -> None:
        super().__init__(words.NO_SUCH_CLAIM)


def request_profile(session: Session, user: User, player: Player, note: str, *, now: datetime) -> ProfileRequest:
    """Ask an admin for this profile. Raise ClaimOpen while an earlier one is not settled."""
    if len(note) > NOTE_LENGTH:
        raise NoteTooLong
    made = ProfileRequest(user_id=user.id, player_id=player.id, note=note.strip(), created_at=now)
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError as error:
        raise ProfileRequestPending from error
    service.record_action(session, LinkAction.PLAYER_CLAIMED, user=user, now=now, guid=player.guid)
    return made


def pending_request(session: Session, user_id: int) -> ProfileRequest | None:
    """What this user waits for."""
    return session.scalars(
        select(ProfileRequest).where(ProfileRequest.user_id == user_id, ProfileRequest.settled_at.is_(None))
    ).one_or_none()


def pending_requests(session: Session) -> list[ProfileRequest]:
    """What admins have to settle, oldest first."""
    return list(
        session.scalars(select(ProfileRequest).where(ProfileRequest.settled_at.is_(None)).order_by(ProfileRequest.id))
    )


def get_pending_request(session: Session, claim_id: int) -> ProfileRequest:
    """A claim that an admin may settle. Raise NoSuchClaim or ClaimSettled."""
    claim = session.get(ProfileRequest, claim_id)
    if claim is None:
        raise NoSuchProfileRequest
    if claim.settled_at is not None:
        raise ProfileRequestDecided
    return claim


def close_request(session: Session, claim_id: int, *, is_granted: bool, now: datetime) -> ProfileRequest:
    """Close a claim, once. Raise ClaimSettled when somebody did already, or took it back."""
    settled = session.scalars(
        update(ProfileRequest)
        .where(ProfileRequest.id == claim_id, ProfileRequest.settled_at.is_(None))
        .values(settled_at=now, was_granted=is_granted)
        .returning(ProfileRequest)
    ).one_or_none()
    if settled is None:
        raise ProfileRequestDecided
    return settled


def withdraw_request(session: Session, user_id: int, *, now: datetime) -> None:
    """The user takes their claim back, or got what they wanted."""
    session.execute(
        update(ProfileRequest)
        .where(ProfileRequest.user_id == user_id, ProfileRequest.settled_at.is_(None))
        .values(settled_at=now)
    )


def refuse_request(session: Session, claim_id: int, *, actor: str, now: datetime) -> ProfileRequest:
    """The profile stays with whom it is."""
    refused = close_request(session, claim_id, is_granted=False, now=now)
    service.record_action(
        session, LinkAction.CLAIM_REFUSED, user=refused.user, actor=actor, now=now, guid=refused.player.guid
    )
    return refused


def count_new_links(session: Session, admin_id: int) -> int:
    """Count the links that others made since this admin last looked."""
    return session.scalar(select(_new_links()).where(User.id == admin_id)) or 0


def count_waiting() -> ColumnElement[int]:
    """Count what is new for an admin, as a column of a query for `User`: open claims and new links."""
    claims = select(func.count()).select_from(ProfileRequest).where(ProfileRequest.settled_at.is_(None))
    return claims.scalar_subquery() + _new_links()


def _new_links() -> ScalarSelect[int]:
    links = select(func.count()).where(
        LinkEvent.action.in_(LINK_ACTIONS),
        LinkEvent.actor.is_distinct_from(User.discord_id),
        User.links_seen_at.is_(None) | (LinkEvent.at > User.links_seen_at),
    )
    return links.correlate(User).scalar_subquery()


def mark_links_seen(session: Session, user: User, until: datetime, *, now: datetime) -> None:
    """The admin has looked at the links made until then; what was seen stays seen."""
    user.links_seen_at = max(user.links_seen_at or until, min(until, now))
