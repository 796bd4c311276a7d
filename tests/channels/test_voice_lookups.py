"""Asking where many people are: several at once, all or nobody, and never for longer than agreed."""

import threading
from datetime import timedelta

import pytest

from slomix.channels.base import SendError
from slomix.jobs.rules import LEASE
from slomix.presence import lookups
from slomix.reasons.codes import Reason
from tests.waiting import PATIENCE, until


class Discord:
    """Answers when so many have asked and it is let, and counts how many wait at once."""

    def __init__(self, *, together: int = 1, is_silent: bool = False, fails_on: str = "") -> None:
        self.together, self.fails_on = together, fails_on
        self.may_answer = threading.Event()
        if not is_silent:
            self.may_answer.set()
        self.asked: list[str] = []
        self.at_once = self.most_at_once = 0
        self._changed = threading.Condition()

    def voice_channel_of(self, discord_id: str) -> str | None:
        with self._changed:
            self.asked.append(discord_id)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: len(self.asked) >= self.together, PATIENCE)
        try:
            if discord_id == self.fails_on:
                raise SendError(Reason.DISCORD_ANSWERED, "503")
            assert self.may_answer.wait(PATIENCE), "it was waited for in vain"
        finally:
            with self._changed:
                self.at_once -= 1
        return None if discord_id.endswith("0") else f"room of {discord_id}"


PEOPLE = [str(number) for number in range(100, 140)]


def let_answer(discord: Discord) -> None:
    """Let the look-ups under way come to their end, all of them."""
    discord.may_answer.set()
    until(
        lambda: not any(thread.name.startswith("voice-lookup") for thread in threading.enumerate()),
        "the end of the look-ups under way",
    )


def test_everybody_is_looked_up_several_at_once() -> None:
    discord = Discord(together=lookups.CONCURRENCY)
    found = lookups.voice_channels(discord, PEOPLE)
    assert found == {one: None if one.endswith("0") else f"room of {one}" for one in PEOPLE}
    assert discord.most_at_once == lookups.CONCURRENCY > 1


def test_the_first_failure_ends_it() -> None:
    discord = Discord(together=lookups.CONCURRENCY, is_silent=True, fails_on="103")
    with pytest.raises(SendError, match="503"):
        lookups.voice_channels(discord, PEOPLE)
    assert discord.at_once >= lookups.CONCURRENCY - 1, "the answers under way are not waited for"
    let_answer(discord)
    assert len(discord.asked) <= lookups.CONCURRENCY + 1, "the others need not be asked any more"


def test_whoever_takes_too_long_is_not_waited_for() -> None:
    discord = Discord(is_silent=True)
    with pytest.raises(SendError, match="too long"):
        lookups.voice_channels(discord, PEOPLE, within=timedelta(seconds=0.1))
    let_answer(discord)
    assert len(discord.asked) <= lookups.CONCURRENCY, "and nobody is asked afterwards"


def test_with_the_game_server_after_it_it_fits_into_a_lease() -> None:
    assert lookups.TIMEOUT + timedelta(seconds=4) < LEASE


def test_nobody_to_look_up_is_nobody_found() -> None:
    assert lookups.voice_channels(Discord(), []) == {}
