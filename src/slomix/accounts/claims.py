"""Claims to a profile: by somebody who finds theirs taken, or by everybody where an admin confirms links."""

from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from slomix import words
from slomix.accounts import service
from slomix.accounts.models import Claim, LinkEvent, Player, User
from slomix.accounts.rules import LINKING, LinkAction
from slomix.errors import Conflict, Invalid, NotFound

NOTE_LENGTH = 500


class ClaimOpen(Conflict):
    """One claim at a time."""

    def __init__(self) -> None:
        super().__init__(words.CLAIM_OPEN)


class NoteTooLong(Invalid):
    def __init__(self) -> None:
        super().__init__(words.NOTE_TOO_LONG.format(length=NOTE_LENGTH))


class ClaimSettled(Conflict):
    def __init__(self) -> None:
        super().__init__(words.CLAIM_SETTLED)


class NoSuchClaim(NotFound):
    def __init__(self) -> None:
        super().__init__(words.NO_SUCH_CLAIM)


def claim(session: Session, user: User, player: Player, note: str, *, now: datetime) -> Claim:
    """Ask an admin for this profile. Raise ClaimOpen while an earlier one is not settled."""
    if len(note) > NOTE_LENGTH:
        raise NoteTooLong
    made = Claim(user_id=user.id, player_id=player.id, note=note.strip(), created_at=now)
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError as error:
        raise ClaimOpen from error
    service.record(session, LinkAction.PLAYER_CLAIMED, user=user, now=now, guid=player.guid)
    return made


def open_claim(session: Session, user_id: int) -> Claim | None:
    """What this user waits for."""
    return session.scalars(select(Claim).where(Claim.user_id == user_id, Claim.settled_at.is_(None))).one_or_none()


def open_claims(session: Session) -> list[Claim]:
    """What admins have to settle, oldest first."""
    return list(session.scalars(select(Claim).where(Claim.settled_at.is_(None)).order_by(Claim.id)))


def unsettled(session: Session, claim_id: int) -> Claim:
    """A claim that an admin may settle. Raise NoSuchClaim or ClaimSettled."""
    claim = session.get(Claim, claim_id)
    if claim is None:
        raise NoSuchClaim
    if claim.settled_at is not None:
        raise ClaimSettled
    return claim


def settle(session: Session, claim_id: int, *, is_granted: bool, now: datetime) -> Claim:
    """Close a claim, once. Raise ClaimSettled when somebody did already, or took it back."""
    settled = session.scalars(
        update(Claim)
        .where(Claim.id == claim_id, Claim.settled_at.is_(None))
        .values(settled_at=now, was_granted=is_granted)
        .returning(Claim)
    ).one_or_none()
    if settled is None:
        raise ClaimSettled
    return settled


def withdraw(session: Session, user_id: int, *, now: datetime) -> None:
    """The user takes their claim back, or got what they wanted."""
    session.execute(update(Claim).where(Claim.user_id == user_id, Claim.settled_at.is_(None)).values(settled_at=now))


def refuse(session: Session, claim_id: int, *, actor: str, now: datetime) -> Claim:
    """The profile stays with whom it is."""
    refused = settle(session, claim_id, is_granted=False, now=now)
    service.record(session, LinkAction.CLAIM_REFUSED, user=refused.user, actor=actor, now=now, guid=refused.player.guid)
    return refused


def new_links(session: Session, admin_id: int) -> int:
    """Count the links that others made since this admin last looked."""
    return session.scalar(select(_new_links()).where(User.id == admin_id)) or 0


def waiting() -> ColumnElement[int]:
    """Count what is new for an admin, as a column of a query for `User`: open claims and new links."""
    claims = select(func.count()).select_from(Claim).where(Claim.settled_at.is_(None))
    return claims.scalar_subquery() + _new_links()


def _new_links() -> ScalarSelect[int]:
    links = select(func.count()).where(
        LinkEvent.action.in_(LINKING),
        LinkEvent.actor.is_distinct_from(User.discord_id),
        User.links_seen_at.is_(None) | (LinkEvent.at > User.links_seen_at),
    )
    return links.correlate(User).scalar_subquery()


def see_links(session: Session, user: User, until: datetime, *, now: datetime) -> None:
    """The admin has looked at the links made until then; what was seen stays seen."""
    user.links_seen_at = max(user.links_seen_at or until, min(until, now))
