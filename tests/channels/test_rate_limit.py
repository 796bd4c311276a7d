"""Discord's limits, kept across processes over a real Valkey: as the provider counts, in any second whatever."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from time import monotonic
from typing import Any

import httpx2
import pytest
import redis
import structlog

from slomix.channels import rate_limit
from slomix.channels.base import Address, Message, RateLimited, SendError, TokenRefused
from slomix.channels.discord import Discord
from slomix.channels.http import HttpClient
from slomix.channels.rate_limit import LocalRateLimiter, RateLimitHold, SharedRateLimiter, Slot, parse_hold
from slomix.channels.telegram import Telegram
from slomix.clock import nap, wall_now
from slomix.dev.embedded import Servers
from slomix.dev.simulator.people import BOT_TOKEN, GUILD_ID, TEXT_CHANNEL
from slomix.reasons.codes import Reason
from tests.simulators import CAST, Simulator
from tests.waiting import PATIENCE

SECOND = timedelta(seconds=1)
SLOT = Slot("")
DM, OTHER_DM = "POST /channels/1/messages", "POST /channels/2/messages"


@pytest.fixture
def url(servers: Servers) -> str:
    redis.Redis.from_url(servers.redis_url).flushall()
    return servers.redis_url


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each pause took that was waited for."""
    taken: list[float] = []

    def napping(seconds: float) -> None:
        taken.append(seconds)
        nap(seconds)

    monkeypatch.setattr(rate_limit, "nap", napping)
    return taken


def busiest_second(moments: list[float]) -> int:
    """How many of them lie in the fullest second."""
    return max(sum(1 for other in moments if start <= other < start + 1) for start in moments)


def turn(process: SharedRateLimiter, route: str, pauses: list[float]) -> Slot:
    """A slot; whoever is told to come later does, as a delivery does."""
    while True:
        try:
            return process.acquire(route)
        except RateLimited as busy:
            assert busy.retry_after is not None
            pauses.append(busy.retry_after.total_seconds())
            nap(pauses[-1])


def pauses_for_120(url: str, naps: list[float]) -> float:
    """How long three processes pause for them; never more than fifty leave in any second, however busy the machine."""
    redis.Redis.from_url(url).flushall()
    naps.clear()
    processes = [SharedRateLimiter(url) for _ in range(3)]
    left: list[float] = []

    def leave(number: int) -> None:
        process = processes[number % 3]
        slot = turn(process, f"POST /channels/{number}/messages", naps)
        left.append(monotonic())
        process.mark_sent(slot)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(leave, range(120)))
    assert len(left) == 120
    assert busiest_second(left) <= 50
    return sum(naps) / len(processes)


def test_three_processes_together_stay_below_fifty_in_any_second_and_waste_little(url: str, naps: list[float]) -> None:
    """Two windows have to pass; what the machine takes beside the pauses that are asked for is not counted."""
    few = 2 * rate_limit.WINDOW.total_seconds() * 1.15
    assert any(pauses_for_120(url, naps) < few for _ in range(3)), "one is held up with a slot once, not thrice"


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> timedelta:
    """A short one, as it is waited for."""
    monkeypatch.setattr(rate_limit, "WINDOW", 0.3 * SECOND)
    return rate_limit.WINDOW


def test_a_burst_leaves_at_once(url: str, naps: list[float], window: timedelta) -> None:
    began, one = wall_now(), SharedRateLimiter(url)
    for _ in range(rate_limit.LIMIT):
        one.mark_sent(one.acquire(DM))
    assert naps == []
    one.acquire(DM)
    assert wall_now() - began >= window, "and the next waits for its slot"


def test_a_route_without_room_is_left_alone_by_all_and_keeps_nobody_else(url: str) -> None:
    full = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "30"}
    SharedRateLimiter(url).record_response(DM, full, SLOT)
    another = SharedRateLimiter(url)
    with pytest.raises(RateLimited) as refused:
        another.acquire(DM)
    assert refused.value.retry_after is not None
    left = redis.Redis.from_url(url).pttl(f"slomix:discord:held:{DM}") * SECOND / 1000
    assert left <= refused.value.retry_after <= 30 * SECOND
    another.acquire(OTHER_DM)


