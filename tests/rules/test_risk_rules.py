"""What puts an evening at risk, in words; and what passes by itself."""

from datetime import timedelta

import pytest

from slomix import words
from slomix.campaigns.risk import Facts, Risk, is_lasting, risks
from slomix.health.rules import PartHealth

SECOND = timedelta(seconds=1)
DEAD = {part: PartHealth(part, ok=False, age_seconds=60) for part in ("worker", "scheduler", "discord", "chimney")}


def kinds(facts: Facts) -> list[str]:
    return [one.kind for one in risks(facts)]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(), []),
        (Facts(parts=[PartHealth("worker", ok=True)], is_voice_known=True, recipients=9, unreachable=2), []),
        (Facts(is_paused=True), ["paused"]),
        (Facts(late=3), ["late"]),
        (Facts(is_paused=True, late=3), ["paused"]),
        (Facts(parts=[DEAD["worker"], DEAD["scheduler"]]), ["worker", "scheduler"]),
        (Facts(parts=[DEAD["chimney"]]), ["part"]),
        (Facts(failing=["telegram", "discord"]), ["channel", "channel"]),
        (Facts(is_voice_known=False), ["voice"]),
        (Facts(is_voice_known=False, parts=[DEAD["discord"]]), ["discord"]),
        (Facts(recipients=1, unreachable=1), []),
        (Facts(recipients=6, unreachable=2), ["unreachable"]),
        (Facts(recipients=7, unreachable=2), []),
    ],
)
def test_what_is_a_risk(facts: Facts, expected: list[str]) -> None:
    assert kinds(facts) == expected


def test_every_risk_says_what_it_is_and_what_helps() -> None:
    facts = Facts(True, list(DEAD.values()), ["signal"], 1, is_voice_known=False, recipients=4, unreachable=4)
    found = risks(facts)
    for one in found:
        assert one.reason
        assert "{" not in one.reason
        assert one.remedy.endswith(".")
    assert "the last messages on Signal did not get through" in [one.reason for one in found]
    assert {"paused", "late", "channel", "voice", "unreachable", "part"} <= set(words.REMEDIES)


@pytest.mark.parametrize(
    ("kinds", "since", "expected"),
    [
        ([], None, False),
        (["late"], None, False),
        (["late"], 29 * SECOND, False),
        (["late"], 30 * SECOND, True),
        (["paused"], 300 * SECOND, False),
        (["paused", "worker"], 30 * SECOND, False),
    ],
)
def test_only_what_lasts_is_told_and_never_that_nothing_can_be_told(
    kinds: list[str], since: timedelta | None, expected: bool
) -> None:
    found = [Risk(kind, kind) for kind in kinds]
    assert is_lasting(found, since, 30 * SECOND) is expected
