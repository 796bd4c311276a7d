"""Gives people all that is stored about them."""

from datetime import date, datetime, time
from typing import Any

from flask import Blueprint, jsonify
from sqlalchemy import Text, any_, cast, func, literal, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from slomix.accounts.acting import check_fresh_login
from slomix.accounts.models import GrantedRole, LinkEvent, LoginSession, Player, ProfileRequest, User
from slomix.accounts.rules import LINK_ACTIONS
from slomix.availability.models import CalendarFeed, Entry
from slomix.campaigns.models import Campaign, Recipient
from slomix.chat.models import WaitingStatus
from slomix.config.settings import Settings
from slomix.contacts import service as contacts
from slomix.contacts.encryption import CannotDecrypt
from slomix.contacts.models import Contact, LinkCode, StoredPreferences
from slomix.deliveries.models import Attempt, Delivery
from slomix.planning.models import Room, RoomThread, TeamMember, TeamName, Vote
from slomix.presence.models import VoiceState
from slomix.reasons.codes import Explanation
from slomix.web import current, gates
from slomix.web.reading import reading

blueprint = Blueprint("my_data", __name__)


@blueprint.get("/profile/data.json")
def download() -> Response:
    """Send the viewer a file with all their data, addresses in full."""
    with reading() as session:
        user_id = gates.require_user().user_id
        check_fresh_login(session)
        found = collect_data(session, user_id, settings=current.runtime().settings, now=current.now())
    answer = jsonify(found)
    answer.headers["Content-Disposition"] = 'attachment; filename="slomix-my-data.json"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def collect_data(session: Session, user_id: int, *, settings: Settings, now: datetime) -> dict[str, Any]:
    """Collect all data about a user, by topic, named as in the glossary."""
    user = session.get_one(User, user_id)
    person = {
        "discord_id": user.discord_id,
        "discord_username": user.discord_username,
        "display_name": user.display_name,
        "member_of_our_server": user.membership,
        "first_login_at": user.created_at,
        "last_login_at": user.last_login_at,
        "language": user.language,
        "links_confirmed_by_an_admin_since": user.must_ask_since,
        "new_links_seen_at": user.links_seen_at,
        "membership_seen_at": user.membership_seen_at,
    }
    # Of before the first login, when the log knew no account.
    grants = select(cast(GrantedRole.number, Text)).where(GrantedRole.discord_id == user.discord_id)
    of_user: dict[str, Any] = {
        "logins": select(
            LoginSession.created_at, LoginSession.last_used_at, LoginSession.expires_at, LoginSession.browser
        ).where(LoginSession.user_id == user_id),
        "did_as_admin": select(LinkEvent.at, LinkEvent.action)
        .where(LinkEvent.actor == str(user_id))
        .order_by(LinkEvent.id),
        "statuses_without_a_player": select(WaitingStatus.day, WaitingStatus.status, WaitingStatus.said_at).where(
            WaitingStatus.discord_id == user.discord_id
        ),
        "in_voice": select(VoiceState.voice_channel_id, VoiceState.since).where(
            VoiceState.discord_id == user.discord_id
        ),
        "planning_threads": select(Room.day, RoomThread.thread_id)
        .join(Room, Room.id == RoomThread.session_id)
        .where(literal(user.discord_id) == any_(RoomThread.members))
        .order_by(Room.day),
        "roles": select(GrantedRole.role, GrantedRole.granted_at).where(GrantedRole.discord_id == user.discord_id),
        "claims": select(
            Player.guid,
            ProfileRequest.note,
            ProfileRequest.created_at,
            ProfileRequest.settled_at,
            ProfileRequest.was_granted,
        )
        .join(Player, Player.id == ProfileRequest.player_id)
        .where(ProfileRequest.user_id == user_id),
        "log_of_links": select(LinkEvent.at, LinkEvent.action, LinkEvent.details)
        .where((LinkEvent.user_id == user_id) | LinkEvent.details["grant"].astext.in_(grants))
        .order_by(LinkEvent.id),
    }
    found: dict[str, Any] = {"made_at": now, "account": person} | _read(session, of_user)
    if user.player is not None:
        found |= {
            "player": {
                "guid": user.player.guid,
                "name": user.player.name,
                "aliases": user.player.aliases,
                "rating": user.player.rating,
            }
        }
        found |= _player_data(session, user.player.id, user, _linked_since(session, user), settings)
    return {name: _plain(value) for name, value in found.items()}


