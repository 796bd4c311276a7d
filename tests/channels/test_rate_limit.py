"""Discord's limits, kept across processes over a real Valkey: as the provider counts, in any second whatever."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import monotonic
from typing import Any

import httpx2
import pytest
import redis

from slomix.channels import rate_limit
from slomix.channels.base import Address, Message, RateLimited
from slomix.channels.http import HttpClient
from slomix.channels.rate_limit import LocalRateLimiter, RateLimitHold, SharedRateLimiter, parse_hold
from slomix.channels.telegram import Telegram
from slomix.clock import nap, wall_now
from slomix.dev.embedded import Servers
from slomix.reasons.codes import Reason
from tests.waiting import PATIENCE

SECOND = timedelta(seconds=1)
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


def turn(process: SharedRateLimiter, route: str, pauses: list[float]) -> str:
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
    SharedRateLimiter(url).record_response(DM, full)
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
    one.record_response(DM, {}, refused_for=PATIENCE * SECOND)
    with pytest.raises(RateLimited):
        one.acquire(DM)
    one.acquire(OTHER_DM)
    assert naps == []
    one.record_response(DM, {}, refused_for=SECOND / 1000)
    nap(0.002)
    one.acquire(DM)


def test_a_global_429_stops_every_route_of_every_process(url: str) -> None:
    SharedRateLimiter(url).record_response(DM, {"X-RateLimit-Global": "true"}, refused_for=PATIENCE * SECOND)
    with pytest.raises(RateLimited):
        SharedRateLimiter(url).acquire(OTHER_DM)


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
    one.record_response(DM, {}, refused_for=SECOND)  # and says nothing to nobody


def test_five_shares_fit_into_the_limit(window: timedelta) -> None:
    assert 5 * rate_limit.MAX_REQUESTS <= 50
    alone, began = LocalRateLimiter(limit=2), wall_now()
    for _ in range(3):
        alone.acquire(DM)
    assert wall_now() - began >= window


@pytest.mark.parametrize(
    ("headers", "refused_for", "hold"),
    [
        ({}, None, None),
        ({"X-RateLimit-Remaining": "1", "X-RateLimit-Reset-After": "5"}, None, None),
        (
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "1.5"},
            None,
            RateLimitHold(1.5 * SECOND, is_global=False),
        ),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "0"}, None, None),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "soon"}, None, None),
        ({"X-RateLimit-Remaining": "0"}, None, None),
        ({}, 3 * SECOND, RateLimitHold(3 * SECOND, is_global=False)),
        ({"X-RateLimit-Global": "True"}, 3 * SECOND, RateLimitHold(3 * SECOND, is_global=True)),
    ],
)
def test_what_discords_headers_ask_for(
    headers: dict[str, str], refused_for: timedelta | None, hold: RateLimitHold | None
) -> None:
    assert parse_hold(headers, refused_for) == hold


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
        assert 34 * SECOND < refused.value.retry_after <= 35 * SECOND
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
