"""Private threads on Discord: made, found again, who is in them, and the one message of ours that is kept true."""

from typing import Any

from slomix.channels.base import Message, Posted
from slomix.channels.discord import NO_MEMBER, Discord, allowed_mentions
from slomix.channels.http import as_object

# https://discord.com/developers/docs/resources/channel
PRIVATE_THREAD = 12
# In minutes; from the list of rooms only: whoever is in a thread still finds it.
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
        found = [one for one in _objects(answer.get("threads")) if wanted.items() <= one.items()]
        # The oldest, so that everybody who looks agrees on one.
        return min((str(one["id"]) for one in found), key=int, default=None)

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

    def find_message(self, thread: str, beginning: str) -> Posted | None:
        me = self._me()
        for one in _objects(self._discord.ask("GET", f"/channels/{thread}/messages?limit={NEWEST_MESSAGES}")):
            content = str(one.get("content", ""))
            if as_object(one.get("author")).get("id") == me and content.startswith(beginning):
                return Posted(str(one["id"]), content)
        return None

    def edit(self, thread: str, message_id: str, message: Message) -> None:
        body = {"content": message.text, "allowed_mentions": allowed_mentions(message)}
        self._discord.request("PATCH", f"/channels/{thread}/messages/{message_id}", json=body)

    def _me(self) -> str:
        """The bot's own account; it never changes, so it is asked for once."""
        if self._own_id is None:
            self._own_id = str(self._discord.request("GET", "/users/@me")["id"])
        return self._own_id


def _objects(value: Any) -> list[dict[str, Any]]:
    return [as_object(one) for one in value] if isinstance(value, list) else []
