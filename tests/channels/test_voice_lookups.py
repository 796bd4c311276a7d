"""Asking where many people are: several at once, all or nobody, and never for longer than agreed."""

import threading
import time
from datetime import timedelta

import pytest

from slomix.channels.base import SendError
from slomix.jobs.rules import LEASE
from slomix.presence import lookups


class Slow:
    """Takes its time for every answer, or until the test is over, and counts how many wait at once."""

    def __init__(self, seconds: float, *, fails_on: str = "", together: int = 1) -> None:
        self.seconds, self.fails_on = seconds, fails_on
        # Nobody is answered before so many have asked.
        self.meeting = threading.Barrier(together, timeout=10)
        self.over = threading.Event()
        self.asked: list[str] = []
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()

    def voice_channel_of(self, discord_id: str) -> str | None:
        with self._lock:
            self.asked.append(discord_id)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        if discord_id == self.fails_on:
            raise SendError("Discord answered 503")
        self.meeting.wait()
        self.over.wait(self.seconds)
        with self._lock:
            self.at_once -= 1
        return None if discord_id.endswith("0") else f"room of {discord_id}"


PEOPLE = [str(number) for number in range(100, 140)]


def test_everybody_is_looked_up_several_at_once() -> None:
    slow = Slow(0.05, together=lookups.AT_ONCE)
    found = lookups.voice_channels(slow, PEOPLE)
    assert found == {one: None if one.endswith("0") else f"room of {one}" for one in PEOPLE}
    assert slow.most_at_once == lookups.AT_ONCE > 1


def test_the_first_failure_ends_it() -> None:
    slow = Slow(10, fails_on="103")
    began = time.monotonic()
    with pytest.raises(SendError, match="503"):
        lookups.voice_channels(slow, PEOPLE)
    assert time.monotonic() - began < 5, "the answers under way are not waited for"
    slow.over.set()
    time.sleep(0.3)
    assert len(slow.asked) < 30, "the others need not be asked any more"


def test_whoever_takes_too_long_is_not_waited_for() -> None:
    slow = Slow(10)
    began = time.monotonic()
    with pytest.raises(SendError, match="too long"):
        lookups.voice_channels(slow, PEOPLE, within=timedelta(seconds=0.2))
    assert time.monotonic() - began < 5
    slow.over.set()
    time.sleep(0.3)
    assert len(slow.asked) <= lookups.AT_ONCE, "and nobody is asked afterwards"


def test_with_the_game_server_after_it_it_fits_into_a_lease() -> None:
    assert lookups.WITHIN + timedelta(seconds=4) < LEASE


def test_nobody_to_look_up_is_nobody_found() -> None:
    assert lookups.voice_channels(Slow(0), []) == {}
