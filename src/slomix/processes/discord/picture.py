"""The voice rooms of one server, as the gateway's frames tell of them."""

from collections.abc import Mapping
from typing import Any

# Reconnect, invalid session, hello: what follows is repeated or told anew.
_NOT_LIVE = frozenset({7, 9, 10})


class Picture:
    """Who is in which voice room of a server; unknown unless the gateway keeps it up to date.

    discord.py's own picture is no use: it keeps who was in voice before the server was unavailable, and shows what was
    true before the connection was lost until all missed events are repeated.
    """

    def __init__(self, guild_id: str) -> None:
        self._guild_id = guild_id
        self._rooms: dict[str, str] | None = None
        self.is_live = False

    @property
    def rooms(self) -> dict[str, str] | None:
        """The room of each member in voice, or None while that is unknown."""
        return dict(self._rooms) if self.is_live and self._rooms is not None else None

    def disconnect(self) -> None:
        """Know nothing until the gateway says READY or RESUMED."""
        self.is_live = False

    def apply(self, frame: Mapping[str, Any]) -> bool:
        """Take in a frame of the gateway's; return whether the picture may have changed."""
        match frame:
            case {"op": op} if op in _NOT_LIVE:
                self.is_live = False
            case {"t": "READY"}:
                self._rooms, self.is_live = None, True
            case {"t": "RESUMED"}:
                self.is_live = True
            case {"t": "GUILD_CREATE" | "GUILD_DELETE", "d": {"id": self._guild_id} as guild}:
                is_there = frame["t"] == "GUILD_CREATE" and not guild.get("unavailable")
                self._rooms = _rooms(guild) if is_there else None
            case {"t": "VOICE_STATE_UPDATE", "d": {"guild_id": self._guild_id} as state} if self._rooms is not None:
                self._rooms.pop(state["user_id"], None)
                self._rooms |= _rooms({"voice_states": [state]})
            case {"t": "CHANNEL_DELETE", "d": {"id": gone}} if self._rooms is not None:
                self._rooms = {member: room for member, room in self._rooms.items() if room != gone}
            case _:
                return False
        return True


def _rooms(guild: Mapping[str, Any]) -> dict[str, str]:
    return {state["user_id"]: state["channel_id"] for state in guild.get("voice_states", []) if state.get("channel_id")}
