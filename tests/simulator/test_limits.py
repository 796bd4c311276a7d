"""Discord's limits, as plain arithmetic."""

from slomix.dev.simulator.limits import GLOBAL_LIMIT, Limits, Refused


def test_the_fifty_first_of_a_second_waits_until_the_first_is_a_second_old() -> None:
    limits = Limits()
    assert all(limits.ask("channel", str(number), 100 + number / 100) is None for number in range(GLOBAL_LIMIT))
    refused = limits.ask("channel", "x", 100.75)
    assert refused == Refused(retry_after=0.25, is_global=True)
    assert limits.ask("channel", "x", 101.0) is None
    assert (limits.accepted, limits.refused, limits.peak_per_second) == (51, 1, 50)


def test_a_room_that_is_full_refuses_alone() -> None:
    limits = Limits()
    assert all(limits.ask("messages", "a", 100.0) is None for _ in range(5))
    assert limits.ask("messages", "a", 101.0) == Refused(retry_after=4.0, is_global=False)
    assert limits.ask("messages", "b", 101.0) is None
    assert limits.ask("messages", "a", 105.0) is None
