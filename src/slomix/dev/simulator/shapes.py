"""The JSON objects of Discord's API, as far as Slomix reads them."""

import itertools
from typing import Any

from slomix.dev.simulator.people import (
    AFK_VOICE_CHANNEL,
    BOT_USER_ID,
    CLIENT_ID,
    GUILD_ID,
    LOAD_TEST_USERS,
    PEOPLE,
    PEOPLE_BY_ID,
    PUBLIC_KEY,
    TEXT_ROOMS,
    VOICE_ROOMS,
    SimulatedPerson,
    environment,
)
from slomix.dev.simulator.world import AcceptedMessage, SimulatedEvent, SimulatedThread, World

Json = dict[str, Any]

BOT_USER: Json = {
    "id": BOT_USER_ID,
    "username": "slomix",
    "global_name": None,
    "discriminator": "0",
    "avatar": None,
    "bot": True,
    "flags": 0,
    "public_flags": 0,
    "primary_guild": None,
}
OWNER = next(person for person in PEOPLE if person.role == "admin")
# SEND_MESSAGES, CREATE_PRIVATE_THREADS, SEND_MESSAGES_IN_THREADS:
# https://discord.com/developers/docs/topics/permissions
WRITING = 1 << 11 | 1 << 36 | 1 << 38
VIEW_CHANNEL, READ_MESSAGE_HISTORY = 1 << 10, 1 << 16
OF_EVENTS = 1 << 44 | 1 << 33  # CREATE_EVENTS, MANAGE_EVENTS
ADMINISTRATOR = 1 << 3  # grants everything everywhere
JOINED_AT = "2024-01-06T19:00:00.000000+00:00"


def user(person: SimulatedPerson) -> Json:
    return {
        "id": person.id,
        "username": person.username,
        "global_name": person.name,
        "discriminator": "0",
        "avatar": None,
        "flags": 0,
        "public_flags": 0,
        "primary_guild": None,
    }


def own_account(user_json: Json) -> Json:
    """Describe an account to itself."""
    return user_json | {"locale": "en-US", "mfa_enabled": True}


def member(user_json: Json) -> Json:
    return {
        "user": user_json,
        "nick": None,
        "avatar": None,
        "banner": None,
        "roles": [],
        "joined_at": JOINED_AT,
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "flags": 0,
        "pending": False,
        "communication_disabled_until": None,
    }


def redirect_uris(port: int) -> list[str]:
    """Return where logins may lead back to, also behind a proxy with a certificate."""
    registered = environment(port)["DISCORD_REDIRECT_URI"]
    return [registered, registered.replace("http://", "https://", 1)]


def application(world: World) -> Json:
    return {
        "id": CLIENT_ID,
        "name": "Slomix (simulated)",
        "icon": None,
        "description": "",
        "bot_public": False,
        "bot_require_code_grant": False,
        "owner": user(OWNER),
        "team": None,
        "verify_key": PUBLIC_KEY,
        "interactions_endpoint_url": world.interactions_endpoint or None,
        "type": None,
        "explicit_content_filter": 0,
        "role_connections_verification_url": None,
        "eligible_oauth2_scopes": ["identify", "guilds", "guilds.members.read", "email", "openid"],
        "approximate_guild_count": 1,
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": len(PEOPLE),
        "flags": 0,
        "flags_new": "0",
        "redirect_uris": redirect_uris(world.port),
    }


def dm_channel(person: SimulatedPerson) -> Json:
    return {"id": person.dm_channel, "type": 1, "last_message_id": None, "flags": 0, "recipients": [user(person)]}


def text_room(world: World, channel_id: str) -> Json:
    denied = (
        world.faults.is_read_only() * WRITING
        | world.faults.hides_rooms() * VIEW_CHANNEL
        | world.faults.hides_history() * READ_MESSAGE_HISTORY
    )
    overwrite = {"id": GUILD_ID, "type": 0, "allow": "0", "deny": str(denied)}
    return _room(channel_id, 0, TEXT_ROOMS[channel_id]) | {
        "permission_overwrites": [overwrite] if denied else [],
        "topic": None,
        "last_message_id": None,
        "rate_limit_per_user": 0,
    }


def voice_room(channel_id: str) -> Json:
    return _room(channel_id, 2, VOICE_ROOMS[channel_id]) | {
        "bitrate": 64000,
        "user_limit": 0,
        "rtc_region": None,
        "rate_limit_per_user": 0,
    }


def _room(channel_id: str, kind: int, name: str) -> Json:
    return {
        "id": channel_id,
        "type": kind,
        "guild_id": GUILD_ID,
        "name": name,
        "position": [*TEXT_ROOMS, *VOICE_ROOMS].index(channel_id),
        "parent_id": None,
        "nsfw": False,
        "permission_overwrites": [],
        "flags": 0,
    }


def event(made: SimulatedEvent) -> Json:
    return {
        "id": made.id,
        "guild_id": GUILD_ID,
        "name": made.name,
        "description": made.description,
        "channel_id": made.channel,
        "creator_id": BOT_USER_ID,
        "creator": BOT_USER,
        "image": None,
        "scheduled_start_time": made.starts_at.isoformat(),
        "scheduled_end_time": made.ends_at.isoformat() if made.ends_at else None,
        "status": made.status,
        "entity_type": made.kind,
        "entity_id": None,
        "recurrence_rule": None,
        "privacy_level": 2,
        "guild_scheduled_event_exceptions": [],
        "entity_metadata": None if made.place is None else {"location": made.place},
    }


