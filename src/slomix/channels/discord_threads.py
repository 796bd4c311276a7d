"""Private threads on Discord: their members, and our one message in each."""

from collections.abc import Collection
from typing import Any

from slomix.channels.base import Message, PostedMessage
from slomix.channels.discord import NO_MEMBER, Discord
from slomix.channels.discord_answers import read_id, read_list, read_nothing
from slomix.channels.discord_history import created_at

# https://discord.com/developers/docs/resources/channel
PRIVATE_THREAD = 12
# In minutes. It leaves the list of rooms only: members of a thread still find it.
ARCHIVED_AFTER = 1440


class DiscordThreads:
    """The threads of our server, over the connections of `discord`. Thread-safe."""

    def __init__(self, discord: Discord, guild_id: str) -> None:
        self._discord = discord
        self._guild_id = guild_id

    def find(self, parent: str, names: Collection[str]) -> str | None:
        me = self._discord.history.own_id()

        def read_ours(body: Any) -> str | None:
            wanted = (parent, me, PRIVATE_THREAD)
            ours = [
                read_id(thread)
                for thread in read_list(body["threads"])
                if (thread.get("parent_id"), thread["owner_id"], thread["type"]) == wanted and thread["name"] in names
            ]
            # The oldest, so that all lookups agree.
            return min(ours, key=int, default=None)

        return self._discord.request("GET", f"/guilds/{self._guild_id}/threads/active", read_ours)

    def create(self, parent: str, name: str) -> str:
        body = {
            "name": name,
            "type": PRIVATE_THREAD,
            "auto_archive_duration": ARCHIVED_AFTER,
            "invitable": False,
        }
        return self._discord.request("POST", f"/channels/{parent}/threads", read_id, json=body, carries_message=True)

    def add(self, thread: str, account: str) -> None:
        path = f"/channels/{thread}/thread-members/{account}"
        self._discord.request_or_none("PUT", path, read_nothing, absent=NO_MEMBER)

    def remove(self, thread: str, account: str) -> None:
        path = f"/channels/{thread}/thread-members/{account}"
        self._discord.request_or_none("DELETE", path, read_nothing, absent=NO_MEMBER)

    def reopen(self, thread: str) -> None:
        self._discord.request("PATCH", f"/channels/{thread}", read_id, json={"archived": False})

    def find_message(self, thread: str, beginnings: tuple[str, ...]) -> PostedMessage | None:
        newest = None
        for message in self._discord.history.written_by_us(thread, since=created_at(thread)):
            content = str(message.get("content", ""))
            if content.startswith(beginnings):
                newest = PostedMessage(str(message["id"]), content)
        return newest

    def edit(self, thread: str, message_id: str, message: Message) -> None:
        self._discord.edit(thread, message_id, message)
