"""A player's own settings, preferences and addresses as JSON."""

import hmac
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, request
from sqlalchemy.orm import Session

from slomix.accounts.acting import as_player, as_profile
from slomix.config.types import is_aci, is_e164
from slomix.contacts import links, preferences, rules, schemas, service
from slomix.contacts.models import StoredPreferences
from slomix.contacts.preferences import Preferences
from slomix.contacts.rules import CODE_LIFETIME, TICKS, ChannelName, QuietHours
from slomix.errors import Invalid, Unavailable
from slomix.i18n import N_, _
from slomix.web import current, gates, rate_limits
from slomix.web.gates import Viewer
from slomix.web.openapi.calls import BRIDGE, LOGGED_IN, PLAYERS, Callers, Calls

blueprint = Blueprint("contacts_api", __name__, url_prefix="/api/availability")
calls = Calls("Settings and addresses")

_COUNTED = {
    "X-RateLimit-Limit": (1, "How many calls an address has in a minute."),
    "X-RateLimit-Remaining": (0, "How many of them are left."),
    "X-RateLimit-Reset": (0, "When the count begins anew, in seconds since 1970."),
}


class BridgeDisabled(Unavailable):
    sentence = N_("No bridge may confirm links here: INTERNAL_API_SECRET is not set.")


class BridgeUnauthorized(gates.LoginNeeded):
    """The caller does not know the bridge's secret."""

    sentence = N_("This is not the secret of the bridge.")


def _bridge() -> None:
    """Raise BridgeDisabled or BridgeUnauthorized unless the caller knows the secret."""
    secret = current.runtime().settings.internal_api_secret.get_secret_value()
    if not secret:
        raise BridgeDisabled
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {secret}".encode()):
        raise BridgeUnauthorized


@blueprint.get("/settings")
@calls.call("readSettings", PLAYERS, "What holds now.")
def read(player_id: int) -> schemas.PlayerSettings:
    """Read the ready sound, and the zone that times are meant in."""
    with current.runtime().transaction() as session:
        return _settings(_wishes(session, player_id))


@blueprint.post("/settings")
@calls.call("changeSettings", PLAYERS, "What holds now.")
def write(_player_id: int, body: schemas.SettingsChange) -> schemas.PlayerSettings:
    """Change the ready sound or the zone; a field left out stays as it was."""
    with as_player() as (session, player_id):
        return _settings(_changed(session, player_id, _columns(body)))


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
    with current.runtime().transaction() as session:
        return _preferences(_wishes(session, who.profile_id))


@blueprint.post("/promotion-preferences")
@calls.call("changePreferences", LOGGED_IN, "What holds now.")
def write_preferences(_who: Viewer, body: schemas.PreferencesChange) -> schemas.PreferencesAnswer:
    """Change what is sent; a field left out stays as it was.

    Switching on is for linked players, switching off for all who are logged in.
    """
    changes = _columns(body)
    with as_profile() as (session, profile_id):
        before = _wishes(session, profile_id)
        after = preferences.read(StoredPreferences(**(before.columns | changes)), zone=before.zone)
        gates.check_may_switch_on(before.switched_on, after.switched_on)
        return _preferences(before if profile_id is None else _changed(session, profile_id, changes))


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
    """Return the fields that were sent, by column of `StoredPreferences`."""
    sent = body.sent_fields()
    if "timezone" in sent:
        sent["timezone"] = sent["timezone"].key
    if "quiet_hours" in sent:
        quiet = sent.pop("quiet_hours")
        sent |= preferences.quiet_columns(QuietHours(quiet.start, quiet.end) if quiet else None)
    return sent


def _wishes(session: Session, player_id: int | None) -> Preferences:
    return preferences.preferences_of(session, player_id, zone=current.runtime().settings.zone)


def _changed(session: Session, player_id: int, columns: Mapping[str, Any]) -> Preferences:
    """Store these changes and return the preferences after them."""
    if columns:
        preferences.change_preferences(
            session, player_id, columns, zone=current.runtime().settings.zone, now=current.now()
        )
        service.plan_introduction(session, player_id, now=current.now())
    return _wishes(session, player_id)


@blueprint.post("/link-token")
@calls.call("makeLinkToken", PLAYERS, {201: "The code."}, problems=(429,))
def link_token(_player_id: int, body: schemas.NewCode) -> schemas.NewCodeAnswer:
    """Make a code to send from the chat that is to be linked.

    It is shown this once. The one before it is worth nothing from now on.
    """
    lasts = CODE_LIFETIME if body.ttl_minutes is None else rules.code_lifetime(body.ttl_minutes)
    with as_player() as (session, player_id):
        code, expires_at = links.new_code(
            session,
            player_id,
            body.channel_type,
            lifetime=lasts,
            settings=current.runtime().settings,
            now=current.now(),
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
    """Confirm that this code came from this address, for a bridge that the operator runs.

    60 calls a minute from one address.
    """
    channel, address = body.channel_type, body.channel_address.strip()
    _check(channel, address)
    with current.runtime().transaction() as session:
        links.confirm_code(
            session, channel, body.token, address, settings=current.runtime().settings, now=current.now()
        )
    return schemas.Confirmed(channel_type=channel, verified=True)


def _check(channel: ChannelName, address: str) -> None:
    """Raise Invalid unless this is an account or number on Signal, or the id of a private chat on Telegram."""
    if channel is ChannelName.SIGNAL and not is_aci(address) and not is_e164(address):
        raise Invalid(
            _("Field {field}: {sentence}").format(
                field="channel_address",
                sentence=_(
                    "That is neither the id of an account on Signal nor a phone number with its country "
                    "code, such as +38640123456."
                ),
            )
        )
    if channel is ChannelName.TELEGRAM and not rules.is_private_chat(address):
        raise Invalid(
            _("Field {field}: {sentence}").format(
                field="channel_address", sentence=_("That is not the id of a private Telegram chat.")
            )
        )


@blueprint.delete("/subscriptions/<channel>")
@calls.call("removeAddress", LOGGED_IN, "There is none now.", problems=(422,))
def unsubscribe(_who: Viewer, channel: schemas.ChannelInput) -> schemas.Removed:
    """Forget the address on this channel; Discord's goes with the account."""
    with as_profile() as (session, profile_id):
        is_gone = profile_id is not None and service.remove_contact(session, profile_id, channel)
    return schemas.Removed(channel_type=channel, removed=is_gone)
