"""The scheduled events of our server on Discord.

https://discord.com/developers/docs/resources/guild-scheduled-event
"""

from typing import Any

from slomix.channels.base import EventStatus, ScheduledEvent
from slomix.channels.discord import Discord
from slomix.channels.discord_answers import read_id, read_list

GUILD_ONLY = 2
IN_VOICE, EXTERNAL = 2, 3
LONGEST_NAME = LONGEST_PLACE = 100


class DiscordEvents:
    """The events that this bot made, over the connections of `discord`. Thread-safe."""

    def __init__(self, discord: Discord, guild_id: str) -> None:
        self._discord = discord
        self._guild_id = guild_id

    def find(self, mark: str) -> tuple[str, EventStatus] | None:
        """Return the id and status of our event with this mark, or None; what is over is not listed."""
        own_id = self._discord.history.own_id()

        def read_ours(body: Any) -> tuple[str, EventStatus] | None:
            listed = [
                (read_id(event), EventStatus(event["status"]))
                for event in read_list(body or [])
                if event["creator_id"] == own_id and mark in str(event["description"])
            ]
            return min(listed, key=lambda event: int(event[0]), default=None)

        return self._discord.request("GET", f"/guilds/{self._guild_id}/scheduled-events", read_ours)

    def create(self, event: ScheduledEvent) -> str:
        path = f"/guilds/{self._guild_id}/scheduled-events"
        return self._discord.request("POST", path, read_id, json=_body(event), carries_message=True)

    def change(self, event_id: str, event: ScheduledEvent) -> None:
        path = f"/guilds/{self._guild_id}/scheduled-events/{event_id}"
        self._discord.request("PATCH", path, read_id, json=_body(event))

    def set_status(self, event_id: str, status: EventStatus) -> None:
        path = f"/guilds/{self._guild_id}/scheduled-events/{event_id}"
        self._discord.request("PATCH", path, read_id, json={"status": int(status)})


def _body(event: ScheduledEvent) -> dict[str, Any]:
    """Write an event: in a voice room, or at a place, which then needs an end."""
    body = {
        "name": event.name[:LONGEST_NAME],
        "description": event.description,
        "privacy_level": GUILD_ONLY,
        "scheduled_start_time": event.starts_at.isoformat(),
        "scheduled_end_time": event.ends_at.isoformat(),
    }
    if event.voice_channel:
        return body | {"entity_type": IN_VOICE, "channel_id": event.voice_channel}
    return body | {
        "entity_type": EXTERNAL,
        "channel_id": None,
        "entity_metadata": {"location": event.place[:LONGEST_PLACE]},
    }