def _linked_since(session: Session, user: User) -> datetime:
    """Return when the user got the profile: what is older belongs to its former owner."""
    linked_at = session.scalar(
        select(func.max(LinkEvent.at)).where(LinkEvent.user_id == user.id, LinkEvent.action.in_(LINK_ACTIONS))
    )
    return linked_at or user.created_at


def _player_data(session: Session, player_id: int, user: User, since: datetime, settings: Settings) -> dict[str, Any]:
    queries: dict[str, Any] = {
        "preferences": select(
            *[column for column in StoredPreferences.__table__.columns if column.name != "player_id"]
        ).where(StoredPreferences.player_id == player_id),
        "statuses": select(Entry.day, Entry.status, Entry.updated_at, Entry.late_until)
        .where(Entry.player_id == player_id, Entry.updated_at >= since)
        .order_by(Entry.day),
        "calendar_feed": select(CalendarFeed.created_at).where(CalendarFeed.player_id == player_id),
        "campaigns_called": select(Campaign.id, Campaign.day, Campaign.status).where(
            Campaign.promoter_id == player_id, Campaign.created_at >= since
        ),
        "campaigns_asked_by": select(
            Recipient.campaign_id,
            Recipient.status,
            Recipient.added_at,
            Recipient.whereabouts,
            Recipient.on_server,
            Recipient.seen_at,
            Recipient.came,
        ).where(Recipient.player_id == player_id, Recipient.added_at >= since),
        "linking_codes": select(LinkCode.channel, LinkCode.requested_at, LinkCode.expires_at).where(
            LinkCode.player_id == player_id
        ),
        "planning_rooms_opened": select(Room.day, Room.created_at)
        .where((Room.created_by == player_id) | (Room.owner_id == player_id), Room.created_at >= since)
        .order_by(Room.day),
        "attempts": select(
            Delivery.event_key, Delivery.channel, Attempt.event, Attempt.status, Attempt.error, Attempt.at
        )
        .join(Attempt, Attempt.delivery_id == Delivery.id)
        .where(Delivery.player_id == player_id, Delivery.created_at >= since)
        .order_by(Attempt.id),
        "planning_rooms": select(Room.day, TeamMember.side, TeamMember.is_captain)
        .join(Room, Room.id == TeamMember.session_id)
        .where(TeamMember.player_id == player_id, Room.created_at >= since)
        .order_by(Room.day),
        "team_names_suggested": select(Room.day, TeamName.name, TeamName.created_at)
        .join(Room, Room.id == TeamName.session_id)
        .where(TeamName.suggested_by == player_id, TeamName.created_at >= since)
        .order_by(TeamName.id),
        "team_names_voted_for": select(Room.day, TeamName.name)
        .select_from(Vote)
        .join(Room, Room.id == Vote.session_id)
        .join(TeamName, TeamName.id == Vote.team_name_id)
        .where(Vote.player_id == player_id, Room.created_at >= since)
        .order_by(Room.day),
        "messages": select(
            Delivery.event_key, Delivery.channel, Delivery.status, Delivery.reason, Delivery.text, Delivery.settled_at
        )
        .where(Delivery.player_id == player_id, Delivery.created_at >= since)
        .order_by(Delivery.id),
    }
    addresses = [
        {
            "channel": contact.channel,
            "address": _address(contact, user, settings),
            "verified_at": contact.verified_at,
            "learned": contact.learned,
            "last_success_at": contact.last_success_at,
            "last_error": contact.last_error,
            "last_error_at": contact.last_error_at,
            "unusable_since": contact.unusable_since,
            "unusable_reason": contact.unusable_reason,
        }
        for contact in contacts.contacts_of(session, player_id).values()
    ]
    return {"contacts": addresses} | _read(session, queries)


def _address(contact: Contact, user: User, settings: Settings) -> str | None:
    """Return the address in full, or None if its key is gone."""
    try:
        return contacts.address_of_route(contact.route, user.discord_id, settings)
    except CannotDecrypt:
        return None


def _read(session: Session, queries: dict[str, Any]) -> dict[str, Any]:
    return {name: [row._asdict() for row in session.execute(query)] for name, query in queries.items()}


def _plain(value: Any) -> Any:
    """Convert a value for JSON; times with their zone."""
    match value:
        case datetime() | date() | time():
            return value.isoformat()
        case Explanation():
            return str(value)
        case dict():
            return {name: _plain(item) for name, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case _:
            return value
