"""Links, unlinks and deletes across accounts, contacts, statuses and teams."""

from datetime import date, datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from slomix.accounts import claims
from slomix.accounts import service as accounts
from slomix.accounts.models import Player, ProfileRequest, User
from slomix.availability import feeds
from slomix.availability import service as availability
from slomix.campaigns import service as campaigns
from slomix.chat.models import WaitingStatus
from slomix.contacts import service as contacts
from slomix.deliveries import service as deliveries
from slomix.planning import service as planning
from slomix.presence import service as presence
from slomix.presence.game_names import plain_name


def link_profile(
    session: Session, user: User, guid: str, *, today: date, now: datetime, actor: str | None = None
) -> Player:
    """Link a user to a player, and clear what belonged to an earlier one. Raise ProfileTaken or NoSuchProfile."""
    accounts.lock_users(session, user)
    before = user.player_id
    player = accounts.link_player(session, user, guid, now=now, actor=actor)
    if before is not None and before != player.id:
        _release_player(session, before, today)
    if before != player.id:
        contacts.delete_contacts_and_preferences(session, player.id)  # nothing of a former owner
    contacts.add_discord(session, player.id, now=now)
    claims.withdraw_request(session, user.id, now=now)
    return player


def choose_profile(
    session: Session, user: User, player: Player, *, needs_approval: bool, today: date, now: datetime
) -> bool:
    """Link a user to the player they chose or, where admins confirm links, ask for it; return whether it is linked.

    Admins also confirm those of users whom one of them unlinked, or who hop between profiles. Raise ProfileTaken or
    ProfileRequestPending.
    """
    needs_approval = needs_approval or accounts.needs_approval(session, user, now=now)
    if not needs_approval:
        link_profile(session, user, player.guid, today=today, now=now)
    elif accounts.user_of_player(session, player) not in {None, user}:
        raise accounts.ProfileTaken(plain_name(player.name))
    elif user.player_id != player.id:
        claims.request_profile(session, user, player, "", now=now)
    return not needs_approval


def unlink_profile(session: Session, user: User, *, today: date, now: datetime, actor: str | None = None) -> None:
    """Unlink a user: delete the contacts, preferences, and statuses from today on of their player."""
    accounts.lock_users(session, user)
    if user.player_id is not None:
        _release_player(session, user.player_id, today)
        accounts.unlink_player(session, user, now=now, actor=actor)


def grant_request(session: Session, claim_id: int, *, actor: str, today: date, now: datetime) -> ProfileRequest:
    """Give a claimed profile to the claimant and unlink its former owner. Raise ProfileRequestDecided."""
    claim = claims.close_request(session, claim_id, is_granted=True, now=now)
    owner = accounts.user_of_player(session, claim.player)
    accounts.lock_users(session, claim.user, *([owner] if owner is not None else []))
    if owner is not None and owner.id != claim.user_id:
        unlink_profile(session, owner, today=today, now=now, actor=actor)
    link_profile(session, claim.user, claim.player.guid, today=today, now=now, actor=actor)
    return claim


def delete_account(session: Session, user: User, *, now: datetime) -> None:
    """Delete an account: sessions, link, contacts, preferences, statuses, roles, and its Discord id in the log.

    The player's profile, which belongs to the game, and the record of messages to it stay.
    """
    accounts.lock_users(session, user)  # before the rooms, as the buttons of the planning room do
    player_id = user.player_id
    planning.lock_all_rooms(session)
    unlink_profile(session, user, today=date.min, now=now)
    if player_id is not None:
        deliveries.clear_texts(session, player_id)
        campaigns.erase_player(session, player_id)
        planning.erase_player(session, player_id, user.discord_id)
    presence.forget_user(session, user.discord_id)
    session.execute(delete(WaitingStatus).where(WaitingStatus.discord_id == user.discord_id))
    accounts.delete_user(session, user, now=now)


def _release_player(session: Session, player_id: int, today: date) -> None:
    contacts.delete_contacts_and_preferences(session, player_id)
    availability.clear_upcoming(session, player_id, today)
    feeds.close_feed(session, player_id)
    planning.release_player(session, player_id, today)
