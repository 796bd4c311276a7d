"""Claims to a profile: when it is taken already, or for every link where an admin has to confirm them."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from sqlalchemy import ColumnElement, ScalarSelect, Text, func, select, update
from sqlalchemy import cast as sql_cast
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from slomix.accounts import service
from slomix.accounts.models import LinkEvent, Player, ProfileRequest, User
from slomix.accounts.rules import LINK_ACTIONS, LinkAction
from slomix.errors import Conflict, Invalid, NotFound
from slomix.i18n import N_, _

NOTE_LENGTH = 500


class ProfileRequestPending(Conflict):
    """The user has an open claim already."""

    sentence = N_("You have asked for a profile already. Take that back first, or wait for an admin.")


class NoteTooLong(Invalid):
    sentence = N_("Please tell it in at most {length} characters.")
    values: ClassVar[Mapping[str, object]] = {"length": NOTE_LENGTH}


class ProfileRequestDecided(Conflict):
    sentence = N_("That claim is settled already.")


class NoSuchProfileRequest(NotFound):
    sentence = N_("There is no such claim.")


def request_profile(session: Session, user: User, player: Player, note: str, *, now: datetime) -> ProfileRequest:
    """Ask an admin for this profile, once. Raise ProfileRequestPending while a request for another one is open."""
    if len(note) > NOTE_LENGTH:
        raise NoteTooLong
    if "\0" in note:
        raise Invalid(
            _("{what} has a character that cannot be shown, such as a line break. Type it anew without that.").format(
                what=_("The note")
            )
        )
    made = ProfileRequest(user_id=user.id, player_id=player.id, note=note.strip(), created_at=now)
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError as error:
        earlier = pending_request(session, user.id)
        if earlier is not None and earlier.player_id == player.id:
            return earlier
        raise ProfileRequestPending from error
    service.record_action(session, LinkAction.PLAYER_CLAIMED, user=user, now=now, guid=player.guid)
    return made


def pending_request(session: Session, user_id: int) -> ProfileRequest | None:
    """Return the open request of this user, if any."""
    return session.scalars(
        select(ProfileRequest).where(ProfileRequest.user_id == user_id, ProfileRequest.settled_at.is_(None))
    ).one_or_none()


def pending_requests(session: Session) -> list[ProfileRequest]:
    """Return the requests that admins have to decide, oldest first."""
    return list(
        session.scalars(select(ProfileRequest).where(ProfileRequest.settled_at.is_(None)).order_by(ProfileRequest.id))
    )


def get_pending_request(session: Session, claim_id: int) -> ProfileRequest:
    """Return a request that an admin may decide. Raise NoSuchProfileRequest or ProfileRequestDecided."""
    claim = session.get(ProfileRequest, claim_id)
    if claim is None:
        raise NoSuchProfileRequest
    if claim.settled_at is not None:
        raise ProfileRequestDecided
    return claim


def close_request(session: Session, claim_id: int, *, is_granted: bool, now: datetime) -> ProfileRequest:
    """Close a request, once. Raise ProfileRequestDecided if it was decided or withdrawn meanwhile."""
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
    """Close the open request of a user who takes it back, or got the profile."""
    session.execute(
        update(ProfileRequest)
        .where(ProfileRequest.user_id == user_id, ProfileRequest.settled_at.is_(None))
        .values(settled_at=now)
    )


def refuse_request(session: Session, claim_id: int, *, actor: str, now: datetime) -> ProfileRequest:
    """Refuse a request: the profile stays with its owner."""
    refused = close_request(session, claim_id, is_granted=False, now=now)
    service.record_action(
        session, LinkAction.CLAIM_REFUSED, user=refused.user, actor=actor, now=now, guid=refused.player.guid
    )
    return refused


def count_new_links(session: Session, admin_id: int) -> int:
    """Count the links that others made since this admin last looked."""
    return session.scalar(select(_new_links()).where(User.id == admin_id)) or 0


def count_waiting() -> ColumnElement[int]:
    """Count the open requests and new links for an admin, as a column of a query for `User`."""
    claims = select(func.count()).select_from(ProfileRequest).where(ProfileRequest.settled_at.is_(None))
    return claims.scalar_subquery() + _new_links()


def _new_links() -> ScalarSelect[int]:
    links = select(func.count()).where(
        LinkEvent.action.in_(LINK_ACTIONS),
        LinkEvent.actor.is_distinct_from(sql_cast(User.id, Text)),
        User.links_seen_at.is_(None) | (LinkEvent.at > User.links_seen_at),
    )
    return links.correlate(User).scalar_subquery()


def mark_links_seen(session: Session, user: User, until: datetime, *, now: datetime) -> None:
    """Record that the admin has seen the links made until then; this never goes backwards."""
    before = user.links_seen_at
    user.links_seen_at = max(before or until, min(until, now))
    old, new = before.isoformat() if before else None, user.links_seen_at.isoformat()
    service.record_action(session, LinkAction.LINKS_SEEN, actor=str(user.id), now=now, old=old, new=new)
