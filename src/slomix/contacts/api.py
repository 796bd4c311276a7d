"""A player's own settings, preferences and addresses as JSON."""

import hmac
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, request

from slomix import words
from slomix.accounts import service as accounts
from slomix.config.types import is_e164
from slomix.contacts import links, preferences, rules, schemas, service
from slomix.contacts.models import StoredPreferences
from slomix.contacts.preferences import Preferences
from slomix.contacts.rules import CODE_LIFETIME, TICKS, ChannelName, QuietHours
from slomix.errors import Invalid, NotAllowed, Unavailable
from slomix.web import rate_limits
from slomix.web import responses as web
from slomix.web.openapi.calls import BRIDGE, LOGGED_IN, PLAYERS, Callers, Calls
from slomix.web.responses import Viewer

blueprint = Blueprint("contacts_api", __name__, url_prefix="/api/availability")
calls = Calls("Settings and addresses")

_COUNTED = {
    "X-RateLimit-Limit": (1, "How many calls an address has in a minute."),
    "X-RateLimit-Remaining": (0, "How many of them are left."),
    "X-RateLimit-Reset": (0, "When the count begins anew, in seconds since 1970."),
}


class BridgeDisabled(Unavailable):
    def __init__(self) -> None:
        super().__init__(words.BRIDGE_OFF)


class BridgeUnauthorized(web.LoginNeeded):
    """The caller does not know the bridge's secret."""

    def __init__(self) -> None:
        NotAllowed.__init__(self, words.BRIDGE_UNKNOWN)


def _bridge() -> None:
    """Raise BridgeOff or BridgeUnknown unless the caller knows the secret."""
    secret = web.runtime().settings.internal_api_secret.get_secret_value()
    if not secret:
        raise BridgeDisabled
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {secret}".encode()):
        raise BridgeUnauthorized


@blueprint.get("/settings")
@calls.call("readSettings", PLAYERS, "What holds now.")
def read(player_id: int) -> schemas.PlayerSettings:
    """Read the ready sound, and the zone that times are meant in."""
    return _settings(_wishes(player_id))


@blueprint.post("/settings")
@calls.call("changeSettings", PLAYERS, "What holds now.")
def write(player_id: int, body: schemas.SettingsChange) -> schemas.PlayerSettings:
    """Change the ready sound or the zone; a field left out stays as it was."""
    return _settings(_changed(player_id, _columns(body)))


def _settings(wishes: Preferences) -> schemas.PlayerSettings:
    return schemas.PlayerSettings(
        sound_enabled=wishes.sound.is_on,
        sound_cooldown_seconds=int(wishes.sound.cooldown.total_seconds()),
        timezone=wishes.zone,
    )


@blueprint.get("/promotion-preferences")
@calls.call("readPreferences", LOGGED_IN, "What holds now.")
def read_preferences(who: Viewer) -> schemas.PreferencesAnswer:
    """Read what the viewer wants to hear; without a player that is nothing."""
    return _preferences(_wishes(who.profile_id))


@blueprint.post("/promotion-preferences")
@calls.call("changePreferences", LOGGED_IN, "What holds now.")
def write_preferences(who: Viewer, body: schemas.PreferencesChange) -> schemas.PreferencesAnswer:
    """Change what is sent; a field left out stays as it was.

    Switching on is for linked players, switching off for everybody logged in.
    """
    before, changes = _wishes(who.profile_id), _columns(body)
    after = preferences.read(StoredPreferences(**(before.columns | changes)), zone=before.zone)
    web.check_may_switch_on(before.switched_on, after.switched_on)
    if who.profile_id is None:
        return _preferences(before)
    return _preferences(_changed(who.profile_id, changes))


def _preferences(wishes: Preferences) -> schemas.PreferencesAnswer:
    quiet = wishes.quiet_hours
    return schemas.PreferencesAnswer(
        **{column: kind in wishes.ticked for kind, column in TICKS.items()},
        looking_threshold=wishes.looking_threshold,
        preferred_channel=wishes.preferred_channel,
        quiet_hours=schemas.QuietHoursAnswer(start=quiet.start, end=quiet.end) if quiet else None,
        timezone=wishes.zone,
    )


