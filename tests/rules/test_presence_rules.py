"""What a picture of the voice rooms says, and when it says nothing."""

from datetime import datetime, timedelta

import pytest

from slomix.presence.rules import Rooms, VoiceSnapshot, Whereabouts
from tests.configuration import AFK, ROOM
from tests.moments import at

OTHER = "900000000000000099"
NOW = at(21, 0, 30)
SECOND = timedelta(seconds=1)
CONFIGURED = Rooms(frozenset({ROOM, "900000000000000011"}), AFK)
NONE_CONFIGURED = Rooms(frozenset(), AFK)


@pytest.mark.parametrize(
    ("rooms", "room", "whereabouts"),
    [
        (CONFIGURED, ROOM, Whereabouts.HERE),
        (CONFIGURED, "900000000000000011", Whereabouts.HERE),
        (CONFIGURED, OTHER, Whereabouts.ELSEWHERE),
        (CONFIGURED, AFK, Whereabouts.MISSING),
        (CONFIGURED, None, Whereabouts.MISSING),
        (NONE_CONFIGURED, ROOM, Whereabouts.HERE),
        (NONE_CONFIGURED, OTHER, Whereabouts.HERE),
        (NONE_CONFIGURED, AFK, Whereabouts.MISSING),
        (NONE_CONFIGURED, None, Whereabouts.MISSING),
        # Somebody who names the AFK room a gaming room still finds nobody there.
        (Rooms(frozenset({AFK}), AFK), AFK, Whereabouts.MISSING),
        (Rooms(frozenset(), ""), OTHER, Whereabouts.HERE),
    ],
)
def test_a_room_says_where_somebody_is(rooms: Rooms, room: str | None, whereabouts: Whereabouts) -> None:
    assert rooms.whereabouts(room) is whereabouts


@pytest.mark.parametrize(
    ("whereabouts", "in_voice"),
    [
        (Whereabouts.HERE, True),
        (Whereabouts.ELSEWHERE, True),
        (Whereabouts.MISSING, False),
        (Whereabouts.UNKNOWN, False),
    ],
)
def test_who_is_in_another_room_is_not_called(whereabouts: Whereabouts, in_voice: bool) -> None:
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