def test_a_short_pause_of_one_route_is_not_waited_for_by_all(
    url: str, naps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limit, "MAX_WAIT", 2 * PATIENCE * SECOND)  # so that any pause is a short one
    one = SharedRateLimiter(url)
    one.hold(DM, RateLimitHold(SECOND / 1000, is_route_only=True), SLOT)
    nap(0.002)
    one.acquire(DM)
    one.hold(DM, RateLimitHold(PATIENCE * SECOND, is_route_only=True), SLOT)
    with pytest.raises(RateLimited):
        one.acquire(DM)
    one.acquire(OTHER_DM)
    assert naps == []


def test_an_answer_that_was_overtaken_ends_no_longer_pause(url: str) -> None:
    one = SharedRateLimiter(url)
    for pause in (PATIENCE * SECOND, SECOND / 1000):
        one.hold(DM, RateLimitHold(pause), SLOT)
    nap(0.002)
    with pytest.raises(RateLimited):
        one.acquire(DM)


def test_a_global_429_stops_every_route_of_every_process(url: str) -> None:
    SharedRateLimiter(url).hold(DM, RateLimitHold(PATIENCE * SECOND), SLOT)
    with pytest.raises(RateLimited):
        SharedRateLimiter(url).acquire(OTHER_DM)


# Stops


BAN = RateLimitHold(0.2 * SECOND, reason=Reason.DISCORD_BLOCKS_US, grows=True)
NO_TOKEN = RateLimitHold(0.2 * SECOND, reason=Reason.DISCORD_TOKEN_REFUSED)


def waits(process: SharedRateLimiter, route: str = OTHER_DM) -> SendError:
    with pytest.raises((RateLimited, TokenRefused)) as refused:
        process.acquire(route)
    return refused.value


def probe(process: SharedRateLimiter, route: str = OTHER_DM) -> Slot:
    """The one request that leaves after the pause."""
    pause = waits(process, route).retry_after
    assert pause is not None
    nap(pause.total_seconds())
    slot = process.acquire(route)
    assert slot.is_probe
    return slot


def test_a_stop_holds_everything_everywhere_and_says_why(url: str) -> None:
    assert SharedRateLimiter(url).hold(DM, BAN, SLOT) == BAN.duration
    refused = waits(SharedRateLimiter(url))
    assert (type(refused), refused.reason.code) == (RateLimited, Reason.DISCORD_BLOCKS_US)
    assert refused.retry_after is not None
    assert timedelta(0) < refused.retry_after <= BAN.duration


def test_one_probe_leaves_and_the_first_that_gets_through_releases_all(url: str) -> None:
    one, other = SharedRateLimiter(url), SharedRateLimiter(url)
    one.hold(DM, BAN, SLOT)
    slot = probe(one)
    waits(other)
    waits(one, DM)
    one.record_response(OTHER_DM, {}, slot)
    assert [other.acquire(route).is_probe for route in (DM, OTHER_DM)] == [False, False]


def test_a_probe_that_never_comes_back_is_followed_by_another(url: str) -> None:
    one = SharedRateLimiter(url)
    one.hold(DM, BAN, SLOT)
    probe(one)
    probe(SharedRateLimiter(url))


def test_a_ban_lasts_longer_each_time_and_only_a_probe_prolongs_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one = SharedRateLimiter(url)
    one.hold(DM, BAN, SLOT)
    assert one.hold(DM, BAN, SLOT) <= BAN.duration, "it had left before the ban was known"
    assert one.hold(DM, BAN, probe(one)) == 2 * BAN.duration
    monkeypatch.setattr(rate_limit, "MAX_PROBE_INTERVAL", 3 * BAN.duration)
    assert one.hold(DM, BAN, probe(one)) == 3 * BAN.duration
    assert one.hold(DM, replace(BAN, duration=SECOND), probe(one)) == SECOND, "never less than is asked for"
    one.record_response(DM, {}, probe(one))
    assert one.hold(DM, BAN, SLOT) == BAN.duration, "the next one begins anew"


def test_a_wrong_token_is_tried_once_in_a_while_and_not_more_rarely(url: str) -> None:
    one = SharedRateLimiter(url, "wrong")
    one.hold(DM, NO_TOKEN, SLOT)
    assert isinstance(waits(one), TokenRefused)
    assert one.hold(DM, NO_TOKEN, probe(one)) == NO_TOKEN.duration


def test_a_new_token_is_not_stopped_for_the_old_one(url: str) -> None:
    SharedRateLimiter(url, "wrong").hold(DM, NO_TOKEN, SLOT)
    assert not SharedRateLimiter(url, "right").acquire(DM).is_probe
    waits(SharedRateLimiter(url, "wrong"))


