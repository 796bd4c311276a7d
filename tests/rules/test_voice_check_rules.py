"""What a voice check comes to: who is missing, who is called once more, and when nobody can say."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from slomix.campaigns.voice_rules import VoiceOutcome, VoiceRecipient, due_at, is_evidence, judge_voice_check
from slomix.presence.rules import VoiceRooms, VoiceSnapshot, VoiceStatus
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
    ("told", "seen", "now", "proves"),
    [
        ((0, 0), 20, 30, True),
        ((0, 0), 10, 30, True),
        ((0, 0), 9, 30, False),
        ((0, 0), None, 30, False),
        ((0, 40), 39, 50, False),
        ((0, 40), 40, 50, False),
        ((0, 40), 41, 50, True),
        ((None, 40), 41, 50, True),
        ((None, None), 41, 50, True),
        ((None, None), 29, 50, False),
    ],
)
def test_a_picture_proves_absence_when_it_is_new_and_younger_than_every_notice(
    told: tuple[int | None, ...], seen: int | None, now: int, proves: bool
) -> None:
    """When the Discord process hangs over the start, its last picture shows nobody who came because of it."""

    def moment(second: int | None) -> datetime | None:
        return None if second is None else at(21, 0, second)

    recipients = [replace(ALICE, told_at=moment(second)) for second in told]
    snapshot = VoiceSnapshot(moment(seen), {})
    assert is_evidence(snapshot, recipients, now=at(21, 0, now)) is proves


def test_half_a_minute_is_counted_from_when_the_last_one_was_told() -> None:
    delay = timedelta(seconds=30)
    assert due_at([replace(ALICE, told_at=at(21)), replace(BOB, told_at=at(21, 9))], delay) == at(21, 9, 30)
    assert due_at([UNTOLD], delay) is None


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
    assert verdict.outcome is VoiceOutcome.VOICE_UNKNOWN
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
