"""Discord's limits, as plain arithmetic."""

from slomix.dev.simulator.limits import GLOBAL_LIMIT, RateLimitRefusal, RateLimits


def test_the_fifty_first_of_a_second_waits_until_the_first_is_a_second_old() -> None:
    limits = RateLimits()
    assert all(limits.request("channel", str(number), 100 + number / 100) is None for number in range(GLOBAL_LIMIT))
    refused = limits.request("channel", "x", 100.75)
    assert refused == RateLimitRefusal(retry_after=0.25, is_global=True)
    assert limits.request("channel", "x", 101.0) is None
    assert (limits.accepted, limits.refused, limits.peak_per_second) == (51, 1, 50)


def test_a_room_that_is_full_refuses_alone() -> None:
    limits = RateLimits()
    assert all(limits.request("messages", "a", 100.0) is None for _ in range(5))
    assert limits.request("messages", "a", 101.0) == RateLimitRefusal(retry_after=4.0, is_global=False)
    assert limits.request("messages", "b", 101.0) is None
    assert limits.request("messages", "a", 105.0) is None