def test_a_stop_of_one_route_lets_the_others_go(url: str) -> None:
    one = SharedRateLimiter(url)
    one.hold(DM, replace(BAN, is_route_only=True), SLOT)
    assert not one.acquire(OTHER_DM).is_probe
    one.record_response(DM, {}, probe(one, DM))
    assert not one.acquire(DM).is_probe


def test_operators_are_told_once_of_a_stop_and_once_of_its_end(url: str) -> None:
    with structlog.testing.capture_logs() as logs:
        one, other = SharedRateLimiter(url), SharedRateLimiter(url)
        for process in (one, other, one):
            process.hold(DM, BAN, SLOT)
        one.hold(DM, BAN, probe(other))
        one.record_response(DM, {}, probe(one))
        one.record_response(DM, {}, one.acquire(DM))
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [
        ("discord.stopped", "error"),
        ("discord.resumed", "info"),
    ]
    assert logs[0]["reason"] == "discord_blocks_us"


@pytest.mark.parametrize(
    ("fault", "error"),
    [({"fault": "cloudflare", "page": 1015}, RateLimited), ({"fault": "token_reset"}, TokenRefused)],
    ids=str,
)
def test_a_hundred_messages_knock_once_while_discord_takes_none(
    url: str, simulator: Simulator, fault: dict[str, Any], error: type[SendError]
) -> None:
    control = simulator.client()
    workers = [
        Discord(f"{simulator.url}/api/v10", BOT_TOKEN, GUILD_ID, rate_limiter=SharedRateLimiter(url, BOT_TOKEN))
        for _ in range(5)
    ]
    control.post("/control/faults", json={"provider": "discord", **fault}).raise_for_status()
    for number in range(100):
        with pytest.raises(error) as refused:
            workers[number % 5].send(Address(str(number)), Message("Hi"), nonce="n")
        assert refused.value.retry_after is not None
        assert refused.value.retry_after > timedelta(seconds=30)
    control.delete("/control/faults").raise_for_status()
    with pytest.raises(SendError):
        workers[0].send(Address(TEXT_CHANNEL, is_room=True), Message("Hi"), nonce="n")
    assert control.get("/control/stats").json()["accepted"] == 0, "the probe is not due yet"
    assert control.get("/control/stats").json()["blocked"] == 1


def test_who_would_have_to_wait_too_long_is_told_so_and_takes_no_turn(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limit, "WINDOW", PATIENCE * SECOND)  # none ends while we look
    one = SharedRateLimiter(url)
    for _ in range(rate_limit.LIMIT):
        one.mark_sent(one.acquire(DM))
    for _ in range(3):
        with pytest.raises(RateLimited) as refused:
            one.acquire(DM)
        assert refused.value.retry_after is not None
        assert refused.value.retry_after < rate_limit.WINDOW, "who was refused did not take a slot"


def test_what_was_begun_and_never_left_counts_for_as_long_as_it_might(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limit, "MAX_WAIT", timedelta(0))
    one = SharedRateLimiter(url)
    store: Any = redis.Redis.from_url(url)
    seconds, microseconds = store.time()
    for _ in range(rate_limit.LIMIT):
        one.acquire(DM)
    ends = [end for _, end in store.zrange("slomix:discord:slots", 0, -1, withscores=True)]
    assert len(ends) == rate_limit.LIMIT
    assert min(ends) >= seconds * 1_000_000 + microseconds + rate_limit.SLOT_LIFETIME / timedelta(microseconds=1)
    assert store.pexpiretime("slomix:discord:slots") * 1000 >= max(ends)
    with pytest.raises(RateLimited):
        one.acquire(DM)


def test_without_redis_each_process_keeps_to_its_share(naps: list[float], window: timedelta) -> None:
    one = SharedRateLimiter("redis://127.0.0.1:1/0")
    began = wall_now()
    for _ in range(rate_limit.MAX_REQUESTS):
        one.acquire(DM)
    assert sum(naps) == 0
    one.acquire(DM)
    assert wall_now() - began >= window
    for hold in (RateLimitHold(SECOND), BAN):
        assert one.hold(DM, hold, SLOT) == hold.duration, "and holds nobody else"
    one.record_response(DM, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "1"}, SLOT)


