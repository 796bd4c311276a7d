"""Private threads on Discord: their members, and our one message in each."""

from typing import Any

from slomix.channels.base import Message, PostedMessage
from slomix.channels.discord import NO_MEMBER, Discord
from slomix.channels.http import as_object

# https://discord.com/developers/docs/resources/channel
PRIVATE_THREAD = 12
# In minutes. It leaves the list of rooms only: members of a thread still find it.
ARCHIVED_AFTER = 1440
NEWEST_MESSAGES = 50


class DiscordThreads:
    """The threads of our server, over the connections of `discord`. Thread-safe."""

    def __init__(self, discord: Discord, guild_id: str) -> None:
        self._discord = discord
        self._guild_id = guild_id
        self._own_id: str | None = None

    def find(self, parent: str, name: str) -> str | None:
        answer = self._discord.request("GET", f"/guilds/{self._guild_id}/threads/active")
        wanted = {"parent_id": parent, "name": name, "owner_id": self._me(), "type": PRIVATE_THREAD}
        found = [thread for thread in _objects(answer.get("threads")) if wanted.items() <= thread.items()]
        # The oldest, so that all lookups agree.
        return min((str(thread["id"]) for thread in found), key=int, default=None)

    def create(self, parent: str, name: str) -> str:
        body = {
            "name": name,
            "type": PRIVATE_THREAD,
            "auto_archive_duration": ARCHIVED_AFTER,
            "invitable": False,
        }
        made = self._discord.request("POST", f"/channels/{parent}/threads", json=body, carries_message=True)
        return str(made["id"])

    def add(self, thread: str, account: str) -> None:
        self._discord.request("PUT", f"/channels/{thread}/thread-members/{account}", absent=NO_MEMBER)

    def remove(self, thread: str, account: str) -> None:
        self._discord.request("DELETE", f"/channels/{thread}/thread-members/{account}", absent=NO_MEMBER)

    def reopen(self, thread: str) -> None:
        self._discord.request("PATCH", f"/channels/{thread}", json={"archived": False})

    def find_message(self, thread: str, beginning: str) -> PostedMessage | None:
        me = self._me()
        for message in _objects(
            self._discord.request_any("GET", f"/channels/{thread}/messages?limit={NEWEST_MESSAGES}")
        ):
            content = str(message.get("content", ""))
            if as_object(message.get("author")).get("id") == me and content.startswith(beginning):
                return PostedMessage(str(message["id"]), content)
        return None

    def edit(self, thread: str, message_id: str, message: Message) -> None:
        self._discord.edit(thread, message_id, message)

    def _me(self) -> str:
        """Return the bot's own account, which never changes and is therefore asked for once."""
        if self._own_id is None:
            self._own_id = str(self._discord.request("GET", "/users/@me")["id"])
        return self._own_id


def _objects(value: Any) -> list[dict[str, Any]]:
    return [as_object(item) for item in value] if isinstance(value, list) else []
