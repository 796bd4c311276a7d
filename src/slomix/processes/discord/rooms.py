"""Checks that the bot is in the server and has the permissions it needs in each of its rooms."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import aiohttp
import discord

from slomix.channels.discord import USER_AGENT
from slomix.channels.discord_answers import MISSING_ACCESS, UNKNOWN_CHANNEL, UNKNOWN_MEMBER, UNREADABLE
from slomix.config.settings import Settings
from slomix.processes.discord.process import use_endpoints

# Kept short, as an operator waits for the answer.
ANSWER_WITHIN = 8.0

# Only these say that the bot is not in the server: a proxy answers 403 and 404, too.
NOT_IN_SERVER = {10004, UNKNOWN_MEMBER, MISSING_ACCESS}

VOICE = (discord.VoiceChannel, discord.StageChannel)
# Rooms with a voice have a chat too.
TEXT = (discord.abc.Messageable,)

# What is there already is how an unanswered message is found again.
_WRITES = ("view_channel", "send_messages", "read_message_history")
_EVENTS = ("create_events", "manage_events")
_THREADS = ("view_channel", "create_private_threads", "send_messages_in_threads", "read_message_history")


class InvalidBotToken(Exception):
    """Raised when Discord refuses the bot's token."""


class DiscordSilent(Exception):
    """Raised when Discord gave no readable answer."""


@dataclass(frozen=True)
class _Wanted:
    """A room that a setting names, and the permissions that the bot needs in it."""

    variable: str
    room_id: str
    kind: tuple[type, ...]
    permissions: tuple[str, ...]

    def objection(self, what: str) -> str:
        return f"{self.variable}: {what}"


def check_rooms(settings: Settings) -> list[str]:
    """Return an objection for each setting that the bot cannot work with. Raise InvalidBotToken or DiscordSilent."""
    try:
        return asyncio.run(asyncio.wait_for(_check_rooms(settings), ANSWER_WITHIN))
    except discord.LoginFailure:
        raise InvalidBotToken from None
    except discord.HTTPException as error:
        raise DiscordSilent(f"answers {error.status}") from None
    except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
        raise DiscordSilent(f"does not answer ({type(error).__name__})") from None
    except UNREADABLE as error:
        raise DiscordSilent(f"does not answer in a readable way ({type(error).__name__})") from None


async def _check_rooms(settings: Settings) -> list[str]:
    use_endpoints(settings)
    async with discord.Client(intents=discord.Intents(guilds=True)) as client:
        client.http.user_agent = USER_AGENT
        await client.login(settings.discord_bot_token.get_secret_value())
        if not settings.discord_guild_id or client.user is None:
            return []
        try:
            guild = await client.fetch_guild(int(settings.discord_guild_id), with_counts=False)
            bot = await guild.fetch_member(client.user.id)
        except discord.HTTPException as error:
            if error.code not in NOT_IN_SERVER:
                raise
            return [f"DISCORD_GUILD_ID: the bot is not in the server {settings.discord_guild_id}"]
        found = [await _objection(guild, bot, wanted) for wanted in _wanted(settings) if wanted.room_id]
        if settings.scheduled_event_enabled:
            found.append(_objection_to_events(guild, bot))
    return [objection for objection in found if objection is not None]


def _wanted(settings: Settings) -> Iterator[_Wanted]:
    for variable, room_id in (
        *(("GAMING_VOICE_CHANNELS", room_id) for room_id in settings.gaming_voice_channels),
        ("AFK_VOICE_CHANNEL", settings.afk_voice_channel),
    ):
        yield _Wanted(variable, room_id, VOICE, ("view_channel",))
    for variable, room_id in (
        ("AVAILABILITY_PROMOTION_FOLLOWUP_CHANNEL_ID", settings.followup_channel_id),
        ("AVAILABILITY_DISCORD_ANNOUNCE_CHANNEL_ID", settings.announce_channel_id),
    ):
        yield _Wanted(variable, room_id, TEXT, _WRITES)
    if settings.planning_create_thread:
        variable = "AVAILABILITY_PLANNING_THREAD_PARENT_CHANNEL_ID"
        yield _Wanted(variable, settings.planning_thread_parent, (discord.TextChannel,), _THREADS)


def _objection_to_events(guild: discord.Guild, bot: discord.Member) -> str | None:
    lacking = [name.replace("_", " ") for name in _EVENTS if not getattr(bot.guild_permissions, name)]
    what = f"the bot may not {', '.join(lacking)} in {guild.name}"
    return f"AVAILABILITY_DISCORD_SCHEDULED_EVENT_ENABLED: {what}" if lacking else None


async def _objection(guild: discord.Guild, bot: discord.Member, wanted: _Wanted) -> str | None:
    try:
        room = await guild.fetch_channel(int(wanted.room_id))
    except discord.InvalidData:  # it is in another server
        return wanted.objection(f"there is no room {wanted.room_id} in {guild.name}")
    except discord.HTTPException as error:
        if error.code == UNKNOWN_CHANNEL:
            return wanted.objection(f"there is no room {wanted.room_id} in {guild.name}")
        if error.code == MISSING_ACCESS:
            return wanted.objection(f"the bot may not see the room {wanted.room_id}")
        raise
    except UNREADABLE as error:  # discord.py reads optional fields, too
        return wanted.objection(f"what Discord says of the room {wanted.room_id} cannot be read ({error!r})")
    if not isinstance(room, wanted.kind):
        return wanted.objection(f"{room.name} is no {'voice' if wanted.kind is VOICE else 'text'} room")
    if isinstance(room, discord.Thread):
        return None  # its permissions follow from the parent room, which no setting names
    given = room.permissions_for(bot)
    lacking = [name.replace("_", " ") for name in wanted.permissions if not getattr(given, name)]
    return wanted.objection(f"the bot may not {', '.join(lacking)} in {room.name}") if lacking else None
