"""Our slash commands at Discord, the address to which it posts interactions, and answers that took too long."""

from typing import Any

from slomix.channels.base import SendError
from slomix.channels.discord import HEADERS
from slomix.channels.http import HttpClient, as_object, decode_json
from slomix.reasons.codes import Reason


class DiscordCommands:
    """The application behind the bot. Its requests are few, so they take no part in the shared rate limit.

    The token of an interaction, which is part of an address, must be stored nowhere.
    """

    def __init__(self, base_url: str, bot_token: str) -> None:
        self._http = HttpClient(
            base_url,
            connections=2,
            not_reached=Reason.DISCORD_NOT_REACHED,
            no_answer=Reason.DISCORD_DID_NOT_ANSWER,
            headers={"Authorization": f"Bot {bot_token}", **HEADERS},
        )

    def application(self) -> dict[str, Any]:
        """Return the application as Discord knows it. Raise SendError."""
        return as_object(self._request("GET", "/applications/@me"))

    def set_endpoint(self, url: str) -> None:
        """Tell Discord where to post interactions; it asks there at once. Raise SendError with its objection."""
        self._request("PATCH", "/applications/@me", {"interactions_endpoint_url": url})

    def registered(self, application_id: str, guild_id: str) -> list[dict[str, Any]]:
        """Return the commands of our server as Discord has them. Raise SendError."""
        found = self._request("GET", f"{_path(application_id, guild_id)}?with_localizations=true")
        return [as_object(command) for command in found] if isinstance(found, list) else []

    def register(self, application_id: str, guild_id: str, commands: list[dict[str, Any]]) -> None:
        """Replace the commands of our server. Raise SendError."""
        self._request("PUT", _path(application_id, guild_id), commands)

    def edit_response(self, application_id: str, token: str, message: dict[str, Any]) -> None:
        """Put a message in the place of "thinking…". Raise SendError."""
        self._request("PATCH", f"/webhooks/{application_id}/{token}/messages/@original", message)

    def close(self) -> None:
        self._http.close()

    def _request(self, method: str, path: str, json: Any = None) -> Any:
        response = self._http.request(method, path, json=json)
        said = decode_json(response)
        if not response.is_success or said is None:
            objection = as_object(said).get("message", "")
            raise SendError(Reason.DISCORD_ANSWERED, f"{response.status_code} {objection}".strip())
        return said


def _path(application_id: str, guild_id: str) -> str:
    return f"/applications/{application_id}/guilds/{guild_id}/commands"
