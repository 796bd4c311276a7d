"""Who is in voice is known only while the gateway keeps it up to date."""

from typing import Any

import pytest

from slomix.processes.discord.picture import Picture

GUILD, OTHER, ROOM = "8", "9", "80"
HELLO = {"op": 10, "d": {"heartbeat_interval": 41_250}}
READY = {"op": 0, "t": "READY", "d": {"guilds": [{"id": GUILD, "unavailable": True}]}}
RESUMED = {"op": 0, "t": "RESUMED", "d": {}}
OUT_OF_REACH = {"op": 0, "t": "GUILD_DELETE", "d": {"id": GUILD, "unavailable": True}}


def guild(*members: str, guild_id: str = GUILD, **more: Any) -> dict[str, Any]:
    states = [{"user_id": member, "channel_id": ROOM} for member in members]
    return {"op": 0, "t": "GUILD_CREATE", "d": {"id": guild_id, "voice_states": states, **more}}


def moved(member: str, room: str | None, guild_id: str = GUILD) -> dict[str, Any]:
    return {"op": 0, "t": "VOICE_STATE_UPDATE", "d": {"guild_id": guild_id, "user_id": member, "channel_id": room}}


def after(*frames: dict[str, Any]) -> dict[str, str] | None:
    picture = Picture(GUILD)
    for frame in frames:
        picture.apply(frame)
    return picture.rooms


@pytest.mark.parametrize(
    ("frames", "members"),
    [
        ([HELLO], None),
        ([HELLO, READY], None),
        ([HELLO, READY, guild()], ""),
        ([HELLO, READY, guild("1", "2")], "12"),
        ([HELLO, READY, guild("1", guild_id=OTHER)], None),
        ([HELLO, READY, guild("1", unavailable=True)], None),
        ([HELLO, READY, guild("1"), moved("2", ROOM), moved("1", None)], "2"),
        ([HELLO, READY, guild("1"), moved("2", ROOM, OTHER), moved("1", None, OTHER)], "1"),
        ([HELLO, READY, moved("1", ROOM)], None),
        ([HELLO, READY, guild("1"), {"op": 0, "t": "CHANNEL_DELETE", "d": {"id": ROOM}}], ""),
        ([HELLO, READY, guild("1"), OUT_OF_REACH], None),
        ([HELLO, READY, guild("1"), OUT_OF_REACH, guild()], ""),
        ([HELLO, READY, guild("1"), OUT_OF_REACH, moved("1", ROOM)], None),
        ([HELLO, READY, guild("1"), {"op": 7, "d": None}], None),
        ([HELLO, READY, guild("1"), {"op": 9, "d": False}], None),
        ([HELLO, READY, guild("1"), HELLO], None),
        ([HELLO, READY, guild("1"), HELLO, moved("2", ROOM)], None),
        ([HELLO, READY, guild("1"), HELLO, moved("2", ROOM), RESUMED], "12"),
        ([HELLO, READY, guild("1"), HELLO, READY], None),
        ([HELLO, READY, guild("1"), HELLO, READY, guild("3")], "3"),
    ],
    ids=lambda part: None if isinstance(part, str | None) else " ".join(str(one.get("t", one["op"])) for one in part),
)
def test_what_the_frames_tell(frames: list[dict[str, Any]], members: str | None) -> None:
    rooms = after(*frames)
    assert rooms == (None if members is None else dict.fromkeys(members, ROOM))


def test_a_lost_connection_makes_it_unknown_and_resuming_known_again() -> None:
    picture = Picture(GUILD)
    for frame in (HELLO, READY, guild("1")):
        picture.apply(frame)
    picture.disconnect()
    assert picture.rooms is None
    picture.apply(RESUMED)
    assert picture.rooms == {"1": ROOM}


def test_only_frames_about_voice_are_news() -> None:
    picture = Picture(GUILD)
    assert picture.apply(HELLO)
    assert not picture.apply({"op": 11, "d": None})
    assert not picture.apply({"op": 0, "t": "CHANNEL_UPDATE", "d": {"id": ROOM}})
