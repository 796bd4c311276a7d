"""A player's own settings as JSON."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint
from sqlalchemy.orm import Session

from slomix import web
from slomix.contacts import service
from slomix.contacts.rules import Sound, SoundTooOften, parse_zone

blueprint = Blueprint("contacts_api", __name__, url_prefix="/api/availability")


@blueprint.get("/settings")
def read() -> dict[str, Any]:
    """The ready sound, and the zone that times are meant in."""
    return _settings(web.the_player())


@blueprint.post("/settings")
@web.api_write
def write() -> dict[str, Any]:
    """Change what is sent; a field left out stays as it was."""
    player_id = web.the_player()
    body = web.json_object()
    with web.runtime().transaction() as session:
        before, zone = _stored(session, player_id)
        if "timezone" in body:
            zone = parse_zone(web.json_text(body, "timezone"))
            service.set_zone(session, player_id, zone, now=web.now())
        cooldown = before.cooldown
        if "sound_cooldown_seconds" in body:
            seconds = body["sound_cooldown_seconds"]
            if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 <= seconds <= 86_400:
                raise SoundTooOften
            cooldown = timedelta(seconds=seconds)
        sound = Sound(web.json_flag(body, "sound_enabled", default=before.is_on), cooldown)
        service.set_sound(session, player_id, sound, zone=zone, now=web.now())
    return _settings(player_id)


def _settings(player_id: int) -> dict[str, Any]:
    with web.runtime().transaction() as session:
        sound, zone = _stored(session, player_id)
    return {
        "sound_enabled": sound.is_on,
        "sound_cooldown_seconds": int(sound.cooldown.total_seconds()),
        "timezone": zone.key,
    }


def _stored(session: Session, player_id: int) -> tuple[Sound, ZoneInfo]:
    stored = service.preferences_of(session, player_id)
    return service.sound_of(session, player_id), ZoneInfo(stored.timezone) if stored else web.runtime().settings.zone
