"""What a picture of the voice rooms says, and when it says nothing."""

from datetime import datetime, timedelta

import pytest

from slomix.presence.rules import VoiceRooms, VoiceSnapshot, VoiceStatus
from tests.configuration import AFK, ROOM
from tests.moments import at

OTHER = "900000000000000099"
NOW = at(21, 0, 30)
SECOND = timedelta(seconds=1)
CONFIGURED = VoiceRooms(frozenset({ROOM, "900000000000000011"}), AFK)
NONE_CONFIGURED = VoiceRooms(frozenset(), AFK)


@pytest.mark.parametrize(
    ("rooms", "room", "whereabouts"),
    [
        (CONFIGURED, ROOM, VoiceStatus.HERE),
        (CONFIGURED, "900000000000000011", VoiceStatus.HERE),
        (CONFIGURED, OTHER, VoiceStatus.ELSEWHERE),
        (CONFIGURED, AFK, VoiceStatus.MISSING),
        (CONFIGURED, None, VoiceStatus.MISSING),
        (NONE_CONFIGURED, ROOM, VoiceStatus.HERE),
        (NONE_CONFIGURED, OTHER, VoiceStatus.HERE),
        (NONE_CONFIGURED, AFK, VoiceStatus.MISSING),
        (NONE_CONFIGURED, None, VoiceStatus.MISSING),
        # Somebody who names the AFK room a gaming room still finds nobody there.
        (VoiceRooms(frozenset({AFK}), AFK), AFK, VoiceStatus.MISSING),
        (VoiceRooms(frozenset(), ""), OTHER, VoiceStatus.HERE),
    ],
)
def test_a_room_says_where_somebody_is(rooms: VoiceRooms, room: str | None, whereabouts: VoiceStatus) -> None:
    assert rooms.voice_status(room) is whereabouts


@pytest.mark.parametrize(
    ("whereabouts", "in_voice"),
    [
        (VoiceStatus.HERE, True),
        (VoiceStatus.ELSEWHERE, True),
        (VoiceStatus.MISSING, False),
        (VoiceStatus.UNKNOWN, False),
    ],
)
def test_who_is_in_another_room_is_not_called(whereabouts: VoiceStatus, in_voice: bool) -> None:
    assert whereabouts.is_in_voice is in_voice


@pytest.mark.parametrize(
    ("seen", "fresh"),
    [
        (NOW, True),
        (NOW - 90 * SECOND, True),
        (NOW - 90.001 * SECOND, False),
        (NOW - timedelta(days=30), False),
        # The clock was set back: a picture of far ahead shows another evening.
        (NOW + 90 * SECOND, True),
        (NOW + 91 * SECOND, False),
        (None, False),
    ],
)
def test_a_picture_is_used_for_ninety_seconds(seen: datetime | None, fresh: bool) -> None:
    assert VoiceSnapshot(seen, {}).is_fresh(NOW, 90 * SECOND) is fresh