def thread(world: World, made: SimulatedThread) -> Json:
    written = [message for message in world.messages if message.channel_id == made.id]
    since = made.made_at_wall.isoformat()
    return {
        "id": made.id,
        "type": made.kind,
        "guild_id": GUILD_ID,
        "name": made.name,
        "parent_id": made.parent,
        "owner_id": BOT_USER_ID,
        "last_message_id": written[-1].id if written else None,
        "rate_limit_per_user": 0,
        "message_count": len(written),
        "total_message_sent": len(written),
        "member_count": len(made.members) + 1,
        "flags": 0,
        "thread_metadata": {
            "archived": made.is_archived,
            "archive_timestamp": since,
            "auto_archive_duration": made.archived_after,
            "locked": False,
            "invitable": made.invitable,
            "create_timestamp": since,
        },
        "member": thread_member(made),
    }


def thread_member(made: SimulatedThread) -> Json:
    """Describe the bot, which is in every thread that it made."""
    return {"id": made.id, "user_id": BOT_USER_ID, "join_timestamp": made.made_at_wall.isoformat(), "flags": 1}


def rooms(world: World) -> list[Json]:
    return [*(text_room(world, room_id) for room_id in TEXT_ROOMS), *map(voice_room, VOICE_ROOMS)]


def guild(world: World) -> Json:
    allowed = (1 << 50) - 1 - ADMINISTRATOR - world.faults.forbids_events() * OF_EVENTS
    everyone = {
        "id": GUILD_ID,
        "name": "@everyone",
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "icon": None,
        "position": 0,
        "permissions": str(allowed),
        "managed": False,
        "mentionable": False,
        "unicode_emoji": None,
        "flags": 0,
    }
    return {
        "id": GUILD_ID,
        "name": "Slomix game nights (simulated)",
        "icon": None,
        "splash": None,
        "discovery_splash": None,
        "home_header": None,
        "incidents_data": None,
        "max_members": 500_000,
        "max_presences": None,
        "max_video_channel_users": 25,
        "max_stage_video_channel_users": 50,
        "nsfw": False,
        "region": "europe",
        "premium_subscription_count": 0,
        "widget_enabled": False,
        "widget_channel_id": None,
        "owner_id": OWNER.id,
        "afk_channel_id": AFK_VOICE_CHANNEL,
        "afk_timeout": 900,
        "verification_level": 1,
        "default_message_notifications": 1,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "premium_tier": 0,
        "premium_progress_bar_enabled": False,
        "preferred_locale": "en-US",
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "public_updates_channel_id": None,
        "safety_alerts_channel_id": None,
        "application_id": None,
        "vanity_url_code": None,
        "description": None,
        "banner": None,
        "roles": [everyone],
        "emojis": [],
        "stickers": [],
        "features": [],
    }


def voice_state(world: World, user_id: str) -> Json:
    """Describe where a person is now; `channel_id` is null for a person who has just left."""
    return {
        "user_id": user_id,
        "channel_id": world.voice.get(user_id),
        "session_id": f"{int(user_id):032x}",
        "deaf": False,
        "mute": False,
        "self_deaf": False,
        "self_mute": False,
        "self_video": False,
        "self_stream": False,
        "suppress": False,
        "request_to_speak_timestamp": None,
    }


def voice_update(world: World, user_id: str) -> Json:
    person = member(user(PEOPLE_BY_ID[user_id]))
    return voice_state(world, user_id) | {"guild_id": GUILD_ID, "member": person}


def guild_create(world: World) -> Json:
    """Describe the whole server, with the few members that a bot without the members intent is shown."""
    return guild(world) | {
        "joined_at": JOINED_AT,
        "large": False,
        "unavailable": False,
        "member_count": len(PEOPLE) + len(LOAD_TEST_USERS) + 1,
        "channels": rooms(world),
        "threads": [],
        "voice_states": [voice_state(world, user_id) for user_id in world.voice],
        "members": [member(BOT_USER), *(member(user(PEOPLE_BY_ID[user_id])) for user_id in world.voice)],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def numbered(components: list[Json]) -> list[Json]:
    """Give each component a number, rows before what is in them."""
    numbers = itertools.count(1)

    def number(found: list[Json]) -> list[Json]:
        listed = [component | {"id": next(numbers)} for component in found]
        inner = (number(component["components"]) if "components" in component else None for component in listed)
        return [
            component if held is None else component | {"components": held}
            for component, held in zip(listed, inner, strict=True)
        ]

    return number(components)


def message(sent: AcceptedMessage, *, nonce: str | None) -> Json:
    """Describe a message; only the answer to its sender has its nonce."""
    shape = {
        "id": sent.id,
        "channel_id": sent.channel_id,
        "type": 0,
        "content": sent.content,
        "author": user(sent.author) if sent.author else BOT_USER,
        "timestamp": sent.accepted_at_wall.isoformat(),
        "edited_timestamp": sent.edited_at_wall.isoformat() if sent.edited_at_wall else None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "components": numbered(sent.components),
        "pinned": False,
        "flags": 0,
    }
    return shape if nonce is None else shape | {"nonce": nonce}