def _columns(body: schemas.SettingsChange | schemas.PreferencesChange) -> dict[str, Any]:
    """Return what was sent, by column of `Preferences`."""
    sent = body.sent_fields()
    if "timezone" in sent:
        sent["timezone"] = sent["timezone"].key
    if "quiet_hours" in sent:
        quiet = sent.pop("quiet_hours")
        sent |= preferences.quiet_columns(QuietHours(quiet.start, quiet.end) if quiet else None)
    return sent


def _wishes(player_id: int | None) -> Preferences:
    with web.runtime().transaction() as session:
        return preferences.preferences_of(session, player_id, zone=web.runtime().settings.zone)


def _changed(player_id: int, columns: Mapping[str, Any]) -> Preferences:
    """Store these changes and return what holds after them."""
    zone = web.runtime().settings.zone
    with web.runtime().transaction() as session:
        accounts.lock_link(session, web.require_user().user_id, player_id)
        if columns:
            preferences.change_preferences(session, player_id, columns, zone=zone, now=web.now())
        return preferences.preferences_of(session, player_id, zone=zone)


@blueprint.post("/link-token")
@calls.call("makeLinkToken", PLAYERS, {201: "The code."}, problems=(429,))
def link_token(player_id: int, body: schemas.NewCode) -> schemas.NewCodeAnswer:
    """Make a code to send from the chat that is to be linked.

    It is shown this once. The one before it is worth nothing from now on.
    """
    lasts = CODE_LIFETIME if body.ttl_minutes is None else rules.code_lifetime(body.ttl_minutes)
    with web.runtime().transaction() as session:
        accounts.lock_link(session, web.require_user().user_id, player_id)
        code, expires_at = links.new_code(
            session, player_id, body.channel_type, lifetime=lasts, settings=web.runtime().settings, now=web.now()
        )
    return schemas.NewCodeAnswer(token=code, channel_type=body.channel_type, expires_at=expires_at)


@blueprint.post("/link-confirm")
@rate_limits.confirmations
@calls.call(
    "confirmLink",
    Callers(_bridge, (401, 503), BRIDGE),
    "They are linked.",
    problems=(404, 409, 429),
    headers={
        name: {"description": meaning, "schema": {"type": "integer", "minimum": lowest}}
        for name, (lowest, meaning) in _COUNTED.items()
    },
)
def link_confirm(_bridge: None, body: schemas.Confirmation) -> schemas.Confirmed:
    """For a bridge of the operator's: confirm that this code came from this address.

    60 calls a minute from one address.
    """
    channel, address = body.channel_type, body.channel_address.strip()
    _check(channel, address)
    with web.runtime().transaction() as session:
        links.confirm_code(session, channel, body.token, address, settings=web.runtime().settings, now=web.now())
    return schemas.Confirmed(channel_type=channel, verified=True)


def _check(channel: ChannelName, address: str) -> None:
    """Raise Invalid for what cannot be an address there: a phone number, or the id of a private chat."""
    if channel is ChannelName.SIGNAL and not is_e164(address):
        raise Invalid(words.NO_SUCH_NUMBER)
    if channel is ChannelName.TELEGRAM and not rules.is_private_chat(address):
        raise Invalid(words.NO_SUCH_CHAT)


@blueprint.delete("/subscriptions/<channel>")
@calls.call("removeAddress", LOGGED_IN, "There is none now.", problems=(422,))
def unsubscribe(who: Viewer, channel: schemas.ChannelInput) -> schemas.Removed:
    """Forget the address on this channel; Discord's goes with the account."""
    is_gone = False
    if who.profile_id is not None:
        with web.runtime().transaction() as session:
            is_gone = service.remove_contact(session, who.profile_id, channel)
    return schemas.Removed(channel_type=channel, removed=is_gone)
