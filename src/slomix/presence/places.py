"""Where a game night takes place: the voice room and the game server."""

from slomix.config.settings import Settings
from slomix.presence.rules import VoiceRooms


def rooms(settings: Settings) -> VoiceRooms:
    """Return which voice rooms mean something here."""
    return VoiceRooms(frozenset(settings.gaming_voice_channels), settings.afk_voice_channel)


def voice_room_url(settings: Settings) -> str | None:
    """Return the URL that opens the first gaming room in Discord; None if none is configured."""
    if not settings.gaming_voice_channels or not settings.discord_guild_id:
        return None
    return f"https://discord.com/channels/{settings.discord_guild_id}/{settings.gaming_voice_channels[0]}"


def game_server_address(settings: Settings) -> str | None:
    """Return the address for /connect in the game; None if no game server is configured."""
    host, port = settings.game_server_host, settings.game_server_port
    if not host:
        return None
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
