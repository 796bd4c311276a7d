"""What stands in Discord's rooms and direct messages, for a message whose answer was lost."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from slomix.channels.base import Address, Receipt, SendError
from slomix.channels.discord_answers import MISSING_ACCESS, UNKNOWN_CHANNEL, read_id, read_list
from slomix.channels.http import as_object
from slomix.clock import wall_now
from slomix.reasons.codes import Reason

# https://discord.com/developers/docs/resources/message#get-channel-messages
PAGE = 100
# https://discord.com/developers/docs/reference#snowflakes
EPOCH = datetime.fromisoformat("2015-01-01T00:00:00+00:00")
# https://discord.com/developers/docs/topics/permissions
ADMINISTRATOR, VIEW_CHANNEL, READ_MESSAGE_HISTORY = 1 << 3, 1 << 10, 1 << 16
MAY_READ = VIEW_CHANNEL | READ_MESSAGE_HISTORY
# Threads have no permissions of their own: those of the room they are in count.
THREADS = {10, 11, 12}
# Discord forgets a DM channel that another bot opened, or doesn't show it to us: ours may still open its own.
NOT_OUR_DM = {UNKNOWN_CHANNEL, MISSING_ACCESS}
# Longer than any history we need takes to read, and shorter than a job's lease.
TIME_LIMIT = timedelta(seconds=12)

T = TypeVar("T")


class Api(Protocol):
    """Discord's REST API as far as a look into a room needs it."""

    def request(self, method: str, path: str, read: Callable[[Any], T]) -> T:
        """Return what `read` finds in Discord's answer. Raise SendError."""

    def open_dm(self, user_id: str) -> str:
        """Return the id of the DM channel with this account. Raise SendError."""


class DiscordHistory:
    """Reads what the bot wrote. Thread-safe."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._own_id: str | None = None

    def find(self, to: Address, mark: str, *, since: datetime) -> Receipt | None:
        """Return the receipt of our message with this mark, or None if it is not there.

        Raise SendError if that cannot be known: without the right to read, Discord shows an empty room.
        """
        if to.is_room:
            return self._find_in(to.value, mark, since)
        if to.learned is not None:
            try:
                return self._find_in(to.learned, mark, since, is_dm=True)
            except SendError as error:
                if error.code not in NOT_OUR_DM:
                    raise
        return self._find_in(self._api.open_dm(to.value), mark, since, is_dm=True)

    def _find_in(self, room: str, mark: str, since: datetime, *, is_dm: bool = False) -> Receipt | None:
        for message in self.written_by_us(room, since=since, is_dm=is_dm):
            if has_mark(message, mark):
                return Receipt(str(message["id"]), learned=room if is_dm else None)
        return None

    def written_by_us(self, room: str, *, since: datetime, is_dm: bool = False) -> Iterator[dict[str, Any]]:
        """Yield our messages since then, oldest first. Raise SendError if the room cannot be read to its end."""
        look = _Look(self._api, wall_now() + TIME_LIMIT)
        own_id, after = self.own_id(), _snowflake(since)
        if not is_dm:
            look.check_readable(room, own_id)
        while page := look.page(room, after):
            yield from (message for message in page if as_object(message.get("author")).get("id") == own_id)
            after = int(page[-1]["id"])

    def own_id(self) -> str:
        """Return the bot's own account, which never changes and is therefore asked for once."""
        if self._own_id is None:
            self._own_id = self._api.request("GET", "/users/@me", read_id)
        return self._own_id


@dataclass(frozen=True)
class _Look:
    """One look into a room, which has to end in time."""

    api: Api
    until: datetime

    def page(self, room: str, after: int) -> list[dict[str, Any]]:
        """Return the next messages, oldest first; none at the end."""
        path = f"/channels/{room}/messages?limit={PAGE}&after={after}"
        return sorted(self._get(path, _read_messages), key=lambda message: int(message["id"]))

    def check_readable(self, room: str, own_id: str) -> None:
        """Raise SendError if the bot may not read this room now."""
        channel = self._get(f"/channels/{room}", _with_id)
        if channel.get("type") in THREADS:
            channel = self._get(f"/channels/{channel.get('parent_id')}", _with_id)
        guild = self._get(f"/guilds/{channel.get('guild_id')}", _with_id)
        member = self._get(f"/guilds/{guild['id']}/members/{own_id}", as_object)
        allowed = permissions(guild, channel, account=own_id, roles=member.get("roles"))
        if allowed & MAY_READ != MAY_READ:
            raise SendError(Reason.DISCORD_HIDES_ROOM)

    def _get(self, path: str, read: Callable[[Any], T]) -> T:
        if wall_now() > self.until:
            raise SendError(Reason.DISCORD_TOO_SLOW)
        return self.api.request("GET", path, read)


def has_mark(message: Mapping[str, Any], mark: str) -> bool:
    """Return whether the mark stands in a link of the text, or in the link or the `custom_id` of a button."""
    return mark in str(message.get("content", "")) or any(
        mark in str(button.get(name, "")) for button in _buttons(message) for name in ("custom_id", "url")
    )


def _buttons(component: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield all components, as rows and sections hold further ones."""
    for inner in _objects(component.get("components")):
        yield inner
        yield from _buttons(inner)


def permissions(guild: Mapping[str, Any], channel: Mapping[str, Any], *, account: str, roles: object) -> int:
    """Compute what a member may do in a room; nothing if an answer lacks what that depends on.

    https://discord.com/developers/docs/topics/permissions#permission-overwrites
    """
    guild_id, own = str(guild.get("id")), {str(role) for role in roles} if isinstance(roles, list) else None
    if own is None or not isinstance(guild.get("roles"), list) or "permission_overwrites" not in channel:
        return 0
    granted = _union(_objects(guild["roles"]), {guild_id, *own}, "permissions")
    if guild.get("owner_id") == account or granted & ADMINISTRATOR:
        return ~0
    overwrites = _objects(channel["permission_overwrites"])
    # One after the other, each over the one before: everybody's, those of the member's roles together, the member's.
    for ids in ({guild_id}, own - {guild_id}, {account}):
        granted = granted & ~_union(overwrites, ids, "deny") | _union(overwrites, ids, "allow")
    return granted


def _union(items: Sequence[Mapping[str, Any]], ids: set[str], name: str) -> int:
    found = 0
    for item in items:
        if str(item.get("id")) in ids:
            found |= int(item.get(name) or 0)
    return found


def _objects(value: Any) -> list[dict[str, Any]]:
    return [as_object(item) for item in value] if isinstance(value, list) else []


def _with_id(value: Any) -> dict[str, Any]:
    """Return the object if it has an id. Raise one of UNREADABLE."""
    read_id(value)
    return as_object(value)


def _read_messages(body: Any) -> list[dict[str, Any]]:
    return [_with_id(message) for message in read_list(body)]


def created_at(snowflake: str) -> datetime:
    """Return when the room or message with this id was made."""
    return EPOCH + timedelta(milliseconds=int(snowflake) >> 22)


def _snowflake(moment: datetime) -> int:
    """Return the id that a message of this moment would have."""
    return max(0, (moment - EPOCH) // timedelta(milliseconds=1)) << 22
