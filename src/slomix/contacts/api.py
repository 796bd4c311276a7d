"""A player's own settings, preferences and addresses as JSON."""

import hmac
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, request

from slomix import limits, web, words
from slomix.accounts import service as accounts
from slomix.contacts import links, preferences, rules, service
from slomix.contacts.preferences import Wishes
from slomix.contacts.rules import CODE_LASTS, ChannelName, HalfQuietHours, QuietHours, Sound, SoundTooOften
from slomix.errors import Invalid, NotAllowed, Unavailable
from slomix.values import is_e164

blueprint = Blueprint("contacts_api", __name__, url_prefix="/api/availability")


class BridgeOff(Unavailable):
    def __init__(self) -> None:
        super().__init__(words.BRIDGE_OFF)


class BridgeUnknown(web.LoginNeeded):
    """The caller does not know the bridge's secret."""

    def __init__(self) -> None:
        NotAllowed.__init__(self, words.BRIDGE_UNKNOWN)


@blueprint.get("/settings")
def read() -> dict[str, Any]:
    """The ready sound, and the zone that times are meant in."""
    return _settings(_wishes(web.the_player()))


@blueprint.post("/settings")
@web.api_write
def write() -> dict[str, Any]:
    """Change what is sent; a field left out stays as it was."""
    player_id = web.the_player()
    body = web.json_object()
    before = _wishes(player_id)
    changes: dict[str, Any] = {}
    if "timezone" in body:
        changes["zone"] = rules.parse_zone(web.json_text(body, "timezone"))
    cooldown = before.sound.cooldown
    if "sound_cooldown_seconds" in body:
        seconds = body["sound_cooldown_seconds"]
        if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 <= seconds <= 86_400:
            raise SoundTooOften
        cooldown = timedelta(seconds=seconds)
    if {"sound_enabled", "sound_cooldown_seconds"} & body.keys():
        changes["sound"] = Sound(web.json_flag(body, "sound_enabled", default=before.sound.is_on), cooldown)
    return _settings(_changed(player_id, changes))


def _settings(wishes: Wishes) -> dict[str, Any]:
    return {
        "sound_enabled": wishes.sound.is_on,
        "sound_cooldown_seconds": int(wishes.sound.cooldown.total_seconds()),
        "timezone": wishes.zone.key,
    }


@blueprint.get("/promotion-preferences")
def read_preferences() -> dict[str, Any]:
    """What the viewer wants to hear; whoever has no player hears nothing."""
    return _preferences(_wishes(web.the_user().profile_id))


@blueprint.post("/promotion-preferences")
@web.api_write
def write_preferences() -> dict[str, Any]:
    """Change what is sent. Switching on is for linked players, switching off for everybody."""
    who = web.the_user()
    before = _wishes(who.profile_id)
    changes = _changes(web.json_object())
    web.may_switch_on(before.switched_on, Wishes(**(vars(before) | changes)).switched_on)
    if who.profile_id is None:
        return _preferences(before)
    return _preferences(_changed(who.profile_id, changes))


