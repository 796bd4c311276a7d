"""Private threads on Discord: their members, and our one message in each."""

from typing import Any

from slomix.channels.base import Message, PostedMessage
from slomix.channels.discord import NO_MEMBER, Discord, allowed_mentions
from slomix.channels.discord_answers import read_id, read_list, read_nothing

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
        me = self._me()

        def read_ours(body: Any) -> str | None:
            wanted = (parent, name, me, PRIVATE_THREAD)
            listed = [
                (read_id(thread), (thread.get("parent_id"), thread["name"], thread["owner_id"], thread["type"]))
                for thread in read_list(body["threads"])
            ]
            # The oldest, so that all lookups agree.
            return min((thread_id for thread_id, it in listed if it == wanted), key=int, default=None)

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

    def find_message(self, thread: str, beginning: str) -> PostedMessage | None:
        me = self._me()

        def read_ours(body: Any) -> PostedMessage | None:
            listed = [(m["author"]["id"], PostedMessage(read_id(m), str(m["content"]))) for m in read_list(body)]
            ours = (it for author, it in listed if author == me and it.text.startswith(beginning))
            return next(ours, None)

        return self._discord.request("GET", f"/channels/{thread}/messages?limit={NEWEST_MESSAGES}", read_ours)

    def edit(self, thread: str, message_id: str, message: Message) -> None:
        body = {"content": message.text, "allowed_mentions": allowed_mentions(message)}
        self._discord.request("PATCH", f"/channels/{thread}/messages/{message_id}", read_id, json=body)

    def _me(self) -> str:
        """Return the bot's own account, which never changes and is therefore asked for once."""
        if self._own_id is None:
            self._own_id = self._discord.request("GET", "/users/@me", read_id)
        return self._own_id
