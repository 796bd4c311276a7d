"""DM channels are opened one by one over all processes, and none for a while after Discord has found that too fast."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import redis

from slomix.channels import opening_pace
from slomix.channels.base import RateLimited
from slomix.channels.discord import Discord
from slomix.channels.opening_pace import LocalOpeningPace, OpeningPace, SharedOpeningPace
from slomix.dev.embedded import Servers
from slomix.dev.simulator.people import BOT_TOKEN, GUILD_ID
from tests.simulators import CAST, NOBODY, Simulator

SECOND = timedelta(seconds=1)


@pytest.fixture
def url(servers: Servers) -> str:
    redis.Redis.from_url(servers.redis_url).flushall()
    return servers.redis_url


def wait(pace: OpeningPace, account: str) -> timedelta:
    """How long an account is told to wait; nothing if its channel may be opened now."""
    try:
        pace.acquire(account)
    except RateLimited as later:
        assert later.retry_after is not None
        return later.retry_after
    return timedelta(0)


@pytest.fixture
def in_slow_motion(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn takes so long that no test outlasts it."""
    monkeypatch.setattr(opening_pace, "INTERVAL", timedelta(minutes=10))


def test_each_process_and_account_has_its_turn_in_order(url: str, in_slow_motion: None) -> None:
    processes = [SharedOpeningPace(url) for _ in range(3)]
    assert wait(processes[0], "a") == timedelta(0)
    waits = [wait(processes[number % 3], account) for number, account in enumerate("bcdef")]
    for number, told in enumerate(waits, start=1):
        assert (number - 1) * opening_pace.INTERVAL < told <= number * opening_pace.INTERVAL
    assert wait(processes[2], "b") < opening_pace.INTERVAL, "whoever asks again keeps the turn"
    assert wait(processes[1], "f") < waits[-1]


def test_a_turn_that_is_due_waits_for_the_one_before(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pace = SharedOpeningPace(url)
    assert [wait(pace, account) > timedelta(0) for account in "abc"] == [False, True, True]
    client = redis.Redis.from_url(url)
    for account in "bc":  # both are due by now, and the last opening is long ago
        client.zincrby("slomix:discord:opening:queue", -5_000_000, account)
    client.delete("slomix:discord:opening:last")
    assert wait(pace, "c") == timedelta(0)
    assert timedelta(0) < wait(pace, "b") <= SECOND


def test_after_a_pause_the_turns_begin_anew(url: str, in_slow_motion: None) -> None:
    pace = SharedOpeningPace(url)
    assert [wait(pace, account) > timedelta(0) for account in "abc"] == [False, True, True]
    pace.pause()
    assert wait(SharedOpeningPace(url), "b") == wait(pace, "c") or wait(pace, "b") <= opening_pace.PAUSE
    client = redis.Redis.from_url(url)
    client.delete("slomix:discord:opening:paused", "slomix:discord:opening:last")
    assert [wait(pace, account) > timedelta(0) for account in "cb"] == [False, True]


@pytest.mark.parametrize("make", [LocalOpeningPace, lambda: SharedOpeningPace(f"redis://127.0.0.1:{NOBODY}/0")])
def test_without_redis_a_process_keeps_to_its_share(make: Callable[[], OpeningPace]) -> None:
    pace = make()
    assert wait(pace, "a") == timedelta(0)
    assert 4 * SECOND < wait(pace, "b") <= 5 * SECOND
    pace.pause()
    assert wait(pace, "b") > 100 * SECOND


class Remembering:
    """A pace that grants all and remembers."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.pauses = 0

    def acquire(self, account: str) -> None:
        self.asked.append(account)

    def pause(self) -> None:
        self.pauses += 1


@pytest.mark.parametrize("tries", [1, 15], ids=["too fast", "stopped"])
def test_discord_that_opens_no_more_is_asked_later_and_known_channels_go_on(simulator: Simulator, tries: int) -> None:
    """40003 and 40004 come as 403, and name no time."""
    pace = Remembering()
    discord = Discord(f"{simulator.url}/api/v10", BOT_TOKEN, GUILD_ID, opening_pace=pace)
    known = discord.open_dm(CAST["Alice"].id)
    simulator.client().post("/control/dm-openings", json={"limit": 0, "seconds": 1}).raise_for_status()
    for _ in range(tries):
        with pytest.raises(RateLimited) as refused:
            discord.open_dm(CAST["Bob"].id)
        assert refused.value.retry_after == opening_pace.PAUSE
    assert refused.value.code == (40003 if tries == 1 else 40004)
    assert pace.pauses == tries
    assert discord.open_dm(CAST["Alice"].id) == known, "what is open stays open"
    assert pace.asked == [CAST["Alice"].id, *[CAST["Bob"].id] * tries, CAST["Alice"].id]
    discord.close()
