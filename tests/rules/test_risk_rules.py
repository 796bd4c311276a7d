"""What puts an evening at risk, in words; and what passes by itself."""

from datetime import timedelta

import pytest

from slomix.campaigns.risk import REMEDIES, RISKS, Risk, RiskFacts, find_risks, is_lasting
from slomix.health.rules import PartHealth

SECOND = timedelta(seconds=1)
DEAD = {part: PartHealth(part, ok=False, age_seconds=60) for part in ("worker", "scheduler", "discord", "chimney")}


def kinds(facts: RiskFacts) -> list[str]:
    return [one.kind for one in find_risks(facts)]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (RiskFacts(), []),
        (RiskFacts(parts=[PartHealth("worker", ok=True)], is_voice_known=True, recipients=9, unreachable=2), []),
        (RiskFacts(is_paused=True), ["paused"]),
        (RiskFacts(late=3), ["late"]),
        (RiskFacts(is_paused=True, late=3), ["paused"]),
        (RiskFacts(parts=[DEAD["worker"], DEAD["scheduler"]]), ["worker", "scheduler"]),
        (RiskFacts(parts=[DEAD["chimney"]]), ["part"]),
        (RiskFacts(failing=["telegram", "discord"]), ["channel", "channel"]),
        (RiskFacts(is_voice_known=False), ["voice"]),
        (RiskFacts(is_voice_known=False, parts=[DEAD["discord"]]), ["discord"]),
        (RiskFacts(recipients=1, unreachable=1), []),
        (RiskFacts(recipients=6, unreachable=2), ["unreachable"]),
        (RiskFacts(recipients=7, unreachable=2), []),
    ],
)
def test_what_is_a_risk(facts: RiskFacts, expected: list[str]) -> None:
    assert kinds(facts) == expected


def test_every_risk_says_what_it_is_and_what_helps() -> None:
    facts = RiskFacts(True, list(DEAD.values()), ["signal"], 1, is_voice_known=False, recipients=4, unreachable=4)
    found = find_risks(facts)
    for one in found:
        assert one.reason
        assert "{" not in one.reason
        assert one.remedy.endswith(".")
    assert "Signal isn’t accepting our messages" in [one.reason for one in found]
    assert set(REMEDIES) <= set(RISKS)
    assert {one.kind for one in found} <= set(RISKS)


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
    found = [Risk(kind) for kind in kinds]
    assert is_lasting(found, since, 30 * SECOND) is expected