def _changes(body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that were sent, each as it is meant. Raise Invalid."""
    changes: dict[str, Any] = {
        name: web.json_flag(body, name)
        for name in ("allow_promotions", "session_ready", "daily_reminder", "more_needed")
        if name in body
    }
    if "looking_threshold" in body:
        number = body["looking_threshold"]
        if not isinstance(number, int) or isinstance(number, bool):
            raise rules.NoSuchThreshold
        changes["looking_threshold"] = rules.checked_threshold(number)
    if "preferred_channel" in body:
        changes["preferred_channel"] = rules.parse_preferred(web.json_text(body, "preferred_channel"))
    if "timezone" in body:
        changes["zone"] = rules.parse_zone(web.json_text(body, "timezone"))
    if "quiet_hours" in body:
        changes["quiet_hours"] = _quiet_hours(body["quiet_hours"])
    return changes


def _quiet_hours(value: object) -> QuietHours | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not {"start", "end"} <= value.keys():
        raise HalfQuietHours
    return preferences.read_quiet_hours(value["start"], value["end"])


def _preferences(wishes: Wishes) -> dict[str, Any]:
    quiet = wishes.quiet_hours
    return {
        "allow_promotions": wishes.allow_promotions,
        "session_ready": wishes.session_ready,
        "daily_reminder": wishes.daily_reminder,
        "more_needed": wishes.more_needed,
        "looking_threshold": wishes.looking_threshold,
        "preferred_channel": wishes.preferred_channel,
        "quiet_hours": {"start": f"{quiet.start:%H:%M}", "end": f"{quiet.end:%H:%M}"} if quiet else None,
        "timezone": wishes.zone.key,
    }


def _wishes(player_id: int | None) -> Wishes:
    with web.runtime().transaction() as session:
        return preferences.of(session, player_id, zone=web.runtime().settings.zone)


def _changed(player_id: int, changes: Mapping[str, Any]) -> Wishes:
    """What is stored after these changes."""
    zone = web.runtime().settings.zone
    with web.runtime().transaction() as session:
        accounts.hold_link(session, web.the_user().user_id, player_id)
        if changes:
            preferences.change(session, player_id, changes, zone=zone, now=web.now())
        return preferences.of(session, player_id, zone=zone)


@blueprint.post("/link-token")
@web.api_write
def link_token() -> tuple[dict[str, Any], int]:
    """A code to send from the chat that is to be linked; it is shown this once."""
    player_id, now = web.the_player(), web.now()
    body = web.json_object()
    channel = rules.parse_linked_channel(web.json_text(body, "channel_type"))
    lasts = CODE_LASTS
    if body.get("ttl_minutes") is not None:
        minutes = body["ttl_minutes"]
        if not isinstance(minutes, int) or isinstance(minutes, bool):
            raise rules.NoSuchLifetime
        lasts = rules.code_lifetime(minutes)
    with web.runtime().transaction() as session:
        accounts.hold_link(session, web.the_user().user_id, player_id)
        code, expires_at = links.new_code(
            session, player_id, channel, lasts=lasts, settings=web.runtime().settings, now=now
        )
    return {"token": code, "channel_type": channel, "expires_at": expires_at.isoformat()}, 201


@blueprint.post("/link-confirm")
@limits.confirmations
def link_confirm() -> dict[str, Any]:
    """For a bridge of the operator's: this code came from this address."""
    settings = web.runtime().settings
    secret = settings.internal_api_secret.get_secret_value()
    if not secret:
        raise BridgeOff
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {secret}".encode()):
        raise BridgeUnknown
    body = web.json_object()
    channel = rules.parse_linked_channel(web.json_text(body, "channel_type"))
    code, address = web.json_text(body, "token"), web.json_text(body, "channel_address").strip()
    _check(channel, address)
    with web.runtime().transaction() as session:
        links.confirm(session, channel, code, address, settings=settings, now=web.now())
    return {"channel_type": channel, "verified": True}


def _check(channel: ChannelName, address: str) -> None:
    """Raise Invalid for what cannot be an address there: a phone number, or the id of a private chat."""
    if channel is ChannelName.SIGNAL and not is_e164(address):
        raise Invalid(words.NO_SUCH_NUMBER)
    if channel is ChannelName.TELEGRAM and not rules.is_private_chat(address):
        raise Invalid(words.NO_SUCH_CHAT)


@blueprint.delete("/subscriptions/<channel>")
@web.api_write
def unsubscribe(channel: str) -> dict[str, Any]:
    """Forget the address on this channel; Discord's goes with the account."""
    who = web.the_user()
    name = rules.parse_linked_channel(channel)
    is_gone = False
    if who.profile_id is not None:
        with web.runtime().transaction() as session:
            is_gone = service.remove(session, who.profile_id, name)
    return {"channel_type": name, "removed": is_gone}