def test_five_shares_fit_into_the_limit(window: timedelta) -> None:
    assert 5 * rate_limit.MAX_REQUESTS <= 50
    alone, began = LocalRateLimiter(limit=2), wall_now()
    for _ in range(3):
        alone.acquire(DM)
    assert wall_now() - began >= window


@pytest.mark.parametrize(
    ("headers", "hold"),
    [
        ({}, None),
        ({"X-RateLimit-Remaining": "1", "X-RateLimit-Reset-After": "5"}, None),
        (
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "1.5"},
            RateLimitHold(1.5 * SECOND, is_route_only=True),
        ),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "0"}, None),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "soon"}, None),
        ({"X-RateLimit-Remaining": "0"}, None),
    ],
)
def test_what_discords_headers_ask_for(headers: dict[str, str], hold: RateLimitHold | None) -> None:
    assert parse_hold(headers) == hold


def test_a_429_holds_everything_if_either_the_headers_or_the_body_say_so(url: str, simulator: Simulator) -> None:
    channel = Discord(f"{simulator.url}/api/v10", BOT_TOKEN, GUILD_ID, rate_limiter=SharedRateLimiter(url))
    for scope, is_everything in (("user", False), ("shared", False), ("global", True), ("body", True)):
        redis.Redis.from_url(url).flushall()
        fault = {"provider": "discord", "fault": "rate_limit", "retry_after": 30, "times": 1, "scope": scope}
        simulator.client().post("/control/faults", json=fault).raise_for_status()
        with pytest.raises(RateLimited):
            channel.send(Address(TEXT_CHANNEL, is_room=True), Message("Hi"), nonce="n")
        if is_everything:
            waits(SharedRateLimiter(url))
        else:
            SharedRateLimiter(url).acquire(OTHER_DM)


@pytest.mark.parametrize(("code", "is_everything"), [(40003, False), (40004, True)])
def test_a_refusal_that_names_no_time_stops_what_it_is_about(
    url: str, simulator: Simulator, code: int, is_everything: bool
) -> None:
    channel = Discord(f"{simulator.url}/api/v10", BOT_TOKEN, GUILD_ID, rate_limiter=SharedRateLimiter(url))
    fault = {"provider": "discord", "fault": "refusal", "error": code, "at": "open-dm", "times": 1}
    simulator.client().post("/control/faults", json=fault).raise_for_status()
    for name in ("Alice", "Bob"):
        with pytest.raises(RateLimited) as refused:
            channel.send(Address(CAST[name].id), Message("Hi"), nonce="n")
        assert refused.value.retry_after is not None
        assert refused.value.retry_after > timedelta(seconds=50)
    if is_everything:
        waits(SharedRateLimiter(url))
    else:
        SharedRateLimiter(url).acquire(OTHER_DM)


def telegram(url: str) -> Telegram:
    pace = SharedRateLimiter(url, provider="telegram", limit=rate_limit.TELEGRAM_LIMIT, busy=Reason.TELEGRAM_IS_BUSY)
    return Telegram("http://telegram.example", "1:token", rate_limiter=pace)


def test_a_429_of_telegram_holds_every_process_and_not_discord(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(_self: object, _method: str, path: str, **_more: object) -> httpx2.Response:
        asked.append(path)
        return httpx2.Response(429, json={"ok": False, "error_code": 429, "parameters": {"retry_after": 35}})

    monkeypatch.setattr(HttpClient, "request", answer)
    for _ in range(3):
        with pytest.raises(RateLimited) as refused:
            telegram(url).send(Address("1"), Message("Hello"), nonce="n")
        assert refused.value.reason.code is Reason.TELEGRAM_IS_BUSY
        assert refused.value.retry_after is not None
        assert timedelta(0) < refused.value.retry_after <= 35 * SECOND
    assert asked == ["/sendMessage"], "the others do not knock"
    SharedRateLimiter(url).acquire(DM)


def test_telegram_is_sent_less_than_thirty_messages_in_a_second(url: str, naps: list[float]) -> None:
    one, another = (SharedRateLimiter(url, provider="telegram", limit=rate_limit.TELEGRAM_LIMIT) for _ in range(2))
    for _ in range(rate_limit.TELEGRAM_LIMIT // 2):
        for process in (one, another):
            process.mark_sent(process.acquire("sendMessage"))
    assert naps == []
    one.acquire("sendMessage")
    assert len(naps) > 0
