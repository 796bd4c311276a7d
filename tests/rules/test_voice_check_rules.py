"""What a voice check comes to: who is missing, who is called once more, and when nobody can say."""

import pytest

from slomix.campaigns.voice_rules import VoiceOutcome, VoiceRecipient, judge_voice_check
from slomix.presence.rules import VoiceRooms, VoiceStatus
from tests.configuration import AFK, ROOM
from tests.moments import at

ELSEWHERE = "900000000000000077"
ROOMS = VoiceRooms(frozenset({ROOM}), AFK)
ALICE = VoiceRecipient(1, "a", ("Alice",), was_told=True)
BOB = VoiceRecipient(2, "b", ("Bob", "^1b^2ob"), was_told=True)
UNTOLD = VoiceRecipient(3, "e", ("Erik",), was_told=False)
UNLINKED = VoiceRecipient(4, None, ("Franka",), was_told=True)
EVERYBODY = [ALICE, BOB, UNTOLD, UNLINKED]
NOW, DEADLINE = at(21, 0, 30), at(21, 20, 30)
HERE, AWAY, MISSING, UNKNOWN = VoiceStatus.HERE, VoiceStatus.ELSEWHERE, VoiceStatus.MISSING, VoiceStatus.UNKNOWN


@pytest.mark.parametrize(
    ("voice", "whereabouts", "follow_up"),
    [
        ({}, {1: MISSING, 2: MISSING, 3: MISSING}, [1, 2]),
        ({"a": ROOM}, {1: HERE, 2: MISSING, 3: MISSING}, [2]),
        ({"a": ELSEWHERE, "b": AFK, "e": ROOM}, {1: AWAY, 2: MISSING, 3: HERE}, [2]),
        ({"a": ROOM, "b": ROOM, "stranger": ROOM}, {1: HERE, 2: HERE, 3: MISSING}, []),
    ],
)
def test_who_is_missing_and_was_told_is_called_once_more(
    voice: dict[str, str], whereabouts: dict[int, VoiceStatus], follow_up: list[int]
) -> None:
    verdict = judge_voice_check(EVERYBODY, voice, None, rooms=ROOMS, now=NOW, deadline_at=DEADLINE)
    assert verdict.outcome is VoiceOutcome.JUDGED
    assert verdict.whereabouts == whereabouts
    assert verdict.follow_up == follow_up
    assert verdict.on_server == {}, "there is no telemetry"


@pytest.mark.parametrize(
    ("server", "on_server"),
    [
        ([], {2: False, 3: False}),
        (["^7BOB"], {2: True, 3: False}),
        (["Alice", "erik"], {2: False, 3: True}),
        (["stranger"], {2: False, 3: False}),
    ],
)
def test_of_the_missing_it_says_who_is_on_the_server(server: list[str], on_server: dict[int, bool]) -> None:
    verdict = judge_voice_check(EVERYBODY, {"a": ROOM}, server, rooms=ROOMS, now=NOW, deadline_at=DEADLINE)
    assert verdict.on_server == on_server
    assert verdict.follow_up == [2], "on the server is not in voice"


def test_a_name_that_two_recipients_have_tells_of_neither() -> None:
    namesake = VoiceRecipient(5, "n", ("bob",), was_told=True)
    verdict = judge_voice_check([BOB, namesake], {}, ["Bob"], rooms=ROOMS, now=NOW, deadline_at=DEADLINE)
    assert verdict.on_server == {2: False, 5: False}


def test_without_a_picture_of_voice_nobody_knows_and_nobody_is_called() -> None:
    verdict = judge_voice_check(EVERYBODY, None, ["Bob"], rooms=ROOMS, now=NOW, deadline_at=DEADLINE)
    assert verdict.outcome is VoiceOutcome.NOBODY_KNOWS
    assert verdict.whereabouts == dict.fromkeys((1, 2, 3, 4), UNKNOWN)
    assert (verdict.follow_up, verdict.on_server) == ([], {})


@pytest.mark.parametrize("voice", [None, {}, {"a": ROOM}])
def test_at_the_deadline_it_is_too_late_whatever_is_seen(voice: dict[str, str] | None) -> None:
    verdict = judge_voice_check(EVERYBODY, voice, None, rooms=ROOMS, now=DEADLINE, deadline_at=DEADLINE)
    assert verdict.outcome is VoiceOutcome.TOO_LATE
    assert verdict.whereabouts == dict.fromkeys((1, 2, 3, 4), UNKNOWN)
    assert verdict.follow_up == []


def test_too_late_for_those_whom_no_start_reached_there_is_nothing_to_say() -> None:
    verdict = judge_voice_check([UNTOLD], None, None, rooms=ROOMS, now=DEADLINE, deadline_at=DEADLINE)
    assert (verdict.outcome, verdict.whereabouts) == (VoiceOutcome.TOO_LATE, {})


def test_a_check_without_a_deadline_is_never_too_late() -> None:
    verdict = judge_voice_check([ALICE], {}, None, rooms=ROOMS, now=at(23), deadline_at=None)
    assert (verdict.outcome, verdict.follow_up) == (VoiceOutcome.JUDGED, [1])
