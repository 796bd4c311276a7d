"""How long the ready sound is silent after it was heard: 30 to 3600 seconds, as typed by a person."""

from datetime import timedelta

import pytest

from slomix.contacts.rules import InvalidCooldown, ReadySound, parse_cooldown


def typed(text: str) -> ReadySound:
    return ReadySound(is_on=True, cooldown=parse_cooldown(text))


@pytest.mark.parametrize(("text", "seconds"), [("30", 30), ("31", 31), ("0480", 480), ("3599", 3599), ("3600", 3600)])
def test_half_a_minute_to_an_hour_is_a_cooldown(text: str, seconds: int) -> None:
    assert typed(text).cooldown == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["0", "29", "3601", "9999"])
def test_a_number_outside_is_refused_with_its_limits(text: str) -> None:
    with pytest.raises(InvalidCooldown, match="30 to 3600 seconds"):
        typed(text)


@pytest.mark.parametrize(
    "text",
    ["", " ", "abc", "٣٠", "３０", "-1", "-480", "+480", "1e3", "480.0", "0x1e", "4_80", " 480", "480\n", "9" * 400],
)
def test_what_is_no_plain_number_is_refused_in_the_same_words(text: str) -> None:
    with pytest.raises(InvalidCooldown, match="30 to 3600 seconds"):
        parse_cooldown(text)


@pytest.mark.parametrize("microseconds", [-1, 1])
def test_the_limits_are_exact(microseconds: int) -> None:
    off = timedelta(microseconds=microseconds)
    edge = timedelta(seconds=30) if microseconds < 0 else timedelta(hours=1)
    assert ReadySound(cooldown=edge).cooldown == edge
    with pytest.raises(InvalidCooldown):
        ReadySound(cooldown=edge + off)


def test_the_sound_is_off_and_waits_eight_minutes_until_somebody_says_otherwise() -> None:
    assert ReadySound() == ReadySound(is_on=False, cooldown=timedelta(minutes=8))


def test_a_cooldown_is_checked_also_while_the_sound_is_off() -> None:
    with pytest.raises(InvalidCooldown):
        ReadySound(is_on=False, cooldown=timedelta(0))
